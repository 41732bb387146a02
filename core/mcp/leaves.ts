import type {Operation} from '../../schemas/hooks.ts';
import {numberIn} from '../llm/exact.ts';
import {type ExactNumber, isObject, type JsonObject} from '../llm/json.ts';
import {type BodyText, emptyText, readLeaves} from '../llm/text.ts';
import {ofTheHop} from './versions.ts';

type Holder = JsonObject | unknown[];

/** Shorter numbers name nobody. */
const longNumber = 1e8;

const wire = new Set(['type', 'mimeType', 'role']);
const isOneWord = (value: string): boolean => value.length <= 256 && !/\s/.test(value);
const isBytes = (key: string, value: string, holder: Holder): boolean => {
	if (Array.isArray(holder) || (key !== 'blob' && !(key === 'data' && (holder.type === 'image' || holder.type === 'audio')))) return false;
	return /^[A-Za-z0-9+/=_-]*$/.test(value);
};

const add = (found: BodyText, text: string, holder: Holder, place: string | number): void => {
	found.strings.push(text);
	found.holders.push(holder);
	found.places.push(place);
};

const isLongNumber = (value: unknown): value is number | ExactNumber => {
	const number = numberIn(value);
	return number !== undefined && Number.isInteger(number) && Math.abs(number) >= longNumber;
};

/** Its digits, all of them where they stand there. */
const wholeWords = (value: number | ExactNumber): string =>
	JSON.isRawJSON(value) && /^-?\d+$/.test(value.rawJSON) ? value.rawJSON : String(numberIn(value));

/** Every word and long number, and every name of a field too: nobody but the two ends knows what they mean. */
const readFree = (found: BodyText, value: unknown, holder: Holder, place: string | number): void => {
	if (typeof value === 'string' && value !== '') add(found, value, holder, place);
	else if (isLongNumber(value)) add(found, wholeWords(value), holder, place);
	else if (Array.isArray(value)) for (let index = 0; index < value.length; index++) readFree(found, value[index], value, index);
	else if (isObject(value)) readFields(found, value);
};

const readFields = (found: BodyText, object: JsonObject): void => {
	for (const key of Object.keys(object)) {
		found.keys.add(found.strings.length);
		add(found, key, object, key);
		readFree(found, object[key], object, key);
	}
};

const readResult = (found: BodyText, value: unknown, holder: Holder, key: string | number): void => {
	const name = String(key);
	if (typeof value === 'string') {
		if (value === '' || (wire.has(name) && isOneWord(value))) return;
		if (isBytes(name, value, holder)) found.unreadable += 1;
		else if (name !== 'text' || !readLeaves(found, value, holder, key)) add(found, value, holder, key);
	} else if (Array.isArray(value)) for (let index = 0; index < value.length; index++) readResult(found, value[index], value, index);
	else if (isObject(value)) {
		if (name === 'structuredContent') readFields(found, value);
		else for (const field of Object.keys(value)) readResult(found, value[field], value, field);
	}
};

/** What people read, or models: names and schemas are left as they are, since calls go by them. */
const described = new Set(['description', 'title', 'instructions']);

const readList = (found: BodyText, value: unknown, holder: Holder, key: string | number): void => {
	if (typeof value === 'string' && value !== '' && described.has(String(key))) add(found, value, holder, key);
	else if (Array.isArray(value)) for (let index = 0; index < value.length; index++) readList(found, value[index], value, index);
	else if (isObject(value)) for (const field of Object.keys(value)) readList(found, value[field], value, field);
};

/** The words of a result, everything that is neither a picture, a sound nor a file's bytes. */
export const resultLeaves = (result: JsonObject): BodyText => {
	const found = emptyText();
	for (const field of Object.keys(result)) {
		// Sealed by the gateway itself, for nobody to read.
		if (field === 'requestState' && result.resultType === 'input_required') continue;
		readResult(found, result[field], result, field);
	}
	return found;
};

/** The words of a list that are there to be read. */
export const listLeaves = (entries: readonly JsonObject[]): BodyText => {
	const found = emptyText();
	readList(found, entries, [], 0);
	return found;
};

/** Operations whose params end here: what goes on to servers of them is written anew. */
const endHere = new Set<Operation | undefined>([
	...(['initialize', 'server/discover', 'ping', 'notifications', 'logging/setLevel', 'stream', 'end', 'batch'] as const),
	...(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'subscriptions/listen'] as const),
]);

/** Fields that the protocol names, by the field they stand in: their names are nobody's words. */
const named: Readonly<Record<'params' | 'argument' | 'context' | 'ref', ReadonlySet<string>>> = {
	params: new Set([
		...['name', 'arguments', 'uri', 'ref', 'argument', 'context', '_meta', 'inputResponses', 'requestState'],
		...['mode', 'message', 'requestedSchema', 'url', 'elicitationId'],
		...[
			'messages',
			'systemPrompt',
			'includeContext',
			'modelPreferences',
			'maxTokens',
			'temperature',
			'stopSequences',
			'tools',
			'toolChoice',
		],
	]),
	argument: new Set(['name', 'value']),
	context: new Set(['arguments']),
	ref: new Set(['type', 'name', 'uri']),
};
const choices: Readonly<Record<string, readonly unknown[]>> = {
	type: ['ref/prompt', 'ref/resource'],
	mode: ['form', 'url'],
	includeContext: ['none', 'thisServer', 'allServers'],
};

const readNamed = (found: BodyText, object: JsonObject, names: ReadonlySet<string>, isLeft: (key: string) => boolean): void => {
	for (const key of Object.keys(object)) {
		if (isLeft(key)) continue;
		const value = object[key];
		if (!names.has(key)) {
			found.keys.add(found.strings.length);
			add(found, key, object, key);
		} else if (Object.hasOwn(choices, key) && choices[key]?.includes(value)) continue;
		if (names === named.params && isObject(value) && (key === 'argument' || key === 'context' || key === 'ref'))
			readNamed(found, value, named[key], field => key === 'ref' && field === 'name' && value.type === 'ref/prompt');
		else if (names === named.params && key === '_meta' && isObject(value)) readNamed(found, value, new Set(), field => ofTheHop.has(field));
		else readFree(found, value, object, key);
	}
};

/**
 * The words of a request that go on to whoever is asked: of all its params, also those that no revision knows, but the name of a tool or prompt
 * and the state that is sealed by the gateway itself.
 */
export const requestLeaves = (params: JsonObject, operation?: Operation): BodyText => {
	const found = emptyText();
	if (endHere.has(operation)) return found;
	const isCall = operation === 'tools/call' || operation === 'prompts/get';
	const isSealed = isCall || operation === 'resources/read';
	readNamed(found, params, named.params, key => (isCall && key === 'name') || (isSealed && key === 'requestState'));
	return found;
};
