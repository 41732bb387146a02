import {countingNumbers, media, mediaParts, opaque, structural, wireKeys} from './fields.ts';
import {isObject, type JsonObject} from './json.ts';

type Holder = JsonObject | unknown[];

/** The words of a body, in the order of the document, each with the place it stands in. */
export type BodyText = {
	strings: string[];
	/** Token arrays, pictures, sounds and files: what may carry words that no guard can read here. */
	unreadable: number;
	readonly holders: Holder[];
	readonly places: (string | number)[];
	/** The indexes of strings that are the key of a field, not its value. */
	readonly keys: Set<number>;
	/** More than 0 while reading an object whose fields are the user's own, where `id` or `type` may hold anything. */
	free: number;
	/** Objects that say the same characters again, as tokens with probabilities. */
	readonly logprobs: JsonObject[];
};

/** Shorter numbers name nobody; card, account and phone numbers can stand in a JSON number just as well as in a string. */
const longNumber = 1e8;

const isOneWord = (value: string): boolean => value.length <= 256 && !/\s/.test(value);

const isDataUri = (value: string): boolean => value.startsWith('data:') && !value.includes(' ') && value.slice(0, 200).includes(',');

const isMedia = (key: string, value: string, holder: Holder): boolean => {
	if (!media.has(key)) return false;
	if (isDataUri(value)) return true;
	if (key === 'b64_json') return !value.includes(' ');
	if (key !== 'data' || Array.isArray(holder)) return false;
	return (holder.type === 'base64' || typeof holder.format === 'string' || typeof holder.transcript === 'string') && !value.includes(' ');
};

const add = (found: BodyText, text: string, holder: Holder, place: string | number): void => {
	found.strings.push(text);
	found.holders.push(holder);
	found.places.push(place);
};

const readString = (found: BodyText, value: string, holder: Holder, place: string | number, key: string): void => {
	if (value === '') return;
	if (found.free === 0 && structural.has(key) && isOneWord(value)) return;
	if (opaque.has(key) && !value.includes(' ')) return;
	if (isMedia(key, value, holder)) {
		found.unreadable += 1;
		return;
	}
	add(found, value, holder, place);
};

const readNumber = (found: BodyText, value: number, holder: Holder, place: string | number, key: string): void => {
	if (Math.abs(value) < longNumber || countingNumbers.has(key) || !Number.isInteger(value)) return;
	add(found, String(value), holder, place);
};

const isTokens = (items: unknown[]): boolean => items.length > 0 && items.every(item => typeof item === 'number');

/** `key` is the name of the field that `holder` stands in, through any number of arrays. */
const readArray = (found: BodyText, items: unknown[], key: string): void => {
	if (isTokens(items)) {
		if (key === 'input' || key === 'prompt') found.unreadable += 1;
		if (key === 'input' || key === 'prompt' || key === 'embedding') return;
	}
	for (let index = 0; index < items.length; index += 1) read(found, items[index], items, index, key);
};

/** A document whose source is text can be read after all. */
const isReadable = (part: JsonObject): boolean => isObject(part.source) && (part.source.type === 'text' || part.source.type === 'content');

const isFree = (key: string, value: unknown, inside: string): boolean =>
	key === 'metadata' || key === 'arguments' || (key === 'input' && isObject(value)) || (inside !== 'properties' && !wireKeys.has(key));

const readObject = (found: BodyText, object: JsonObject, inside: string): void => {
	const before = found.unreadable;
	for (const key in object) {
		const value = object[key];
		if (!wireKeys.has(key)) {
			found.keys.add(found.strings.length);
			add(found, key, object, key);
		}
		const free = isFree(key, value, inside) ? 1 : 0;
		found.free += free;
		read(found, value, object, key, key);
		found.free -= free;
	}
	if (found.unreadable === before && typeof object.type === 'string' && mediaParts.has(object.type) && !isReadable(object))
		found.unreadable += 1;
};

const read = (found: BodyText, value: unknown, holder: Holder, place: string | number, key: string): void => {
	if (typeof value === 'string') readString(found, value, holder, place, key);
	else if (typeof value === 'number') readNumber(found, value, holder, place, key);
	else if (Array.isArray(value)) readArray(found, value, key);
	else if (isObject(value)) readObject(found, value, key);
};

const nothing = (): BodyText => ({strings: [], unreadable: 0, holders: [], places: [], keys: new Set(), free: 0, logprobs: []});

/**
 * Every string of a request that may carry words: all of them, keys of unknown fields and long numbers included, except
 * one-word values of structural fields, and media, which `unreadable` counts. `json` must come from `parseBody`, which
 * bounds its depth.
 */
export const textOf = (json: JsonObject): BodyText => {
	const found = nothing();
	readObject(found, json, '');
	return found;
};

/** The same for a reply, without `logprobs`, which repeat its characters and go when `patchText` changes any of them. */
export const replyTextOf = (json: JsonObject): BodyText => {
	const found = nothing();
	const choices: unknown[] = Array.isArray(json.choices) ? json.choices : [];
	const hidden = choices.filter(isObject).filter(choice => isObject(choice.logprobs));
	const kept = hidden.map(choice => choice.logprobs);
	for (const choice of hidden) choice.logprobs = null;
	readObject(found, json, '');
	for (const [index, choice] of hidden.entries()) choice.logprobs = kept[index];
	found.logprobs.push(...hidden);
	return found;
};

/** Gives a field another name in its old place; when the name is taken by another field, both values cannot stay, so the number grows. */
export const renameKey = (object: JsonObject, from: string, to: string): string => {
	let name = to;
	for (let number = 2; name !== from && Object.hasOwn(object, name); number += 1) name = `${to} ${number}`;
	const fields = Object.entries(object);
	for (const [key] of fields) delete object[key];
	for (const [key, value] of fields) {
		Object.defineProperty(object, key === from ? name : key, {value, enumerable: true, configurable: true, writable: true});
	}
	return name;
};

const put = (holder: Holder, place: string | number, value: string): void => {
	if (Array.isArray(holder)) holder[Number(place)] = value;
	else Object.defineProperty(holder, place, {value, enumerable: true, configurable: true, writable: true});
};

/**
 * Writes new strings, by their index, into the body that `found` was read from, and answers how many changed. An index
 * there is no string for is ignored.
 */
export const patchText = (found: BodyText, patch: Readonly<Partial<Record<string, string>>>): number => {
	let changed = 0;
	for (const [name, text] of Object.entries(patch)) {
		const index = Number(name);
		const holder = found.holders[index];
		const place = found.places[index];
		if (text === undefined || holder === undefined || place === undefined || found.strings[index] === text) continue;
		changed += 1;
		found.strings[index] = text;
		if (!found.keys.has(index) || Array.isArray(holder)) {
			put(holder, place, text);
			continue;
		}
		const renamed = renameKey(holder, String(place), text);
		for (let other = 0; other < found.places.length; other += 1) {
			if (found.holders[other] === holder && found.places[other] === place) found.places[other] = renamed;
		}
	}
	if (changed > 0) for (const choice of found.logprobs) choice.logprobs = null;
	return changed;
};
