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
	accounts: z.array(name).max(20).default([]),
});

export type Principal = z.output<typeof principal>;
