import {matchRow, type Spotted} from './match.ts';
import {belongs, isSeparator, isWord, longestWord, newWords, readWords, wordEnd} from './words.ts';

export type IdScan = {readonly found: readonly Spotted[] /** Nothing that follows changes what stands before. */; readonly open: number};

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
	const words = newWords();
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
