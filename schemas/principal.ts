import * as z from 'zod';

const name = z.string().min(1).max(200);

/** Who is asking. `accounts` are the ledger accounts that pay, from the widest to the narrowest. */
export const principal = z.strictObject({
	id: name,
	tenant: name,
	team: name.optional(),
	user: name.optional(),
	/** The virtual key's public id, never the key or its hash. */
	key: name.optional(),
	tags: z.array(name).max(50).default([]),
	/** Those that a key was minted from pay too: `key:<parent>` stands before `key:<child>`. */
	accounts: z.array(name).max(20).default([]),
	/** Trusted to name tags of its own with `x-sallyport-tags`. */
	mayTag: z.boolean().optional(),
	/** When the credential ends, in milliseconds since 1970: what still runs then is asked about again. */
	expiresAt: z.int().min(0).optional(),
});

export type Principal = z.output<typeof principal>;
