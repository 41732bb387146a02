import {isObject, type JsonObject} from '../llm/json.ts';
import {canonicalNumber} from '../llm/numbers.ts';

/** The field of `params` that `Mcp-Name` repeats, by method. */
const namedBy: Readonly<Record<string, string>> = {'tools/call': 'name', 'prompts/get': 'name', 'resources/read': 'uri'};

/** What `Mcp-Name` has to say of a request; undefined where it says nothing. */
export const nameHeaderOf = (method: string, params: JsonObject): string | undefined => {
	const field = Object.hasOwn(namedBy, method) ? namedBy[method] : undefined;
	const value = field === undefined ? undefined : params[field];
	return typeof value === 'string' ? value : undefined;
};

const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;

/** A value as a header can carry it. */
export const encodeHeader = (value: string): string => {
	const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !sentinel.test(value);
	return isPlain ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
};

/** What a header says; undefined where it is no valid encoding of anything. */
export const decodeHeader = (value: string): string | undefined => {
	const encoded = sentinel.exec(value)?.[1];
	if (encoded === undefined) return value.startsWith('=?base64?') ? undefined : value;
	const bytes = Buffer.from(encoded, 'base64');
	const text = bytes.toString();
	return bytes.toString('base64') === encoded && Buffer.from(text).equals(bytes) ? text : undefined;
};

const deepest = 8;

/** The arguments that a tool wants repeated in headers: `x-mcp-header` in its schema, by the path of field names. */
const mirrored = (schema: unknown, path: readonly string[] = []): {path: readonly string[]; header: string}[] => {
	if (!isObject(schema) || !isObject(schema.properties) || path.length > deepest) return [];
	return Object.entries(schema.properties).flatMap(([key, property]) => {
		if (!isObject(property)) return [];
		const header = property['x-mcp-header'];
		const own = typeof header === 'string' && /^[\w-]{1,100}$/.test(header) ? [{path: [...path, key], header}] : [];
		return [...own, ...mirrored(property, [...path, key])];
	});
};

const valueAt = (root: JsonObject, path: readonly string[]): unknown =>
	path.reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), root);

/** `Mcp-Param-*` for a call with these arguments. */
export const paramHeaders = ({inputSchema}: JsonObject, args: JsonObject): Record<string, string> => {
	const found: Record<string, string> = {};
	for (const {path, header} of mirrored(inputSchema)) {
		const value = valueAt(args, path);
		const words = JSON.isRawJSON(value) ? value.rawJSON : value;
		if (typeof words === 'string' || typeof words === 'number' || typeof words === 'boolean')
			found[`mcp-param-${header.toLowerCase()}`] = encodeHeader(String(words));
	}
	return found;
};

const isSameNumber = (said = '', meant = ''): boolean =>
	said !== '' && Number(said) === Number(meant) && canonicalNumber(said) === canonicalNumber(meant);

/** The first `Mcp-Param-*` header that says something else than the arguments; a number is compared as one. */
export const differingParam = (
	definition: JsonObject,
	args: JsonObject,
	headers: Readonly<Record<string, string | string[] | undefined>>,
): string | undefined => {
	for (const [name, expected] of Object.entries(paramHeaders(definition, args))) {
		const given = headers[name];
		const [said, meant] = [typeof given === 'string' ? decodeHeader(given) : undefined, decodeHeader(expected)];
		if (said !== meant && !isSameNumber(said, meant)) return name;
	}
	return undefined;
};
