import {randomUUID} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import {parseBody} from './body.ts';
import {isObject, type JsonObject} from './json.ts';
import {isBeyond, oddIn} from './numbers.ts';
import {parseJson} from './parse.ts';

const swapped = (text: string, places: readonly number[], inPlaceOf: (number: string) => string): string => {
	let written = '';
	let done = 0;
	for (let index = 0; index < places.length; index += 2) {
		const [from, to] = [places[index]!, places[index + 1]!];
		written += text.slice(done, from) + inPlaceOf(text.slice(from, to));
		done = to;
	}
	return written + text.slice(done);
};

/** Stands before a number that is parsed as a string for a moment: nobody outside of this process has ever seen it. */
const mark = `${randomUUID()} `;

const unmarked = (value: unknown): unknown => {
	if (typeof value === 'string') return value.startsWith(mark) ? JSON.rawJSON(value.slice(mark.length)) : value;
	if (Array.isArray(value)) for (let index = 0; index < value.length; index += 1) value[index] = unmarked(value[index]);
	else if (isObject(value))
		for (const key of Object.keys(value)) {
			const inner = value[key];
			const exact = unmarked(inner);
			// No setter is called for `__proto__`: it is an own field here.
			if (exact !== inner) Object.defineProperty(value, key, {value: exact, enumerable: true, configurable: true, writable: true});
		}
	return value;
};

const parsed = (text: string, odd: readonly number[]): unknown => {
	// A reviver that is told the source of every value takes ten times as long.
	const marked = swapped(text, odd, words => `"${mark}${words}"`);
	return unmarked(parseJson(marked));
};

/** What a JSON text says, with an `ExactNumber` for each number that `JSON.stringify` would write in other words; undefined where there is none. */
export const inOddWords = (text: string): unknown => {
	const odd = oddIn(text);
	return odd.length === 0 ? undefined : parsed(text, odd);
};

/** The same for those alone that no double stands for. */
export const inBeyondWords = (text: string): unknown => {
	const odd = oddIn(text);
	const beyond = odd.filter((_, index) => isBeyond(text.slice(odd[index & ~1], odd[index | 1])));
	return beyond.length === 0 ? undefined : parsed(text, beyond);
};

/** The same of every text. Throws what `JSON.parse` throws. */
export const exactly = (text: string): unknown => inOddWords(text) ?? parseJson(text);

/** Each takes some microseconds to be read and written. */
const mostExact = 20_000;

/**
 * The same of a body that every parser reads alike. Of more than 20,000 odd numbers only those stay exact that no double stands for. Throws
 * what `parseBody` throws, and `invalid_json` where these are too many too.
 */
export const parseExactly = (bytes: Buffer): JsonObject => {
	const {json, text} = parseBody(bytes);
	let odd = oddIn(text);
	if (odd.length > mostExact * 2) odd = odd.filter((_, index) => isBeyond(text.slice(odd[index & ~1], odd[index | 1])));
	if (odd.length > mostExact * 2)
		throw new GatewayError('invalid_json', `The body has more than ${mostExact} numbers that no double stands for.`);
	return odd.length === 0 ? json : (parsed(text, odd) as JsonObject);
};

/** A tree of its own that says the same. */
export const copyOf = <Tree>(tree: Tree): Tree => exactly(JSON.stringify(tree)) as Tree;

/** What a double makes of a number; undefined for anything else. */
export const numberIn = (value: unknown): number | undefined => {
	if (typeof value === 'number') return value;
	return JSON.isRawJSON(value) ? Number(value.rawJSON) : undefined;
};

/**
 * A value as JSON for plugins, which have doubles alone: numbers that no double stands for are strings in it, so that no rule takes one for
 * another.
 */
export const jsonForPlugins = (value: unknown): string => {
	const text = JSON.stringify(value);
	const odd = oddIn(text);
	return odd.length === 0 ? text : swapped(text, odd, words => (isBeyond(words) ? `"${words}"` : words));
};
