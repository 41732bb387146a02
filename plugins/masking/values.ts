import {detect} from './detectors.ts';
import {idStart, idStep} from './ids/stream.ts';
import type {Kind} from './kinds.ts';
import type {Mode, Settings} from './settings.ts';

/** A value in a whole text, and what is done about it. */
export type Value = {
	readonly start: number;
	readonly end: number;
	readonly type: Kind;
	readonly value: string;
	readonly reversible: boolean;
	readonly mode: Mode;
};

/** `****1111`: the last four characters of a value that has at least eight. */
export const keepLast = (value: string): string => `****${value.length < 8 ? '' : value.slice(-4)}`;

type Place = {readonly start: number; readonly end: number};

/** Those of `others` that none of `first` overlaps, and all of `first`, in order; both are in order themselves. */
export const merged = <One extends Place, Other extends Place>(first: readonly One[], others: readonly Other[]): Array<One | Other> => {
	if (first.length === 0) return [...others];
	const all: Array<One | Other> = [];
	let next = 0;
	for (const other of others) {
		while (next < first.length && first[next]!.end <= other.start) all.push(first[next++]!);
		if (next === first.length || other.end <= first[next]!.start) all.push(other);
	}
	while (next < first.length) all.push(first[next++]!);
	return all;
};

/** Every value of the wanted kinds, in order, none overlapping: what has check digits goes before what only looks like a phone. */
export const valuesIn = (text: string, {types, ids, modeOf, allowed}: Settings): readonly Value[] => {
	const numbers = ids.size === 0 ? [] : idStep(idStart, text, true).found.filter(({type}) => ids.has(type));
	const known = numbers.map(each => ({...each, value: text.slice(each.start, each.end), reversible: true}));
	return merged(known, detect(text, types))
		.filter(({value}) => !allowed(value))
		.map(each => ({...each, mode: modeOf(each.type)}));
};

/** What stands for a value within a text: of a bare JSON number a string, so that JSON stays JSON. */
export const fitting = (text: string, {start, end}: {start: number; end: number}, written: string): string => {
	if (!/^\s*[{[]/.test(text.slice(0, 50))) return written;
	const before = /[:[,]\s{0,20}$/.test(text.slice(Math.max(0, start - 21), start));
	const after = /^\s{0,20}[,}\]]/.test(text.slice(end, end + 21));
	return before && after && /^-?\d+$/.test(text.slice(start, end)) ? `"${written}"` : written;
};
