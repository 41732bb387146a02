import type * as z from 'zod';
import type {Sentences} from './page-sentences.ts';

type Schema = z.core.JSONSchema.JSONSchema;
type Definitions = Record<string, unknown>;

/** What a table says of one key: `path` from the schema's root, `limits.bodyMb`, `plugins[].use`, `providers.<name>.key`. */
export type Row = {path: string; type: string; fallback: string; sentence: string};

/** What the end of a key's name says of its unit. */
const units: readonly (readonly [RegExp, string])[] = [
	[/Ms$/, 'milliseconds'],
	[/Kb$/, 'KiB'],
	[/Mb$/, 'MiB'],
	[/UsdPerMTok$/, 'US dollars for a million tokens'],
	[/^usdPerMB$/, 'US dollars for a million bytes'],
	[/MB$/, 'millions of bytes'],
	[/^usd/, 'US dollars'],
	[/MicroUsd$/, 'millionths of a US dollar'],
	[/Seconds$/, 'seconds'],
];

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const shown = (number: number): string => number.toLocaleString('en');

/** What `$ref` stands for, under what the referring schema says itself. */
export const followed = (schema: Schema, definitions: Definitions): Schema => {
	const {$ref, ...own} = schema;
	return $ref === undefined ? schema : {...followed(definitions[$ref.replace('#/$defs/', '')] as Schema, definitions), ...own};
};

const numberType = ({type, minimum, maximum}: Schema, unit: string | undefined): string => {
	const least = minimum !== undefined && Math.abs(minimum) < Number.MAX_SAFE_INTEGER ? minimum : undefined;
	const most = maximum !== undefined && Math.abs(maximum) < Number.MAX_SAFE_INTEGER ? maximum : undefined;
	const words = [...(type === 'integer' ? ['whole'] : []), unit ?? (type === 'integer' ? 'number' : 'a number')].join(' ');
	if (least !== undefined && most !== undefined) return `${words}, ${shown(least)} to ${shown(most)}`;
	if (most !== undefined) return `${words}, up to ${shown(most)}`;
	return least !== undefined && least !== 0 ? `${words}, from ${shown(least)}` : words;
};

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);
/** The one shape here that holds itself. */
const isAnyJson = ({$ref}: Schema): boolean => /^#\/\$defs\/(json|__schema\d+)$/.test($ref ?? '');
const isFromEnv = ({properties}: Schema): boolean => properties?.env !== undefined && properties.optional !== undefined;

/** In words, on one line: what stands at a key of that name. */
export const typeOf = (given: Schema, definitions: Definitions, name = ''): string => {
	if (isAnyJson(given)) return 'any JSON';
	const schema = followed(given, definitions);
	const of = (inner: unknown): string => typeOf(inner as Schema, definitions);
	const {type, anyOf, oneOf, enum: values, items, additionalProperties} = schema;
	if (schema.const !== undefined) return code(schema.const);
	if (values) return values.map(code).join(', ');
	const choices = anyOf ?? oneOf;
	if (choices?.some(one => isObject(one) && isFromEnv(one))) return 'text or `env(…)`';
	if (choices) return [...new Set(choices.map(of))].join(', or ');
	if (type === 'array') return items ? `list of: ${of(items)}` : 'list';
	if (type === 'object' && schema.properties) return 'object';
	if (type === 'object')
		return additionalProperties && Object.keys(additionalProperties).length > 0 ? `by name: ${of(additionalProperties)}` : 'object';
	if (type === 'integer' || type === 'number') return numberType(schema, units.find(([end]) => end.test(name))?.[1]);
	if (type === 'string') return 'text';
	if (type === 'boolean') return '`true` or `false`';
	return type === 'null' ? '`null`' : 'any JSON';
};

/** The objects that stand in a schema, in lists, by name or as one of several, each with its path. */
const objectsIn = (given: Schema, definitions: Definitions, path: string): [string, Schema][] => {
	if (isAnyJson(given)) return [];
	const schema = followed(given, definitions);
	if (schema.properties) return isFromEnv(schema) ? [] : [[path, schema]];
	const inner: [unknown, string][] = [
		...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map(one => [one, path] as [unknown, string]),
		[schema.items, `${path}[]`],
		[schema.additionalProperties, `${path}.<name>`],
	];
	return inner.flatMap(([one, at]) => (isObject(one) ? objectsIn(one, definitions, at) : []));
};

/** A row for every key of the schema, with all keys below it. Throws where one has no sentence: a key that nobody can read about. */
export const rowsOf = (root: Schema, sentences: Sentences, from = ''): Row[] => {
	const definitions = root.$defs ?? {};
	const silent: string[] = [];
	const below = ([path, {properties = {}, required = []}]: [string, Schema]): Row[] =>
		Object.entries(properties as Record<string, Schema>).flatMap(([name, property]) => {
			const at = path === '' ? name : `${path}.${name}`;
			const sentence = sentences.get(at);
			if (sentence === undefined) silent.push(at);
			const {default: value} = followed(property, definitions);
			const isFilled = isObject(value) && Object.keys(value).length === 0;
			const fallback = value !== undefined && !isFilled ? code(value) : required.includes(name) ? 'needed' : '';
			const row = {path: at, type: typeOf(property, definitions, name), fallback, sentence: sentence ?? ''};
			return [row, ...objectsIn(property, definitions, at).flatMap(below)];
		});
	const rows = objectsIn(root, definitions, from).flatMap(below);
	if (silent.length > 0) throw new Error(`Without a comment in its schema: ${silent.join(', ')}. Write above each what it is.`);
	return rows;
};

/** Text as it may stand in a cell of a table; a page of `docs/` that it names is linked. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\bdocs\/([\w-]+\.md)/g, '[$1]($1)');

/** The rows as a table in Markdown. */
export const tableOf = (rows: readonly Row[]): string =>
	[
		'| key | type | default | |',
		'|---|---|---|---|',
		...rows.map(({path, type, fallback, sentence}) => `| \`${path}\` | ${type} | ${fallback} | ${cell(sentence)} |`),
	].join('\n');
