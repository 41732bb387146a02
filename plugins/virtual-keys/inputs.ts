import * as z from 'zod';

/** No `/`, `:`, `|` or `*`: those have a meaning in accounts, scopes and patterns. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots, dashes and underscores, at most 63');
const user = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/, 'letters, digits and . _ - @ +, at most 100');
/** Kept as text, since a transform has no JSON Schema. */
const moment = z.iso.datetime({offset: true, error: 'a moment like 2027-01-31T00:00:00Z'});
const id = z.string().regex(/^key_[0-9a-f]{32}$/, 'the id of a key, like key_…; never the key itself');

const maxGraceSeconds = 30 * 86_400;
const maxTtlSeconds = 10 * 366 * 86_400;

export const creating = z
	.strictObject({
		name: z.string().min(1).max(200).optional(),
		tenant: name.default('default'),
		team: name.optional(),
		user: user.optional(),
		tags: z.array(z.string().min(1).max(200)).max(50).default([]),
		expiresAt: moment.optional(),
		ttlSeconds: z.int().min(1).max(maxTtlSeconds).optional(),
		metadata: z
			.record(z.string().min(1).max(100), z.union([z.string().max(1_000), z.number(), z.boolean()]))
			.refine(entries => Object.keys(entries).length <= 50, 'at most 50 entries')
			.optional(),
	})
	.refine(({expiresAt, ttlSeconds}) => expiresAt === undefined || ttlSeconds === undefined, 'say expiresAt or ttlSeconds, not both');

export const listing = z.strictObject({
	tenant: name.optional(),
	team: name.optional(),
	user: user.optional(),
	after: id.optional(),
	limit: z.int().min(1).max(1_000).default(100),
});

export const one = z.strictObject({id});
export const rotating = z.strictObject({id, graceSeconds: z.int().min(0).max(maxGraceSeconds).default(0)});
/** `null`: without an end. */
export const expiring = z.strictObject({id, at: moment.nullable()});
export const nothing = z.strictObject({});
