import {ALNUM, DIGIT, isKind, KEY_MARK, WORD} from './classes.ts';
import {leadsToEmail} from './email.ts';
import {type Found, open, wordsBefore} from './found.ts';
import {type Groups, groupEnd, groupLength, groupMark, groupStart} from './numbers.ts';
import {extensionEnd, isLabelled} from './phone-end.ts';

const dialled =
	/phone|\btel\b|t[ée]l[ée]ph?on|teléfono|\bt[ée]l\b|telefax|mobile|\bmobil\b|m[óo]vil|\bcell|\bfax\b|\bcall\b|whatsapp|\bsms\b|\bdial\b|\breach|answering|\bhandy|rufnummer|portable|celular|telem[óo]vel|puhelin|telefoon|\bgsm\b|\bcep\b|telepono|hotline|contact (?:number|no\b)|телефон|\bтел\b|電話|电话|手机|携帯|전화|휴대폰|هاتف|\bmy [a-z]{2,9} number is $/;

const everyDialled = new RegExp(dialled, 'g');

const otherwise =
	/order|\bid\b|_id|invoice|account|\bref|isbn|track|ticket|imei|aadhaar|iban|card|version|serial|\bsku|\bzip|postal|amount|price|total|\bpin\b|port\b|\bcode|\bdate|since|year|\bnhs\b|\bnpi\b|\bssn|social|\btax|passport|cpf|\bni\b/;

