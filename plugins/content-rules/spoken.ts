import {meant} from '../../plugin-sdk/escapes.ts';
import {type Heard, openLanguages, type Score} from './language.ts';
import {fencedAfter, wordsOf} from './prose.ts';

/** What is known of the language of a text that goes on; as secret as the text itself. */
export type Spoken = {
	/** The end of what was read. */
	readonly tail: string;
	/** Whether a fence of code was open before it. */
	readonly isFenced: boolean;
	/** How much of it came since it was last judged. */
	readonly fresh: number;
	/** Whether there was enough to judge, and whether it was a language that may be spoken. */
	readonly isJudged: boolean;
	readonly isKnown: boolean;
	/** What is wrong is said once. */
	readonly isTold: boolean;
};

export const silence: Spoken = {tail: '', isFenced: false, fresh: 0, isJudged: false, isKnown: false, isTold: false};

/** Another language than it may be, or none that could be told, where that is not allowed; `text.slice(start, end)` of what was added. */
export type Foreign = {readonly kind: 'foreign' | 'unknown'; readonly start: number; readonly end: number};

export type Listened = {readonly spoken: Spoken; readonly foreign: Foreign | undefined};

/** Reads what a text goes on with. */
export type Listener = (from: Spoken, added: string, final: boolean) => Listened;

type Wanted = {
	allow?: readonly string[] | undefined;
	deny?: readonly string[] | undefined;
	minChars: number;
	unknown: 'allow' | 'deny';
};

/** So many characters are judged at a time, and again when half as many have come. */
const window = 240;
/** How often the beginning is looked at. */
const step = 40;

const longestFor = (minChars: number): number => Math.max(window, minChars * 2);

/** A beginning that is longer than this is not held back any more: the gateway keeps 4,096 characters. */
export const longestBeginning = (minChars: number): number => Math.min(1_500, longestFor(minChars) * 2);

/** Signs that are words, or half of one. */
const dense = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const lengthOf = (word: string): number => (dense.test(word) ? word.length * 3 : word.length);

/** Where the end of a text begins that is read again: at a line, if one begins near, since a part of a line may not look like code. */
const cutOf = (text: string, longest: number): number => {
	const cut = text.length - longest;
	if (cut <= 0) return 0;
	const line = text.indexOf('\n', cut) + 1;
	return line > 0 && line <= cut + longest / 2 ? line : cut;
};

const nothing: Score = {all: 0, small: 0};

/** A text is of a language with so many of its words, of which some have to be small ones; */
const isEnough = ({all, small}: Score, words: number): boolean => all >= Math.max(1.5, words * 0.12) && small >= Math.max(1, words * 0.08);
/** and not of others, where so much more speaks for it. */
const isClear = (more: number, words: number): boolean => more >= Math.max(1.2, words * 0.07);

/** Opens what listens for languages that may not be spoken. */
export const openListener = ({allow, deny, minChars, unknown}: Wanted): Listener => {
	const heardIn = openLanguages();
	const named = new Set(allow ?? deny);
	const groups = new Map<string, boolean>();
	/** Languages that nobody tells apart are allowed, or denied, with one of them. */
	const isNamed = (codes: string): boolean => {
		const known = groups.get(codes) ?? codes.split(' ').some(code => named.has(code));
		groups.set(codes, known);
		return known;
	};
	const longest = longestFor(minChars);

	const verdictOn = (heard: Heard | undefined): 'foreign' | 'known' | 'unknown' => {
		if (!heard) return 'unknown';
		let ours = nothing;
		let others = nothing;
		for (const [codes, score] of heard.scores) {
			if (isNamed(codes) === (allow !== undefined)) ours = score.all > ours.all ? score : ours;
			else others = score.all > others.all ? score : others;
		}
		if (isEnough(others, heard.words) && isClear(others.all - ours.all, heard.words)) return 'foreign';
		return isEnough(ours, heard.words) && ours.all >= others.all ? 'known' : 'unknown';
	};
	const judge = (words: readonly string[]) => {
		const chars = words.reduce((sum, word) => sum + lengthOf(word), 0);
		return {verdict: chars < minChars ? 'unknown' : verdictOn(heardIn(words)), chars} as const;
	};

	return (from, added, final) => {
		let {tail, isFenced, fresh, isJudged, isKnown} = from;
		if (from.isTold) return {spoken: from, foreign: undefined};
		for (let at = 0; at < added.length || final; ) {
			const next = isKnown || tail.length >= longest ? longest / 2 : step;
			const take = Math.min(added.length - at, Math.max(1, next - fresh));
			tail += added.slice(at, at + take);
			at += take;
			fresh += take;
			const isLast = final && at === added.length;
			if (fresh < next && !isLast) break;
			fresh = 0;
			const isLong = tail.length >= longest;
			const cut = cutOf(tail, longest);
			isFenced = fencedAfter(tail.slice(0, cut), isFenced);
			tail = tail.slice(cut);
			const {verdict, chars} = judge(wordsOf(meant(tail).text, isFenced));
			const isDoubtful = (isLong && chars >= minChars) || (isLast && chars > 0 && !isKnown);
			if (verdict === 'foreign' || (verdict === 'unknown' && unknown === 'deny' && isDoubtful)) {
				return {spoken: {...silence, isTold: true}, foreign: {kind: verdict, start: Math.max(0, at - tail.length), end: at}};
			}
			isKnown ||= verdict === 'known';
			isJudged ||= isKnown || (unknown === 'allow' && chars >= minChars);
			if (isLast) break;
		}
		return {spoken: {tail, isFenced, fresh, isJudged, isKnown, isTold: false}, foreign: undefined};
	};
};
