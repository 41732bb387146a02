import {type Kinds, scanMeant} from '../../plugin-sdk/escapes.ts';

/** What a rule found: `text.slice(start, end)`. */
export type Hit = {
	readonly start: number;
	readonly end: number;
	readonly rule: number;
	/** Nothing that the same rule finds in there counts; and no text is cut in there. */
	readonly except?: boolean;
	/** What is put in its place, where that is not what the rule says. */
	readonly as?: string;
};

/** Up to where something goes on that has no end yet: an address up to a blank, a tag up to its bracket. */
export type Until = 'address' | 'tag';

/** What stands in a text from some place on, and from where on what follows may change that: the end of the text, if nothing can. */
export type Scanned = {
	readonly found: readonly Hit[];
	readonly open: number;
	/** The last hit goes on behind the text, and is longer already than anything that is held back. */
	readonly inside?: {readonly rule: number; readonly until: Until};
};

/** Reads `text` from `from` on, and looks at what stands before only for what that is a part of. With `final`, nothing follows. */
export type Scanner = (text: string, from: number, final: boolean) => Scanned;

/** A range that belongs together, and is no hit. */
export const nobody = -1;

const kinds: Kinds<Hit> = {
	kindOf: ({rule, except}) => (except ? `except ${rule}` : rule),
	moved: (hit, placeOf) => ({...hit, start: placeOf(hit.start), end: placeOf(hit.end)}),
};

/** All scanners on one text, as it stands and as it is meant where JSON stands in it: their hits in order, of what is decided by all of them. No more than `mostOpen` characters stay open. */
export const scanAll = (scanners: readonly Scanner[], text: string, from: number, final: boolean, mostOpen = 2_000): Scanned => {
	const all = scanners.map(scan => scanMeant(scan, kinds, text, from, final));
	const found = all
		.flatMap(each => each.found)
		.sort((one, other) => one.start - other.start || other.end - one.end || Number(other.except ?? false) - Number(one.except ?? false));
	const inside = all.find(each => each.inside)?.inside;
	if (final || inside) return {found, open: text.length, inside};
	let open = Math.min(text.length, ...all.map(each => each.open));
	// What stands across the end of what is decided is read again as a whole.
	for (let index = found.length - 1; index >= 0; index--) {
		const {start, end} = found[index]!;
		if (start < open && end > open) open = start;
	}
	const least = text.length - mostOpen;
	if (open < least) {
		open = least;
		for (const {start, end} of found) if (start < open && end > open) open = end;
	}
	return {found: found.filter(({end}) => end <= open), open};
};

/** Without those that an exception of the same rule stands around. They come in order, the longer one first. */
export const counted = (found: readonly Hit[]): readonly Hit[] => {
	const reach = new Map<number, number>();
	return found.filter(({start, end, rule, except}) => {
		if (!except) return end > start && (reach.get(rule) ?? 0) < end;
		reach.set(rule, Math.max(reach.get(rule) ?? 0, end));
		return false;
	});
};
