import {type Both, bothFrom, type Read, readBoth, united} from '../../plugin-sdk/both-readings.ts';
import {type DetectorType, type Inside, inspect, type Span, type Types} from './detectors.ts';

/** What stands in for a value; `value` is undefined when it is masked for good and must not be kept. */
export type Replace = (type: DetectorType, value: string | undefined) => string;

/** What a detector needs to know of what is out already. */
type Reading = {
	/** The end of it, as it was: detectors look behind. */
	readonly before: string;
	/** How much of `before` comes after the last value. */
	readonly clear: number;
	/** The kind of secret that is open and masked for good as it arrives, if any. */
	readonly inside: Inside;
};

type Found = Omit<Span, 'value'>;

/** All that a masked stream carries from chunk to chunk; plain data, to be kept as secret as the text itself. */
export type StreamState = {
	/** What came in and cannot be let out yet. */
	readonly held: string;
	readonly read: Both<Found, Reading>;
};

/** A stream that comes after something else. */
export const streamAfter = (before: string): StreamState => ({held: '', read: bothFrom({before, clear: 0, inside: ''})});

export const streamStart: StreamState = streamAfter('');

/** Detectors look 40 characters behind; invisible characters may double that. */
const contextLength = 100;

/** Puts `[TYPE]` in place of every value. */
export const plainly: Replace = type => `[${type}]`;

const readerOf =
	(types: Types): Read<Found, Reading> =>
	({before, clear, inside}, added, final) => {
		const text = before + added;
		const from = before.length;
		const {spans, resumed, next} = inspect(text, {from, floor: from - clear, inside}, types, final);
		const context = text.slice(Math.max(0, next.from - contextLength), next.from);
		return {
			found: spans.map(({start, end, type, reversible}) => ({start: start - from, end: end - from, type, reversible})),
			resumed: resumed - from,
			clear: next.from - from,
			goesOn: next.inside !== '',
			state: {before: context, clear: Math.max(0, Math.min(next.from - next.floor, context.length)), inside: next.inside},
		};
	};

/** Takes the next chunk and gives out whatever nothing that follows can change, values replaced; with `final`, everything. */
export const step = (
	{held, read}: StreamState,
	added: string,
	final: boolean,
	types: Types,
	replace: Replace = plainly,
): {readonly out: string; readonly state: StreamState} => {
	const text = held + added;
	const {found, clear, state} = readBoth(readerOf(types))(read, text, final);
	let out = '';
	let at = 0;
	for (const {start, end, type, reversible, begun} of found) {
		if (!begun && start >= at) out += text.slice(at, start) + replace(type, reversible ? text.slice(start, end) : undefined);
		at = Math.max(at, end);
	}

	return {out: out + text.slice(at, Math.max(at, clear)), state: {held: text.slice(clear), read: state}};
};

/** Every value of a whole text that comes after `before`, in order, none overlapping. */
export const valuesAfter = (before: string, text: string, types: Types): readonly Span[] =>
	united(readBoth(readerOf(types))(streamAfter(before).read, text, true).found).map(each => ({
		...each,
		value: text.slice(each.start, each.end),
	}));

/** The whole `text` with every value replaced: what any stream of its pieces comes to. */
export const maskWith = (text: string, types: Types, replace: Replace = plainly): string =>
	step(streamStart, text, true, types, replace).out;
