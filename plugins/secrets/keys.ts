import {entropy, isKind, KEY, runEnd} from './characters.ts';
import {checks} from './checksum.ts';
import type {Found} from './found.ts';
import {kindsAt} from './kinds/at.ts';
import type {Row} from './kinds/row.ts';

const stop = 0x2e;

const manyDigits = /\d.*\d/;

const sample = /(.)\1{5}|EXAMPLE|example|XXXX|xxxx|your[-_]|abcdefghij|\.\.\./;

/** Keys are drawn at random: no specimens, no words. */
const looksRandom = (body: string): boolean => {
	if (sample.test(body) || entropy(body) < (body.length < 16 ? 2.2 : 2.8)) return false;
	if (manyDigits.test(body) || /^[A-Z2-7]{16,}$/.test(body)) return true;
	if (/\d/.test(body) && /[a-z]/.test(body) && /[A-Z]/.test(body)) return true;
	return /^[A-Za-z]{16,}$/.test(body) && /[a-z]/.test(body) && /[A-Z][^A-Z]*[A-Z][^A-Z]*[A-Z]/.test(body);
};

const longWords = /[a-z]{5}[-_][a-z]{5}/;

const keyOf = (text: string, start: number, limit: number, [kind, prefix, alphabet, least, most = 4_096]: Row): Found | undefined => {
	const body = start + prefix.length;
	const end = runEnd(text, body, alphabet, Math.min(limit, body + most + 1));
	const size = end - body;
	// A key at the end of what may be looked at can only be longer.
	if (size < least || size > most) return;
	if (isKind(text, end, KEY) && alphabet !== 'base64' && end < limit) return;
	const value = text.slice(body, end);
	if (prefix.length < 3 && !manyDigits.test(value)) return;
	if (kind !== 'age' && (!looksRandom(value) || (alphabet === 'key' && size < 40 && longWords.test(value)))) return;
	return {start, end, category: 'provider-key', kind, ...(checks(kind, value) ? {sure: true} : {})};
};

/** A key must not continue a word, nor a name with stops in it. */
export const startsWord = (text: string, index: number): boolean =>
	index === 0 || (!isKind(text, index - 1, KEY) && !(text.charCodeAt(index - 1) === stop && isKind(text, index - 2, KEY)));

/** A key of a known kind that begins at `start` and ends before `limit`. */
export const matchKey = (text: string, start: number, limit: number): Found | undefined => {
	const rows = kindsAt(text.charCodeAt(start), text.charCodeAt(start + 1));
	if (rows === undefined || !startsWord(text, start)) return;
	for (const row of rows) {
		const found = text.startsWith(row[1], start) ? keyOf(text, start, limit, row) : undefined;
		if (found !== undefined) return found;
	}
};

/** A JSON Web Token, or another secret that is base64 of JSON, whose `eyJ` is at `start`. */
export const matchToken = (text: string, start: number, limit: number): Found | undefined => {
	if (!text.startsWith('eyJ', start) || !startsWord(text, start)) return;
	const end = runEnd(text, start, 'dotted', limit);
	const [header = '', payload = '', signature = ''] = text.slice(start, end).split('.', 3);
	if (header.length > 9 && payload.length > 9) return {start, end, category: 'jwt', kind: signature === '' ? 'unsigned-jwt' : 'jwt'};
	const whole = runEnd(text, start, 'base64', limit);
	return whole - start >= 70 ? {start, end: whole, category: 'provider-key', kind: 'base64-json'} : undefined;
};
