/** A text as it is read, and where each of its characters begins and ends in what was given; both are missing where it is the same. */
export type Reading = {
	readonly text: string;
	readonly places?: readonly number[];
	readonly ends?: readonly number[];
	/** Where what was given ends, as far as it could be read: the beginning of an escape may be left over. */
	readonly end: number;
};

/** Where the character at `index` of a reading begins in what was given. */
export const placeOf = ({places, end}: Reading, index: number): number => (places === undefined ? index : (places[index] ?? end));

/** Where the character before `index` ends there: what is left out behind it does not belong to it. */
export const endOf = ({ends}: Reading, index: number): number => (ends === undefined || index === 0 ? index : ends[index - 1]!);

/** Stands for a quote that begins or ends a string of JSON: no `.` takes it, and no link or tag goes past it. */
export const stringEdge = '\u2028';

const escapes: Readonly<Record<string, string>> = {n: '\n', r: '\r', t: '\t', b: '\b', f: '\f'};

const asGiven = (text: string): Reading => ({text, end: text.length});

const hex = /^[\dA-Fa-f]{4}$/;

/** Strings of JSON as they are meant: `\u0041` is read as `A`. With `final`, what is cut off at the end is read as it stands. */
export const readJson = (text: string, final: boolean): Reading => {
	if (!text.includes('\\') && !text.includes('"')) return asGiven(text);
	const places: number[] = [];
	const ends: number[] = [];
	let out = '';
	let at = 0;
	const take = (character: string, length: number): void => {
		out += character;
		places.push(at);
		at += length;
		ends.push(at);
	};
	while (at < text.length) {
		const sign = text[at]!;
		if (sign === '"') take(stringEdge, 1);
		else if (sign !== '\\') take(sign, 1);
		else {
			const kind = text[at + 1];
			const digits = text.slice(at + 2, at + 6);
			if (!final && (kind === undefined || (kind === 'u' && digits.length < 4))) break;
			if (kind === 'u' && hex.test(digits)) take(String.fromCharCode(Number.parseInt(digits, 16)), 6);
			else if (kind === undefined) take(sign, 1);
			else take(escapes[kind] ?? kind, 2);
		}
	}
	return {text: out, places, ends, end: at};
};

/** Names of the signs that make a link or a tag; others may stay as they are written. */
const named: Readonly<Record<string, string>> = {
	...{colon: ':', sol: '/', bsol: '\\', period: '.', commat: '@', num: '#', quest: '?', equals: '=', amp: '&', percnt: '%', excl: '!'},
	...{
		lpar: '(',
		rpar: ')',
		lsqb: '[',
		rsqb: ']',
		lbrack: '[',
		rbrack: ']',
		lt: '<',
		gt: '>',
		LT: '<',
		GT: '>',
		quot: '"',
		QUOT: '"',
		apos: "'",
	},
	...{Tab: '\t', NewLine: '\n', nbsp: ' ', shy: '\u00ad', lowbar: '_', hyphen: '-', dash: '-', AMP: '&'},
};

const longestEntity = 32;
const entity = /&(?:#[xX]([\dA-Fa-f]{1,6})|#(\d{1,7})|([A-Za-z]{2,12}));?/uy;
const openEntity = /^&(?:#?|#[xX]?[\dA-Fa-f]{0,6}|#\d{0,7}|[A-Za-z]{0,12})$/u;
const punctuation = /[!-/:-@[-`{-~]/;

const character = (code: number): string => (code > 0 && code <= 0xffff ? String.fromCharCode(code) : '\ufffd');

const entityAt = (text: string, at: number): {value: string; length: number} | undefined => {
	entity.lastIndex = at;
	const [whole, hexadecimal, decimal, name] = entity.exec(text) ?? [];
	if (whole === undefined) return undefined;
	if (hexadecimal !== undefined) return {value: character(Number.parseInt(hexadecimal, 16)), length: whole.length};
	if (decimal !== undefined) return {value: character(Number(decimal)), length: whole.length};
	// A browser reads `&lt` without its semicolon, and others not: only those that end so are names.
	return whole.endsWith(';') && name !== undefined && Object.hasOwn(named, name) ? {value: named[name]!, length: whole.length} : undefined;
};

/**
 * What browsers and markdown make of a text, sign for sign: `&#x68;` is `h`, `\:` is `:`, and what is full-width is plain. It goes on
 * from another reading, and gives places in what that was given.
 */
export const readMarkup = (from: Reading, final: boolean): Reading => {
	const {text} = from;
	if (!/[&\\\u00ad\u200b-\u200d\u2060\u3002\ufeff\uff01-\uff61]/.test(text)) return from;
	const places: number[] = [];
	const ends: number[] = [];
	let out = '';
	let at = 0;
	const take = (value: string, length: number): void => {
		if (value !== '') {
			out += value;
			places.push(placeOf(from, at));
			ends.push(endOf(from, at + length));
		}
		at += length;
	};
	while (at < text.length) {
		const sign = text[at]!;
		if (sign === '&') {
			if (!final && text.length - at < longestEntity && openEntity.test(text.slice(at))) break;
			const found = entityAt(text, at);
			if (found) take(found.value, found.length);
			else take(sign, 1);
		} else if (sign === '\\') {
			const next = text[at + 1];
			if (next === undefined && !final) break;
			// Two of them may stay two, which browsers take for slashes.
			if (next !== undefined && next !== '\\' && punctuation.test(next)) take(next, 2);
			else if (next === '\\') {
				take(sign, 1);
				take(sign, 1);
			} else take(sign, 1);
		} else if (sign >= '\uff01' && sign <= '\uff5e') take(String.fromCharCode(sign.charCodeAt(0) - 0xfee0), 1);
		else if (sign === '\u3002' || sign === '\uff61') take('.', 1);
		else if (/[\u00ad\u200b-\u200d\u2060\ufeff]/.test(sign)) take('', 1);
		else take(sign, 1);
	}
	return {text: out, places, ends, end: placeOf(from, at)};
};

/** A text as it is given: nothing in it is an escape. */
export const readPlain = asGiven;
