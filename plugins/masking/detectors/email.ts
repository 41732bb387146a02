import {isKind, LETTER, LOCAL, WORD} from './classes.ts';
import {type Found, open, undecided} from './found.ts';

/** RFC 5321 limits: 64 before the at sign, 254 for the whole address. */
export const longestLocal = 64;
const longestDomain = 189;

/** How much of a local part may follow a number before the number is masked for itself; keeps what is held under 256 characters. */
const longestLead = 10;

const fileEndings = new Set(['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'avif', 'css', 'js']);

/** Where the run of local-part characters that ends before `at` begins. */
const localStart = (text: string, at: number, floor: number) => {
	const lowest = Math.max(floor, at - longestLocal);
	let start = at;
	while (start > lowest && isKind(text, start - 1, LOCAL)) {
		start--;
	}

	while (start < at && !isKind(text, start, WORD)) {
		start++;
	}

	return start;
};

const isTopLevel = (label: string) => {
	if (label.startsWith('xn--')) {
		return label.length > 4;
	}

	for (let index = 0; index < label.length; index++) {
		if (!isKind(label, index, LETTER)) {
			return false;
		}
	}

	return label.length > 1;
};

/** The length of the longest prefix of `domain` that is a host name with a plausible ending. */
const domainLength = (domain: string): number => {
	const labels = domain.split('.');
	const bad = labels.findIndex(label => label === '' || label.length > 63 || label.startsWith('-'));
	for (let count = bad === -1 ? labels.length : bad; count > 1; count--) {
		const label = labels[count - 1] ?? '';
		const dash = label.startsWith('xn--') ? -1 : label.indexOf('-');
		const last = dash === -1 ? label : label.slice(0, dash);
		if (isTopLevel(last)) {
			return fileEndings.has(last) ? 0 : labels.slice(0, count - 1).join('.').length + 1 + last.length;
		}
	}

	return 0;
};

/** An address around the at sign at `at`. */
export const matchEmail = (text: string, at: number, floor: number, final: boolean): Found | undefined => {
	const start = localStart(text, at, floor);
	if (start === at) {
		return;
	}

	const limit = at + 1 + longestDomain;
	let end = at + 1;
	let dots = 0;
	for (; end < limit; end++) {
		const code = text.charCodeAt(end);
		if (code === 0x2e) {
			dots++;
		} else if (code !== 0x2d && !isKind(text, end, WORD)) {
			break;
		}
	}

	if (end >= text.length && !final) {
		return open(start);
	}

	const length = dots === 0 ? 0 : domainLength(text.slice(at + 1, end));
	if (length === 0 || (text.slice(start, at) === 'git' && /[:/]/.test(text.charAt(at + 1 + length)))) {
		return;
	}

	return {start, end: at + 1 + length, type: 'EMAIL'};
};

/** Whether what ends at `end` runs on into an address; `undefined` when the text ends before that is known. */
export const leadsToEmail = (text: string, end: number, final: boolean): boolean | undefined => {
	let index = end;
	while (index < end + longestLead && isKind(text, index, LOCAL)) {
		index++;
	}

	if (index >= text.length) {
		return final ? false : undefined;
	}

	if (text.charCodeAt(index) !== 0x40) {
		return false;
	}

	const email = matchEmail(text, index, 0, final);
	return email?.end === undecided ? undefined : email !== undefined;
};
