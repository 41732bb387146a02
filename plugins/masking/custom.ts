import {type Kinds, scanMeant} from '../../plugin-sdk/escapes.ts';

/** The first `lead` characters of what was found are only said before the value. */
type Match = {readonly start: number; readonly end: number; readonly lead?: number};

/** What looks through a text. */
export type Finder = {scan(text: string, from: number, final: boolean): {readonly found: readonly Match[]; readonly open: number}};

/** What is looked for under one name. */
export type Custom = {readonly type: string; readonly finders: readonly Finder[]};

export type CustomFound = {readonly start: number; readonly end: number; readonly type: string};

/** What was found, in order, none overlapping, and from where on more text can still change something. */
export type CustomScan = {readonly found: readonly CustomFound[]; readonly open: number};

/** How much a match may have, and how much is looked back at. */
export const longestCustom = 128;
export const customContext = 16;

const isInWord = (text: string, at: number): boolean => /[\p{L}\p{N}_]/u.test(text.charAt(at));

/** Finds words and phrases of a list where they stand as words, capitals or not; one pass, however long the list is. */
export const createWordList = (phrases: readonly string[]): Finder => {
	const sorted = [...new Set(phrases.map(phrase => phrase.toLowerCase()))].sort();
	const known = new Set(sorted);
	const lengths = [...new Set(sorted.map(({length}) => length))].sort((one, other) => other - one);
	const firsts = new Set(sorted.map(phrase => phrase.charCodeAt(0)));

	const mayBecome = (start: string): boolean => {
		let low = 0;
		let high = sorted.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (sorted[middle]! < start) low = middle + 1;
			else high = middle;
		}
		return sorted[low]?.startsWith(start) ?? false;
	};

	const lengthAt = (text: string, at: number): number =>
		lengths.find(length => at + length <= text.length && known.has(text.slice(at, at + length)) && !isInWord(text, at + length)) ?? 0;

	return {
		scan(text, from, final) {
			// The only letter that is longer in small letters would move what follows.
			const read = text.replaceAll('İ', 'I').toLowerCase();
			const found: Array<{start: number; end: number}> = [];
			let at = from;
			while (at < read.length) {
				if (!firsts.has(read.charCodeAt(at)) || (isInWord(read, at) && isInWord(read, at - 1))) {
					at++;
					continue;
				}
				if (!final && read.length - at <= lengths[0]! && mayBecome(read.slice(at))) return {found, open: at};
				const length = lengthAt(read, at);
				if (length > 0) found.push({start: at, end: at + length});
				at += Math.max(1, length);
			}
			return {found, open: read.length};
		},
	};
};

const kinds: Kinds<Match> = {
	kindOf: () => true,
	moved({start, end, lead = 0}, placeOf) {
		const first = placeOf(start);
		return {start: first, end: placeOf(end), lead: placeOf(start + lead) - first};
	},
};

/** Reads `text` from `from` on; what stands before is only looked back at. */
export const scanCustom = (customs: readonly Custom[], text: string, from: number, final: boolean): CustomScan => {
	let open = text.length;
	const all: Array<CustomFound & {match: number}> = [];
	for (const {type, finders} of customs) {
		for (const finder of finders) {
			const seen = scanMeant(finder.scan, kinds, text, from, final);
			open = Math.min(open, seen.open);
			all.push(...seen.found.map(({start, end, lead = 0}) => ({match: start, start: start + lead, end, type})));
		}
	}
	all.sort((one, other) => one.match - other.match || other.end - one.end);
	const found: CustomFound[] = [];
	let done = from;
	for (const {match, start, end, type} of all) {
		if (match < done) continue;
		// What another finder may still change is read again, and this with it.
		if (end > open) {
			open = Math.min(open, match);
			break;
		}
		found.push({start, end, type});
		done = end;
	}
	return {found, open};
};
