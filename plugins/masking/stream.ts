import {type DetectorType, type Inside, inspect, type Types} from './detectors.ts';

/** What stands in for a value; `value` is undefined when it is masked for good and must not be kept. */
export type Replace = (type: DetectorType, value: string | undefined) => string;

/** All that a masked stream carries from chunk to chunk; plain data, to be kept as secret as the text itself. */
export type StreamState = {
	/** The end of what is out already, as it was: detectors look behind. */
	readonly before: string;
	/** How much of `before` comes after the last value. */
	readonly clear: number;
	/** What came in and cannot be let out yet. */
	readonly held: string;
	/** The kind of secret that is open and masked for good as it arrives, if any. */
	readonly inside: Inside;
};

export const streamStart: StreamState = {before: '', clear: 0, held: '', inside: ''};

/** Detectors look 40 characters behind; invisible characters may double that. */
const contextLength = 100;

/** Puts `[TYPE]` in place of every value. */
export const plainly: Replace = type => `[${type}]`;

/** Takes the next chunk and gives out whatever nothing that follows can change, values replaced; with `final`, everything. */
export const step = (
	{before, clear, held, inside}: StreamState,
	added: string,
	final: boolean,
	types: Types,
	replace: Replace = plainly,
): {readonly out: string; readonly state: StreamState} => {
	const text = before + held + added;
	const from = before.length;
	const {spans, resumed, next} = inspect(text, {from, floor: from - clear, inside}, types, final);
	let out = '';
	let at = resumed;
	for (const {start, end, type, value, reversible} of spans) {
		out += text.slice(at, start) + replace(type, reversible ? value : undefined);
		at = end;
	}

	out += text.slice(at, Math.max(at, next.from));
	const context = text.slice(Math.max(0, next.from - contextLength), next.from);
	const state = {
		before: context,
		clear: Math.max(0, Math.min(next.from - next.floor, context.length)),
		held: text.slice(next.from),
		inside: next.inside,
	};
	return {out, state};
};

/** The whole `text` with every value replaced: what any stream of its pieces comes to. */
export const maskWith = (text: string, types: Types, replace: Replace = plainly): string =>
	step(streamStart, text, true, types, replace).out;
