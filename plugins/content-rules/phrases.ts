import {automatonOf} from './automaton.ts';
import {type Folding, foldPhrase, openFolding} from './fold.ts';
import type {Hit, Scanned, Scanner} from './hits.ts';

export type Phrase = {
	phrase: string;
	rule: number;
	/** It stands by itself, not in the middle of a word. */
	whole: boolean;
	/** What is found within it by the same rule is none. */
	except: boolean;
};

/** A phrase that is stretched over more characters than this is not read as one any more. */
const mostSpan = 2_000;
const lookBehind = 64;
const space = 32;

const wordUnit = /^[\p{L}\p{N}]$/u;
const unspaced = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;

/** Whether a folded character goes on a word; in scripts without blanks between words none does. */
const openWords = () => {
	const known = new Map<number, boolean>();
	return (unit: number): boolean => {
		const before = known.get(unit);
		if (before !== undefined) return before;
		const character = String.fromCharCode(unit);
		const now = wordUnit.test(character) && !unspaced.test(character);
		if (known.size > 10_000) known.clear();
		known.set(unit, now);
		return now;
	};
};

/** The folded character before a place. */
const unitBefore = (fold: Folding, text: string, from: number): number => {
	for (let at = from - 1; at >= 0 && at >= from - lookBehind; at--) {
		const folded = fold(text.charCodeAt(at));
		if (folded !== '') return folded.charCodeAt(folded.length - 1);
	}
	return space;
};

/** A phrase that ends where the text has got to; what comes next says whether it stands by itself. */
type Pending = {phrase: number; start: number};

/** Finds all phrases in one pass over a text. Throws nothing; a phrase of which nothing is left when it is folded is never found. */
export const openPhrases = (phrases: readonly Phrase[]): Scanner => {
	const fold = openFolding();
	const goesOn = openWords();
	const folded = phrases.map(({phrase}) => foldPhrase(fold, phrase));
	const {next, depth, shorter, ending} = automatonOf(folded);
	const anyPart = phrases.some(({whole}) => !whole);
	const joins = (one: number, other: number): boolean => goesOn(one) && goesOn(other);

	return (text, from, final): Scanned => {
		const found: Hit[] = [];
		/** Of the folded text: its characters, and where each began. */
		const units: number[] = [unitBefore(fold, text, from)];
		const starts: number[] = [from];
		let node = 0;
		let pending: Pending[] = [];
		let at = from;

		const settle = (end: number, following: number): void => {
			const last = units.at(-1)!;
			for (const {phrase, start} of pending) {
				const {rule, whole, except} = phrases[phrase]!;
				if (end - start <= mostSpan && !(whole && joins(last, following))) found.push({start, end, rule, ...(except && {except})});
			}
			pending = [];
		};

		const take = (unit: number): void => {
			if (pending.length > 0) settle(at, unit);
			if (unit === space && units.at(-1) === space) return;
			units.push(unit);
			starts.push(at);
			node = next(node, unit);
			if (node === 0) return;
			for (const phrase of ending(node)) {
				const first = units.length - folded[phrase]!.length;
				if (first < 1 || (phrases[phrase]!.whole && joins(units[first - 1]!, units[first]!))) continue;
				pending.push({phrase, start: starts[first]!});
			}
		};

		while (at < text.length) {
			const code = text.codePointAt(at)!;
			const as = fold(code);
			for (let index = 0; index < as.length; index++) take(as.charCodeAt(index));
			at += code > 0xffff ? 2 : 1;
		}
		if (final) {
			if (pending.length > 0) settle(text.length, space);
			return {found, open: text.length};
		}
		let open = text.length;
		for (const {start} of pending) open = Math.min(open, start);
		for (; node !== 0; node = shorter(node)) {
			const first = units.length - depth(node);
			if (first < 1 || (!anyPart && joins(units[first - 1]!, units[first]!))) continue;
			open = Math.min(open, starts[first]!);
			break;
		}
		return {found, open: Math.max(open, text.length - mostSpan)};
	};
};
