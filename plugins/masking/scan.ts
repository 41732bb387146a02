import {Candidates, signsFor} from './candidates.ts';
import {blockEnd, matchBlock, matchUrl} from './detectors/blocks.ts';
import {matchCard} from './detectors/card.ts';
import {DIGIT, isKind, LOCAL, LOWER, UPPER} from './detectors/classes.ts';
import {longestLocal, matchEmail} from './detectors/email.ts';
import {type DetectorType, type Found, type Inside, open, undecided} from './detectors/found.ts';
import {matchIban} from './detectors/iban.ts';
import {matchIpv4, matchIpv6} from './detectors/ip.ts';
import {matchCapital, matchPrefixed, type Run, readRun} from './detectors/keys.ts';
import {type Groups, newGroups, readGroups} from './detectors/numbers.ts';
import {matchPhone, phoneStart} from './detectors/phone.ts';
import {matchSsn} from './detectors/ssn.ts';

/** The types asked for, in the form the scanner reads. */
export type Wanted = {
	readonly signs: readonly string[];
	readonly email: boolean;
	readonly card: boolean;
	readonly iban: boolean;
	readonly phone: boolean;
	readonly ssn: boolean;
	readonly ip: boolean;
	readonly key: boolean;
};

export type Types = ReadonlySet<DetectorType> | readonly DetectorType[];

const readings = new WeakMap<Types, Wanted>();

/** What `types` asks for; the same object is expected to go on meaning the same. */
export const wanted = (types: Types): Wanted => {
	const known = readings.get(types);
	if (known !== undefined) {
		return known;
	}

	const set = new Set(types);
	const asked = {
		signs: signsFor(set),
		email: set.has('EMAIL'),
		card: set.has('CARD'),
		iban: set.has('IBAN'),
		phone: set.has('PHONE'),
		ssn: set.has('US_SSN'),
		ip: set.has('IP'),
		key: set.has('API_KEY'),
	};
	readings.set(types, asked);
	return asked;
};

/** What a scan saw; `open` is where the part that more text could still change begins. */
export type Scan = {readonly found: readonly Found[]; readonly open: number; readonly inside: Inside};

/** A text being read: `floor` is where the last value ended, `final` that nothing follows. */
type Reading = {readonly text: string; readonly asked: Wanted; readonly final: boolean; readonly groups: Groups; floor: number};

/** The value, if any, of which the digit at `index` is the first: the surest reading wins. */
const matchDigits = ({text, asked, final, groups, floor}: Reading, index: number): Found | undefined => {
	if (isKind(text, index - 1, DIGIT)) {
		return;
	}

	if (isKind(text, index - 1, UPPER | LOWER)) {
		return asked.iban && index - 2 >= floor && isKind(text, index - 2, UPPER | LOWER) ? matchIban(text, index - 2, final) : undefined;
	}

	readGroups(text, index, groups);
	if (groups.touchesEnd && !final) {
		return open(phoneStart(text, index, floor));
	}

	if (groups.digits < 6 && groups.count < 4) {
		return;
	}

	const found =
		(asked.ip ? matchIpv4(text, groups, final) : undefined) ??
		(asked.card ? matchCard(text, groups, final) : undefined) ??
		(asked.ssn ? matchSsn(text, groups, final) : undefined) ??
		(asked.phone ? matchPhone(text, groups, floor, final) : undefined);
	return found?.end === undecided ? open(phoneStart(text, index, floor)) : found;
};

/** The URL or address that the colon at `index` belongs to, if any. */
const matchColon = ({text, asked, final, floor}: Reading, index: number): Found | undefined => {
	const url = asked.key ? matchUrl(text, index, floor, final) : undefined;
	if (url !== undefined && url.end !== undecided) {
		return url;
	}

	const address = asked.ip ? matchIpv6(text, index, floor, final) : undefined;
	return url === undefined ? address : open(Math.min(url.start, address?.start ?? url.start));
};

/** The value that shows itself at `index`, if any. */
const matchAt = (reading: Reading, index: number): Found | undefined => {
	const {text, asked, final, floor} = reading;
	switch (text.charAt(index)) {
		case '@': {
			return asked.email ? matchEmail(text, index, floor, final) : undefined;
		}

		case ':': {
			return matchColon(reading, index);
		}

		case '-':
		case '_': {
			return asked.key ? matchPrefixed(text, index, floor, final) : undefined;
		}

		case 'B': {
			return asked.key ? matchBlock(text, index, floor, final) : undefined;
		}

		case 'A':
		case 'J':
		case 'S': {
			return asked.key ? matchCapital(text, index, floor, final) : undefined;
		}

		default: {
			return matchDigits(reading, index);
		}
	}
};

/** Where the run of characters at the end that could begin a value starts. */
const tailStart = (text: string, floor: number): number => {
	const lowest = Math.max(floor, text.length - longestLocal);
	let start = text.length;
	while (start > lowest && (isKind(text, start - 1, LOCAL) || text.charCodeAt(start - 1) === 0x28)) {
		start--;
	}

	return start;
};

/** The end of the row of digits, or of one other character repeated, that a sign without a value stands in. */
const skipAlike = (text: string, index: number): number => {
	const code = text.charCodeAt(index);
	let next = index + 1;
	if (isKind(text, index, DIGIT)) {
		while (isKind(text, next, DIGIT)) {
			next++;
		}

		return next;
	}

	while (text.charCodeAt(next) === code) {
		next++;
	}

	return next;
};

/** Reads `text` from `from` on, left to right, after a value that ended at `floor`; what it finds depends on nothing after `open`. */
export const scan = (text: string, from: number, floor: number, asked: Wanted, final: boolean): Scan => {
	const found: Found[] = [];
	const candidates = new Candidates(text, from, asked.signs);
	const reading: Reading = {text, asked, final, groups: newGroups(), floor};
	let index = candidates.next(from);
	while (index < text.length) {
		const match = matchAt(reading, index);
		if (match?.end === undecided) {
			return {found, open: Math.min(match.start, tailStart(text, Math.max(from, reading.floor))), inside: ''};
		}

		if (match?.inside) {
			return {found: [...found, match], open: match.end, inside: match.inside};
		}

		if (match !== undefined) {
			found.push(match);
			reading.floor = match.end;
		}

		index = candidates.next(match === undefined ? skipAlike(text, index) : match.end);
	}

	return {found, open: final || asked.signs.length === 0 ? text.length : tailStart(text, Math.max(from, reading.floor)), inside: ''};
};

/** Where the secret that is open at `index` ends. */
export const insideEnd = (text: string, index: number, inside: Inside, final: boolean): Run =>
	inside === 'pem' ? blockEnd(text, index, final) : readRun(text, index, inside, final);
