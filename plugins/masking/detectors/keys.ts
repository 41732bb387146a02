import {ALNUM, BASE64_MARK, DIGIT, isKind, KEY, UPPER, URL_MARK} from './classes.ts';
import {type Found, type Inside, longest, open} from './found.ts';
import {prefixes, type Shape} from './prefixes.ts';

const dot = 0x2e;
const comma = 0x2c;

const google: Shape = {set: 'key', least: 30, most: 40};
const sendgrid: Shape = {set: 'dotted', least: 32};

const bitsOf: Readonly<Record<Inside, number>> = {
	'': 0,
	pem: 0,
	key: KEY,
	dotted: KEY,
	base64: KEY | BASE64_MARK,
	url: KEY | URL_MARK,
};

/** Whether the stop or comma at `index` goes on with the run and does not end a sentence. */
const joins = (text: string, index: number, set: Inside): boolean => {
	const code = text.charCodeAt(index);
	return (code === dot ? set === 'dotted' || set === 'url' : code === comma && set === 'url') && isKind(text, index + 1, KEY);
};

export type Run = {readonly end: number; readonly touches: boolean};

/** How far a run of `set` goes from `index`, `limit` at most, and whether more text could lengthen it. */
export const readRun = (text: string, index: number, set: Inside, final: boolean, limit = text.length): Run => {
	const bits = bitsOf[set];
	let end = index;
	while (end < limit && (isKind(text, end, bits) || joins(text, end, set))) {
		end++;
	}

	const atEnd = end >= text.length || (end + 1 === text.length && (text.charCodeAt(end) === dot || text.charCodeAt(end) === comma));
	return {end, touches: atEnd && !final};
};

/** What a run that has passed its test at `end` comes to: a whole value, or the start of one too long to hold. */
export const settle = (text: string, start: number, end: number, set: Inside, final: boolean): Found => {
	if (end - start < longest) {
		return {start, end, type: 'API_KEY', reversible: true};
	}

	const rest = readRun(text, end, set, final);
	return {start, end: rest.end, type: 'API_KEY', inside: rest.touches ? set : '', reversible: false};
};

/** Keys are drawn at random: they have a digit in them, or at least capitals among small letters all along. */
const looksRandom = (body: string) =>
	/\d/.test(body) || (/^[A-Za-z]{16,}$/.test(body) && /[a-z]/.test(body) && /[A-Z].*[A-Z].*[A-Z]/.test(body));

/** A run that begins at `start` and has at least `least` random characters from `body` on. */
const keyFrom = (text: string, start: number, body: number, {set, least, most = longest}: Shape, final: boolean): Found | undefined => {
	const {end, touches} = readRun(text, body, set, final, start + longest);
	if (touches && end - start < longest) {
		return open(start);
	}

	const size = end - body;
	return size >= least && size <= most && looksRandom(text.slice(body, end)) ? settle(text, start, end, set, final) : undefined;
};

/** A key must not continue a word, nor a name with stops in it. */
const startsWord = (text: string, start: number) =>
	!isKind(text, start - 1, KEY) &&
	!(text.charCodeAt(start - 1) === dot && isKind(text, start - 2, KEY) && !text.startsWith('xoxe', start - 5));

/** A secret with a known prefix, found by its first `-` or `_`, at `mark`. */
export const matchPrefixed = (text: string, mark: number, floor: number, final: boolean): Found | undefined => {
	let start = mark;
	while (start > floor && start > mark - 9 && isKind(text, start - 1, ALNUM)) {
		start--;
	}

	const rules = startsWord(text, start) ? prefixes.get(text.slice(start, mark + 1)) : undefined;
	for (const shape of rules ?? []) {
		const {prefix} = shape;
		const found = text.startsWith(prefix, start) ? keyFrom(text, start, start + prefix.length, shape, final) : undefined;
		if (found !== undefined) {
			return found;
		}
	}
};

const accessKeyLength = 20;
const accessKeys = new Set(['AKIA', 'ASIA', 'ABIA', 'ACCA']);

/** An Amazon access key id: 20 capitals and digits. */
const matchAccessKey = (text: string, start: number, final: boolean): Found | undefined => {
	const end = start + accessKeyLength;
	for (let index = start; index < end; index++) {
		if (index >= text.length) {
			return final ? undefined : open(start);
		}

		if (!isKind(text, index, UPPER | DIGIT)) {
			return;
		}
	}

	return end >= text.length && !final
		? open(start)
		: isKind(text, end, ALNUM)
			? undefined
			: {start, end, type: 'API_KEY', reversible: true};
};

/** A JSON Web Token, or another secret that is base64 of JSON, whose `eyJ` is at `start`. */
const matchToken = (text: string, start: number, final: boolean): Found | undefined => {
	if (text.charCodeAt(start - 1) === dot) {
		return;
	}

	const {end, touches} = readRun(text, start, 'dotted', final, start + longest);
	const long = end - start >= longest;
	if (touches && !long) {
		return open(start);
	}

	const [header = '', payload = ''] = text.slice(start, end).split('.');
	return long || (header.length > 9 && payload.length > 9) ? settle(text, start, end, 'dotted', final) : undefined;
};

/** A secret that a capital letter at `at` gives away: `AKIA` and its like, `AIza`, `SG.` or `eyJ`. */
export const matchCapital = (text: string, at: number, floor: number, final: boolean): Found | undefined => {
	const code = text.charCodeAt(at);
	const start = code === 0x4a ? at - 2 : at;
	if (start < floor || !startsWord(text, start)) {
		return;
	}

	if (code === 0x4a) {
		return text.startsWith('ey', start) ? matchToken(text, start, final) : undefined;
	}

	if (code === 0x53) {
		return text.startsWith('SG.', start) ? keyFrom(text, start, start + 3, sendgrid, final) : undefined;
	}

	if (accessKeys.has(text.slice(start, start + 4))) {
		return matchAccessKey(text, start, final);
	}

	return text.startsWith('AIza', start) ? keyFrom(text, start, start + 4, google, final) : undefined;
};
