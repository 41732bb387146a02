import {isAscii, isUtf8} from 'node:buffer';
import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from './json.ts';
import {closingQuote, parseJson} from './parse.ts';

/** The deepest nesting of arrays and objects a body may have. */
export const maxDepth = 64;

/** The most commas, arrays and objects a body may have: what bounds the time and memory of parsing it. */
export const maxNodes = 500_000;

/** The most keys a body may have: an object of very many keys costs far more to build than an array. */
export const maxKeys = 50_000;

const QUOTE = 0x22;

const refusal = (message: string, cause?: unknown) => new GatewayError('invalid_json', message, {cause});

/** Counts colons outside strings, and refuses what is too deep or too large, before any of it is built. */
const scan = (text: string): number => {
	let colons = 0;
	let others = 0;
	let depth = 0;
	for (let at = 0; at < text.length; at += 1) {
		const code = text.charCodeAt(at);
		if (code === QUOTE) {
			const close = closingQuote(text, at);
			if (close === -1) return colons;
			at = close;
		} else if (code === 0x3a) {
			colons += 1;
		} else if (code === 0x2c) {
			others += 1;
		} else if (code === 0x7b || code === 0x5b) {
			others += 1;
			depth += 1;
			if (depth > maxDepth) throw refusal(`The body nests deeper than ${maxDepth} levels.`);
		} else if (code === 0x7d || code === 0x5d) {
			depth -= 1;
		} else {
			continue;
		}
		if (colons > maxKeys) throw refusal(`The body has more than ${maxKeys} keys.`);
		if (others > maxNodes) throw refusal(`The body has more than ${maxNodes} values.`);
	}
	return colons;
};

/** Counts the keys of a tree, and refuses numbers and strings that parsers read differently. */
const countKeys = (value: unknown, escapes: boolean): number => {
	if (typeof value === 'string') {
		if (escapes && !value.isWellFormed()) throw refusal('A string holds half of a surrogate pair.');
		return 0;
	}
	if (typeof value === 'number') {
		if (!Number.isFinite(value)) throw refusal('A number is larger than a double can hold.');
		return 0;
	}
	if (typeof value !== 'object' || value === null) return 0;
	let keys = 0;
	if (Array.isArray(value)) {
		for (let index = 0; index < value.length; index += 1) keys += countKeys(value[index], escapes);
		return keys;
	}
	const object = value as JsonObject;
	for (const key in object) {
		if (escapes && !key.isWellFormed()) throw refusal('A key holds half of a surrogate pair.');
		keys += 1 + countKeys(object[key], escapes);
	}
	return keys;
};

const decode = (bytes: Buffer): string => {
	if (isAscii(bytes)) return bytes.toString('latin1');
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw refusal('The body begins with a byte order mark.');
	if (!isUtf8(bytes)) throw refusal('The body is not valid UTF-8.');
	return bytes.toString('utf8');
};

const parse = (text: string): unknown => {
	try {
		return parseJson(text);
	} catch {
		// V8's message quotes the body, so not even a cause is kept.
		throw refusal('The body is not valid JSON.');
	}
};

/**
 * The body as a JSON object that every parser reads alike: policy is decided on it while the bytes travel untouched.
 * `text` is the same, decoded. Throws `invalid_json` for invalid UTF-8, a byte order mark, broken JSON, duplicate keys
 * at any depth (RFC 8259, section 4), lone surrogates (8.2), numbers beyond a double, more than `maxDepth` levels or
 * `maxNodes` values or
 * `maxKeys` keys; `invalid_request` when it is not an object. No message quotes the body.
 */
export const parseBody = (bytes: Buffer): {json: JsonObject; text: string} => {
	if (bytes.length === 0) throw refusal('The body is empty.');
	const text = decode(bytes);
	const colons = scan(text);
	const json = parse(text);
	if (!isObject(json)) throw new GatewayError('invalid_request', 'The body is not a JSON object.');
	// V8 keeps the last of duplicate keys and keeps `__proto__` as an own key, so each colon is a key or a duplicate.
	if (countKeys(json, text.includes('\\u')) !== colons) throw refusal('The body has duplicate keys.');
	return {json, text};
};

const mayBeJson = /^\s*[{[]/;

/** A list or an object that stands in a string as JSON and that every parser reads alike; undefined where it is not. */
export const nestedJson = (text: string): JsonObject | unknown[] | undefined => {
	if (!mayBeJson.test(text)) return undefined;
	try {
		const {json} = parseBody(Buffer.from(`{"":${text}}`));
		const value = json[''];
		// One that closes the brace itself is no JSON.
		return Object.keys(json).length === 1 && (isObject(value) || Array.isArray(value)) ? value : undefined;
	} catch (thrown) {
		if (thrown instanceof GatewayError) return undefined;
		throw thrown;
	}
};

/** The same where parsers may read it differently: what most of them make of it. */
export const looseJson = (text: string): JsonObject | unknown[] | undefined => {
	if (!mayBeJson.test(text)) return undefined;
	try {
		scan(text);
		return parseJson(text) as JsonObject | unknown[];
	} catch {
		// It is no JSON, or too deep to be read: guards are shown its characters.
		return undefined;
	}
};
