// One table for both twins, so that they agree on every letter whatever Unicode their engines know.
import {folds, wordRanges} from '../../plugins/word-list/assembly/unicode.ts';

const folded = Uint16Array.from({length: 0x10000}, (_, unit) => unit);
for (const run of folds.split(',')) {
	const [first, last, step, delta] = run.split(' ');
	for (let unit = Number.parseInt(first!, 16); unit <= Number.parseInt(last!, 16); unit += Number(step))
		folded[unit] = unit + Number(delta);
}

const wordLike = new Uint8Array(0x10000);
for (const range of wordRanges.split(',')) {
	const [first, last] = range.split(' ');
	wordLike.fill(1, Number.parseInt(first!, 16), Number.parseInt(last!, 16) + 1);
}

/** The same unit for what differs in case only. */
export const fold = (unit: number): number => folded[unit]!;

/** Whether a unit is part of a word: a letter, a mark, a digit or _. */
export const isWord = (unit: number): boolean => wordLike[unit] === 1;
