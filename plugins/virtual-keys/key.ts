import type {identify, Json} from '../../plugin-sdk/index.ts';
import {type Fact, scopeOf} from './facts.ts';

export type Principal = Parameters<typeof identify>[0];

/** One secret of a key, by its hash alone; it stops working at `until` (milliseconds since 1970). */
export type Secret = {sha256: string; until?: number};

/** Which tenant, team and user of that name a key was made for: each deletion begins a new count. */
export type Generations = {tenant?: number; team?: number; user?: number};

/** What a key is without its secrets. Moments are milliseconds since 1970. */
export type Nature = {
	id: string;
	tenant: string;
	team?: string;
	user?: string;
	tags: string[];
	/** Ranges of addresses it may be used from; anywhere when missing. */
	origins?: string[];
	/** Trusted to say whose tags a request has. */
	mayTag?: boolean;
	/** How many generations of children may come from it. */
	mayMint?: number;
	/** Those it was minted from, the first one first. */
	parents?: string[];
	generations?: Generations;
};

/** A virtual key as it is stored under `id:<id>`: everything about it except its secret, and whether and until when it stands. */
export type Key = Nature & {
	name?: string;
	metadata?: Record<string, string | number | boolean>;
	createdAt: number;
	createdBy: string;
	rotatedAt?: number;
	/** The present one first. */
	secrets: Secret[];
	/** Written by 1.0; since then they are facts, in rows of their own. */
	expiresAt?: number;
	blockedAt?: number;
	revokedAt?: number;
};

/** What a request is answered from, stored under `key:<sha256>`. `state` and the end of the key in `until` are 1.0's. */
export type Door = Pick<Nature, 'origins' | 'mayTag' | 'parents' | 'generations'> & {
	principal: Principal;
	state?: 'blocked' | 'revoked';
	until?: number;
};

/** How many generations of children an input or a row speaks of; `true` is one. */
export const generationsIn = (mayMint: number | boolean | undefined): number => Number(mayMint ?? 0);

/** From the widest to the narrowest. */
const accountsOf = ({id, tenant, team, user, parents = []}: Nature): string[] => [
	scopeOf.tenant(tenant),
	...(team === undefined ? [] : [scopeOf.team(tenant, team)]),
	...(user === undefined ? [] : [scopeOf.user(tenant, user)]),
	...parents.map(scopeOf.key),
	scopeOf.key(id),
];

/** The door that one secret of a key opens. */
export const doorOf = (key: Key, {until}: Secret): Door => {
	const {id, tenant, team, user, tags, origins, mayTag, parents, generations} = key;
	return {principal: {id, tenant, team, user, key: id, tags, accounts: accountsOf(key)}, until, origins, mayTag, parents, generations};
};

export const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

/** What 1.0 wrote into the key itself counts like a fact of today. */
export const factOfKey = ({blockedAt, revokedAt, expiresAt}: Key, fact: Fact): Fact => ({
	blockedAt: fact.blockedAt ?? blockedAt,
	until: fact.until === undefined ? expiresAt : fact.until,
	ended: fact.ended ?? (revokedAt === undefined ? undefined : {at: revokedAt}),
});

/** What an operator is shown of a key: never a secret or a hash. */
export const shown = (key: Key, fact: Fact, now: number): Json => {
	const {secrets, generations, parents, createdAt, rotatedAt, expiresAt, ...rest} = key;
	const {blockedAt, until, ended} = factOfKey(key, fact);
	const expired = until !== undefined && until !== null && until <= now ? 'expired' : 'active';
	return {
		...rest,
		...(parents && {parents, parent: parents.at(-1)}),
		state: ended ? 'revoked' : blockedAt === undefined ? expired : 'blocked',
		createdAt: iso(createdAt),
		expiresAt: iso(until ?? undefined),
		rotatedAt: iso(rotatedAt),
		blockedAt: iso(blockedAt),
		revokedAt: iso(ended?.at),
	} as Json;
};
