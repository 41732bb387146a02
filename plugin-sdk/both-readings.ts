import {type Meant, meant, openEscape} from './escapes.ts';

type Range = {readonly start: number; readonly end: number};

/** What a reader of a stream saw of the text that it had not cleared yet. */
export type Sight<Found, State> = {
	readonly found: readonly Found[];
	/** Where what was open before ends, or how far it surely goes. */
	readonly resumed: number;
	/** How much of the text nothing that follows can change. */
	readonly clear: number;
	/** What was found last goes on behind `clear`. */
	readonly goesOn: boolean;
	readonly state: State;
};

/** Reads on in a text that is one from piece to piece; where `room` characters are not enough for what is open, it decides by what is there. */
export type Read<Found, State> = (state: State, added: string, final: boolean, room: number) => Sight<Found, State>;

/** `begun`: its beginning was cleared before. */
export type Met<Found> = Found & {readonly begun?: true};

/** `counts`: whether what the text says as it stands is no part of what is meant; not known yet where it is left out. */
type Known<Found> = Met<Found> & {readonly counts?: boolean};

type Side<Found, State> = {
	readonly state: State;
	/** How much of what is not cleared yet was read. */
	readonly ahead: number;
	readonly found: ReadonlyArray<Known<Found>>;
	readonly goesOn: boolean;
};

/** Both readings of a stream; one where they are the same. */
export type Both<Found, State> = {readonly asIs: Side<Found, State>; readonly meant?: Side<Found, State>};

export const bothFrom = <Found, State>(state: State): Both<Found, State> => ({asIs: {state, ahead: 0, found: [], goesOn: false}});

/** What was found, in order; `end` may lie behind `clear`, and the rest of it comes again as `begun`. */
export type BothSeen<Found, State> = {readonly found: readonly Met<Found>[]; readonly clear: number; readonly state: Both<Found, State>};

/** Without overlaps: what begins within another is a part of that. */
export const united = <Found extends Range>(found: readonly Found[]): readonly Found[] => {
	const apart: Found[] = [];
	for (const each of found) {
		const last = apart.at(-1);
		if (last === undefined || last.end <= each.start) apart.push(each);
		else if (last.end < each.end) apart[apart.length - 1] = {...last, end: each.end};
	}
	return apart;
};

/** By so much of its beginning it is decided whether a find counts: whatever is longer is shown before its end is known. */
const head = 256;

/** What was begun before comes first: what begins within it is a part of it. */
const inOrder = (one: Met<Range>, other: Met<Range>): number =>
	one.start - other.start || Number(other.begun ?? false) - Number(one.begun ?? false) || other.end - one.end;

/** What is left of a side when the first `clear` characters are gone. */
const after = <Found extends Range, State>(side: Side<Found, State>, clear: number): Side<Found, State> => ({
	...side,
	ahead: side.ahead - clear,
	found: side.found
		.filter(({end}, index) => end > clear || (side.goesOn && index === side.found.length - 1))
		.map(each => ({
			...each,
			start: Math.max(0, each.start - clear),
			end: each.end - clear,
			...(each.start < clear && {begun: true as const}),
		})),
});

/**
 * Reads a stream in which JSON may stand as it is meant and as it stands, each from piece to piece as if it were the only one. What the text says
 * as it stands counts where the other reading has nothing of that kind; no escape is cut in two. At most `mostHeld` characters wait for the
 * reading of escapes.
 */
export const readBoth = <Found extends Range, State>(
	read: Read<Found, State>,
	{kindOf = () => true, mostHeld = Number.POSITIVE_INFINITY}: {kindOf?(found: Found): unknown; mostHeld?: number} = {},
) => {
	const readOn = (side: Side<Found, State>, text: string, ahead: number, room: number, final: boolean, placeOf: Meant['placeOf']) => {
		const sight = read(side.state, text.slice(ahead), final, room);
		const place = (index: number): number => placeOf(ahead + index);
		const last = side.goesOn ? side.found.length - 1 : -1;
		const known = side.found.map((each, index): Known<Found> => (index === last ? {...each, end: place(sight.resumed)} : each));
		const added = sight.found.map((each): Known<Found> => ({...each, start: place(each.start), end: place(each.end)}));
		return {state: sight.state, ahead: place(sight.clear), found: [...known, ...added], goesOn: sight.goesOn};
	};

	const whole = (text: string, side: Side<Found, State>, final: boolean): BothSeen<Found, State> => {
		const seen = readOn(side, text, side.ahead, Number.POSITIVE_INFINITY, final, place => place);
		return {found: seen.found, clear: seen.ahead, state: {asIs: after(seen, seen.ahead)}};
	};

	return ({asIs, meant: other}: Both<Found, State>, added: string, final: boolean): BothSeen<Found, State> => {
		if (other === undefined && !added.includes('\\')) return whole(added, asIs, final);
		const text = final ? added : added.slice(0, openEscape(added));
		const {text: said, placeOf, indexOf} = meant(text);
		if (other === undefined && said.length === text.length) return whole(text, asIs, final);

		const from = other ?? asIs;
		const room = text.length <= mostHeld ? Number.POSITIVE_INFINITY : said.length - indexOf(text.length - mostHeld);
		const there = readOn(from, said, indexOf(from.ahead), room, final, placeOf);
		const stands = readOn(
			other === undefined ? {...asIs, found: asIs.found.map(each => ({...each, counts: false}))} : asIs,
			text,
			asIs.ahead,
			Number.POSITIVE_INFINITY,
			final,
			place => place,
		);
		const begin = (place: number): number => placeOf(indexOf(place));
		const end = ({start, end}: Range): number => (end > start ? placeOf(indexOf(end - 1) + 1) : end);

		let clear = final ? text.length : Math.min(begin(stands.ahead), there.ahead);
		let next = 0;
		const judged = stands.found.map((each): Known<Found> => {
			if (each.counts !== undefined) return each;
			const decided = Math.min(each.end, each.start + head);
			const start = begin(each.start);
			while (next < there.found.length && there.found[next]!.end <= start) next++;
			for (let at = next; at < there.found.length && there.found[at]!.start < decided; at++)
				if (kindOf(there.found[at]!) === kindOf(each)) return {...each, counts: false};
			if (final || there.ahead >= decided) return {...each, counts: true};
			clear = Math.min(clear, start);
			return each;
		});
		const counting = judged.filter(({counts}) => counts === true).map(each => ({...each, start: begin(each.start), end: end(each)}));
		const found = [...there.found, ...counting].filter(({start, begun}) => begun || start < clear).sort(inOrder);
		const left = {asIs: after({...stands, found: judged}, clear), meant: after(there, clear)};
		const alike =
			left.asIs.ahead === 0 &&
			left.meant.ahead === 0 &&
			left.asIs.found.every(({counts}) => counts === false) &&
			JSON.stringify(stands.state) === JSON.stringify(there.state);
		return {found, clear, state: alike ? {asIs: left.meant} : left};
	};
};
