import {GatewayError} from '../../errors.ts';
import {isObject, type JsonObject} from '../json.ts';
import type {RequestFacts} from './dialect.ts';

const wrong = (param: string, what: string): GatewayError => new GatewayError('invalid_request', `"${param}" must be ${what}.`, {param});

/** A field that is null is as good as missing: that is how both providers read it. */
const given = (json: JsonObject, param: string): unknown => json[param] ?? undefined;

export const readModel = (json: JsonObject): string => {
	const {model} = json;
	if (typeof model !== 'string' || model === '' || model.length > 300) throw wrong('model', 'the name of a model');
	return model;
};

export const readBoolean = (json: JsonObject, param: string): boolean => {
	const value = given(json, param) ?? false;
	if (typeof value !== 'boolean') throw wrong(param, 'true or false');
	return value;
};

/** Undefined when the field is missing. */
export const readCount = (json: JsonObject, param: string, most: number): number | undefined => {
	const value = given(json, param);
	if (value === undefined) return undefined;
	if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > most)
		throw wrong(param, `a whole number from 1 to ${most}`);
	return value;
};

export const readMessages = (json: JsonObject): unknown[] => {
	const {messages} = json;
	if (!Array.isArray(messages) || messages.length === 0) throw wrong('messages', 'a list of at least one message');
	for (let index = 0; index < messages.length; index += 1) {
		const message: unknown = messages[index];
		if (!isObject(message)) throw wrong(`messages[${index}]`, 'an object');
		if (typeof message.role !== 'string') throw wrong(`messages[${index}].role`, 'a string');
		const {content} = message;
		if (typeof content === 'string' || Array.isArray(content) || content === undefined || content === null) continue;
		throw wrong(`messages[${index}].content`, 'a string or a list of parts');
	}
	return messages;
};

/** The input of embeddings: text, texts, tokens or lists of tokens. */
export const readInput = (json: JsonObject): unknown => {
	const {input} = json;
	const filled = (typeof input === 'string' || Array.isArray(input)) && input.length > 0;
	if (!filled) throw wrong('input', 'text, or a list of at least one text');
	return input;
};

export const readTools = (json: JsonObject): unknown => {
	const tools = given(json, 'tools');
	if (tools !== undefined && !(Array.isArray(tools) && tools.every(isObject))) throw wrong('tools', 'a list of objects');
	return tools;
};

export const readObjectField = (json: JsonObject, param: string): JsonObject | undefined => {
	const value = given(json, param);
	if (value !== undefined && !isObject(value)) throw wrong(param, 'an object');
	return value;
};

/** Fields with a place of their own in the facts, and prompts by any name. */
const notParams: ReadonlySet<string> = new Set([
	...['model', 'messages', 'stream', 'stream_options', 'tools', 'functions', 'metadata'],
	...['input', 'prompt', 'system', 'instructions', 'suffix'],
]);

/** Fields that a policy is decided on. */
const reserved: ReadonlySet<string> = new Set([...notParams, 'max_tokens', 'max_completion_tokens', 'n', 'user']);

/** No letter of these has another case to fold from. */
const isPlain = /^[a-z0-9_]*$/;

/**
 * The other top-level scalars. Refuses the fields that policies are decided on in another case, since some servers
 * (those that use Go's `encoding/json`) would read `Model` as `model`.
 */
export const readParams = (json: JsonObject): RequestFacts['params'] => {
	const params: RequestFacts['params'] = {};
	for (const key of Object.keys(json)) {
		// Upper case first: it also folds the long s and the Kelvin sign, as Go does.
		const param = isPlain.test(key) ? key : key.toUpperCase().toLowerCase();
		if (param !== key && reserved.has(param)) throw new GatewayError('invalid_request', `Write "${param}" in lower case.`, {param});
		if (notParams.has(key)) continue;
		const value = json[key];
		if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') params[key] = value;
	}
	return params;
};
