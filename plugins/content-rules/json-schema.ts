import type {Json} from '../../plugin-sdk/index.ts';
import {compilePattern, PatternRefused} from '../../plugin-sdk/pattern.ts';

/** Whether a value is as a schema wants it. */
export type Check = (value: Json) => boolean;

/** Thrown for a schema that is not understood in full; `path` says where. */
export class SchemaRefused extends Error {
	readonly path: readonly string[];
	constructor(path: readonly string[], message: string) {
		super(message);
		this.path = path;
	}
}

type Fields = {[key: string]: Json};
type Made = (given: Json, path: readonly string[]) => Check;

const isFields = (value: Json | undefined): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is Json[] => Array.isArray(value);

/** Equal as JSON: the order of an object's fields does not count. */
const same = (one: Json, other: Json): boolean => {
	if (isList(one)) return isList(other) && one.length === other.length && one.every((item, index) => same(item, other[index]!));
	if (!isFields(one)) return one === other;
	if (!isFields(other)) return false;
	const names = Object.keys(one);
	return names.length === Object.keys(other).length && names.every(name => Object.hasOwn(other, name) && same(one[name]!, other[name]!));
};

const types: Readonly<Record<string, Check>> = {
	object: isFields,
	array: isList,
	string: value => typeof value === 'string',
	number: value => typeof value === 'number',
	integer: value => Number.isInteger(value),
	boolean: value => typeof value === 'boolean',
	null: value => value === null,
};

const numberIn = (given: Json, path: readonly string[]): number => {
	if (typeof given !== 'number') throw new SchemaRefused(path, 'a number is expected here');
	return given;
};
const listIn = (given: Json, path: readonly string[]): Json[] => {
	if (!isList(given)) throw new SchemaRefused(path, 'a list is expected here');
	return given;
};
const fieldsIn = (given: Json, path: readonly string[]): Fields => {
	if (!isFields(given)) throw new SchemaRefused(path, 'an object is expected here');
	return given;
};

/** Units, as JSON Schema counts them: characters, not UTF-16. */
const lengthOf = (text: string): number => [...text].length;

const ofNumber =
	(holds: (value: number, limit: number) => boolean): Made =>
	(given, path) => {
		const limit = numberIn(given, path);
		return value => typeof value !== 'number' || holds(value, limit);
	};
const ofString =
	(holds: (length: number, limit: number) => boolean): Made =>
	(given, path) => {
		const limit = numberIn(given, path);
		return value => typeof value !== 'string' || holds(lengthOf(value), limit);
	};
const ofList =
	(holds: (length: number, limit: number) => boolean): Made =>
	(given, path) => {
		const limit = numberIn(given, path);
		return value => !isList(value) || holds(value.length, limit);
	};
const ofFields =
	(holds: (length: number, limit: number) => boolean): Made =>
	(given, path) => {
		const limit = numberIn(given, path);
		return value => !isFields(value) || holds(Object.keys(value).length, limit);
	};

const least = (value: number, limit: number): boolean => value >= limit;
const most = (value: number, limit: number): boolean => value <= limit;

const type: Made = (given, path) => {
	const checks = (isList(given) ? given : [given]).map(name => {
		if (typeof name !== 'string' || !Object.hasOwn(types, name)) throw new SchemaRefused(path, `there is no type ${JSON.stringify(name)}`);
		return types[name]!;
	});
	return value => checks.some(check => check(value));
};

const pattern: Made = (given, path) => {
	if (typeof given !== 'string') throw new SchemaRefused(path, 'a pattern is a string');
	try {
		const {scan} = compilePattern(given);
		return value => typeof value !== 'string' || scan(value).found.length > 0;
	} catch (error) {
		if (error instanceof PatternRefused) throw new SchemaRefused(path, error.message);
		throw error;
	}
};

