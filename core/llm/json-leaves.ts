import {nestedJson} from './body.ts';
import type {JsonObject} from './json.ts';
import {closingQuote} from './parse.ts';

/** A string, a long number or the name of a field, and where it stands in a text. */
type Leaf = {
	readonly from: number;
	readonly to: number;
	readonly text: string /** Of a name: which object it is in. */;
	readonly of?: number;
};

/** A text that is JSON: what it says, one by one, and what becomes of that in `values`, at the same index. */
export type JsonLeaves = {readonly text: string; readonly leaves: readonly Leaf[]; readonly values: string[]};

/** Whoever reads texts one by one takes about a microsecond for each. */
const mostLeaves = 2_000;

/** Shorter numbers name nobody. */
const longNumber = 1e8;

const number = /-?\d[\d.eE+-]*/y;
const wholeNumber = /^-?\d+$/;
const afterName = /\s*:/y;

/** Of a text that is known to be JSON; undefined where there are too many. */
const leavesOf = (text: string): Leaf[] | undefined => {
	const leaves: Leaf[] = [];
	const open: number[] = [];
	let objects = 0;
	for (let at = 0; at < text.length && leaves.length <= mostLeaves; at += 1) {
		const code = text.charCodeAt(at);
		if (code === 0x22) {
			const to = closingQuote(text, at) + 1;
			const raw = text.slice(at + 1, to - 1);
			const said: string = raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
			afterName.lastIndex = to;
			const isName = afterName.test(text);
			if (isName || said !== '') leaves.push({from: at, to, text: said, ...(isName && {of: open.at(-1) ?? 0})});
			at = to - 1;
		} else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
			number.lastIndex = at;
			const [said = text[at]!] = number.exec(text) ?? [];
			const value = Number(said);
			if (Number.isInteger(value) && Math.abs(value) >= longNumber)
				leaves.push({from: at, to: at + said.length, text: wholeNumber.test(said) ? said : String(value)});
			at += said.length - 1;
		} else if (code === 0x7b) {
			objects += 1;
			open.push(objects);
		} else if (code === 0x7d) open.pop();
	}
	return leaves.length > mostLeaves ? undefined : leaves;
};

/**
 * What a text says that is a list or an object of JSON with escapes in it; undefined where it is none that every parser reads alike, and where
 * it says very much: without escapes it says what it says as it stands.
 */
export const jsonLeaves = (text: string): JsonLeaves | undefined => {
	if (!text.includes('\\') || nestedJson(text) === undefined) return undefined;
	const leaves = leavesOf(text);
	return leaves && {text, leaves, values: leaves.map(leaf => leaf.text)};
};

/** The names of one object as they are written: of two that have become the same, a number behind one grows. */
const namesFor = ({leaves, values}: JsonLeaves): Map<number, string> => {
	const taken = new Map<number, Set<string>>();
	const changed: number[] = [];
	for (const [index, {of, text}] of leaves.entries()) {
		if (of === undefined) continue;
		if (values[index] !== text) changed.push(index);
		else taken.set(of, (taken.get(of) ?? new Set()).add(text));
	}
	const names = new Map<number, string>();
	for (const index of changed) {
		const of = leaves[index]!.of!;
		const others = taken.get(of) ?? new Set();
		let name = values[index]!;
		for (let count = 2; others.has(name); count += 1) name = `${values[index]} ${count}`;
		taken.set(of, others.add(name));
		names.set(index, name);
	}
	return names;
};

/** The text with what has become of its leaves; everything else is left as it is. */
export const withValues = (given: JsonLeaves): string => {
	const {text, leaves, values} = given;
	const names = namesFor(given);
	let written = '';
	let from = 0;
	for (const [index, leaf] of leaves.entries()) {
		if (values[index] === leaf.text) continue;
		written += text.slice(from, leaf.from) + JSON.stringify(names.get(index) ?? values[index]);
		from = leaf.to;
	}
	return written + text.slice(from);
};

/** What a place of a tree says where the text in it is JSON. */
export type Within = JsonLeaves & {readonly holder: JsonObject | unknown[]; readonly place: string | number};
