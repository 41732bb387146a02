import {type Both, type BothSeen, bothFrom, readBoth, type Sight} from '../../plugin-sdk/both-readings.ts';
import type {Found} from './found.ts';
import {lookBehind} from './names.ts';
import {type Inside, scan} from './scan.ts';

/** `before`: the end of what is cleared already, as it was: names stand before their values. */
type Reading = {readonly before: string; readonly inside: Inside};

/** All that is carried from piece to piece of a stream; as secret as the text itself. */
export type StreamState = Both<Found, Reading>;

export const streamStart: StreamState = bothFrom({before: '', inside: ''});

/** Secrets, in the units of the text that was given, and how much of that nothing that follows can change. */
export type Seen = BothSeen<Found, Reading>;

const read = ({before, inside}: Reading, added: string, final: boolean, room: number): Sight<Found, Reading> => {
	const text = before + added;
	const from = before.length;
	const {found, open, inside: left, resumed} = scan(text, from, inside, final, room);
	const clear = final ? text.length : open;
	return {
		found: found.map(each => ({...each, start: each.start - from, end: each.end - from})),
		resumed: resumed - from,
		clear: clear - from,
		goesOn: left !== '',
		state: {before: text.slice(Math.max(0, clear - lookBehind), clear), inside: left},
	};
};

/** The overlap of the manifest, without what the text as it stands may hold back before that. */
const mostHeld = 3_600;

/** Reads what is not cleared yet of a text that goes on; with `final`, all of it. An escape of JSON is read as what it stands for, and as it stands. */
export const step = readBoth(read, {kindOf: ({category}: Found) => category, mostHeld});

/** The cleared part of `added`, with `[SECRET]` in place of what `masks` says. */
export const written = (added: string, {found, clear}: Pick<Seen, 'found' | 'clear'>, masks: (found: Found) => boolean): string => {
	let out = '';
	let at = 0;
	for (const each of found) {
		if (!masks(each)) continue;
		if (!each.begun && each.start >= at) out += `${added.slice(at, each.start)}[SECRET]`;
		at = Math.max(at, each.end);
	}
	return out + added.slice(at, Math.max(at, clear));
};

/** A name alone, as the key of a field is. */
const nameAlone = /^[A-Za-z_][\w.-]{1,60}$/;

/** The beginning of a text that comes after another: where that is the name of a field, it says what this is. */
export const startAfter = (previous: string | undefined): StreamState =>
	previous !== undefined && nameAlone.test(previous) ? bothFrom({before: `${previous}: `, inside: ''}) : streamStart;

/** The secrets of a text that came after another. */
export const detectAfter = (previous: string | undefined, text: string): readonly Found[] => step(startAfter(previous), text, true).found;
