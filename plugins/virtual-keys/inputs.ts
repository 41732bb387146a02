import * as z from 'zod';
import {readRange} from './origins.ts';

/** No `/`, `:`, `|`, `~` or `*`: those have a meaning in accounts, scopes and patterns. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots, dashes and underscores, at most 63');
const user = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/, 'letters, digits and . _ - @ +, at most 100');
/** Kept as text, since a transform has no JSON Schema. */
const moment = z.iso.datetime({offset: true, error: 'a moment like 2027-01-31T00:00:00Z'});
const id = z.string().regex(/^key_[0-9a-f]{32}$/, 'the id of a key, like key_…; never the key itself');
const title = z.string().min(1).max(200);
const tags = z.array(z.string().min(1).max(200)).max(50);
const metadata = z
	.record(z.string().min(1).max(100), z.union([z.string().max(1_000), z.number(), z.boolean()]))
	.refine(entries => Object.keys(entries).length <= 50, 'at most 50 entries');
const origins = z
	.array(z.string().refine(text => readRange(text) !== undefined, 'an address or a range of them, like 203.0.113.0/24 or 2001:db8::/32'))
	.min(1)
	.max(100);
/** How many generations of children may come from this key; `true` is one. */
const mayMint = z.union([z.boolean(), z.int().min(0).max(4)]);
const page = {limit: z.int().min(1).max(1_000).default(100)};

const maxGraceSeconds = 30 * 86_400;
const ttlSeconds = z
	.int()
	.min(1)
	.max(10 * 366 * 86_400);

const end = {expiresAt: moment.optional(), ttlSeconds: ttlSeconds.optional()};
const oneEnd = ({expiresAt, ttlSeconds: ttl}: {expiresAt?: string; ttlSeconds?: number}): boolean =>
	expiresAt === undefined || ttl === undefined;
const notBoth = 'say expiresAt or ttlSeconds, not both';

const open = {
	name: title.optional(),
	metadata: metadata.optional(),
	origins: origins.optional(),
	mayTag: z.boolean().optional(),
	mayMint: mayMint.optional(),
	...end,
};

export const creating = z
	.strictObject({...open, tenant: name.default('default'), team: name.optional(), user: user.optional(), tags: tags.default([])})
	.refine(oneEnd, notBoth);

/** What is left out is as it is with the parent. */
export const minting = z
	.strictObject({
		...open,
		parent: id.optional(),
		tenant: name.optional(),
		team: name.optional(),
		user: user.optional(),
		tags: tags.optional(),
	})
	.refine(oneEnd, notBoth);

/** `null` takes away what was said. */
export const updating = z.strictObject({
	id,
	name: title.nullable().optional(),
	tags: tags.optional(),
	metadata: metadata.nullable().optional(),
	origins: origins.nullable().optional(),
	mayTag: z.boolean().optional(),
	mayMint: mayMint.optional(),
});

export const listing = z.strictObject({
	tenant: name.optional(),
	team: name.optional(),
	user: user.optional(),
	parent: id.optional(),
	after: id.optional(),
	...page,
});

export const one = z.strictObject({id});
export const own = z.strictObject({id: id.optional()});
export const rotating = z.strictObject({id, graceSeconds: z.int().min(0).max(maxGraceSeconds).default(0)});
/** `null`: without an end. */
export const expiring = z.strictObject({id, at: moment.nullable()});
export const nothing = z.strictObject({});

const described = {title: title.optional(), metadata: metadata.optional(), ...end};
const inTenant = {tenant: name.default('default')};

/** A tenant, a team of one tenant, and a user, who may be of several: without a tenant, all of them are meant. */
export const tenants = {
	one: z.strictObject({tenant: name}),
	creating: z.strictObject({tenant: name, ...described}).refine(oneEnd, notBoth),
	expiring: z.strictObject({tenant: name, at: moment.nullable()}),
	listing: z.strictObject({after: name.optional(), ...page}),
};

export const teams = {
	one: z.strictObject({...inTenant, team: name}),
	creating: z.strictObject({...inTenant, team: name, ...described}).refine(oneEnd, notBoth),
	expiring: z.strictObject({...inTenant, team: name, at: moment.nullable()}),
	listing: z.strictObject({...inTenant, after: name.optional(), ...page}),
};

export const users = {
	one: z.strictObject({tenant: name.optional(), user}),
	creating: z
		.strictObject({tenant: name.optional(), tenants: z.array(name).min(1).max(100).optional(), user, ...described})
		.refine(oneEnd, notBoth)
		.refine(({tenant, tenants: several}) => tenant === undefined || several === undefined, 'say tenant or tenants, not both'),
	expiring: z.strictObject({tenant: name.optional(), user, at: moment.nullable()}),
	listing: z.strictObject({...inTenant, after: user.optional(), ...page}),
};
