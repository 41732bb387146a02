import type {Alphabet} from './kinds/row.ts';

export const DIGIT = 1;
export const UPPER = 2;
export const LOWER = 4;
const HEX = 8;
const KEY_MARK = 16;
const BASE64_MARK = 32;
const PERCENT = 64;
/** Printable ASCII but quotes, brackets, commas, semicolons and backslashes: what a secret can hold anywhere. */
export const TOKEN = 128;
/** What a token holds besides letters, digits and stops. */
export const SYMBOL = 256;

export const ALNUM = DIGIT | UPPER | LOWER;
export const KEY = ALNUM | KEY_MARK;

const table = (() => {
	// As long as there are characters: reading past the end of an array is many times slower.
	const kinds = new Uint16Array(65_536);
	const add = (characters: string, bits: number) => {
		for (let index = 0; index < characters.length; index++) kinds[characters.charCodeAt(index)]! |= bits;
	};
	for (let code = 0x21; code < 0x7f; code++) kinds[code] = '"\'`<>()[]{},;\\'.includes(String.fromCharCode(code)) ? 0 : TOKEN;
	for (let code = 0; code < 0x7f; code++)
		if (kinds[code] === TOKEN && !/[A-Za-z\d.]/.test(String.fromCharCode(code))) kinds[code]! |= SYMBOL;
	add('0123456789', DIGIT | HEX);
	add('ABCDEF', HEX);
	add('abcdef', HEX);
	add('ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER);
	add('abcdefghijklmnopqrstuvwxyz', LOWER);
	add('_-', KEY_MARK);
	add('+/=', BASE64_MARK);
	add('%', PERCENT);
	return kinds;
})();

export const kindOf = (code: number): number => table[code] ?? 0;

export const isKind = (text: string, index: number, bits: number): boolean => ((table[text.charCodeAt(index)] ?? 0) & bits) !== 0;

const bitsOf: Readonly<Record<Alphabet, number>> = {
	hex: HEX,
	upper: UPPER | DIGIT,
	alnum: ALNUM,
	key: KEY,
	dotted: KEY,
	base64: KEY | BASE64_MARK,
	percent: KEY | PERCENT,
};

const stop = 0x2e;

/** Where the run of an alphabet that begins at `index` ends, `limit` at the latest. */
export const runEnd = (text: string, index: number, alphabet: Alphabet, limit: number): number => {
	const bits = bitsOf[alphabet];
	const stops = alphabet === 'dotted';
	let end = index;
	while (
		end < limit &&
		(isKind(text, end, bits) || (stops && text.charCodeAt(end) === stop && isKind(text, end + 1, KEY) && end + 1 < limit))
	)
		end++;
	return end;
};

/** Bits of entropy per character: 4 at most for hexadecimal digits, 0 for one character again and again. */
export const entropy = (text: string): number => {
	const counts = new Uint16Array(128);
	for (let index = 0; index < text.length; index++) counts[text.charCodeAt(index) & 127]!++;
	let bits = 0;
	for (const count of counts) if (count > 0) bits -= (count / text.length) * Math.log2(count / text.length);
	return bits;
};
