import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Encoding} from './token-table.ts';

/**
 * The classes of characters that o200k splits text by. Letters that are neither upper nor lower case and marks count as
 * both; marks also as other characters. For cl100k a letter is a letter, and a mark is none.
 */
const OTHER = 0;
const UPPER = 1;
const LOWER = 2;
const EITHER = 3;
const MARK = 4;
const NUMBER = 5;
const BLANK = 6;
const NEWLINE = 7;
const END = 8;
/** A byte of a character beyond ASCII. */
const WIDE = 9;

const charsPerTurn = 2_048;

const classOfChar = (char: string): number => {
	if (char === '\n' || char === '\r') return NEWLINE;
	if (/\s/u.test(char)) return BLANK;
	if (/\p{Ll}/u.test(char)) return LOWER;
	if (/[\p{Lu}\p{Lt}]/u.test(char)) return UPPER;
	if (/\p{L}/u.test(char)) return EITHER;
	if (/\p{M}/u.test(char)) return MARK;
	return /\p{N}/u.test(char) ? NUMBER : OTHER;
};

const isUpper = (kind: number): boolean => kind === UPPER || kind === EITHER || kind === MARK;
const isLower = (kind: number): boolean => kind >= LOWER && kind <= MARK;
const isLetter = (kind: number): boolean => kind >= UPPER && kind <= MARK;
const isOther = (kind: number): boolean => kind === OTHER || kind === MARK;

const SPACE = 0x20;
const UPPER_A = 0x41;
const LOWER_A = 0x61;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;

/** What a piece is made of; `words` are letters of ASCII with or without a blank or another character before them. */
export const pieceKinds = {words: 0, letters: 1, numbers: 2, others: 3, blanks: 4} as const;

/**
 * Cuts the inside of JSON strings, in UTF-8, into the pieces that byte-pair encoding takes one by one, as the splitting
 * expression of o200k does. A quote and a backslash end a piece: escapes are for whoever asks.
 */
export type Pieces = {
	/** Where the piece that begins at `from` ends, at most `to`; never at `from`. Bytes that are not UTF-8 are cut anyhow. */
	next(bytes: Uint8Array, from: number, to: number): number;
	/** Where the characters end, from `from` on and at most at `to`, that a piece of `others` may go on with. */
	others(bytes: Uint8Array, from: number, to: number): number;
	/** One of `pieceKinds`, of the last piece. */
	readonly kind: number;
};

/** The class of each character of the Basic Multilingual Plane, worked out a little in each turn of the event loop. */
const classesOfChars = async (): Promise<Uint8Array> => {
	const classes = new Uint8Array(65_536);
	for (let code = 0; code < classes.length; code += 1) {
		classes[code] = classOfChar(String.fromCharCode(code));
		if (code % charsPerTurn === charsPerTurn - 1) await nextTurn();
	}
	classes[QUOTE] = END;
	classes[BACKSLASH] = END;
	return classes;
};

const asCl100k = (kind: number): number => {
	if (kind === UPPER || kind === EITHER) return LOWER;
	return kind === MARK ? OTHER : kind;
};

