import {looseJson, nestedJson} from './body.ts';
import {isMedia, longestLabel} from './bytes.ts';
import {type Digits, openDigits} from './digits.ts';
import {encodeBody} from './encode.ts';
import {numberIn} from './exact.ts';
import {countingNumbers, mediaParts, opaque, structural, wireKeys} from './fields.ts';
import {type ExactNumber, isObject, type JsonObject} from './json.ts';
import {jsonLeaves, type Within, withValues} from './json-leaves.ts';
import {dropEchoes, isCipher} from './labels.ts';
import {takeLogprobs} from './logprobs.ts';
import {protocolWords} from './protocol-words.ts';
import {renameKeys} from './rename-keys.ts';

export type Holder = JsonObject | unknown[];

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
	/** More than 0 while reading what a tool answered. */
	results: number;
	/** Texts that are JSON, whose leaves stand here in their place. */
	readonly within: Within[];
	/** Objects that say the same characters again, as tokens with probabilities. */
	readonly logprobs: JsonObject[];
	readonly digits?: Digits;
	/** JSON that stood in a string, whose own strings stand here in its place. */
	readonly nested?: Nested[];
	/** Of a reply: ids and names of the protocol, which are put behind all words, from the index `labelsFrom` on. */
	readonly labels?: Label[];
	labelsFrom?: number;
};

type Label = [text: string, holder: Holder, place: string | number];
export type Nested = {holder: Holder; place: string | number; json: Holder; text: string; before: string};

/** Shorter numbers name nobody; card, account and phone numbers can stand in a JSON number just as well as in a string. */
const longNumber = 1e8;

const isOneWord = (value: string): boolean => value.length <= 256 && !/\s/.test(value);

const add = (found: BodyText, text: string, holder: Holder, place: string | number): void => {
	found.strings.push(text);
	found.holders.push(holder);
	found.places.push(place);
};

const label = ({labels}: BodyText, text: string, holder: Holder, place: string | number): void => {
	if (labels && !protocolWords.has(text)) labels.push([text, holder, place]);
};

/** Guards are shown what a text in JSON says, not how it is escaped: a tool's arguments are read by whoever makes the call. */
const readNested = (found: BodyText, text: string, holder: Holder, place: string | number): boolean => {
	let json = found.nested && nestedJson(text);
	if (json === undefined && found.labels) {
		json = looseJson(text);
		// Of a reply that is read it is written as it was understood: no other reader finds something else in it.
		if (json) put(holder, place, encodeBody(text, json).toString());
	}
	if (json === undefined) return false;
	found.digits?.from(json, () => text);
	found.nested?.push({holder, place, json, text, before: JSON.stringify(json)});
	read(found, json, holder, place, 'arguments');
	return true;
};

/** A text of a tool's, or of somebody else who writes JSON: guards are shown what it says. Answers whether it is one. */
export const readLeaves = (found: BodyText, text: string, holder: Holder, place: string | number): boolean => {
	const json = jsonLeaves(text);
	if (!json) return false;
	found.within.push({...json, holder, place});
	for (const [index, {text: said, of}] of json.leaves.entries()) {
		if (of !== undefined) found.keys.add(found.strings.length);
		add(found, said, json.values, index);
	}
	return true;
};

const isResultText = ({results}: BodyText, key: string): boolean => results > 0 && (key === 'content' || key === 'text');

const readString = (found: BodyText, value: string, holder: Holder, place: string | number, key: string): void => {
	if (value === '') return;
	if (found.free === 0 && structural.has(key) && isOneWord(value)) label(found, value, holder, place);
	else if (found.free === 0 && opaque.has(key) && !value.includes(' ')) {
		if (!isCipher(key, value)) label(found, value, holder, place);
	} else if (isMedia(key, value, holder, found.free)) {
		found.unreadable += 1;
		if (value.length < longestLabel && !isCipher(key, value)) label(found, value, holder, place);
	} else if (key === 'arguments' && readNested(found, value, holder, place)) return;
	else if (!isResultText(found, key) || !readLeaves(found, value, holder, place)) add(found, value, holder, place);
};

