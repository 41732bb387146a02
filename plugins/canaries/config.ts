import * as z from 'zod';

/** `strip` takes the token out and lets the rest pass; `deny` refuses, and cuts a stream; `off` does not look. */
const action = z.enum(['off', 'flag', 'taint', 'strip', 'deny']);
export type Action = z.output<typeof action>;

export const config = z.strictObject({
	/** Whose token it is: one for a tenant, or one for each of its sessions. */
	per: z.enum(['tenant', 'session']).default('tenant'),
	/** What is put behind the system prompt; `{token}` stands for the token. */
	line: z
		.string()
		.max(300)
		.refine(line => line.split('{token}').length === 2, 'a line with {token} in it, once')
		.default('[ref {token}]'),
	/** The name of a granted secret that tokens are made of; without it the plugin makes one and keeps it. */
	secret: z.string().min(1).max(100).optional(),
	/** Tokens that stand in prompts already: looked for, and put nowhere. */
	watch: z
		.array(
			z
				.string()
				.regex(/^[\w-]{12,200}$/, 'at least 12 letters, digits, dashes')
				.refine(token => token.replace(/[^A-Za-z0-9]/g, '').length >= 12, 'at least 12 letters and digits'),
		)
		.max(50)
		.default([]),
	/** In what a model answers. */
	answers: action.default('deny'),
	/** In what a tool is called with, over MCP or by a model, and in what else is asked of an MCP server. */
	toolArguments: action.default('deny'),
	/** In what a tool answers, over MCP or in a request to a model. */
	toolResults: action.default('taint'),
	/** In what else a request to a model says: somebody has the token already. */
	requests: action.default('flag'),
});
export type Config = z.output<typeof config>;
