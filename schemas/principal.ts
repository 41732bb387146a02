import * as z from 'zod';

const name = z.string().min(1).max(200);

/** One OAuth scope (RFC 6749, section 3.3): it stands in a header between quotes. */
export const scope = z
	.string()
	.max(200)
	.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/);

/** Who is asking. `accounts` are the ledger accounts that pay, from the widest to the narrowest. */
export const principal = z.strictObject({
	/** Its one name: what limits, sessions and records know it by. */
	id: name,
	/** Whose it is; everything is counted and confined by tenant. */
	tenant: name,
	/** Within the tenant. */
	team: name.optional(),
	/** The person behind it, where one is known. */
	user: name.optional(),
	/** The virtual key's public id, never the key or its hash. */
	key: name.optional(),
	/** What spend is told apart by, and rules may ask for. */
	tags: z.array(name).max(50).default([]),
	/** Those that a key was minted from pay too: `key:<parent>` stands before `key:<child>`. */
	accounts: z.array(name).max(20).default([]),
	/** What its OAuth token was issued for; missing where the credential knows no scopes, like a virtual key. */
	scopes: z.array(scope).max(100).optional(),
	/** Trusted to name tags of its own with `x-sallyport-tags`. */
	mayTag: z.boolean().optional(),
	/** When the credential ends, in milliseconds since 1970: what still runs then is asked about again. */
	expiresAt: z.int().min(0).optional(),
});

export type Principal = z.output<typeof principal>;
