/** Edits of single top-level fields in the bytes of a body that `parseBody` has accepted; everything else stays byte for byte. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const skipSpace = (bytes: Buffer, from: number): number => {
	let at = from;
	while (isSpace(bytes[at])) at += 1;
	return at;
};

/** The index behind the string that opens at `open`. In UTF-8 no byte of a longer character looks like a quote. */
const afterString = (bytes: Buffer, open: number): number => {
	for (let at = bytes.indexOf(QUOTE, open + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
		let before = at - 1;
		while (before > open && bytes[before] === BACKSLASH) before -= 1;
		if ((at - before) % 2 === 1) return at + 1;
	}
	return bytes.length;
};

/** The index behind the value that starts at `start`. */
const afterValue = (bytes: Buffer, start: number): number => {
	let depth = 0;
	let at = start;
	while (at < bytes.length) {
		const byte = bytes[at];
		if (byte === QUOTE) {
			at = afterString(bytes, at);
			if (depth === 0) return at;
			continue;
		}
		if (depth === 0 && (byte === 0x2c || byte === CLOSE || isSpace(byte))) return at;
		if (byte === OPEN || byte === 0x5b) depth += 1;
		if (byte === CLOSE || byte === 0x5d) {
			depth -= 1;
			if (depth === 0) return at + 1;
		}
		at += 1;
	}
	return at;
};

const keyAt = (bytes: Buffer, open: number, end: number): string => {
	const raw = bytes.toString('utf8', open + 1, end - 1);
	return raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
};

/** The byte range of the value of the top-level field `key`, or undefined when there is no such field. */
export const fieldRange = (bytes: Buffer, key: string): {start: number; end: number} | undefined => {
	let at = skipSpace(bytes, bytes.indexOf(OPEN) + 1);
	while (bytes[at] === QUOTE) {
		const keyEnd = afterString(bytes, at);
		const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
		const end = afterValue(bytes, start);
		if (keyAt(bytes, at, keyEnd) === key) return {start, end};
		const comma = skipSpace(bytes, end);
		if (bytes[comma] !== 0x2c) return undefined;
		at = skipSpace(bytes, comma + 1);
	}
	return undefined;
};

/** The bytes with a new first field; the body must not have a field `key` yet. */
export const spliceField = (bytes: Buffer, key: string, jsonText: string): Buffer => {
	const inside = bytes.indexOf(OPEN) + 1;
	const comma = bytes[skipSpace(bytes, inside)] === CLOSE ? '' : ',';
	const field = Buffer.from(`${JSON.stringify(key)}:${jsonText}${comma}`);
	return Buffer.concat([bytes.subarray(0, inside), field, bytes.subarray(inside)]);
};

/** The bytes with `jsonText` as the value of the top-level field `key`, which is added when it is missing. */
export const setField = (bytes: Buffer, key: string, jsonText: string): Buffer => {
	const range = fieldRange(bytes, key);
	if (range === undefined) return spliceField(bytes, key, jsonText);
	return Buffer.concat([bytes.subarray(0, range.start), Buffer.from(jsonText), bytes.subarray(range.end)]);
};

/** The bytes asking for another model: the client's alias becomes the name its provider knows. */
export const setModel = (bytes: Buffer, model: string): Buffer => setField(bytes, 'model', JSON.stringify(model));