export const loadPieces = async (encoding: Encoding): Promise<Pieces> => {
	const all = await classesOfChars();
	const isO200k = encoding === 'o200k_base';
	const classes = isO200k ? all : all.map(asCl100k);
	const ascii = new Uint8Array(256).fill(WIDE);
	ascii.set(classes.subarray(0, 128));
	let text: Uint8Array = new Uint8Array(0);
	let end = 0;
	let width = 1;
	let kind = 0;

	const classAt = (at: number): number => {
		if (at >= end) return END;
		const first = text[at]!;
		width = 1;
		if (first < 0x80) return classes[first]!;
		if (first < 0xe0) {
			width = 2;
			return classes[((first & 0x1f) << 6) | (text[at + 1]! & 0x3f)]!;
		}
		if (first < 0xf0) {
			width = 3;
			return classes[((first & 0x0f) << 12) | ((text[at + 1]! & 0x3f) << 6) | (text[at + 2]! & 0x3f)]!;
		}
		width = 4;
		// Mostly emoji; of letters out here hardly any pair is a token.
		return OTHER;
	};

	/** Where `'s`, `'ll` or one of their like ends that begins at `at`, or `at`. */
	const contraction = (at: number): number => {
		if (at + 1 >= end || text[at] !== APOSTROPHE) return at;
		const one = text[at + 1]! | 0x20;
		if (one === 0x73 || one === 0x64 || one === 0x6d || one === 0x74) return at + 2;
		if (at + 2 >= end) return at;
		const two = text[at + 2]! | 0x20;
		const isWhole = (one === 0x6c && two === 0x6c) || (one === 0x76 && two === 0x65) || (one === 0x72 && two === 0x65);
		return isWhole ? at + 3 : at;
	};

	/** Upper case, then lower; where no lower follows, what is either counts as such, and what comes behind it is another piece. */
	const word = (from: number): number => {
		let at = from;
		let lastEither = -1;
		let found = classAt(at);
		while (isUpper(found)) {
			at += width;
			if (found !== UPPER) lastEither = at;
			found = classAt(at);
		}
		const upperEnd = at;
		while (isLower(found)) {
			at += width;
			found = classAt(at);
		}
		const wordEnd = at === upperEnd && lastEither >= 0 ? lastEither : at;
		return isO200k ? contraction(wordEnd) : wordEnd;
	};

	const numbers = (from: number): number => {
		let at = from;
		for (let count = 0; count < 3 && classAt(at) === NUMBER; count += 1) at += width;
		return at;
	};

	const others = (from: number): number => {
		let at = from;
		while (isOther(classAt(at))) at += width;
		for (let byte = text[at]; at < end && (byte === 0x0a || byte === 0x0d || byte === SLASH); byte = text[at]) at += 1;
		return at;
	};

	/** Up to the last line break; else all but the last blank, which stays with what follows. */
	const blanks = (from: number): number => {
		let at = from;
		let last = from;
		let lineEnd = -1;
		for (let found = classAt(at); found === BLANK || found === NEWLINE; found = classAt(at)) {
			last = at;
			at += width;
			if (found === NEWLINE) lineEnd = at;
		}
		if (lineEnd >= 0) return lineEnd;
		return at >= end || last === from ? at : last;
	};

	const pieceAt = (from: number): number => {
		const first = classAt(from);
		const firstWidth = width;
		if (first === NUMBER) {
			kind = pieceKinds.numbers;
			return numbers(from);
		}
		kind = pieceKinds.letters;
		if (text[from] === APOSTROPHE && !isO200k && contraction(from) > from) return contraction(from);
		if (first === OTHER || first === BLANK || first === MARK) {
			const second = classAt(from + firstWidth);
			if (isLetter(second)) return word(from + firstWidth);
			if (first !== MARK) {
				if (first === OTHER || (text[from] === SPACE && isOther(second))) {
					kind = pieceKinds.others;
					return others(from + (first === OTHER ? 0 : 1));
				}
				kind = pieceKinds.blanks;
				return blanks(from);
			}
		}
		if (first !== NEWLINE) return word(from);
		kind = pieceKinds.blanks;
		return blanks(from);
	};

	return {
		next(bytes, from, to) {
			// Most pieces are ASCII: a word with or without a blank before it, or punctuation.
			const first = classes[bytes[from]!]!;
			if (bytes[from]! < 0x80 && first <= BLANK && (isO200k || bytes[from] !== APOSTROPHE)) {
				let at = first === BLANK || first === OTHER ? from + 1 : from;
				const begin = at;
				if (isO200k) {
					while (at < to && (bytes[at]! - UPPER_A) >>> 0 < 26) at += 1;
					while (at < to && (bytes[at]! - LOWER_A) >>> 0 < 26) at += 1;
				} else {
					while (at < to && ((bytes[at]! | 0x20) - LOWER_A) >>> 0 < 26) at += 1;
				}
				let found = at < to ? ascii[bytes[at]!]! : END;
				if (at > begin && found !== WIDE && (found !== OTHER || bytes[at] !== APOSTROPHE)) {
					kind = pieceKinds.words;
					return at;
				}
				if (at === begin && (first === OTHER || (found === OTHER && bytes[from] === SPACE))) {
					while (found === OTHER) found = ++at < to ? ascii[bytes[at]!]! : END;
					if (found !== WIDE) {
						while (at < to && (ascii[bytes[at]!] === NEWLINE || bytes[at] === SLASH)) at += 1;
						kind = pieceKinds.others;
						return at;
					}
				}
			}
			text = bytes;
			end = to;
			// Half a character may look like anything, a quote too.
			return Math.min(to, Math.max(from + 1, pieceAt(from)));
		},
		others(bytes, from, to) {
			text = bytes;
			end = to;
			return Math.min(to, others(from));
		},
		get kind() {
			return kind;
		},
	};
};
