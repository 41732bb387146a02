import {close, constants, fstatSync, ftruncateSync, openSync, writeSync} from 'node:fs';

export type SegmentFile = {
	/** Bytes that stand in the file for good. */
	readonly length: number;
	/** All of `lines` is in the file, or none of it is and this throws; the next write tries afresh. */
	write(lines: string): void;
	/** Lets go of the file; what was written stays. */
	close(): void;
};

/** Written and used up within one call. */
const scratch = Buffer.allocUnsafeSlow(1_048_576);

const bytesOf = (lines: string): Buffer =>
	// A UTF-16 unit takes three bytes at most.
	lines.length * 3 <= scratch.length ? scratch.subarray(0, scratch.write(lines)) : Buffer.from(lines);

/** A file to append whole lines to, of which the first `length` bytes are good already; it is opened at the first write. */
export const segmentFile = (path: string, goodBytes: number): SegmentFile => {
	let length = goodBytes;
	let fd: number | undefined;
	let halfWritten = false;
	let stolen = false;

	const letGo = () => {
		const was = fd;
		fd = undefined;
		if (was !== undefined) close(was, () => {}); // Every byte was accepted before: a close that fails takes none back.
	};

	const reopen = (): number => {
		const create = length === 0 ? constants.O_CREAT : 0;
		fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | create, 0o640);
		const {size} = fstatSync(fd);
		if (size < length) throw new Error(`${path} is shorter than what was written to it`);
		if (size > length && !halfWritten) throw new Error(`${path} has lines that this process did not write`);
		if (size > length) ftruncateSync(fd, length);
		halfWritten = false;
		return fd;
	};

	const attempt = (lines: string) => {
		const file = fd ?? reopen();
		const bytes = bytesOf(lines);
		halfWritten = true;
		for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
		// Writing to a removed file succeeds, and so does writing beside somebody else: one fstat (0.5 µs a batch) tells.
		const {size, nlink} = fstatSync(file);
		if (nlink === 0) throw new Error(`${path} was removed`);
		stolen = size !== length + bytes.length;
		if (stolen) throw new Error(`somebody else changed ${path}: it is ${size} bytes long instead of ${length + bytes.length}`);
		halfWritten = false;
		length += bytes.length;
	};

	const cutBack = () => {
		try {
			if (fd !== undefined && halfWritten && !stolen) {
				ftruncateSync(fd, length);
				halfWritten = false;
			}
		} catch {
			// `halfWritten` stays true: reopening cuts before anything else is written.
		} finally {
			letGo();
		}
	};

	return {
		get length() {
			return length;
		},
		write(lines) {
			if (stolen) throw new Error(`somebody else changed ${path}: restart the gateway once only one writes there`);
			try {
				attempt(lines);
			} catch (error) {
				cutBack();
				throw error;
			}
		},
		close: letGo,
	};
};
