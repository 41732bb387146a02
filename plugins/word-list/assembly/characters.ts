import {folds, wordRanges} from './unicode';

const folded = new StaticArray<u16>(0x10000);
const wordLike = new StaticArray<bool>(0x10000);

function number(text: string, radix: i32): i32 {
	return i32(parseInt(text, radix));
}

for (let unit = 0; unit < 0x10000; unit++) folded[unit] = u16(unit);
const runs = folds.split(',');
for (let index = 0; index < runs.length; index++) {
	const parts = runs[index].split(' ');
	const step = number(parts[2], 10);
	const delta = number(parts[3], 10);
	for (let unit = number(parts[0], 16); unit <= number(parts[1], 16); unit += step) folded[unit] = u16(unit + delta);
}
const ranges = wordRanges.split(',');
for (let index = 0; index < ranges.length; index++) {
	const parts = ranges[index].split(' ');
	for (let unit = number(parts[0], 16); unit <= number(parts[1], 16); unit++) wordLike[unit] = true;
}

/** The same unit for what differs in case only. */
// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@inline
export function fold(unit: i32): i32 {
	return unchecked(folded[unit]);
}

/** Whether a unit is part of a word: a letter, a mark, a digit or _. */
// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@inline
export function isWord(unit: i32): bool {
	return unchecked(wordLike[unit]);
}
