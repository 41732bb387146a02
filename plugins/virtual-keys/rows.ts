import type * as z from 'zod';
import {type Caller, type Json, mayReach, refuse} from '../../plugin-sdk/index.ts';
import {endOf, type Kv, type Lent, readFact, scopeOf, write} from './facts.ts';
import {generationsOf} from './holders.ts';
import type {creating} from './inputs.ts';
import {factOfKey, generationsIn, type Key, type Metadata, shown} from './key.ts';
import {written} from './origins.ts';

const unknownKey = (id: string): Error => refuse('not_found', `There is no key ${id}.`);

/** `id:` rows are written by `rowsOf` alone. Another tenant's key is one that there is not. */
export const keyOf = (kv: Kv, id: string, caller: Caller): Key => {
	const key = kv.get(`id:${id}`) as Key | undefined;
	if (key === undefined || !mayReach(caller, key.tenant)) throw unknownKey(id);
	return key;
};

export const factOf = (kv: Kv, key: Key) => factOfKey(key, readFact(kv, scopeOf.key(key.id)));

export const shownNow = (key: Key, {kv, clock}: Pick<Lent, 'kv' | 'clock'>): Json => {
	const metadata = (kv.get(`about:${key.id}`) as Metadata | undefined) ?? key.metadata;
	return shown({...key, ...(metadata && {metadata})}, readFact(kv, scopeOf.key(key.id)), clock.now());
};

/** Throws `conflict` for a key that is revoked. */
export const standing = (kv: Kv, key: Key): Key => {
	if (factOf(kv, key).ended === undefined) return key;
	throw refuse('conflict', `The key ${key.id} is revoked, and that is for good.`);
};

/** A key and the doors of its secrets; its metadata where it has some, and `null` to take it away. */
export const rowsOf = ({metadata, ...key}: Omit<Key, 'metadata'> & {metadata?: Metadata | null | undefined}): Record<string, Json> => {
	const rows: Record<string, Json> = {[`id:${key.id}`]: key as Json};
	for (const {sha256} of key.secrets) rows[`key:${sha256}`] = key.id;
	if (metadata !== undefined) rows[`about:${key.id}`] = metadata;
	return rows;
};

/** What an input says of a key's nature, as it is stored. */
export const natureIn = ({origins, mayTag, mayMint}: {origins?: string[] | null; mayTag?: boolean; mayMint?: number | boolean}) => ({
	origins: origins?.map(written),
	mayTag: mayTag || undefined,
	mayMint: generationsIn(mayMint) || undefined,
});

type Wanted = Omit<z.output<typeof creating>, 'mayMint'> & {mayMint?: number | boolean; parents?: string[]};

/** Writes a new key; its secret is in this answer and nowhere else. */
export const make = async (lent: Lent, wanted: Wanted, {actor}: Caller): Promise<Json> => {
	const {kv, clock, random} = lent;
	const {ttlSeconds, expiresAt, ...rest} = wanted;
	const now = clock.now();
	const {value, sha256} = random.secret('vk_');
	const id = `key_${random.uuid().replaceAll('-', '')}`;
	const key: Key = {
		id,
		...rest,
		...natureIn(rest),
		expiresAt: endOf({expiresAt, ttlSeconds}, now),
		generations: generationsOf(kv, rest),
		createdAt: now,
		createdBy: actor,
		secrets: [{sha256}],
	};
	const parent = rest.parents?.at(-1);
	await write(lent, {...rowsOf(key), ...(parent !== undefined && {[`child:${parent}/${id}`]: 1})});
	return {key: value, ...(shownNow(key, lent) as object)} as Json;
};
