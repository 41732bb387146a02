/** Writes unicode.ts out of the Unicode data of the Node that runs it: node plugins/word-list/assembly/make-unicode.ts */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';

const surrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
const single = (text: string) => (text.length === 1 ? text.charCodeAt(0) : undefined);

/** One unit to one unit, or itself: upper case and then lower case, which also joins ς with σ and ſ with s. */
const fold = (unit: number): number => {
	const upper = single(String.fromCharCode(unit).toUpperCase()) ?? unit;
	return single(String.fromCharCode(upper).toLowerCase()) ?? unit;
};

type Run = {first: number; last: number; step: number; delta: number};
const runs: Run[] = [];
for (let unit = 0; unit < 0x10000; unit++) {
	const delta = surrogate(unit) ? 0 : fold(unit) - unit;
	if (delta === 0) continue;
	const run = runs.at(-1);
	const step = run ? unit - run.last : 0;
	if (run && run.delta === delta && step <= 2 && (run.first === run.last || run.step === step)) {
		run.step = step;
		run.last = unit;
	} else runs.push({first: unit, last: unit, step: 1, delta});
}

const wordLike = /[\p{L}\p{M}\p{N}_]/u;
const unspaced = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]/u;
const unassigned = /\p{Cn}/u;
const ranges: [first: number, last: number][] = [];
let gap = false;
for (let unit = 0; unit < 0x10000; unit++) {
	const text = String.fromCharCode(unit);
	if (surrogate(unit) || !wordLike.test(text) || unspaced.test(text)) {
		// Code points without a meaning may lie inside a range: it saves half of them.
		gap ||= surrogate(unit) || !unassigned.test(text);
		continue;
	}
	const range = ranges.at(-1);
	if (range && !gap) range[1] = unit;
	else ranges.push([unit, unit]);
	gap = false;
}

const hex = (unit: number) => unit.toString(16);
const folds = runs.map(({first, last, step, delta}) => [hex(first), hex(last), step, delta].join(' ')).join(',');
const words = ranges.map(([first, last]) => `${hex(first)} ${hex(last)}`).join(',');
writeFileSync(
	join(import.meta.dirname, 'unicode.ts'),
	`// Made by make-unicode.ts with Unicode ${process.versions.unicode}. Valid as TypeScript and as AssemblyScript.

/** Which UTF-16 units are the same letter: first and last in hex, step, what to add. */
export const folds: string = '${folds}';

/** Which units are part of a word, as ranges in hex; scripts that are written without spaces are not among them. */
export const wordRanges: string = '${words}';
`,
);
console.log(`${runs.length} folds, ${ranges.length} ranges`);
