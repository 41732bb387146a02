import type {identify, Json} from '../../plugin-sdk/index.ts';
import {type Fact, scopeOf} from './facts.ts';

export type Principal = Parameters<typeof identify>[0];
export type Metadata = Record<string, string | number | boolean>;

/** One secret of a key, by its hash alone; it stops working at `until` (milliseconds since 1970). */
export type Secret = {sha256: string; until?: number};

/** Which tenant, team and user of that name a key was made for: each deletion begins a new count. */
export type Generations = {tenant?: number; team?: number; user?: number};

/** Where the hash of a secret leads, stored under `key:<sha256>`: to a key's id. 1.0 wrote whole principals there. */
export type Door = string | {principal: {id: string}};
export const idBehind = (door: Door): string => (typeof door === 'string' ? door : door.principal.id);

/** What a key is, and what it may be compared by. Moments are milliseconds since 1970. */
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
	/** When it was made to end; a fact that says otherwise counts instead. */
	expiresAt?: number;
};

/**
 * A virtual key as it is stored under `id:<id>`, with its secrets' hashes. What stands against it are facts, in rows of their own, and so is its
 * metadata, which no request reads.
 */
export type Key = Nature & {
	name?: string;
	generations?: Generations;
	createdAt: number;
	createdBy: string;
	rotatedAt?: number;
	/** The present one first. */
	secrets: Secret[];
	/** Written here by 1.0. */
	metadata?: Metadata;
	blockedAt?: number;
	revokedAt?: number;
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

/** Whom a key stands for, by what stands in it alone. */
export const principalOf = (key: Nature): Principal => {
	const {id, tenant, team, user, tags} = key;
	return {id, tenant, team, user, key: id, tags, accounts: accountsOf(key)};
};

export const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

/** What 1.0 wrote into the key itself counts like a fact of today. */
export const factOfKey = ({blockedAt, revokedAt, expiresAt}: Pick<Key, 'blockedAt' | 'revokedAt' | 'expiresAt'>, fact: Fact): Fact => ({
	blockedAt: fact.blockedAt ?? blockedAt,
	until: fact.until === undefined ? expiresAt : fact.until,
	ended: fact.ended ?? (revokedAt === undefined ? undefined : {at: revokedAt}),
});

/** What an operator is shown of a key: never a secret or a hash. */
export const shown = (key: Key, fact: Fact, now: number): Json => {
	const {secrets, generations, parents, createdAt, rotatedAt, ...rest} = key;
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
