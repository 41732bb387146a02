import type {Needles} from './needles.ts';
import {mayHold} from './scan.ts';

/** Where a token stands in a text, from `start` up to `end`. */
export type Hit = {start: number; end: number; encoded: boolean};

/** What stands between the letters of a token that was spelt out. */
const between = /[^A-Za-z0-9]+/g;

/** What stands between characters of base64, which has lines. */
const betweenBase64 = /[^A-Za-z0-9+/_-]+/g;

type Squeezed = {text: string; at: readonly number[]};

/** A text without what `gaps` finds, and where each of its characters was. */
const squeezed = (text: string, gaps: RegExp): Squeezed => {
	const at: number[] = [];
	let out = '';
	let from = 0;
	const take = (to: number): void => {
		for (let index = from; index < to; index++) at.push(index);
		out += text.slice(from, to);
	};
	for (const {index, 0: gap} of text.matchAll(gaps)) {
		take(index);
		from = index + gap.length;
	}
	take(text.length);
	return {text: out, at};
};

const sameBase64 = (text: string): string => text.replaceAll('-', '+').replaceAll('_', '/');

const hitsIn = ({text, at}: Squeezed, needles: readonly string[], encoded: boolean): Hit[] =>
	needles.flatMap(needle => {
		const hits: Hit[] = [];
		for (let found = text.indexOf(needle); found >= 0; found = text.indexOf(needle, found + needle.length))
			hits.push({start: at[found]!, end: at[found + needle.length - 1]! + 1, encoded});
		return hits;
	});

/** The halves of one token are one hit, whatever stands between its letters. */
const merged = (text: string, hits: Hit[]): Hit[] => {
	const out: Hit[] = [];
	for (const hit of hits.sort((one, other) => one.start - other.start)) {
		const last = out.at(-1);
		if (!last || (hit.start > last.end && /[A-Za-z0-9]/.test(text.slice(last.end, hit.start)))) out.push({...hit});
		else last.end = Math.max(last.end, hit.end);
	}
	return out;
};

/** Where a text holds what is looked for, in order; in time by its length. */
export const find = (text: string, {letters, base64, heads}: Needles): Hit[] => {
	if (!mayHold(text, heads)) return [];
	const spelt = squeezed(text, between);
	const written = squeezed(text, betweenBase64);
	return merged(text, [
		...hitsIn({text: spelt.text.toLowerCase(), at: spelt.at}, letters, false),
		...hitsIn({text: sameBase64(written.text), at: written.at}, base64, true),
	]);
};

/** What may be held back of a stream: as much as the manifest's window has room for. */
const mostHeld = 256;

const beginsAt = ({text, at}: Squeezed, beginnings: ReadonlySet<string>, longest: number): number | undefined => {
	for (let length = Math.min(longest - 1, text.length); length > 0; length--)
		if (beginnings.has(text.slice(-length))) return at[text.length - length];
	return undefined;
};

/** From where on the end of a text may be the beginning of what is looked for; its length where it is not. */
export const openFrom = (text: string, {beginnings, longest}: Needles): number => {
	const from = Math.max(0, text.length - mostHeld);
	const tail = text.slice(from);
	const spelt = squeezed(tail, between);
	const written = squeezed(tail, betweenBase64);
	const starts = [
		beginsAt({text: spelt.text.toLowerCase(), at: spelt.at}, beginnings.letters, longest),
		beginsAt({text: sameBase64(written.text), at: written.at}, beginnings.base64, longest),
	];
	return Math.min(text.length, ...starts.filter(start => start !== undefined).map(start => from + start));
};

/** A text without what was found in it. */
export const without = (text: string, hits: readonly Hit[]): string => {
	let out = '';
	let from = 0;
	for (const {start, end} of hits) {
		out += text.slice(from, start);
		from = end;
	}
	return out + text.slice(from);
};