const readNumber = (found: BodyText, given: number | ExactNumber, holder: Holder, place: string | number, key: string): void => {
	const value = Number(numberIn(given));
	if (Math.abs(value) < longNumber || (found.free === 0 && countingNumbers.has(key)) || !Number.isInteger(value)) return;
	add(found, found.digits?.of(given, holder, place) ?? String(value), holder, place);
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

const isResult = ({role, type}: JsonObject): boolean =>
	role === 'tool' || role === 'function' || (typeof type === 'string' && type.endsWith('tool_result'));

const readObject = (found: BodyText, object: JsonObject, inside: string): void => {
	const before = found.unreadable;
	const results = isResult(object) ? 1 : 0;
	found.results += results;
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
	found.results -= results;
	if (found.unreadable === before && typeof object.type === 'string' && mediaParts.has(object.type) && !isReadable(object))
		found.unreadable += 1;
};

const read = (found: BodyText, value: unknown, holder: Holder, place: string | number, key: string): void => {
	if (typeof value === 'string') readString(found, value, holder, place, key);
	else if (typeof value === 'number') readNumber(found, value, holder, place, key);
	else if (Array.isArray(value)) readArray(found, value, key);
	else if (isObject(value)) readObject(found, value, key);
	else if (JSON.isRawJSON(value)) readNumber(found, value, holder, place, key);
};

/** What is read into. */
export const emptyText = (): BodyText => ({
	strings: [],
	unreadable: 0,
	holders: [],
	places: [],
	keys: new Set(),
	free: 0,
	results: 0,
	within: [],
	logprobs: [],
});

const nothing = (): BodyText & {nested: Nested[]; digits: Digits} => ({...emptyText(), digits: openDigits(), nested: []});

/**
 * Every string of a request that may carry words: all of them, keys of unknown fields and long numbers included, except
 * one-word values of structural fields, and media, which `unreadable` counts. `json` must come from `parseBody`, which
 * bounds its depth; `source` is the text it was parsed from.
 */
export const textOf = (json: JsonObject, source?: () => string): BodyText => {
	const found = nothing();
	if (source) found.digits.from(json, source);
	readObject(found, json, '');
	return found;
};

/**
 * The same for a reply, and behind it every name and id. Of `logprobs` only those stay that repeat its characters; they go when `patchText`
 * changes any of these.
 */
export const replyTextOf = (json: JsonObject, source?: () => string): BodyText => {
	const found = {...nothing(), labels: [] as Label[]};
	if (source) found.digits.from(json, source);
	const kept = takeLogprobs(json);
	dropEchoes(json);
	readObject(found, json, '');
	found.labelsFrom = found.strings.length;
	for (const [text, holder, place] of found.labels) add(found, text, holder, place);
	for (const {choice, logprobs, others} of kept) {
		choice.logprobs = logprobs;
		found.logprobs.push(choice);
		if (others !== '') add(found, others, {others}, 'others');
	}
	return found;
};

const put = (holder: Holder, place: string | number, value: string): void => {
	if (Array.isArray(holder)) holder[Number(place)] = value;
	else Object.defineProperty(holder, place, {value, enumerable: true, configurable: true, writable: true});
};

/** What the keys of an object become. */
type Renames = Map<Holder, Map<string, string>>;

const writeKeys = ({holders, places}: BodyText, renames: Renames): void => {
	if (renames.size === 0) return;
	for (const [holder, names] of renames) if (!Array.isArray(holder)) renames.set(holder, renameKeys(holder, names));
	for (const [index, holder] of holders.entries()) {
		const renamed = renames.get(holder)?.get(String(places[index]));
		if (renamed !== undefined) places[index] = renamed;
	}
};

/**
 * Writes new strings, by their index, into the body that `found` was read from, and answers how many changed. An index
 * there is no string for is ignored.
 */
export const patchText = (found: BodyText, patch: Readonly<Partial<Record<string, string>>>): number => {
	let changed = 0;
	const renames: Renames = new Map();
	for (const [name, text] of Object.entries(patch)) {
		const index = Number(name);
		const holder = found.holders[index];
		const place = found.places[index];
		if (text === undefined || holder === undefined || place === undefined || found.strings[index] === text) continue;
		changed += 1;
		found.strings[index] = text;
		if (Array.isArray(holder) || !found.keys.has(index)) put(holder, place, text);
		else renames.set(holder, (renames.get(holder) ?? new Map<string, string>()).set(String(place), text));
	}
	if (changed === 0) return 0;
	// Keys last, all of an object together: a value is written under the key that it was read from.
	writeKeys(found, renames);
	for (const choice of found.logprobs) choice.logprobs = null;
	for (const {holder, place, ...json} of found.within) {
		const written = withValues(json);
		if (written !== json.text) put(holder, place, written);
	}
	for (const {holder, place, json, text, before} of found.nested ?? [])
		if (JSON.stringify(json) !== before) put(holder, place, encodeBody(text, json).toString());
	return changed;
};
