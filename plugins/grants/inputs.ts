import * as z from 'zod';
import {aspects, scope} from './rules.ts';

/** What is named of a rule is set, `null` takes it away, and the rest stays. */
export const allowing = z.strictObject({
	scope,
	models: aspects.models.nullable().optional(),
	providers: aspects.providers.nullable().optional(),
	operations: aspects.operations.nullable().optional(),
	maxInputTokens: aspects.maxInputTokens.nullable().optional(),
	maxOutputTokens: aspects.maxOutputTokens.nullable().optional(),
	servers: aspects.servers.nullable().optional(),
	tools: aspects.tools.nullable().optional(),
	prompts: aspects.prompts.nullable().optional(),
	resources: aspects.resources.nullable().optional(),
	arguments: aspects.arguments.nullable().optional(),
	whenTainted: aspects.whenTainted.nullable().optional(),
} satisfies Record<keyof typeof aspects | 'scope', z.ZodType>);

export const one = z.strictObject({scope});

/** `after` is the `next` of the page before. */
export const listing = z.strictObject({
	after: z.string().min(1).max(700).optional(),
	limit: z.int().min(1).max(1_000).default(1_000),
});

const name = z.string().min(1).max(300);
const tokens = z.int().min(0);

export const explaining = z.strictObject({
	tenant: name,
	team: name.optional(),
	user: name.optional(),
	key: name.optional(),
	/** `key:<id>` of each key that this one was minted from: their rules are its rules too. */
	accounts: z.array(name).max(100).optional(),
	model: name.optional(),
	operation: name.optional(),
	deployments: z.array(name).max(100).optional(),
	inputTokens: tokens.optional(),
	outputTokens: tokens.optional(),
	server: name.optional(),
	tool: name.optional(),
	prompt: name.optional(),
	resource: z.string().min(1).max(2_000).optional(),
	arguments: z.record(z.string(), z.json()).optional(),
	asked: name.optional(),
	taints: z.array(z.string().max(40)).max(100).optional(),
});

/** As the core tells of a request: see `explains` in a manifest. */
export const request = z.object({
	principal: z.object({
		tenant: name,
		team: name.optional(),
		user: name.optional(),
		key: name.optional(),
		accounts: z.array(name).optional(),
	}),
	model: name,
	operation: name,
	deployments: z.array(name),
	estimate: z.object({inputTokens: tokens, maxOutputTokens: tokens}),
});
