import {isKind} from '../detectors/classes.ts';
import {elsewhere} from './elsewhere.ts';
import {european} from './europe.ts';
import type {IdType, Rule} from './rule.ts';
import type {Words} from './scan.ts';
import {isWallet} from './wallets.ts';

export type Spotted = {readonly start: number; readonly end: number; readonly type: IdType};

const longestCompact = 20;
/** How far before a number a word may stand that names it. */
export const lookBehind = 50;

const byLength: ReadonlyArray<readonly Rule[]> = Array.from({length: longestCompact + 1}, (_, size) =>
	[...european, ...elsewhere].filter(({length: [least, most]}) => least <= size && size <= most),
);

const compacted = (text: string, start: number, end: number): string =>
	text
		.slice(start, end)
		.replace(/[ .:/+-]/g, '')
		.toUpperCase();

/** A number must not go on with a word, a name, a path or an amount. */
const standsAlone = (text: string, start: number, end: number): boolean => {
	const before = text.charAt(start - 1);
	const after = text.charAt(end);
	if (before !== '' && '_-/.@+#$€£%&~^*'.includes(before) && (before !== '-' || isKind(text, start - 2, 7))) return false;
	if (after === '_' || after === '@' || after === '%') return false;
	return !('-/.:'.includes(after) && after !== '' && isKind(text, end + 1, 7));
};

const wordsBefore = (text: string, start: number): string => text.slice(Math.max(0, start - lookBehind), start).toLowerCase();

const mac = /^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}|[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4})$/i;
const birth =
	/(?:\bdob\b|_dob|date.of.birth|birth.?da(?:te|y)|\bborn\b|geburtsdatum|geboren|né(?:e)? le|fecha de nacimiento|data di nascita)[^\d,;]{0,20}$/;
const day = /^(?:(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)?\d\d)$/;

/** What a few words that stand together are when nothing of them is a check digit. */
const special = (text: string, start: number, end: number, count: number): IdType | undefined => {
	const raw = text.slice(start, end);
	if ((count === 6 || count === 3) && mac.test(raw) && text.charAt(end) !== ':') return 'MAC';
	if (count === 3 && day.test(raw) && birth.test(wordsBefore(text, start))) return 'DOB';
	if (count === 1 && raw.length === 12 && /^[\da-f]{12}$/i.test(raw) && /\bmac\b/.test(wordsBefore(text, start))) return 'MAC';
	return count === 1 && raw.length > 25 && isWallet(raw) ? 'CRYPTO' : undefined;
};

const fits = (rule: Rule, compact: string, raw: string): boolean =>
	rule.shape.test(compact) && (rule.written === undefined || rule.written.test(raw)) && (rule.check === undefined || rule.check(compact));

/** Small letters are a word unless the digits stand in the same. */
const isShouted = (raw: string): boolean => !/(?:^|[ -])[a-z]+(?:[ -]|$)/.test(raw);

const ruled = (text: string, start: number, end: number, lone: boolean): IdType | undefined => {
	const compact = compacted(text, start, end);
	const rules = byLength[compact.length];
	if (rules === undefined || rules.length === 0) return;
	const raw = text.slice(start, end);
	if (!isShouted(raw)) return;
	let unnamed: IdType | undefined;
	let words: string | undefined;
	for (const rule of rules) {
		if (!fits(rule, compact, raw)) continue;
		if (rule.named === undefined) {
			unnamed ??= rule.type;
			continue;
		}
		words ??= wordsBefore(text, start);
		if (rule.named.test(words)) return rule.type;
		if (lone && rule.alone === true) unnamed ??= rule.type;
	}
	return unnamed;
};

/** The longest value that begins with the first of the words; `whole` where the text begins and ends with what is there. */
export const matchRow = (text: string, {starts, ends}: Words, floor: number, whole: boolean): Spotted | undefined => {
	const start = starts[0]!;
	if (start < floor) return;
	for (let count = starts.length; count > 0; count--) {
		const end = ends[count - 1]!;
		if (end - start < 6 || !standsAlone(text, start, end)) continue;
		const type = special(text, start, end, count) ?? ruled(text, start, end, whole && start === 0 && end === text.length);
		if (type !== undefined) return {start, end, type};
	}
};
