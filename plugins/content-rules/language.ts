import {latin, type Told} from './language-words.ts';
import {otherLatin} from './language-words-latin.ts';
import {alone, arabic, bengali, cyrillic, devanagari} from './language-words-other.ts';

const shared: Readonly<Record<string, readonly Told[]>> = {
	Latin: [...latin, ...otherLatin],
	Cyrillic: cyrillic,
	Arabic: arabic,
	Devanagari: devanagari,
	Bengali: bengali,
};

/** The languages that can be told, by ISO 639-1. */
export const languages: ReadonlySet<string> = new Set([
	...Object.values(shared).flatMap(all => all.flatMap(({codes}) => codes.split(' '))),
	...Object.values(alone),
	'zh',
	'ja',
]);

/** What speaks for a language: all in all, and how many small words of it there are. */
export type Score = {readonly all: number; readonly small: number};

/** The languages that a text may be of, those that nobody tells apart as one (`hr sr bs`), and of how many words it is. */
export type Heard = {readonly scores: ReadonlyMap<string, Score>; readonly words: number};

/** The languages of a script, by their numbers in `codes`. */
type Script = {
	codes: readonly string[];
	words: ReadonlyMap<string, readonly number[]>;
	ends: ReadonlyMap<string, readonly number[]>;
	letters: ReadonlyMap<string, ReadonlySet<number>>;
};

const longestEnd = 6;
const shortestWithEnd = 5;

/** What speaks for a language: a small word of its own, an ending, a letter it has; and against it, one that it has not. */
const weights = {word: 1, end: 0.35, letter: 0.25, noLetter: -0.6, least: -1.2, most: 1.5};

const opened = (all: readonly Told[]): Script => {
	const gathered = (of: (told: Told) => Iterable<string>): Map<string, number[]> => {
		const found = new Map<string, number[]>();
		for (const [index, told] of all.entries()) for (const item of new Set(of(told))) found.set(item, [...(found.get(item) ?? []), index]);
		return found;
	};
	return {
		codes: all.map(({codes}) => codes),
		words: gathered(({words}) => words.split(/\s+/)),
		ends: gathered(({ends}) => ends?.split(' ') ?? []),
		letters: new Map([...gathered(({letters}) => letters)].map(([letter, of]) => [letter, new Set(of)])),
	};
};

const scripts = ['Latin', 'Cyrillic', 'Arabic', 'Devanagari', 'Bengali', 'Han', 'Hiragana', 'Katakana', ...Object.keys(alone)];
const inScript = new RegExp(scripts.map(name => `(\\p{Script=${name}})`).join('|'), 'u');

const unspaced = new Set(['Han', 'Hiragana', 'Katakana']);
const notKana = /[^\u3041-\u30ff]+/g;

/** The script of a letter; `other` is one with languages that nobody knows here. */
const scriptOf = (letter: string): string => {
	if (letter <= '\u024f') return 'Latin';
	if (letter >= '\u0400' && letter <= '\u052f') return 'Cyrillic';
	if (letter >= '\u4e00' && letter <= '\u9fff') return 'Han';
	if (letter >= '\u3041' && letter <= '\u309f') return 'Hiragana';
	const found = inScript.exec(letter);
	return found ? scripts[found.slice(1).findIndex(group => group !== undefined)]! : 'other';
};

/** What a word says for each language of a script, and for which it is a small word. */
type Said = {readonly weights: Float64Array; readonly small: readonly number[]};

const weigh = (word: string, {codes, words, ends, letters}: Script): Said => {
	const said = new Float64Array(codes.length);
	const small = words.get(word) ?? [];
	if (word.length >= shortestWithEnd) {
		for (let length = 1; length <= Math.min(longestEnd, word.length - 2); length++)
			for (const index of ends.get(word.slice(-length)) ?? []) said[index] = weights.end;
	}
	for (const index of small) said[index] = weights.word;
	for (const letter of word) {
		const has = letters.get(letter);
		for (let index = 0; has && index < said.length; index++) said[index]! += has.has(index) ? weights.letter : weights.noLetter;
	}
	return {weights: said.map(weight => Math.max(weights.least, Math.min(weights.most, weight))), small};
};

/** Longer words are none that anybody would know, and texts have few words often. */
const longestWord = 40;
const mostKept = 2_000;

/** Weighs words, and remembers the last ones. */
const openScale = (script: Script): ((word: string) => Said) => {
	const kept = new Map<string, Said>();
	return word => {
		const known = kept.get(word);
		if (known) return known;
		const said = weigh(word.slice(0, longestWord), script);
		if (kept.size >= mostKept) kept.clear();
		kept.set(word, said);
		return said;
	};
};

/** Of ten letters so many have to be of one script, or a text is mixed. */
const prevailing = 6;

/**
 * Tells what speaks for which language in small-lettered words; undefined where no script prevails, or one that is not known. It reads its
 * lists when it is opened, and not before.
 */
export const openLanguages = (): ((words: readonly string[]) => Heard | undefined) => {
	const known = new Map(
		Object.entries(shared).map(([name, all]) => {
			const script = opened(all);
			return [name, {codes: script.codes, saidBy: openScale(script)}];
		}),
	);
	return words => {
		const letters = new Map([['Kana', 0]]);
		let all = 0;
		for (const word of words) {
			const script = scriptOf(word);
			// What is written without blanks has letters of both in a row.
			const ofKana = unspaced.has(script) ? word.replace(notKana, '').length : 0;
			letters.set('Kana', letters.get('Kana')! + ofKana);
			letters.set(script, (letters.get(script) ?? 0) + word.length - ofKana);
			all += word.length;
		}
		const only = (code: string): Heard => ({scores: new Map([[code, {all, small: all}]]), words: words.length});
		const kana = letters.get('Kana')!;
		const han = letters.get('Han') ?? 0;
		if ((kana + han) * 10 > all * prevailing) return only(kana * 20 > han ? 'ja' : 'zh');
		const [most, count] = [...letters].reduce((one, other) => (other[1] > one[1] ? other : one), ['other', 0]);
		if (count * 10 < all * prevailing) return undefined;
		if (alone[most]) return only(alone[most]);
		const script = known.get(most);
		if (!script) return undefined;
		const sums = new Float64Array(script.codes.length);
		const small = new Float64Array(script.codes.length);
		// A word of another script has none of the letters that any language here has of its own.
		for (const word of words) {
			const said = script.saidBy(word);
			for (let index = 0; index < sums.length; index++) sums[index]! += said.weights[index]!;
			for (const index of said.small) small[index]!++;
		}
		return {scores: new Map(script.codes.map((codes, index) => [codes, {all: sums[index]!, small: small[index]!}])), words: words.length};
	};
};
