const memorySection = 5;
const hasMaximum = 1;
const is64 = 4;

/** An unsigned LEB128 number and where it ends: https://webassembly.github.io/spec/core/binary/values.html */
const readNumber = (bytes: Uint8Array, at: number): [value: number, next: number] => {
	let value = 0;
	let scale = 1;
	for (let index = at; index < at + 5; index++) {
		const byte = bytes[index];
		if (byte === undefined) break;
		value += (byte & 0x7f) * scale;
		if (byte < 0x80) return [value, index + 1];
		scale *= 128;
	}
	throw new Error('plugin.wasm is not a WebAssembly module');
};

const writeNumber = (value: number): number[] => {
	const bytes: number[] = [];
	let rest = value;
	do {
		const low = rest % 128;
		rest = Math.floor(rest / 128);
		bytes.push(rest > 0 ? low + 128 : low);
	} while (rest > 0);
	return bytes;
};

const cappedMemories = (section: Uint8Array, maxPages: number): number[] => {
	const [count, first] = readNumber(section, 0);
	const capped = writeNumber(count);
	let at = first;
	for (let index = 0; index < count; index++) {
		const flags = section[at]!;
		if (flags & is64) throw new Error('plugin.wasm uses a 64-bit memory; compile it for wasm32');
		const [least, afterLeast] = readNumber(section, at + 1);
		const [most, next] = flags & hasMaximum ? readNumber(section, afterLeast) : [maxPages, afterLeast];
		if (least > maxPages) throw new Error(`plugin.wasm begins with ${least} pages of memory, and limits.memoryMb allows ${maxPages}`);
		capped.push(flags | hasMaximum, ...writeNumber(least), ...writeNumber(Math.min(most, maxPages)));
		at = next;
	}
	return capped;
};

/** The same module, whose memory cannot grow beyond `maxPages` of 64 KiB. Throws when it is no module or wants more at once. */
export const capMemory = (code: Uint8Array, maxPages: number): Uint8Array<ArrayBuffer> => {
	const preamble = 8;
	let at = preamble;
	while (at < code.length) {
		const id = code[at]!;
		const [size, body] = readNumber(code, at + 1);
		if (id === memorySection) {
			const section = cappedMemories(code.subarray(body, body + size), maxPages);
			return new Uint8Array(
				Buffer.concat([code.subarray(0, at), Buffer.from([id, ...writeNumber(section.length), ...section]), code.subarray(body + size)]),
			);
		}
		at = body + size;
	}
	return new Uint8Array(code);
};
