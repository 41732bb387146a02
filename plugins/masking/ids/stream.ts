import {type Both, type BothSeen, bothFrom, readBoth, type Sight} from '../../../plugin-sdk/both-readings.ts';
import {lookBehind, type Spotted} from './match.ts';
import type {IdType} from './rule.ts';
import {scanIds} from './scan.ts';

type Reading = {
	/** The end of what is cleared, as it was. */
	readonly before: string;
	/** How much of `before` comes after the last value. */
	readonly clear: number;
	/** Something came before. */
	readonly begun: boolean;
};

/** What is carried from piece to piece of a stream; as secret as the text itself. */
export type IdState = Both<Spotted, Reading>;

export const idStart: IdState = bothFrom({before: '', clear: 0, begun: false});

/** A text that comes after what names it. */
export const idsAfter = (before: string): IdState => bothFrom({before, clear: 0, begun: true});

/** Longer than any value, so that a value never reaches back to where the last one was. */
const contextLength = lookBehind + 20;

const readerOf =
	(wanted: ReadonlySet<string>) =>
	({before, clear, begun}: Reading, added: string, final: boolean): Sight<Spotted, Reading> => {
		const text = before + added;
		const from = before.length;
		const {found, open} = scanIds(text, from, from - clear, !begun, final);
		const context = text.slice(Math.max(0, open - contextLength), open);
		const lastEnd = found.at(-1)?.end ?? from - clear;
		return {
			found: found.filter(({type}) => wanted.has(type)).map(({start, end, type}) => ({start: start - from, end: end - from, type})),
			resumed: 0,
			clear: open - from,
			goesOn: false,
			state: {before: context, clear: Math.max(0, Math.min(open - lastEnd, context.length)), begun: begun || open > 0},
		};
	};

/** Reads what is not cleared yet: the values of wanted types, in its own units, and how much of it nothing that follows can change. */
export const idStep = (state: IdState, added: string, final: boolean, wanted: ReadonlySet<string>): BothSeen<Spotted, Reading> =>
	readBoth(readerOf(wanted))(state, added, final);

/** What was cleared, with something else in place of every value. */
export const replaceIds = (
	text: string,
	{found, clear}: Pick<BothSeen<Spotted, Reading>, 'found' | 'clear'>,
	replace: (type: IdType, value: string) => string,
): string => {
	let out = '';
	let at = 0;
	for (const {start, end, type, begun} of found) {
		if (!begun && start >= at) out += text.slice(at, start) + replace(type, text.slice(start, end));
		at = Math.max(at, end);
	}
	return out + text.slice(at, Math.max(at, clear));
};
