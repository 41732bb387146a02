/** A text in which JSON may stand, as it is meant: one character for an escape and all backslashes before it, as in JSON within JSON. */
export type Meant = {
	readonly text: string;
	/** Where the character at `index` begins in what was given, which is where the one before it ends. */
	placeOf(index: number): number;
	/** The index of the character that stands at a place of what was given. */
	indexOf(place: number): number;
};

const signs: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', f: '\f'};
const hex = /^[\dA-Fa-f]{4}$/;

/** More of them before an escape are words of their own: as many as six JSON texts in one another have. */
const mostBackslashes = 63;

const same = (place: number): number => place;

/** How many numbers, which ascend, are at most `limit`. */
const countUpTo = (numbers: readonly number[], limit: number): number => {
	let low = 0;
	let high = numbers.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (numbers[middle]! <= limit) low = middle + 1;
		else high = middle;
	}
	return low;
};

/**
 * A text without its escapes `\n`, `\t`, `\r`, `\b`, `\f` and `\uXXXX`. Where there is no JSON they may be something else, a path of Windows
 * for one: what is looked for there is looked for in the text as it stands too.
 */
export const meant = (given: string): Meant => {
	const marks: number[] = [];
	const ends: number[] = [];
	let text = '';
	let from = 0;
	for (let at = given.indexOf('\\'); at !== -1; at = given.indexOf('\\', at)) {
		let letter = at + 1;
		while (given.charCodeAt(letter) === 0x5c) letter++;
		const begin = Math.max(at, letter - mostBackslashes);
		at = letter;
		const digits = given[letter] === 'u' ? given.slice(letter + 1, letter + 5) : '';
		const sign = hex.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : signs[given[letter] ?? ''];
		if (sign === undefined) continue;
		at = letter + 1 + digits.length;
		text += given.slice(from, begin) + sign;
		from = at;
		marks.push(text.length - 1);
		ends.push(at);
	}
	if (marks.length === 0) return {text: given, placeOf: same, indexOf: same};
	return {
		text: text + given.slice(from),
		placeOf(index) {
			const before = countUpTo(marks, index - 1);
			return before === 0 ? index : ends[before - 1]! + index - marks[before - 1]! - 1;
		},
		indexOf(place) {
			const before = countUpTo(ends, place);
			const index = before === 0 ? place : marks[before - 1]! + 1 + place - ends[before - 1]!;
			return Math.min(index, marks[before] ?? index);
		},
	};
};

/** Where what may become an escape stands at the end of a text; the text's length where nothing does. */
export const openEscape = (text: string): number => {
	const last = /\\(?:u[\dA-Fa-f]{0,3})?$/.exec(text.slice(-5));
	if (!last) return text.length;
	let at = text.length - last[0].length;
	for (const least = at + 1 - mostBackslashes; at > 0 && at > least && text.charCodeAt(at - 1) === 0x5c; ) at--;
	return at;
};

type Range = {readonly start: number; readonly end: number};

/** What a scan saw; nothing that follows can change what stands before `open`. */
type Seen<Found, Inside> = {readonly found: readonly Found[]; readonly open: number; readonly inside?: Inside};
type Scan<Found, Inside> = (text: string, from: number, final: boolean) => Seen<Found, Inside>;

/** Which finds are of one kind, and where one goes when `placeOf` says where its characters stand. */
export type Kinds<Found> = {kindOf(found: Found): unknown; moved(found: Found, placeOf: (index: number) => number): Found};

/** Those of `others` that overlap none of `first` of their own kind, and all of `first`, in order. */
const together = <Found extends Range>(first: readonly Found[], others: readonly Found[], kindOf: (found: Found) => unknown): Found[] => {
	const inOrder = (one: Found, other: Found) => one.start - other.start || other.end - one.end;
	/** By kind: where they begin, and how far those up to there reach. */
	const taken = new Map<unknown, {starts: number[]; reaches: number[]}>();
	for (const found of first.toSorted(inOrder)) {
		const known = taken.get(kindOf(found)) ?? {starts: [], reaches: []};
		taken.set(kindOf(found), known);
		known.starts.push(found.start);
		known.reaches.push(Math.max(found.end, known.reaches.at(-1) ?? 0));
	}
	const free = others.filter(found => {
		const {starts = [], reaches = []} = taken.get(kindOf(found)) ?? {};
		return (reaches[countUpTo(starts, found.end - 1) - 1] ?? 0) <= found.start;
	});
	return [...first, ...free].sort(inOrder);
};

/** What `scan` finds in a text as it is meant, and in the text as it stands what overlaps none of that; no escape is cut in two. */
export const scanMeant = <Found extends Range, Inside>(
	scan: Scan<Found, Inside>,
	{kindOf, moved}: Kinds<Found>,
	text: string,
	from: number,
	final: boolean,
): Seen<Found, Inside> => {
	const asIs = scan(text, from, final);
	if (!text.includes('\\')) return asIs;
	const sure = final ? text.length : Math.max(from, openEscape(text));
	const {text: read, placeOf, indexOf} = meant(text.slice(0, sure));
	if (read === text) return asIs;
	const asMeant = scan(read, indexOf(from), final);
	const whole = asIs.found.map(found => ({...found, start: placeOf(indexOf(found.start)), end: placeOf(indexOf(found.end - 1) + 1)}));
	const there = asMeant.found.map(found => moved(found, placeOf));
	const inside = asIs.inside ?? asMeant.inside;
	const open = Math.min(placeOf(indexOf(asIs.open)), placeOf(asMeant.open));
	return {found: together(there, whole, kindOf), open, ...(inside !== undefined && {inside})};
};
