import {type Host, type Json, openTurns, refuse} from '../../plugin-sdk/index.ts';

export type Kv = Host<unknown>['kv'];
export type Lent = Pick<Host<unknown>, 'kv' | 'clock' | 'random'>;

/**
 * What stands against a tenant, team, user or key. Each part is a row of its own, written whole and never from what was read: two
 * gateways that act at the same time cannot undo each other's word. Moments are milliseconds since 1970.
 */
export type Fact = {
	blockedAt?: number;
	/** `null`: it had an end, which was taken away. */
	until?: number | null;
	/** Of a key: revoked. Of any other: how often it was deleted, and whether it is gone now. */
	ended?: {at: number; generation?: number; gone?: boolean};
};

/** The names that grants, limits and facts know somebody by. */
export const scopeOf = {
	tenant: (tenant: string): string => `tenant:${tenant}`,
	team: (tenant: string, team: string): string => `team:${tenant}/${team}`,
	user: (tenant: string, user: string): string => `user:${tenant}/${user}`,
	key: (id: string): string => `key:${id}`,
};

/** A tenant made again after it was deleted has other teams and users than the one before. */
export const placeOf = (tenant: string, generation = 0): string => (generation === 0 ? tenant : `${tenant}~${generation}`);

const parts = {blockedAt: 'blocked', until: 'until', ended: 'ended'} as const;

/**
 * The rows of a fact; `undefined` is left as it is, and a `null` deletes. `noted`, which nobody takes away, says that there is or was a
 * fact: most keys have none, and are known not to by one look.
 */
export const factRows = (scope: string, fact: {[Part in keyof Fact]: Fact[Part] | null}): Record<string, Json> => {
	const rows: Record<string, Json> = {};
	for (const [part, value] of Object.entries(fact)) {
		if (value === undefined) continue;
		rows[`${parts[part as keyof Fact]}:${scope}`] = (part === 'until' ? {at: value} : value) as Json;
		rows[`noted:${scope}`] = 1;
	}
	return rows;
};

/** The rows of everything that may ever have been said of a scope, to be taken away. */
export const factsGone = (scope: string): Record<string, Json> =>
	Object.fromEntries([...Object.values(parts), 'noted'].map(part => [`${part}:${scope}`, null]));

const none: Fact = {};

/** `factRows` alone writes these rows. */
export const readFact = (kv: Kv, scope: string): Fact => {
	if (kv.get(`noted:${scope}`) === undefined) return none;
	const blockedAt = kv.get(`blocked:${scope}`) as number | undefined;
	const until = kv.get(`until:${scope}`) as {at: number | null} | undefined;
	const ended = kv.get(`ended:${scope}`) as Fact['ended'];
	return {
		...(blockedAt !== undefined && {blockedAt}),
		...(until !== undefined && {until: until.at}),
		...(ended !== undefined && {ended}),
	};
};

/** Writes rows, all or nothing; the new `version` makes every process forget what it remembers. */
export const write = async ({kv, random}: Pick<Lent, 'kv' | 'random'>, rows: Record<string, Json>): Promise<void> => {
	const {error} = await kv.put({...rows, version: random.uuid()});
	if (error) throw refuse('store_unavailable', 'This could not be written; nothing has changed.');
};

export const inTurn = openTurns();

/** When something ends, out of what an operator said. Throws `invalid_request` for what is over already. */
export const endOf = ({expiresAt, ttlSeconds}: {expiresAt?: string; ttlSeconds?: number}, now: number): number | undefined => {
	const end = ttlSeconds === undefined ? expiresAt && Date.parse(expiresAt) : now + ttlSeconds * 1_000;
	if (!end) return undefined;
	if (end <= now) throw refuse('invalid_request', 'expiresAt: this moment has passed');
	return end;
};
