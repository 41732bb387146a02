import {randomUUID} from 'node:crypto';
import {isObject, type JsonObject} from './json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * The index of the quote that closes the string opened at `open`, or -1. The first characters are looked at one by one,
 * since most strings are short; then `indexOf` runs at memory speed. Each run of backslashes is counted once, so the
 * whole scan stays linear.
 */
export const closingQuote = (text: string, open: number): number => {
	let from = open + 1;
	for (const near = Math.min(from + 24, text.length); from < near; from += 1) {
		const code = text.charCodeAt(from);
		if (code === QUOTE) return from;
		if (code === BACKSLASH) from += 1;
	}
	// `from` is now behind a whole escape, so backslashes before it are spent.
	for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
		let before = at - 1;
		while (before >= from && text.charCodeAt(before) === BACKSLASH) before -= 1;
		if ((at - before) % 2 === 1) return at;
	}
	return -1;
};

/** Where the keys of a JSON text stand that have an escape in them: the beginning and the end of each, quotes included. */
const escapedKeys = (text: string): number[] => {
	const found: number[] = [];
	if (!text.includes('\\')) return found;
	for (let open = text.indexOf('"'); open !== -1; ) {
		const close = closingQuote(text, open);
		if (close === -1) break;
		let next = close + 1;
		while (text.charCodeAt(next) <= SPACE) next += 1;
		if (text.charCodeAt(next) === COLON && text.slice(open, close).includes('\\')) found.push(open, close + 1);
		open = text.indexOf('"', next);
	}
	return found;
};

/** Begins the names that such keys go by while they are parsed: nobody outside of this process has ever seen it. */
const alias = `${randomUUID()} `;

const define = (object: JsonObject, key: string, value: unknown): void => {
	// No setter is called for `__proto__`: it is an own field here.
	Object.defineProperty(object, key, {value, enumerable: true, configurable: true, writable: true});
};

/** Gives keys their own names again, in their order. */
const renamed = (value: unknown, names: readonly string[]): void => {
	if (Array.isArray(value)) for (const item of value) renamed(item, names);
	if (!isObject(value)) return;
	const entries = Object.entries(value);
	for (const [, inner] of entries) renamed(inner, names);
	if (!entries.some(([key]) => key.startsWith(alias))) return;
	for (const [key] of entries) delete value[key];
	for (const [key, inner] of entries) define(value, key.startsWith(alias) ? names[Number(key.slice(alias.length))]! : key, inner);
};

/**
 * What a JSON text says. V8 13.6 (Node 24) takes a key for another one that it has met at the same place in an object, where that one is what the
 * beginning of the key looks like as it is written: behind `{"a":1,"mod\\u":2}` it reads `{"a":1,"mod\u0065l":2}` as if that were the same key.
 * So keys with escapes are not left to it. Throws what `JSON.parse` throws.
 */
export const parseJson = (text: string): unknown => {
	const places = escapedKeys(text);
	if (places.length === 0) return JSON.parse(text);
	const names: string[] = [];
	let plain = '';
	let done = 0;
	for (let index = 0; index < places.length; index += 2) {
		const [from, to] = [places[index]!, places[index + 1]!];
		plain += `${text.slice(done, from)}"${alias}${names.length}"`;
		names.push(JSON.parse(text.slice(from, to)) as string);
		done = to;
	}
	const value: unknown = JSON.parse(plain + text.slice(done));
	renamed(value, names);
	return value;
};
