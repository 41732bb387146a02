import {united} from '../../plugin-sdk/both-readings.ts';
import {scanCustom} from './custom.ts';
import {idStart, idStep, idsAfter} from './ids/stream.ts';
import type {Mode, Settings} from './settings.ts';
import {valuesAfter} from './stream.ts';

/** A value in a whole text, and what is done about it. */
export type Value = {
	readonly start: number;
	readonly end: number;
	readonly type: string;
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

/** A field's name, as words: of `passportNumber` and `passport_number`, `passport number`. */
const fieldName = /^[A-Za-z_][\w.-]{1,60}$/;

const inWords = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/[_.-]/g, ' ');

const longestField = 200;

/** What is read before the value of a field: the field's name. */
export const leadTo = (name: string | undefined): string => (name !== undefined && fieldName.test(name) ? `${inWords(name)}: ` : '');

const leadOf = (previous: string | undefined, text: string): string =>
	text.length <= longestField && /\d/.test(text) ? leadTo(previous) : '';

/** A text with nothing in place of what was found: what stands around that is read by itself, as it is where a text streams. */
const without = (text: string, found: readonly Place[]): string => {
	let left = '';
	let at = 0;
	for (const {start, end} of found) {
		left += text.slice(at, start) + '\n'.repeat(end - start);
		at = end;
	}
	return left + text.slice(at);
};

/**
 * Every value of the wanted kinds, in order, none overlapping: what the operator looks for before what has check digits, and that before what
 * only looks like a phone. The text before may be the name of a field, which tells what its value is.
 */
export const valuesIn = (text: string, {types, ids, custom, modeOf, allowed}: Settings, previous?: string): readonly Value[] => {
	const lead = leadOf(previous, text);
	const state = lead === '' ? idStart : idsAfter(lead);
	const named = (custom.length === 0 ? [] : scanCustom(custom, text, 0, true).found).filter(
		({start, end}) => !allowed(text.slice(start, end)),
	);
	const left = without(text, named);
	const numbers = ids.size === 0 ? [] : united(idStep(state, left, true, ids).found);
	const others = valuesAfter(lead, left, types);
	const whole = (each: Place & {type: string}) => ({...each, value: text.slice(each.start, each.end), reversible: true});
	return merged(named.map(whole), merged(numbers.map(whole), others))
		.filter(({value}) => !allowed(value))
		.map(each => ({...each, mode: modeOf(each.type)}));
};
