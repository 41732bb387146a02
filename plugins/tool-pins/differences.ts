import type {Json} from '../../plugin-sdk/index.ts';
import {visible} from './characters.ts';

/** One field that is not what it was; what is missing was, or is, not there. Characters that are not seen are written out. */
export type Difference = {field: string; before?: string; after?: string};

const mostDifferences = 100;
const mostShown = 2_000;

const isObject = (value: Json | undefined): value is {[key: string]: Json} =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const around = 100;

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** As people may see it, from `start` on. */
const shown = (text: string, start: number, end: number): string => {
	const part = `${start > 0 ? '…' : ''}${visible(text.slice(start, end))}${end < text.length ? '…' : ''}`;
	return part.length > mostShown ? `${part.slice(0, mostShown)}… (${text.length} characters in all)` : part;
};

/** Of two long texts, the part that differs: a change must not hide behind what is the same. */
const bothShown = (before: string, after: string): {before: string; after: string} => {
	const shorter = Math.min(before.length, after.length);
	if (Math.max(before.length, after.length) <= mostShown)
		return {before: shown(before, 0, before.length), after: shown(after, 0, after.length)};
	let start = 0;
	while (start < shorter && before[start] === after[start]) start++;
	let behind = 0;
	while (behind < shorter - start && before[before.length - 1 - behind] === after[after.length - 1 - behind]) behind++;
	const from = Math.max(0, start - around);
	const to = Math.max(0, behind - around);
	return {before: shown(before, from, before.length - to), after: shown(after, from, after.length - to)};
};

const step = (path: string, key: string): string => {
	const own = /^[\w$-]+$/.test(key) ? key : JSON.stringify(visible(key));
	return path === '' ? own : `${path}.${own}`;
};

const compare = (before: Json | undefined, after: Json | undefined, path: string, found: Difference[]): void => {
	if (found.length >= mostDifferences || before === after) return;
	if (isObject(before) && isObject(after)) {
		const own = (value: {[key: string]: Json}, key: string) => (Object.hasOwn(value, key) ? value[key] : undefined);
		for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
			compare(own(before, key), own(after, key), step(path, key), found);
	} else if (Array.isArray(before) && Array.isArray(after)) {
		for (let index = 0; index < Math.max(before.length, after.length); index++)
			compare(before[index], after[index], `${path}[${index}]`, found);
	} else if (before !== undefined && after !== undefined) found.push({field: path, ...bothShown(asText(before), asText(after))});
	else if (before !== undefined) found.push({field: path, before: shown(asText(before), 0, asText(before).length)});
	else if (after !== undefined) found.push({field: path, after: shown(asText(after), 0, asText(after).length)});
};

/** Field by field what is not the same; `complete` says whether that is all of it, or the first hundred. */
export const differences = (before: Json, after: Json): {differences: Difference[]; complete: boolean} => {
	const found: Difference[] = [];
	compare(before, after, '', found);
	return {differences: found, complete: found.length < mostDifferences};
};
