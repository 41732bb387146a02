import {fold, isFoldable, removedBefore, unfolder} from './detectors/fold.ts';
import {type DetectorType, detectorTypes, type Inside} from './detectors/found.ts';
import {insideEnd, type Scan, scan, type Types, type Wanted, wanted} from './scan.ts';

export {type DetectorType, detectorTypes, type Inside, longest} from './detectors/found.ts';
export type {Types} from './scan.ts';

/** A value in a text: `text.slice(start, end)`. */
export type Span = {
	readonly start: number;
	readonly end: number;
	readonly type: DetectorType;
	readonly value: string;
	/** False for private key blocks and values of 256 characters or more, which are masked for good. */
	readonly reversible: boolean;
};

/** Where in a text to go on reading. */
export type Place = {
	/** What stands before is only looked back at. */
	readonly from: number;
	/** Where the last value before `from` ended. */
	readonly floor: number;
	/** The secret that is open at `from`. */
	readonly inside: Inside;
};

export const atStart: Place = {from: 0, floor: 0, inside: ''};

/** What is known of a text so far: its values, what was left of the one that was open, and where to go on when there is more text. */
export type Inspection = {readonly spans: readonly Span[]; readonly resumed: number; readonly next: Place};

type Read = Scan & {readonly resumed: number; readonly floor: number};

const read = (text: string, {from, floor, inside}: Place, asked: Wanted, final: boolean): Read => {
	if (inside === '') {
		const scanned = scan(text, from, floor, asked, final);
		return {...scanned, resumed: from, floor: scanned.found.at(-1)?.end ?? floor};
	}

	const {end, touches} = insideEnd(text, from, inside, final);
	if (touches) {
		return {found: [], open: end, inside, resumed: end, floor: end};
	}

	const scanned = scan(text, end, end, asked, final);
	return {...scanned, resumed: end, floor: scanned.found.at(-1)?.end ?? end};
};

const inspectFolded = (raw: string, {from, floor, inside}: Place, asked: Wanted, final: boolean): Inspection => {
	const folded = fold(raw);
	const start = from - removedBefore(folded, from);
	const seen = read(folded.text, {from: start, floor: floor - removedBefore(folded, floor), inside}, asked, final);
	const place = unfolder(folded);
	const endAt = (index: number) => (index === start ? from : place(index - 1) + 1);
	const resumed = endAt(seen.resumed);
	const spans = seen.found.map(({start, end, type, reversible = true}) => {
		const first = place(start);
		const last = endAt(end);
		return {start: first, end: last, type, value: raw.slice(first, last), reversible};
	});
	const open = seen.inside === '' ? place(seen.open) : endAt(seen.open);
	const lastEnd = spans.at(-1)?.end ?? (inside === '' ? floor : resumed);
	return {spans, resumed, next: {from: open, floor: lastEnd, inside: seen.inside}};
};

/** Inspects `text` from a place on; with `final`, nothing follows it. */
export const inspect = (text: string, at: Place, types: Types, final: boolean): Inspection => {
	const asked = wanted(types);
	if (isFoldable(text)) {
		return inspectFolded(text, at, asked, final);
	}

	const {found, open, inside, resumed, floor} = read(text, at, asked, final);
	const spans = found.map(({start, end, type, reversible = true}) => ({start, end, type, value: text.slice(start, end), reversible}));
	return {spans, resumed, next: {from: open, floor, inside}};
};

/** Every value of the given types in `text`, in order, none overlapping. */
export const detect = (text: string, types: Types = detectorTypes): readonly Span[] => inspect(text, atStart, types, true).spans;

/** Where the suffix begins that more text could still turn into a value, extend or change; what stands before is final. */
export const openTail = (text: string, types: Types = detectorTypes): number => {
	const {spans, next} = inspect(text, atStart, types, false);
	return next.inside === '' ? next.from : (spans.at(-1)?.start ?? next.from);
};
