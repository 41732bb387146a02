import {isKind} from '../detectors/classes.ts';
import {matchRow, type Spotted} from './match.ts';

const ALNUM = 7;
/** A word that is longer is nothing that is looked for here. */
export const longestWord = 92;
export const longestRow = 48;
const mostWords = 14;

/** Words that stand together with one separator between each, as numbers are written. */
export type Words = {readonly starts: number[]; readonly ends: number[]};

export type IdScan = {readonly found: readonly Spotted[] /** Nothing that follows changes what stands before. */; readonly open: number};

const isWord = (text: string, index: number): boolean => isKind(text, index, ALNUM);

const isSeparator = (code: number): boolean => code === 0x20 || (code >= 0x2d && code <= 0x2f) || code === 0x3a || code === 0x2b;

const wordEnd = (text: string, start: number): number => {
	let end = start;
	while (end - start <= longestWord && isWord(text, end)) end++;
	return end;
};

/** Numbers are made of words with digits in them, and of a few capitals or hexadecimal digits. */
const belongs = (text: string, start: number, end: number): boolean => {
	let capitals = true;
	for (let index = start; index < end; index++) {
		if (isKind(text, index, 1)) return true;
		if (!isKind(text, index, 2)) capitals = false;
	}
	return end - start <= (capitals ? 4 : 2);
};

/** Reads the words from `start` on; -1 when the text ends before it is known what they are. */
const readWords = (text: string, start: number, final: boolean, words: Words): number => {
	words.starts.length = 0;
	words.ends.length = 0;
	let index = start;
	while (words.starts.length < mostWords) {
		const end = wordEnd(text, index);
		if (end === text.length && !final && end - index <= longestWord) return -1;
		if (end - index > longestWord || !belongs(text, index, end) || (words.starts.length > 0 && end - start > longestRow)) break;
		words.starts.push(index);
		words.ends.push(end);
		if (end + 1 >= text.length && !final && (end === text.length || isSeparator(text.charCodeAt(end)))) return -1;
		if (!isSeparator(text.charCodeAt(end)) || !isWord(text, end + 1)) break;
		index = end + 1;
	}
	return words.starts.length;
};

/** Where the word that goes on at `index` ends, `index` itself at the start of one. */
const skipRest = (text: string, index: number): number => {
	let at = index;
	if (!isWord(text, index - 1)) return index;
	while (isWord(text, at)) at++;
	return at;
};

const nextDigit = (text: string, index: number): number => {
	for (let at = index; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code >= 0x30 && code <= 0x39) return at;
	}
	return -1;
};

/** As many words without digits may begin a value: all but one of the six of a MAC address. */
const mostPlain = 5;

/** Where the words begin that may begin a value, of which the word around `index` is the first with a digit in it. */
const backUp = (text: string, index: number, floor: number): number => {
	let start = index;
	while (start > floor && isWord(text, start - 1)) start--;
	for (let count = 0; count < mostPlain && start > floor + 1; count++) {
		if (!isSeparator(text.charCodeAt(start - 1)) || !isWord(text, start - 2)) break;
		let before = start - 2;
		while (before > floor && start - before <= 5 && isWord(text, before - 1)) before--;
		if (isWord(text, before - 1) || !belongs(text, before, start - 1)) break;
		start = before;
	}
	return start;
};

/** Where the end of a text begins that more text may make a value of. */
const tailStart = (text: string, floor: number): number => {
	const end = text.length;
	const hangs = end > floor && isSeparator(text.charCodeAt(end - 1)) ? end - 1 : end;
	const start = backUp(text, hangs, floor);
	return hangs - start > longestWord ? end : start;
};

/** Reads `text` from `from` on; what stands before is only looked back at, and begins the whole text when `begins`. */
export const scanIds = (text: string, from: number, floor: number, begins: boolean, final: boolean): IdScan => {
	const found: Spotted[] = [];
	const words: Words = {starts: [], ends: []};
	let index = skipRest(text, from);
	let after = floor;
	let digit = nextDigit(text, index);
	while (digit !== -1) {
		index = backUp(text, digit, index);
		while (index <= digit) {
			if (!isWord(text, index)) {
				index++;
				continue;
			}
			const size = readWords(text, index, final, words);
			if (size === -1) return {found, open: index};
			const match = size === 0 ? undefined : matchRow(text, words, after, begins && final);
			if (match !== undefined) {
				found.push(match);
				after = match.end;
			}
			index = match?.end ?? skipRest(text, words.ends[0] ?? wordEnd(text, index));
		}
		digit = nextDigit(text, index);
	}
	return {found, open: final ? text.length : tailStart(text, index)};
};