const datePattern = /^(?:(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1(?:19|20)\d{2})(?:\D|$)/;

const zero = 0x30;
const slash = 0x2f;
const dash = 0x2d;
const dot = 0x2e;
const space = 0x20;
const plus = 0x2b;
const opening = 0x28;
const closing = 0x29;

/** Where a number whose digits begin at `first` begins with its plus sign or bracket. */
export const phoneStart = (text: string, first: number, floor: number): number => {
	let start = first;
	while (start > floor && start > first - 2 && (text.charCodeAt(start - 1) === plus || text.charCodeAt(start - 1) === opening)) {
		start--;
	}

	return start;
};

/** Digits must not continue a word, an amount, a path or another number. */
const startsClean = (text: string, start: number): boolean => {
	const before = text.charAt(start - 1);
	if (before === ' ' || before === '' || before === '\n') {
		return true;
	}

	const joins = isKind(text, start - 1, WORD | KEY_MARK) || '.+/#$€£¥%&@~^*<'.includes(before);
	return !joins && !(":'’".includes(before) && isKind(text, start - 2, DIGIT));
};

/** How many groups a number in international form takes: as many as `most` digits allow. */
const internationalCount = (groups: Groups, most: number): number => {
	let digits = 0;
	let count = 0;
	for (let index = 0; index < groups.count; index++) {
		digits += groupLength(groups, index);
		if (digits > most) {
			break;
		}

		count = digits >= 7 ? index + 1 : 0;
	}

	return count;
};

const isServed = (text: string, index: number) => text.charCodeAt(index) >= 0x32;

/** How many groups a North American number takes, 0 when it is none. */
const americanCount = (text: string, groups: Groups): number => {
	const skip = groups.count > 3 && groupLength(groups, 0) === 1 && text.charCodeAt(groupStart(groups, 0)) === 0x31 ? 1 : 0;
	const fits =
		groups.count > skip + 2 &&
		groupLength(groups, skip) === 3 &&
		groupLength(groups, skip + 1) === 3 &&
		groupLength(groups, skip + 2) === 4 &&
		groupMark(groups, skip + 1) !== slash;
	if (!fits) {
		return 0;
	}

	const mark = groupMark(groups, skip + 2);
	const loose = mark === space && groupMark(groups, skip + 1) === space;
	const served = isServed(text, groupStart(groups, skip)) && isServed(text, groupStart(groups, skip + 1));
	const goesOn = groups.count > skip + 3 && groupMark(groups, skip + 3) === mark;
	return goesOn || (loose && !served) ? 0 : skip + 3;
};

/** Whether the separators after the first are all alike, as in `02.27.96.63.08` and unlike `049.723.410-68`. */
const even = (groups: Groups): boolean => {
	for (let index = 3; index < groups.count; index++) {
		if (groupMark(groups, index) !== groupMark(groups, 2)) {
			return false;
		}
	}

	return true;
};

/** Whether the groups are written as a national number is: a leading zero, or an area code in brackets. */
const isNational = (text: string, groups: Groups): boolean => {
	const area = groupLength(groups, 0);
	if (groups.count < 2 || groups.digits < 8 || groups.digits > 11 || !even(groups)) {
		return false;
	}

	const bracketed = text.charCodeAt(groupStart(groups, 0) - 1) === opening && groupMark(groups, 1) === closing;
	const trunk = text.charCodeAt(groupStart(groups, 0)) === zero && text.charCodeAt(groupStart(groups, 0) + 1) !== zero;
	const social = groups.count === 3 && area === 3 && groupLength(groups, 1) === 2 && groupLength(groups, 2) === 4;
	const zeroed = trunk && !social && area > 1 && area < 6 && groups.digits > 8;
	if (bracketed) {
		return zeroed || (area < 4 && area > 1 && groups.count === 3);
	}

	return zeroed && groupMark(groups, 1) !== slash && !(groups.count === 2 && groupMark(groups, 1) === dot);
};

/** Within Russia and its neighbours an eight goes before the area. */
const behindEight = /^8 ?\(\d{3}\) ?\d{3}[ -]\d{2}[ -]\d{2}$/;

/** Whether digits that are a whole text may be dialled: behind a zero, or in three groups and more. */
const isDialledAlone = (text: string, groups: Groups): boolean => {
	const first = groupStart(groups, 0);
	if (groups.count === 1)
		return (groups.digits === 10 || groups.digits === 11) && text.charCodeAt(first) === zero && text.charCodeAt(first + 1) > zero;
	const social = groups.count === 3 && groupLength(groups, 1) === 2 && groupLength(groups, 2) === 4;
	return (
		groups.count > 2 &&
		groups.digits > 8 &&
		groups.digits < 13 &&
		groupLength(groups, 0) < 5 &&
		groupMark(groups, 2) !== dot &&
		!social &&
		even(groups)
	);
};

/** How many groups a number that is neither international nor American takes, 0 when it is none. */
const nationalCount = (text: string, groups: Groups, words: string, alone: boolean): number => {
	const written = text.slice(groupStart(groups, 0), groupEnd(groups, groups.count - 1));
	if (groups.overflows || datePattern.test(written)) {
		return 0;
	}

	if (isNational(text, groups) || behindEight.test(written) || (alone && isDialledAlone(text, groups))) {
		return groups.count;
	}

	return groups.digits > 6 && groups.digits < 14 && dialled.test(words) ? groups.count : 0;
};

/** Whether a word that stands nearer than any word for a phone says that the number is something else. */
const doubts = (words: string): boolean => {
	let said = 0;
	for (const {index} of words.matchAll(everyDialled)) {
		said = index;
	}

	return otherwise.test(words.slice(said));
};

/** How many groups the phone number takes that begins at `start`, 0 when there is none. */
const phoneCount = (text: string, groups: Groups, start: number, final: boolean): number => {
	const first = groupStart(groups, 0);
	if (first > start && text.slice(start, first).includes('+') && text.charCodeAt(first) !== zero) {
		return internationalCount(groups, 15);
	}

	const zeros = text.charCodeAt(first) === zero && text.charCodeAt(first + 1) === zero && text.charCodeAt(first + 2) > zero;
	if (zeros && groups.count > 1 && groupLength(groups, 0) > 2) {
		return internationalCount(groups, 17);
	}

	const american = americanCount(text, groups);
	const follows = text.charCodeAt(start - 1) === space && isKind(text, start - 2, DIGIT);
	if (american === 0 && (follows || groups.digits < 7)) {
		return 0;
	}

	const words = wordsBefore(text, start);
	const alone = final && start === 0 && groupEnd(groups, groups.count - 1) === text.length;
	const count = american === 0 ? nationalCount(text, groups, words, alone) : american;
	return count > 0 && doubts(words) ? 0 : count;
};

/** How many groups a number takes that a word behind it tells to be a phone's, 0 when there is none, -1 when the text ends too early. */
const labelledCount = (text: string, groups: Groups, final: boolean): number => {
	const first = groupStart(groups, 0);
	const end = groupEnd(groups, groups.count - 1);
	if (groups.overflows || groups.digits > 13 || (groups.count === 1 && groups.digits < 8) || datePattern.test(text.slice(first, end)))
		return 0;
	const labelled = isLabelled(text, end, final);
	return labelled === undefined ? -1 : labelled ? groups.count : 0;
};

const usesBracket = (groups: Groups, count: number): boolean => {
	for (let index = 1; index < count; index++) {
		if (groupMark(groups, index) === closing) {
			return true;
		}
	}

	return false;
};

/** A phone number whose first digit is where `groups` begin. */
export const matchPhone = (text: string, groups: Groups, floor: number, final: boolean): Found | undefined => {
	if (groups.digits < 7 || (groups.digits > 15 && groups.count === 1)) {
		return;
	}

	const earliest = phoneStart(text, groupStart(groups, 0), floor);
	const clean = startsClean(text, earliest);
	const count = (clean ? phoneCount(text, groups, earliest, final) : 0) || (clean ? labelledCount(text, groups, final) : 0);
	if (count === 0) {
		return;
	}

	if (count === -1) {
		return open(earliest);
	}

	const loose = !usesBracket(groups, count) || text.charCodeAt(earliest + 1) === opening;
	const start = text.charCodeAt(earliest) === opening && loose ? earliest + 1 : earliest;
	const end = extensionEnd(text, groupEnd(groups, count - 1), final);
	if (end === -1 || (end + 1 >= text.length && !final)) {
		return open(earliest);
	}

	const next = text.charCodeAt(end);
	const joins = count === 1 && (next === dash || next === slash) && isKind(text, end + 1, ALNUM);
	if (isKind(text, end, WORD) || next === 0x5f || joins) {
		return;
	}

	const email = leadsToEmail(text, end, final);
	return email === undefined ? open(earliest) : email ? undefined : {start, end, type: 'PHONE'};
};
