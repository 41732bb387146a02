import {ALNUM, DIGIT, HEX, isKind, KEY_MARK, WORD} from './classes.ts';
import {leadsToEmail} from './email.ts';
import {type Found, open, wordsBefore} from './found.ts';
import {type Groups, groupEnd, groupLength, groupMark, groupStart} from './numbers.ts';

const colon = 0x3a;
const dot = 0x2e;
const versionWords = /(?:\bv|version|\bver\.?|release|section|chapter|build|firmware|§)[\s:="'`v]*$/;

const isOctet = (text: string, groups: Groups, index: number): boolean => {
	const length = groupLength(groups, index);
	const first = groupStart(groups, index);
	return length === 1 || (length <= 3 && text.charCodeAt(first) !== 0x30 && Number(text.slice(first, first + length)) < 256);
};

/** A dotted quad that begins where `groups` do. */
export const matchIpv4 = (text: string, groups: Groups, final: boolean): Found | undefined => {
	const start = groupStart(groups, 0);
	if (groups.count < 4 || groupMark(groups, 1) !== dot || isKind(text, start - 1, WORD | KEY_MARK) || text.charCodeAt(start - 1) === dot) {
		return;
	}

	for (let index = 0; index < 4; index++) {
		if ((index > 0 && groupMark(groups, index) !== dot) || !isOctet(text, groups, index)) {
			return;
		}
	}

	const end = groupEnd(groups, 3);
	if (end + 1 >= text.length && !final) {
		return open(start);
	}

	const next = text.charCodeAt(end);
	if (isKind(text, end, WORD) || next === 0x5f || (next === dot && isKind(text, end + 1, WORD))) {
		return;
	}

	if (text.slice(start, end) === '0.0.0.0' || versionWords.test(wordsBefore(text, start))) {
		return;
	}

	const email = leadsToEmail(text, end, final);
	return email === undefined ? open(start) : email ? undefined : {start, end, type: 'IP'};
};

const quadTail = /^(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;
const longestAddress = 46;

/** Whether `address` is one that RFC 4291 can read, with enough in it not to be a name such as `std::byte`. */
const isAddress = (address: string): boolean => {
	const halves = address.split('::');
	if (halves.length > 2) {
		return false;
	}

	const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')));
	const last = groups.at(-1) ?? '';
	const quad = last.includes('.');
	const wellFormed = groups.every((group, index) =>
		quad && index === groups.length - 1 ? quadTail.test(group) : /^[\da-f]{1,4}$/i.test(group),
	);
	const size = groups.length + (quad ? 1 : 0);
	const complete = halves.length === 2 ? size <= 7 : size === 8;
	return wellFormed && complete && (/\d/.test(address) || size > 3);
};

/** Whether a colon before `start` belongs to the same row of groups, and not to a label as in `ip:fe80::1`. */
const followsGroup = (text: string, start: number): boolean => {
	if (text.charCodeAt(start - 1) !== colon) {
		return false;
	}

	let letters = 0;
	for (let index = start - 2; index > start - 8 && isKind(text, index, WORD); index--) {
		if (isKind(text, index, DIGIT)) {
			return true;
		}

		// One letter that is not hexadecimal makes a label of it, as five of any kind do.
		letters += isKind(text, index, HEX) ? 1 : 5;
	}

	return letters === 0 ? text.charCodeAt(start - 2) === colon : letters < 5;
};

/** An IPv6 address around its first colon, which is at `at`. */
export const matchIpv6 = (text: string, at: number, floor: number, final: boolean): Found | undefined => {
	if (text.charCodeAt(at - 1) === colon) {
		return;
	}

	let start = at;
	while (start > floor && start > at - 5 && isKind(text, start - 1, HEX)) {
		start--;
	}

	if (at - start > 4 || isKind(text, start - 1, WORD | KEY_MARK) || text.charCodeAt(start - 1) === dot || followsGroup(text, start)) {
		return;
	}

	let end = at;
	let colons = 0;
	while (end < start + longestAddress) {
		const code = text.charCodeAt(end);
		if (code === colon) {
			colons++;
		} else if (!isKind(text, end, HEX) && code !== dot) {
			break;
		}

		end++;
	}

	if (end >= text.length && !final) {
		return open(start);
	}

	if (colons < 2 || isKind(text, end, ALNUM) || text.charCodeAt(end) === 0x5f) {
		return;
	}

	while (end > at && (text.charCodeAt(end - 1) === dot || (text.charCodeAt(end - 1) === colon && text.charCodeAt(end - 2) !== colon))) {
		end--;
	}

	const address = text.slice(start, end);
	return isAddress(address) ? {start, end, type: 'IP'} : undefined;
};
