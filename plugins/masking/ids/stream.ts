import {meant, openEscape} from '../../../plugin-sdk/escapes.ts';
import {lookBehind, type Spotted} from './match.ts';
import type {IdType} from './rule.ts';
import {scanIds} from './scan.ts';

/** What is carried from piece to piece of a stream; as secret as the text itself. */
export type IdState = {
	/** The end of what is cleared, as it was. */
	readonly before: string;
	/** How much of `before` comes after the last value. */
	readonly clear: number;
	/** Something came before. */
	readonly begun: boolean;
};

export const idStart: IdState = {before: '', clear: 0, begun: false};

/** Longer than any value, so that a value never reaches back to where the last one was. */
const contextLength = lookBehind + 20;

/** Reads what is not cleared yet: the values, in its own units, and how much of it nothing that follows can change. */
export const idStep = (
	{before, clear, begun}: IdState,
	added: string,
	final: boolean,
): {readonly found: readonly Spotted[]; readonly clear: number; readonly state: IdState} => {
	const text = before + added;
	const from = before.length;
	const {text: read, placeOf, indexOf} = meant(final ? text : text.slice(0, Math.max(from, openEscape(text))));
	const scanned = scanIds(read, indexOf(from), indexOf(from - clear), !begun, final);
	const found = scanned.found.map(each => ({...each, start: placeOf(each.start), end: placeOf(each.end)}));
	const end = final ? text.length : placeOf(scanned.open);
	const context = text.slice(Math.max(0, end - contextLength), end);
	const lastEnd = found.at(-1)?.end ?? from - clear;
	return {
		found: found.map(({start, end, type}) => ({start: start - from, end: end - from, type})),
		clear: end - from,
		state: {before: context, clear: Math.max(0, Math.min(end - lastEnd, context.length)), begun: begun || end > 0},
	};
};

/** What was cleared, with something else in place of every value of a wanted type. */
export const replaceIds = (
	text: string,
	{found, clear}: {readonly found: readonly Spotted[]; readonly clear: number},
	wanted: ReadonlySet<string>,
	replace: (type: IdType, value: string) => string,
): string => {
	let out = '';
	let at = 0;
	for (const {start, end, type} of found) {
		if (!wanted.has(type)) continue;
		out += text.slice(at, start) + replace(type, text.slice(start, end));
		at = end;
	}
	return out + text.slice(at, clear);
};
