import {DIGIT, isKind, kindAt, LOWER, UPPER} from '../detectors/classes.ts';

const ALNUM = 7;
/** A word that is longer is nothing that is looked for here. */
export const longestWord = 92;
export const longestRow = 48;
/** No number is written in more groups. */
const mostWords = 8;

/** The word has a letter. */
export const LETTERED = 1;
/** The word is of small letters alone. */
export const SMALL = 2;

/** Words that stand together with one separator between each, as numbers are written. */
export type Words = {readonly starts: number[]; readonly ends: number[] /** `LETTERED` and `SMALL` of each. */; readonly kinds: number[]};

export const newWords = (): Words => ({starts: [], ends: [], kinds: []});

export const isWord = (text: string, index: number): boolean => isKind(text, index, ALNUM);

export const isSeparator = (code: number): boolean => code === 0x20 || (code >= 0x2d && code <= 0x2f) || code === 0x3a || code === 0x2b;

export const wordEnd = (text: string, start: number): number => {
	let end = start;
	while (end - start <= longestWord && isWord(text, end)) end++;
	return end;
};

/** Which of `DIGIT`, `UPPER` and `LOWER` are in a word. */
const classesOf = (text: string, start: number, end: number): number => {
	let classes = 0;
	for (let index = start; index < end; index++) classes |= kindAt(text, index);
	return classes & ALNUM;
};

const mayBelong = (classes: number, size: number): boolean => (classes & DIGIT) !== 0 || size <= (classes === UPPER ? 4 : 2);

/** Numbers are made of words with digits in them, and of a few capitals or hexadecimal digits. */
export const belongs = (text: string, start: number, end: number): boolean => mayBelong(classesOf(text, start, end), end - start);

/** Reads the words from `start` on; -1 when the text ends before it is known what they are. */
export const readWords = (text: string, start: number, final: boolean, {starts, ends, kinds}: Words): number => {
	let count = 0;
	let index = start;
	while (count < mostWords) {
		let end = index;
		let classes = 0;
		for (; end - index <= longestWord; end++) {
			const kind = kindAt(text, end) & ALNUM;
			if (kind === 0) break;
			classes |= kind;
		}
		if (end === text.length && !final && end - index <= longestWord) return -1;
		if (end - index > longestWord || (count > 0 && end - start > longestRow)) break;
		if (!mayBelong(classes, end - index)) break;
		starts[count] = index;
		ends[count] = end;
		kinds[count] = (classes === DIGIT ? 0 : LETTERED) | (classes === LOWER ? SMALL : 0);
		count++;
		if (end + 1 >= text.length && !final && (end === text.length || isSeparator(text.charCodeAt(end)))) return -1;
		if (!isSeparator(text.charCodeAt(end)) || !isWord(text, end + 1)) break;
		index = end + 1;
	}
	starts.length = count;
	ends.length = count;
	kinds.length = count;
	return count;
};
