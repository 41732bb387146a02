import * as z from 'zod';
import {argumentRule} from '../grants/rules.ts';

const pattern = (of: string) => z.string().min(1).max(300).describe(of);
const patterns = (of: string) => z.array(pattern(of)).min(1).max(100).optional();

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);

/** What an argument is when a call has to be approved. What cannot be judged, since it is of another kind, counts as if it were. */
const condition = z.strictObject({
	/** `*` stands for anything, also for nothing. */
	like: z.array(z.string().max(300)).min(1).max(100).optional(),
	oneOf: z.array(scalar).min(1).max(500).optional(),
	/** So much, or more. */
	min: z.number().optional(),
});
export type Condition = z.output<typeof condition>;

const argument = z
	.string()
	.max(300)
	.regex(/^[^.]+(\.[^.]+)*$/, 'an argument, with dots into objects: options.path');

export const rule = z
	.strictObject({
		/** What the record calls it. */
		name: z.string().regex(/^[a-z][\w.-]{0,62}$/i, 'a name of letters, digits, dots and dashes'),
		/** Tools of MCP servers: `files/write_file`, `mail/*`. */
		tools: patterns('a tool with its server'),
		/** Tools that a model asks for in its answer, by their name alone. */
		asked: patterns('a tool'),
		/** Calls of models, by the name the client asked for. */
		models: patterns('a model'),
		/** Of whom; of everybody, where nothing is said. Each that is said has to fit. */
		of: z
			.strictObject({
				tenants: patterns('a tenant'),
				teams: patterns('a team with its tenant: acme/search'),
				users: patterns('a user with its tenant: acme/ada'),
				keys: patterns('the id of a key'),
				tags: patterns('a tag'),
			})
			.optional(),
		/** Only while the session is tainted: with anything, or with one of these. */
		tainted: z
			.union([
				z.literal(true),
				z
					.array(
						z
							.string()
							.max(40)
							.regex(/^[a-z][a-z0-9-]*$/, 'a taint, by the category of what was found: injection'),
					)
					.min(1)
					.max(50),
			])
			.optional(),
		/** Only where each of these arguments is so. */
		arguments: z.record(argument, condition).optional(),
		/** Not where all of these arguments are so; the words are those of `grants`. */
		unless: z.record(argument, argumentRule).optional(),
		/** Told to the client and to whoever decides. */
		reason: z.string().min(1).max(500).default('somebody has to approve this'),
		/** Who decides: the roles, or these admins alone. */
		who: z
			.strictObject({
				roles: z
					.array(z.enum(['owner', 'admin', 'approver']))
					.min(1)
					.default(['owner', 'admin', 'approver']),
				admins: z.array(z.string().max(100)).min(1).max(100).optional(),
			})
			.prefault({}),
		/** Two have to approve it, on the same terms. */
		fourEyes: z.boolean().default(false),
		/** How long it can be decided, and used. */
		expiresSeconds: z
			.int()
			.min(1)
			.max(30 * 86_400)
			.default(3_600),
		/** How long a client is kept waiting at a time. */
		holdMs: z.int().min(0).max(600_000).default(50_000),
	})
	.refine(({tools, asked, models}) => tools ?? asked ?? models, 'a rule names tools, asked or models');
export type Rule = z.output<typeof rule>;

export const config = z.strictObject({
	rules: z
		.array(rule)
		.min(1)
		.max(200)
		.refine(rules => new Set(rules.map(({name}) => name)).size === rules.length, 'two rules have one name'),
	/** Which principals an admin is: nobody approves what they asked for themselves. */
	people: z.record(z.string().max(100), z.array(z.string().max(300)).min(1).max(100)).default({}),
	/** Most calls of one key that wait to be decided. */
	mostPending: z.int().min(1).max(900).default(50),
	webhook: z
		.strictObject({
			/** Its host has to be in this entry's grants. */
			url: z
				.string()
				.max(2_000)
				.regex(/^https?:\/\/[^\s/]+(\/\S*)?$/, 'a URL, like https://hooks.example/in'),
			/** The name of the secret in this entry's grants. */
			secret: z.string().min(1).max(100).default('webhook'),
			/** Whether the arguments are told. */
			arguments: z.boolean().default(false),
			timeoutMs: z.int().min(100).max(30_000).default(10_000),
		})
		.optional(),
});
export type Config = z.output<typeof config>;
