import {base62Check} from './checksum.ts';
import type {Alphabet, Row} from './kinds/row.ts';

export type Random = (below: number) => number;

export const seeded = (seed: number): Random => {
	let state = seed >>> 0;
	return below => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 4_294_967_296) * below);
	};
};

const small = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

const characters: Readonly<Record<Alphabet, string>> = {
	hex: `${digits}abcdef`,
	upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
	alnum: small + small.toUpperCase() + digits,
	key: small + small.toUpperCase() + digits,
	dotted: small + small.toUpperCase() + digits,
	base64: `${small}${small.toUpperCase()}${digits}+/`,
	percent: small + small.toUpperCase() + digits,
};

export const drawn = (random: Random, alphabet: Alphabet, length: number): string => {
	const from = characters[alphabet];
	return Array.from({length}, () => from.charAt(random(from.length))).join('');
};

/** A key of a kind, made up: nobody has it. */
export const keyOf = (random: Random, [, prefix, alphabet, least, most]: Row): string =>
	prefix + drawn(random, alphabet, Math.min(most ?? least + 8, least + 8));

/** A key with the checksum that GitHub's have. */
export const checkedKey = (random: Random, prefix: string): string => {
	const body = drawn(random, 'alnum', 30);
	return prefix + body + base62Check(body);
};
