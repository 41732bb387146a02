import * as z from 'zod';

/** There is no URL parser in here; the host refuses what it cannot read, and asks no host that is not granted. */
const address = z
	.string()
	.max(2_000)
	.regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'an address like https://login.acme.example, without a query');

/** `org.slug` goes into objects; a list of steps is for names that have dots themselves. */
const path = z.union([
	z
		.string()
		.max(300)
		.regex(/^[^.]+(\.[^.]+)*$/, 'a claim, with dots into objects: org.slug'),
	z.array(z.string().min(1).max(300)).min(1).max(10),
]);
export type Path = z.output<typeof path>;

const from = z.union([
	z.strictObject({value: z.string().min(1).max(100)}),
	z.strictObject({
		claim: path,
		/** What a value of the claim is called here; any other value is none. */
		map: z.record(z.string().min(1).max(300), z.string().min(1).max(100)).optional(),
		/** Without it, whoever lacks the claim is refused. */
		optional: z.literal(true).optional(),
	}),
]);
export type From = z.output<typeof from>;

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean()]);

export const algorithms = z.enum([
	...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
	...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]);

export const config = z
	.strictObject({
		/** Exactly as tokens spell it. */
		issuer: address,
		/** One of these has to be among a token's. */
		audience: z.union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).min(1).max(20)]).optional(),
		/** At an MCP door, tokens for its own address (RFC 8707), or for that of the common door, are for it too. */
		resource: z.literal(true).optional(),
		/** Where the issuer's keys are; its OpenID configuration says so when left out. */
		jwksUrl: address.optional(),
		algorithms: z.array(algorithms).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
		/** How far the clocks of the issuer and this gateway may be apart. */
		toleranceSeconds: z.int().min(0).max(300).default(30),
		/** The oldest a token may be, whatever end it has. */
		maxAgeSeconds: z.int().min(1).optional(),
		/** Header `typ`; a token that has none is taken for a JWT. */
		types: z.array(z.string().min(1).max(100)).min(1).default(['JWT', 'at+jwt']),
		/** Claims a token must have: any value, this one, or one of these. */
		require: z
			.array(z.strictObject({claim: path, is: z.union([scalar, z.array(scalar).min(1).max(100)]).optional()}))
			.max(50)
			.default([]),
		principal: z.strictObject({
			tenant: from,
			team: from.optional(),
			user: from.default({claim: 'sub'}),
			tags: z.strictObject({claim: path, prefix: z.string().max(50).default('')}).optional(),
		}),
		/** What the token was issued for, for the plugin `scopes`: a list, or a text with spaces between. */
		scopes: z.strictObject({claim: path.default('scope')}).optional(),
		/** How often the keys are looked at again. */
		refreshSeconds: z.int().min(60).max(86_400).default(600),
		/** How long the keys stay good while the issuer cannot be reached. */
		keepSeconds: z
			.int()
			.min(60)
			.max(7 * 86_400)
			.default(86_400),
	})
	.refine(({audience, resource}) => audience !== undefined || resource, {
		path: ['audience'],
		error: 'write an audience, or resource: true',
	});
export type Config = z.output<typeof config>;
