import {DIGIT, isKind, KEY_MARK, WORD} from './classes.ts';
import {leadsToEmail} from './email.ts';
import {type Found, open, wordsBefore} from './found.ts';
import {type Groups, groupEnd, groupLength, groupMark, groupStart} from './numbers.ts';

/** How cards are printed, besides one run of digits, by the length of the first group. */
const layouts: Readonly<Record<number, ReadonlyArray<readonly number[]>>> = {
	4: [
		[4, 4, 4, 4, 3],
		[4, 4, 4, 4],
		[4, 6, 5],
		[4, 6, 4],
		[4, 4, 5],
		[4, 5, 4],
		[4, 4, 4, 1],
		[4, 4, 4, 2],
		[4, 4, 4, 3],
		[4, 4, 7],
		[4, 4, 4, 6],
	],
	6: [[6, 13]],
	8: [[8, 8]],
};

const between = (value: number, low: number, high: number) => value >= low && value <= high;

/** Whether an issuer gives out numbers of this length that begin with these four digits. */
const issued = (four: number, length: number): boolean => {
	const two = Math.trunc(four / 100);
	if (between(two, 40, 49)) {
		return length === 13 || length === 16 || length === 19;
	}

	if (two === 34 || two === 37 || four === 2014 || four === 2149 || four === 1800 || four === 2131 || four === 1220) {
		return length === 15;
	}

	if (between(two, 51, 55) || between(four, 2221, 2720) || between(four, 2200, 2204)) {
		return length === 16;
	}

	if (two === 36 || two === 38 || two === 39 || between(four, 3000, 3059) || four === 3095) {
		return length === 14 || length === 16;
	}

	if (between(four, 3528, 3589) || two === 60 || two === 62 || two === 64 || two === 65 || two === 81 || two === 82) {
		return length >= 16;
	}

	return two === 50 || between(two, 56, 58) || two === 61 || two === 63 || between(two, 66, 69);
};

/** Whether the digits between `start` and `end` are as many as a card has, issued, and pass the Luhn check. */
const isCard = (text: string, start: number, end: number): boolean => {
	let sum = 0;
	let length = 0;
	let four = 0;
	let same = true;
	for (let index = end - 1; index >= start; index--) {
		const digit = text.charCodeAt(index) - 0x30;
		if (digit >= 0 && digit <= 9) {
			sum += length % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
			length++;
			same &&= text.charCodeAt(index) === text.charCodeAt(start);
		}
	}

	if (sum % 10 !== 0 || length < 13 || length > 19 || same) {
		return false;
	}

	for (let index = start; index < start + 4; index++) {
		four = four * 10 + text.charCodeAt(index) - 0x30;
	}

	return issued(four, length);
};

const fits = (groups: Groups, layout: readonly number[]): boolean => {
	if (layout.length > groups.count) {
		return false;
	}

	const mark = groupMark(groups, 1);
	for (let index = 1; index < layout.length; index++) {
		if (groupLength(groups, index) !== layout[index] || groupMark(groups, index) !== mark) {
			return false;
		}
	}

	return mark === 0x20 || mark === 0x2d || mark === 0x2e;
};

/** How many groups the card takes that begins with the first, 0 when none does. */
const cardCount = (text: string, groups: Groups): number => {
	const first = groupLength(groups, 0);
	const start = groupStart(groups, 0);
	if (first >= 13) {
		return first <= 19 && isCard(text, start, groupEnd(groups, 0)) ? 1 : 0;
	}

	if (groups.digits < 13) {
		return 0;
	}

	const layout = layouts[first]?.find(each => fits(groups, each) && isCard(text, start, groupEnd(groups, each.length - 1)));
	return layout?.length ?? 0;
};

/** Words right before a number that say what else it is. */
const otherwise = /\b(?:order|ean|gtin|upc|isbn|sku|barcode|tracking|invoice)(?:[ _-]?(?:id|no|nr|number|code))?\W{0,5}$/;

/** A payment card whose first digit is where `groups` begin. */
export const matchCard = (text: string, groups: Groups, final: boolean): Found | undefined => {
	const count = cardCount(text, groups);
	if (count === 0) {
		return;
	}

	const start = groupStart(groups, 0);
	const end = groupEnd(groups, count - 1);
	if (isKind(text, start - 1, WORD | KEY_MARK) || (text.charCodeAt(start - 1) === 0x2e && isKind(text, start - 2, DIGIT))) {
		return;
	}

	if (otherwise.test(wordsBefore(text, start))) {
		return;
	}

	if (end >= text.length && !final) {
		return open(start);
	}

	if (isKind(text, end, WORD) || text.charCodeAt(end) === 0x5f) {
		return;
	}

	const email = leadsToEmail(text, end, final);
	return email === undefined ? open(start) : email ? undefined : {start, end, type: 'CARD'};
};
