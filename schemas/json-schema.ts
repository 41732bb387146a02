import * as z from 'zod';
import {gatewayConfig, pluginEntry, provider} from './config.ts';
import {type HookName, hookNames, hooks, operation} from './hooks.ts';
import {capability, manifest} from './manifest.ts';
import {price} from './price.ts';
import {principal} from './principal.ts';
import {attempt, booking, record, ruling} from './record.ts';
import {usage} from './usage.ts';
import {denyCode, effects, finding, reservation, unit, window} from './verdict.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** What several schemas share stands once in each file, under its own name. */
const named = {
	attempt,
	booking,
	capability,
	denyCode,
	finding,
	operation,
	pluginEntry,
	price,
	principal,
	provider,
	reservation,
	ruling,
	unit,
	usage,
	window,
	annotate: effects.annotate.unwrap(),
	put: effects.put.unwrap(),
	reserve: effects.reserve.unwrap(),
	settle: effects.settle.unwrap(),
	tag: effects.tag.unwrap(),
};

const names = z.registry<{id: string}>();
for (const [id, schema] of Object.entries(named)) names.add(schema, {id});

/** Every `z.json()` becomes a definition of its own, `__schema0` and on, all alike, or stands in place: one named `json` is enough. */
const withOneJson = (schema: Schema): Schema => {
	const definitions = Object.entries(schema.$defs ?? {}).map(([name, definition]) => {
		return [name.replace(/^__schema\d+$/, 'json'), definition];
	});
	const text = JSON.stringify({...schema, $defs: Object.fromEntries(definitions)}).replaceAll(
		/"#\/\$defs\/__schema\d+"/g,
		'"#/$defs/json"',
	);
	const {$defs, ...rest} = JSON.parse(text) as Schema;
	const json = JSON.stringify($defs?.json);
	const referring = JSON.parse(JSON.stringify(rest), (_, value) =>
		JSON.stringify(value) === json ? {$ref: '#/$defs/json'} : value,
	) as Schema;
	return $defs && Object.keys($defs).length > 0 ? {...referring, $defs} : referring;
};

const jsonSchema = (title: string, description: string, schema: z.ZodType, io: 'input' | 'output'): Schema => {
	const {$schema, ...rest} = z.toJSONSchema(schema, {io, metadata: names, target: 'draft-2020-12'});
	return {$schema, title, description, ...withOneJson(rest)};
};

const optional = ({required, ...schema}: Schema): Schema => schema;

/** A plugin gets the fields its manifest declares: what can be read in parts is never sure to be whole. */
const inParts = (hook: HookName, schema: Schema): Schema => {
	const {properties = {}, $defs, ...rest} = optional(schema);
	for (const read of Object.keys(hooks[hook].reads).filter(path => path.includes('.'))) {
		const name = read.slice(0, read.indexOf('.'));
		const part = properties[name] as Schema;
		const definition = part.$ref?.replace('#/$defs/', '');
		if (definition === undefined) properties[name] = optional(part);
		else $defs![definition] = optional($defs![definition] as Schema);
	}
	return {...rest, properties, ...($defs && {$defs})};
};

/** A pattern for every path that a manifest may name at `hook`. */
const readable = (hook: HookName): Schema => {
	const escaped = Object.keys(hooks[hook].reads).map(read => read.replace(/[.*[\]]/g, '\\$&').replace('<name>', '[\\w-]+'));
	return {type: 'string', pattern: `^(${escaped.join('|')})$`};
};

const propertyOf = (schema: Schema, ...path: string[]): Schema =>
	path.reduce((here, name) => {
		const property = here.properties?.[name];
		if (typeof property !== 'object') throw new Error(`the schema of manifest.json has no ${name} where one was expected`);
		return property;
	}, schema);

const manifestSchema = (): Schema => {
	const schema = jsonSchema('manifest.json', 'What a plugin is, before any of its code runs.', manifest, 'input');
	for (const hook of hookNames) propertyOf(schema, 'hooks', hook, 'reads').items = readable(hook);
	return schema;
};

/** Every generated schema by its file's name; the same text for the same schemas. */
export const jsonSchemas = (): Map<string, unknown> => {
	const files = new Map<string, unknown>();
	for (const hook of hookNames) {
		const whole = 'Every field this hook can hand over. A plugin gets those that its manifest declares, so none is required.';
		const input = jsonSchema(`${hook}: input`, whole, hooks[hook].input, 'output');
		files.set(`${hook}.input.json`, inParts(hook, input));
		files.set(`${hook}.answer.json`, jsonSchema(`${hook}: answer`, 'What a plugin may answer.', hooks[hook].answer, 'input'));
	}
	files.set('manifest.json', manifestSchema());
	files.set('config.json', jsonSchema('gateway.config.ts', 'What defineConfig() takes.', gatewayConfig, 'input'));
	files.set('record.json', jsonSchema('journal record', 'One record, before the journal adds seq, at, prev and hash.', record, 'output'));
	files.set('hooks.json', Object.fromEntries(hookNames.map(hook => [hook, tableOf(hook)])));
	return files;
};

const tableOf = (hook: HookName) => {
	const {kind, runs, reads} = hooks[hook];
	return {kind, runs, reads};
};
