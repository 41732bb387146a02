import {opaque, structural} from './fields.ts';
import type {TokenBound} from './tokens.ts';

/** Counts what a provider has said, in case it never reports it. */
export type Produced = {
	/** Any cut of the bytes of an answer: JSON, or events of a stream whose data is JSON. */
	see(chunk: Uint8Array): void;
	/** The tokens of all words so far, upwards. */
	tokens(): number;
};

/** So many bytes of words are counted as tokens; further ones count each as one. */
const mostCounted = 262_144;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** A running hash of the bytes of a string: keys are told apart by it. */
const hashStart = 0x811c_9dc5;
const hashed = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x0100_0193);
const hashOf = (text: string): number => Buffer.from(text).reduce(hashed, hashStart);

/** Strings of these fields are no words of the model's. `token` repeats its words, with their probabilities; `data` is sound. */
const notWords: ReadonlySet<number> = new Set(
	[...structural, ...opaque, 'provider', 'token', 'stop_sequence', 'b64_json', 'data'].map(hashOf),
);

/**
 * Reads bytes, not events: an answer that passes untouched is never parsed. Counts every string that is no key, but for
 * those of `notWords`.
 */
export const openProduced = (bound: TokenBound): Produced => {
	let tokens = 0;
	let counted = 0;
	let inString = false;
	let escaped = false;
	let hash = hashStart;
	/** The key that strings stand under. */
	let key = 0;

	const add = (chunk: Uint8Array, from: number, to: number): void => {
		if (to <= from || notWords.has(key)) return;
		tokens += counted > mostCounted ? to - from : bound.text(chunk, from, to);
		counted += to - from;
	};

	return {
		see(chunk) {
			let start = 0;
			/** A string that has ended; what comes next says whether it was a key. */
			let ended = -1;
			for (let at = 0; at < chunk.length; at += 1) {
				const byte = chunk[at]!;
				if (inString) {
					if (escaped) escaped = false;
					else if (byte === BACKSLASH) escaped = true;
					else if (byte === QUOTE) {
						inString = false;
						ended = at;
						continue;
					}
					hash = hashed(hash, byte);
					continue;
				}
				if (byte <= SPACE) continue;
				if (ended >= 0) {
					if (byte === COLON) key = hash;
					else add(chunk, start, ended);
					ended = -1;
				}
				if (byte === QUOTE) {
					inString = true;
					start = at + 1;
					hash = hashStart;
				}
			}
			if (ended >= 0) add(chunk, start, ended);
			else if (inString) add(chunk, start, chunk.length);
		},
		tokens: () => tokens,
	};
};
