import type {identify} from '../../plugin-sdk/index.ts';

/** One secret of a key, by its hash alone; it stops working at `until` (milliseconds since 1970). */
export type Secret = {sha256: string; until?: number};

/** A virtual key as it is stored under `id:<id>`: everything about it except its secret. Moments are milliseconds since 1970. */
export type Key = {
	id: string;
	name?: string;
	tenant: string;
	team?: string;
	user?: string;
	tags: string[];
	metadata?: Record<string, string | number | boolean>;
	createdAt: number;
	createdBy: string;
	expiresAt?: number;
	rotatedAt?: number;
	blockedAt?: number;
	revokedAt?: number;
	/** The present one first. */
	secrets: Secret[];
};

/** What a request is answered from, stored under `key:<sha256>`. */
export type Door = {principal: Parameters<typeof identify>[0]; state?: 'blocked' | 'revoked'; until?: number};

const principalOf = ({id, tenant, team, user, tags}: Key): Door['principal'] => ({
	id,
	tenant,
	team,
	user,
	key: id,
	tags,
	accounts: [
		`tenant:${tenant}`,
		...(team === undefined ? [] : [`team:${tenant}/${team}`]),
		...(user === undefined ? [] : [`user:${tenant}/${user}`]),
		`key:${id}`,
	],
});

const stateOf = ({revokedAt, blockedAt}: Key): Door['state'] => {
	if (revokedAt !== undefined) return 'revoked';
	return blockedAt === undefined ? undefined : 'blocked';
};

/** The door that one secret of a key opens. */
export const doorOf = (key: Key, {until = Number.POSITIVE_INFINITY}: Secret): Door => {
	const end = Math.min(until, key.expiresAt ?? Number.POSITIVE_INFINITY);
	return {principal: principalOf(key), state: stateOf(key), until: Number.isFinite(end) ? end : undefined};
};

const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

/** What an operator is shown of a key: never a secret or a hash. */
export const shown = (key: Key, now: number) => {
	const {id, name, tenant, team, user, tags, metadata, createdAt, createdBy, expiresAt, rotatedAt, blockedAt, revokedAt} = key;
	const expired = expiresAt !== undefined && expiresAt <= now ? 'expired' : 'active';
	return {
		id,
		name,
		tenant,
		team,
		user,
		state: stateOf(key) ?? expired,
		tags,
		metadata,
		createdAt: iso(createdAt),
		createdBy,
		expiresAt: iso(expiresAt),
		rotatedAt: iso(rotatedAt),
		blockedAt: iso(blockedAt),
		revokedAt: iso(revokedAt),
	};
};
