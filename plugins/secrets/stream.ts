import {meant, openEscape} from '../../plugin-sdk/escapes.ts';
import type {Found} from './found.ts';
import {lookBehind} from './names.ts';
import {type Inside, scan} from './scan.ts';

/** All that is carried from piece to piece of a stream; as secret as the text itself. */
export type StreamState = {
	/** The end of what is cleared already, as it was: names stand before their values. */
	readonly before: string;
	readonly inside: Inside;
};

export const streamStart: StreamState = {before: '', inside: ''};

/** Secrets, in the units of the text that was given, and how much of that nothing that follows can change. */
export type Seen = {readonly found: readonly Found[]; readonly resumed: number; readonly clear: number; readonly state: StreamState};

/** Reads what is not cleared yet of a text that goes on; with `final`, all of it. An escape of JSON is read as what it stands for. */
export const step = ({before, inside}: StreamState, added: string, final: boolean): Seen => {
	const text = before + added;
	const from = before.length;
	const {text: read, placeOf, indexOf} = meant(final ? text : text.slice(0, Math.max(from, openEscape(text))));
	const {found, open, inside: left, resumed} = scan(read, indexOf(from), inside, final);
	const clear = final ? text.length : placeOf(open);
	return {
		found: found.map(each => ({...each, start: placeOf(each.start) - from, end: placeOf(each.end) - from})),
		resumed: placeOf(resumed) - from,
		clear: clear - from,
		state: {before: text.slice(Math.max(0, clear - lookBehind), clear), inside: left},
	};
};

/** The cleared part of `added`, with `[SECRET]` in place of what `masks` says. */
export const written = (added: string, {found, resumed, clear}: Seen, wasMasked: boolean, masks: (found: Found) => boolean): string => {
	let out = '';
	let at = wasMasked ? resumed : 0;
	for (const each of found) {
		if (!masks(each)) continue;
		out += `${added.slice(at, each.start)}[SECRET]`;
		at = each.end;
	}
	return out + added.slice(at, Math.max(at, clear));
};

/** A name alone, as the key of a field is. */
const nameAlone = /^[A-Za-z_][\w.-]{1,60}$/;

/** The beginning of a text that comes after another: where that is the name of a field, it says what this is. */
export const startAfter = (previous: string | undefined): StreamState =>
	previous !== undefined && nameAlone.test(previous) ? {before: `${previous}: `, inside: ''} : streamStart;

/** The secrets of a text that came after another. */
export const detectAfter = (previous: string | undefined, text: string): readonly Found[] => step(startAfter(previous), text, true).found;
