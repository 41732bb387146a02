/** Character classes, looked up by UTF-16 code unit; one table read replaces a chain of comparisons. */
export const DIGIT = 1;
export const UPPER = 2;
export const LOWER = 4;
export const HEX = 8;
/** `_` and `-`: what keys contain besides letters and digits. */
export const KEY_MARK = 16;
/** `.`, `%` and `+`: what else an email's local part contains. */
export const LOCAL_MARK = 32;
/** Latin, Greek and Cyrillic letters beyond ASCII, as internationalised addresses use them. */
export const FOREIGN = 64;
/** `+` and `/`: what base64 contains besides letters and digits. */
export const BASE64_MARK = 128;
/** What ends the user part of a URL. */
export const USER_STOP = 256;
/** What a URL may contain besides letters, digits and `_-`, and `.` and `,`, which may end its sentence instead. */
export const URL_MARK = 512;

export const ALNUM = DIGIT | UPPER | LOWER;
export const LETTER = UPPER | LOWER | FOREIGN;
export const WORD = ALNUM | FOREIGN;
export const LOCAL = WORD | KEY_MARK | LOCAL_MARK;
export const KEY = ALNUM | KEY_MARK;

const marks: ReadonlyArray<readonly [characters: string, bits: number]> = [
	['_-', KEY_MARK],
	['.%+', LOCAL_MARK],
	['+/', BASE64_MARK],
	['/?#"\'`<>\\[](){}|,;@', USER_STOP],
	['/?&:#%~@!=+', URL_MARK],
];

const buildKinds = () => {
	const table = new Uint16Array(65_536);
	const fill = (from: number, to: number, bits: number) => {
		for (let code = from; code <= to; code++) {
			table[code] = table[code]! | bits;
		}
	};

	fill(0x30, 0x39, DIGIT | HEX);
	fill(0x41, 0x5a, UPPER);
	fill(0x61, 0x7a, LOWER);
	fill(0x41, 0x46, HEX);
	fill(0x61, 0x66, HEX);
	fill(0xc0, 0x24f, FOREIGN);
	fill(0x370, 0x52f, FOREIGN);
	fill(0, 0x20, USER_STOP);
	for (const [characters, bits] of marks) {
		for (const character of characters) {
			fill(character.charCodeAt(0), character.charCodeAt(0), bits);
		}
	}

	return table;
};

const kinds = buildKinds();

/** The classes of the character at `index`, none outside the text. */
export const kindAt = (text: string, index: number): number => kinds[text.charCodeAt(index)] ?? 0;

export const isKind = (text: string, index: number, bits: number): boolean => (kindAt(text, index) & bits) !== 0;
