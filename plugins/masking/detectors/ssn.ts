import {isKind, KEY_MARK, WORD} from './classes.ts';
import {leadsToEmail} from './email.ts';
import {type Found, open, wordsBefore} from './found.ts';
import {type Groups, groupEnd, groupLength, groupMark, groupStart} from './numbers.ts';

const named = /\bssn\b|_ssn|social\s?security|\bsoc\.? ?sec|tax\s?payer id/;

/** Numbers that were printed in advertisements and belong to nobody. */
const specimens = new Set(['078051120', '219099999', '123456780']);

const assignable = (digits: string): boolean =>
	!/^(?:000|666|9)/.test(digits) && digits.slice(3, 5) !== '00' && !digits.endsWith('0000') && !specimens.has(digits);

const dash = 0x2d;

/** How many groups it takes and how sure the writing alone makes us: dashes say it, other ways need a word before them. */
const writtenAs = (groups: Groups): {readonly count: number; readonly sure: boolean} | undefined => {
	const first = groupLength(groups, 0);
	const second = groups.count > 1 ? groupLength(groups, 1) : 0;
	if (first === 3 && second === 2 && groups.count > 2 && groupLength(groups, 2) === 4) {
		const mark = groupMark(groups, 1);
		const even = mark === groupMark(groups, 2) && (mark === dash || mark === 0x20 || mark === 0x2e);
		return even ? {count: 3, sure: mark === dash} : undefined;
	}

	if (first === 9) {
		return {count: 1, sure: false};
	}

	return (first === 3 && second === 6) || (first === 5 && second === 4) ? {count: 2, sure: false} : undefined;
};

/** A United States social security number whose first digit is where `groups` begin. */
export const matchSsn = (text: string, groups: Groups, final: boolean): Found | undefined => {
	const written = writtenAs(groups);
	const start = groupStart(groups, 0);
	if (written === undefined || isKind(text, start - 1, WORD | KEY_MARK) || text.charCodeAt(start - 1) === 0x2e) {
		return;
	}

	const {count, sure} = written;
	const end = groupEnd(groups, count - 1);
	if (end >= text.length && !final) {
		return open(start);
	}

	const joined = groups.count > count && (groupMark(groups, count) === dash || groupMark(groups, count) === 0x2e);
	if (joined || isKind(text, end, WORD) || text.charCodeAt(end) === 0x5f || !assignable(text.slice(start, end).replace(/\D/g, ''))) {
		return;
	}

	const alone = count === 3 && final && start === 0 && end === text.length;
	if (!sure && !alone && !named.test(wordsBefore(text, start))) {
		return;
	}

	const email = leadsToEmail(text, end, final);
	return email === undefined ? open(start) : email ? undefined : {start, end, type: 'US_SSN'};
};
