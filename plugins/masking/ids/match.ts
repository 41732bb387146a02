import {isKind} from '../detectors/classes.ts';
import {american} from './americas.ts';
import {asian} from './asia.ts';
import {byContext} from './by-context.ts';
import {easternEuropean} from './eastern-europe.ts';
import {elsewhere} from './elsewhere.ts';
import {european} from './europe.ts';
import type {IdType, Rule} from './rule.ts';
import {taxes} from './taxes.ts';
import {isWallet} from './wallets.ts';
import {LETTERED, SMALL, type Words} from './words.ts';

export type Spotted = {readonly start: number; readonly end: number; readonly type: IdType};

const longestCompact = 20;
/** How far before a number a word may stand that names it. */
export const lookBehind = 50;

type Check = (compact: string) => boolean;

/** A rule with every field there, since objects that are alike are read many times faster; `bare`: its shape is only so many digits. */
type Ready = {
	readonly type: IdType;
	readonly shape: RegExp;
	readonly bare: boolean;
	readonly check: Check | undefined;
	readonly written: RegExp | undefined;
	readonly named: RegExp | undefined;
	readonly alone: boolean;
	readonly small: boolean;
	readonly least: number;
	readonly most: number;
};

const ready = ({type, shape, check, written, named, alone = false, small = false, length: [least, most]}: Rule): Ready => ({
	type,
	shape,
	bare: /^\^\\d\{\d+\}\$$/.test(shape.source),
	check,
	written,
	named,
	alone,
	small,
	least,
	most,
});

const all = [...european, ...elsewhere, ...american, ...asian, ...easternEuropean, ...taxes, ...byContext].map(ready);

/** By how long they are: what digits alone may be, and what may have a letter. */
const ofDigits: ReadonlyArray<readonly Ready[]> = Array.from({length: longestCompact + 1}, (_, size) =>
	all.filter(({least, most}) => least <= size && size <= most),
);
const ofLetters = ofDigits.map(rules => rules.filter(({shape}) => /[A-Z]/.test(shape.source)));

/** A number must not go on with a word, a name, a path or an amount. */
const standsAlone = (text: string, start: number, end: number): boolean => {
	const before = text.charAt(start - 1);
	const after = text.charAt(end);
	if (before !== '' && '_-/.@+#$€£%&~^*'.includes(before) && (before !== '-' || isKind(text, start - 2, 7))) return false;
	if (after === '_' || after === '@' || after === '%') return false;
	return !('-/.:'.includes(after) && after !== '' && isKind(text, end + 1, 7));
};

const wordsBefore = (text: string, start: number): string => text.slice(Math.max(0, start - lookBehind), start).toLowerCase();

/** No name is shorter. */
const twoLetters = /[a-z\u0080-\uffff]{2}/;

const mac = /^(?:[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}|[\da-f]{4}\.[\da-f]{4}\.[\da-f]{4})$/i;
/** Of no device, or of all. */
const noMac = /^(?:0+|f+)$/i;
const birth =
	/(?:\bd\.?o\.?b\b|_dob|date.of.birth|birth.?da(?:te|y)|\bborn\b|geburtsdatum|geboren|né(?:e)? le|fecha de nacimiento|data di nascita|data de nascimento|дата рождения|生年月日|出生日期|생년월일)[^\d,;]{0,20}$/;
const day = /^(?:(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)?\d\d)$/;

/** What a few words that stand together are when nothing of them is a check digit. */
const special = (text: string, start: number, end: number, count: number): IdType | undefined => {
	if (count === 6 || count === 3) {
		const raw = text.slice(start, end);
		if (mac.test(raw) && text.charAt(end) !== ':' && !noMac.test(raw.replace(/[:.-]/g, ''))) return 'MAC';
		return count === 3 && raw.length < 11 && day.test(raw) && birth.test(wordsBefore(text, start)) ? 'DOB' : undefined;
	}
	if (count > 1 || end - start < 12) return;
	if (end - start === 12)
		return /^[\da-f]{12}$/i.test(text.slice(start, end)) && /\bmac\b/.test(wordsBefore(text, start)) ? 'MAC' : undefined;
	return end - start > 25 && isWallet(text.slice(start, end)) ? 'CRYPTO' : undefined;
};

/** What is looked at: a number without its separators, as it is written, and whether some word of it is in small letters alone. */
type Written = {
	readonly text: string;
	readonly start: number;
	readonly end: number;
	readonly small: boolean;
	readonly lone: boolean;
	readonly before: string;
	readonly worded: boolean;
};

const ruled = (
	rules: readonly Ready[],
	compact: string,
	bare: boolean,
	{text, start, end, small, lone, before, worded}: Written,
): IdType | undefined => {
	let unnamed: IdType | undefined;
	let alone: IdType | undefined;
	for (const rule of rules) {
		if (rule.named === undefined ? unnamed !== undefined : !worded && !(lone && rule.alone)) continue;
		if (small && !rule.small) continue;
		if (!(rule.bare && bare) && !rule.shape.test(compact)) continue;
		if (rule.check !== undefined && !rule.check(compact)) continue;
		if (rule.written !== undefined && !rule.written.test(text.slice(start, end))) continue;
		if (rule.named === undefined) {
			unnamed = rule.type;
			continue;
		}
		if (rule.named.test(before)) return rule.type;
		if (lone && rule.alone) alone ??= rule.type;
	}
	return unnamed ?? alone;
};

/** The longest value that begins with the first of the words; `whole` where the text begins and ends with what is there. */
export const matchRow = (text: string, {starts, ends, kinds}: Words, floor: number, whole: boolean): Spotted | undefined => {
	const start = starts[0]!;
	if (start < floor) return;
	let size = 0;
	for (let index = 0; index < starts.length; index++) size += ends[index]! - starts[index]!;
	let compact: string | undefined;
	let before: string | undefined;
	let worded: boolean | undefined;
	for (let count = starts.length; count > 0; count--) {
		const end = ends[count - 1]!;
		if (end - start < 6) return;
		let kind = 0;
		for (let index = 0; index < count; index++) kind |= kinds[index]!;
		const rules = ((kind & LETTERED) === 0 ? ofDigits : ofLetters)[size] ?? [];
		if ((rules.length > 0 || count === 6 || count === 3 || count === 1) && standsAlone(text, start, end)) {
			const other = special(text, start, end, count);
			if (other !== undefined) return {start, end, type: other};
			if (rules.length > 0) {
				compact ??= compacted(text, starts, ends, count);
				const lone = whole && start === 0 && end === text.length;
				before ??= wordsBefore(text, start);
				worded ??= twoLetters.test(before);
				const written = {text, start, end, small: (kind & SMALL) !== 0, lone, before, worded};
				const type = ruled(rules, compact.slice(0, size), (kind & LETTERED) === 0, written);
				if (type !== undefined) return {start, end, type};
			}
		}
		size -= end - starts[count - 1]!;
	}
};

const compacted = (text: string, starts: readonly number[], ends: readonly number[], count: number): string => {
	let compact = '';
	for (let index = 0; index < count; index++) compact += text.slice(starts[index], ends[index]);
	return compact.toUpperCase();
};
