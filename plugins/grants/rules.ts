import * as z from 'zod';
import type {Operation} from '../../plugin-sdk/index.ts';

const name = '[A-Za-z0-9][\\w.-]*';

export const scope = z
	.string()
	.max(300)
	.regex(
		new RegExp(`^(\\*|tenant:${name}|(team|user):${name}/[A-Za-z0-9][\\w.@+-]*|key:[\\w-]+)$`),
		"a scope is '*', tenant:acme, team:acme/search, user:acme/ada or key:key_…",
	);

const pattern = (of: string) =>
	z
		.string()
		.max(300)
		.regex(/^[^*\s]*\*?$/, `${of}, with '*' for anything at its end alone`)
		.min(1);

const model = pattern("a model, like fast or 'openai/gpt-*'");
const provider = pattern('a provider, like openai');
const server = pattern('a server, like files');
const tool = pattern("a tool with its server, like 'files/read_*'");
const prompt = pattern("a prompt with its server, like 'docs/summary'");
const resource = pattern("a resource with its server, like 'files/file:///srv/*'");
const most = 500;

const operations = [
	...([
		...(['chat', 'embeddings', 'messages', 'count_tokens', 'models'] as const),
		...(['tools/call', 'prompts/get', 'resources/read', 'completion/complete'] as const),
		...(['elicitation/create', 'sampling/createMessage', 'roots/list'] as const),
	] satisfies Operation[]),
	'*',
] as const;

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);

const root = z
	.string()
	.min(1)
	.max(1_000)
	.refine(path => !path.split(/[\\/]/).includes('..'), 'a path without ..');

/** What one argument of a tool may be. It has to be there, unless it is `optional`; of a list, each entry is judged. */
export const argumentRule = z.strictObject({
	/** Paths or addresses: this one, or one below it. */
	within: z.array(root).min(1).max(100).optional(),
	oneOf: z.array(scalar).min(1).max(500).optional(),
	min: z.number().optional(),
	max: z.number().optional(),
	optional: z.literal(true).optional(),
});
export type ArgumentRule = z.output<typeof argumentRule>;

const argument = z
	.string()
	.max(300)
	.regex(/^[^.]+(\.[^.]+)*$/, 'an argument, with dots into objects: options.path');

const taint = z
	.string()
	.max(40)
	.regex(/^[a-z][a-z0-9-]*$/, 'a taint, by the category of what was found: injection');

/** What is refused while the session is tainted, whatever else grants it. */
const whenTainted = z.strictObject({
	/** With one of these; with anything, when left out. */
	by: z.array(taint).min(1).max(50).optional(),
	deny: z
		.strictObject({
			tools: z.array(tool).max(most),
			servers: z.array(server).max(most),
			/** Tools that a model asks for in its answer, by their name alone. */
			asked: z.array(pattern('a tool that a model asks for')).max(most),
		})
		.partial(),
});

const tokens = z.int().min(0).max(1_000_000_000);

/** What may be said of a scope. An aspect that is left out is not judged there. */
export const aspects = {
	models: z.array(model).max(most),
	providers: z.array(provider).max(most),
	operations: z.array(z.enum(operations)).max(operations.length),
	maxInputTokens: tokens,
	maxOutputTokens: tokens,
	servers: z.array(server).max(most),
	tools: z.array(tool).max(most),
	prompts: z.array(prompt).max(most),
	resources: z.array(resource).max(most),
	/** By tool, and by argument. */
	arguments: z.record(tool, z.record(argument, argumentRule)).refine(tools => Object.keys(tools).length <= 100, 'at most 100 tools'),
	whenTainted,
};

const rule = z.strictObject(aspects).partial();
/** A list of models is short for {models: […]}. */
const written = z.union([aspects.models, rule]);

export type Rule = z.output<typeof rule>;
type Written = z.output<typeof written>;

export const config = z.strictObject({allow: z.record(scope, written).default({})});
export type Config = z.output<typeof config>;

/** What stands in the config, or was stored by the release before, where a rule was a list of models. */
export const ruleOf = (written: Written): Rule => (Array.isArray(written) ? {models: written} : written);

/** Nothing at all: every aspect that has to be granted, granted to nobody. */
export const nothing: Rule = {models: [], servers: [], tools: [], prompts: [], resources: []};
