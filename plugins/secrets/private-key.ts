import type {Found} from './found.ts';

const opening = '-----BEGIN';
const label = /-----BEGIN [A-Z0-9 ]{0,48}?PRIVATE KEY(?: BLOCK)?-----/y;
const longestHead = 80;
const footer = '-----END ';
const foot = /-----END [A-Z0-9 ]{0,60}-----/y;
const longestFoot = 80;

/** A private key whose head begins in the piece of text from `from` to `end`; `undecided` when the text ends within the head. */
export const blockStart = (text: string, from: number, end: number, final: boolean): Found | 'undecided' | undefined => {
	if (text.charCodeAt(end - 1) !== 0x4e || !text.endsWith(opening, end)) return;
	const start = end - opening.length;
	if (start < from) return;
	label.lastIndex = start;
	if (label.test(text)) return {start, end: label.lastIndex, category: 'private-key', kind: 'private-key'};
	return !final && text.length - start < longestHead ? 'undecided' : undefined;
};

/** Where the block that is open at `from` ends: after its foot, or with the text. */
export const blockEnd = (text: string, from: number, final: boolean): {end: number; open: boolean} => {
	let at = text.indexOf(footer, from);
	while (at !== -1) {
		foot.lastIndex = at;
		if (foot.test(text)) return {end: foot.lastIndex, open: false};
		if (!final && text.length - at < longestFoot) return {end: at, open: true};
		at = text.indexOf(footer, at + 1);
	}
	return final ? {end: text.length, open: false} : {end: Math.max(from, text.length - footer.length + 1), open: true};
};