const simple: Readonly<Record<string, Made>> = {
	type,
	pattern,
	const: given => value => same(value, given),
	enum: (given, path) => {
		const all = listIn(given, path);
		return value => all.some(one => same(value, one));
	},
	minimum: ofNumber(least),
	maximum: ofNumber(most),
	exclusiveMinimum: ofNumber((value, limit) => value > limit),
	exclusiveMaximum: ofNumber((value, limit) => value < limit),
	minLength: ofString(least),
	maxLength: ofString(most),
	minItems: ofList(least),
	maxItems: ofList(most),
	minProperties: ofFields(least),
	maxProperties: ofFields(most),
	required: (given, path) => {
		const names = listIn(given, path).map(String);
		return value => !isFields(value) || names.every(name => Object.hasOwn(value, name));
	},
};

/** These say nothing about whether a value fits. */
const notes = new Set(['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples', 'deprecated']);

const deepest = 40;

/** Compiles a schema of JSON Schema 2020-12, without code of strings. Throws `SchemaRefused` for a keyword that would not be checked. */
export const compileSchema = (root: Json): Check => {
	const known = new Map<string, Check>();

	/** A reference may stand within what it refers to: it is looked up when a value is there. */
	const reference = (given: Json, path: readonly string[]): Check => {
		const [, holder, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(String(given)) ?? [];
		const definitions = isFields(root) && holder !== undefined ? root[holder] : undefined;
		if (!isFields(definitions) || name === undefined || !Object.hasOwn(definitions, name))
			throw new SchemaRefused(path, `${JSON.stringify(given)} is not found; refer to "#/$defs/<name>"`);
		const key = String(given);
		if (!known.has(key)) {
			known.set(key, () => false);
			known.set(key, compile(definitions[name]!, [holder!, name]));
		}
		return value => known.get(key)!(value);
	};

	const each = (given: Json, path: readonly string[]): Check[] =>
		listIn(given, path).map((one, index) => compile(one, [...path, String(index)]));

	const ofProperties = (schema: Fields, path: readonly string[]): Check => {
		const properties = Object.entries(fieldsIn(schema.properties ?? {}, [...path, 'properties'])).map(
			([name, one]) => [name, compile(one, [...path, 'properties', name])] as const,
		);
		const own = new Map(properties);
		const others =
			schema.additionalProperties === undefined ? undefined : compile(schema.additionalProperties, [...path, 'additionalProperties']);
		return value => !isFields(value) || Object.entries(value).every(([name, one]) => (own.get(name) ?? others ?? (() => true))(one));
	};

	const ofItems = (schema: Fields, path: readonly string[]): Check => {
		const first = schema.prefixItems === undefined ? [] : each(schema.prefixItems, [...path, 'prefixItems']);
		const rest = schema.items === undefined ? undefined : compile(schema.items, [...path, 'items']);
		return value => !isList(value) || value.every((item, index) => (first[index] ?? rest ?? (() => true))(item));
	};

	const combined: Readonly<Record<string, (checks: Check[]) => Check>> = {
		allOf: checks => value => checks.every(check => check(value)),
		anyOf: checks => value => checks.some(check => check(value)),
		oneOf: checks => value => checks.filter(check => check(value)).length === 1,
	};

	const compile = (given: Json, path: readonly string[]): Check => {
		if (path.length > deepest) throw new SchemaRefused(path, 'it is too deep');
		if (typeof given === 'boolean') return () => given;
		const schema = fieldsIn(given, path);
		const checks: Check[] = [];
		for (const [name, inner] of Object.entries(schema)) {
			const at = [...path, name];
			if (notes.has(name)) continue;
			if (Object.hasOwn(simple, name)) checks.push(simple[name]!(inner, at));
			else if (Object.hasOwn(combined, name)) checks.push(combined[name]!(each(inner, at)));
			else if (name === 'not') {
				const check = compile(inner, at);
				checks.push(value => !check(value));
			} else if (name === '$ref') checks.push(reference(inner, at));
			else if (name === 'properties' || (name === 'additionalProperties' && schema.properties === undefined))
				checks.push(ofProperties(schema, path));
			else if (name === 'items' || (name === 'prefixItems' && schema.items === undefined)) checks.push(ofItems(schema, path));
			else if (name !== 'additionalProperties' && name !== 'prefixItems')
				throw new SchemaRefused(at, `"${name}" is not checked here, so it may not be asked for`);
		}
		return value => checks.every(check => check(value));
	};

	return compile(root, []);
};
