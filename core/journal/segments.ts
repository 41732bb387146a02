import {open, readdir} from 'node:fs/promises';
import {join} from 'node:path';

export type Segment = {number: number; name: string; path: string};

const newline = 10;
const chunkBytes = 262_144;

/** Where segment `number` of a chain stands. */
export const segmentOf = (folder: string, chain: string, number: number): Segment => {
	const name = `${chain}-${String(number).padStart(6, '0')}.jsonl`;
	return {number, name, path: join(folder, name)};
};

/** The segments of a chain, oldest first. Rejects when the folder cannot be read. */
export const segmentsOf = async (folder: string, chain: string): Promise<Segment[]> => {
	const numbers = (await readdir(folder)).flatMap(name => {
		const [, of, digits] = /^(\w+)-(\d{6,})\.jsonl$/.exec(name) ?? [];
		return of === chain ? [Number(digits)] : [];
	});
	return numbers.sort((a, b) => a - b).map(number => segmentOf(folder, chain, number));
};

/** The chains of a journal, each of one process, in the order of their names: `0`, `1`, … Rejects when the folder cannot be read. */
export const chainsOf = async (folder: string): Promise<string[]> => {
	const chains = new Set((await readdir(folder)).flatMap(name => /^(\w+)-\d{6,}\.jsonl$/.exec(name)?.[1] ?? []));
	return [...chains].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
};

/** The lines of a file without their newlines; `whole` is false for a last one that has none. Holds one chunk and one line in memory. */
export async function* linesOf(path: string): AsyncGenerator<{bytes: Buffer; whole: boolean}> {
	const file = await open(path);
	try {
		let begun: Buffer[] = [];
		for (;;) {
			const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, null);
			if (bytesRead === 0) break;
			const chunk = buffer.subarray(0, bytesRead);
			let start = 0;
			for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
				const piece = chunk.subarray(start, end);
				yield {bytes: begun.length === 0 ? piece : Buffer.concat([...begun, piece]), whole: true};
				begun = [];
				start = end + 1;
			}
			if (start < chunk.length) begun.push(chunk.subarray(start));
		}
		if (begun.length > 0) yield {bytes: Buffer.concat(begun), whole: false};
	} finally {
		await file.close();
	}
}

/** The lines of a file from the last to the first, with the offset each begins at. Holds one chunk and one line in memory. */
export async function* linesBackwards(path: string): AsyncGenerator<{bytes: Buffer; whole: boolean; start: number}> {
	const file = await open(path);
	try {
		let at = (await file.stat()).size;
		let whole = false;
		let ended: Buffer[] = [];
		while (at > 0) {
			const length = Math.min(chunkBytes, at);
			at -= length;
			const {bytesRead, buffer} = await file.read(Buffer.allocUnsafe(length), 0, length, at);
			if (bytesRead !== length) throw new Error(`${path} is being cut while it is read`);
			let end = length;
			for (let found = buffer.lastIndexOf(newline); found !== -1; found = end > 0 ? buffer.lastIndexOf(newline, end - 1) : -1) {
				const bytes = Buffer.concat([buffer.subarray(found + 1, end), ...ended]);
				if (whole || bytes.length > 0) yield {bytes, whole, start: at + found + 1};
				whole = true;
				ended = [];
				end = found;
			}
			ended.unshift(buffer.subarray(0, end));
		}
		const bytes = Buffer.concat(ended);
		if (whole || bytes.length > 0) yield {bytes, whole, start: 0};
	} finally {
		await file.close();
	}
}
