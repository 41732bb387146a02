import {base64, utf8} from '../webhooks/text.ts';
import {type Heads, headsOf} from './scan.ts';

/** What a text holds when it holds a token: half of it is enough. */
export type Needles = {
	/** In letters and digits alone, in lower case: as it is, backwards, turned by 13, in hexadecimal. */
	readonly letters: readonly string[];
	/** In the characters of base64, with their case: wherever in a text that was encoded. */
	readonly base64: readonly string[];
	readonly heads: Heads;
	/** Everything that one of them begins with, and is not all of it. */
	readonly beginnings: {readonly letters: ReadonlySet<string>; readonly base64: ReadonlySet<string>};
	readonly longest: number;
};

const half = 12;

/** A token in pieces, each long enough to be nobody's chance. */
const partsOf = (token: string): string[] => {
	const count = Math.max(1, Math.floor(token.length / half));
	const chars = Math.floor(token.length / count);
	return Array.from({length: count}, (_, index) =>
		token.slice(index * chars, index === count - 1 ? token.length : (index + 1) * chars),
	).map(part => part.slice(0, 2 * half));
};

const backwards = (text: string): string => [...text].reverse().join('');

const rot13 = (text: string): string => text.replace(/[a-z]/g, letter => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97));

const hex = (text: string, before = ''): string => Array.from(utf8(text), byte => before + byte.toString(16).padStart(2, '0')).join('');

/** In hexadecimal, and as programs, addresses and pages write it: `6b`, `%6b`, `\x6b`, `0x6b`, `\u006b`, `&#x6b;`. */
const inHex = (part: string): string[] => ['', 'x', '0x', 'u00'].map(before => hex(part, before));

/** What stays the same in base64, whatever stands around it: three ways to lie in groups of three bytes. */
const inBase64 = (part: string): string[] =>
	[0, 1, 2].map(before => {
		const text = base64(utf8('\0'.repeat(before) + part));
		const from = [0, 2, 3][before]!;
		const to = Math.floor(((before + part.length) * 8) / 6);
		return text.slice(from, to);
	});

const beginningsOf = (needles: readonly string[]): Set<string> =>
	new Set(needles.flatMap(needle => Array.from({length: needle.length - 1}, (_, index) => needle.slice(0, index + 1))));

const kept = 100;
const made = new Map<string, Needles>();

/** What to look for when these tokens are looked for. */
export const needlesFor = (tokens: readonly string[]): Needles => {
	const name = tokens.join('\n');
	const known = made.get(name);
	if (known) return known;
	const spelt = tokens.flatMap(token => partsOf(token.replace(/[^A-Za-z0-9]/g, '').toLowerCase()));
	const written = tokens.flatMap(partsOf);
	const letters = [...new Set([...spelt.flatMap(part => [part, backwards(part), rot13(part), ...inHex(part)]), ...written.flatMap(inHex)])];
	const encoded = [...new Set(written.flatMap(inBase64))];
	const needles: Needles = {
		letters,
		base64: encoded,
		heads: headsOf(letters, encoded),
		beginnings: {letters: beginningsOf(letters), base64: beginningsOf(encoded)},
		longest: Math.max(...[...letters, ...encoded].map(({length}) => length)),
	};
	if (made.size >= kept) made.clear();
	made.set(name, needles);
	return needles;
};
