import {isObject, type JsonObject} from '../llm/json.ts';
import type {BodyText} from '../llm/text.ts';

type Holder = JsonObject | unknown[];

/** Shorter numbers name nobody. */
const longNumber = 1e8;

const wire = new Set(['type', 'mimeType', 'role']);
const isOneWord = (value: string): boolean => value.length <= 256 && !/\s/.test(value);
const isBytes = (key: string, value: string, holder: Holder): boolean => {
	if (Array.isArray(holder) || (key !== 'blob' && !(key === 'data' && (holder.type === 'image' || holder.type === 'audio')))) return false;
	return /^[A-Za-z0-9+/=_-]*$/.test(value);
};

const nothing = (): BodyText => ({strings: [], unreadable: 0, holders: [], places: [], keys: new Set(), free: 0, logprobs: []});

const add = (found: BodyText, text: string, holder: Holder, place: string | number): void => {
	found.strings.push(text);
	found.holders.push(holder);
	found.places.push(place);
};

/** Every word and long number, and every name of a field too: nobody but the two ends knows what they mean. */
const readFree = (found: BodyText, value: unknown, holder: Holder, place: string | number): void => {
	if (typeof value === 'string' && value !== '') add(found, value, holder, place);
	else if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= longNumber) add(found, String(value), holder, place);
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
		else add(found, value, holder, key);
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
	const found = nothing();
	for (const field of Object.keys(result)) {
		// Sealed by the gateway itself, for nobody to read.
		if (field === 'requestState' && result.resultType === 'input_required') continue;
		readResult(found, result[field], result, field);
	}
	return found;
};

/** The words of a list that are there to be read. */
export const listLeaves = (entries: readonly JsonObject[]): BodyText => {
	const found = nothing();
	readList(found, entries, [], 0);
	return found;
};

/** What a server asks a client, and what the client answers. */
const spoken = ['message', 'messages', 'systemPrompt', 'requestedSchema', 'inputResponses'];

/** The words of a request: what a tool or a prompt is given, and what is to be completed. */
export const requestLeaves = (params: JsonObject): BodyText => {
	const found = nothing();
	const {arguments: args, argument, context} = params;
	for (const field of spoken) readFree(found, params[field], params, field);
	if (isObject(args)) readFields(found, args);
	if (isObject(argument)) readFree(found, argument.value, argument, 'value');
	if (isObject(context) && isObject(context.arguments)) readFields(found, context.arguments);
	return found;
};
