import type * as z from 'zod';
import {type Caller, type Json, mayReach, refuse} from '../../plugin-sdk/index.ts';
import {endOf, factRows, type Kv, type Lent, readFact, scopeOf, write} from './facts.ts';
import {generationsOf} from './holders.ts';
import type {creating} from './inputs.ts';
import {doorOf, factOfKey, generationsIn, type Key, type Secret, shown} from './key.ts';
import {written} from './origins.ts';

const unknownKey = (id: string): Error => refuse('not_found', `There is no key ${id}.`);

/** `id:` rows are written by `rowsOf` alone. Another tenant's key is one that there is not. */
export const keyOf = (kv: Kv, id: string, caller: Caller): Key => {
	const key = kv.get(`id:${id}`) as Key | undefined;
	if (key === undefined || !mayReach(caller, key.tenant)) throw unknownKey(id);
	return key;
};

export const factOf = (kv: Kv, key: Key) => factOfKey(key, readFact(kv, scopeOf.key(key.id)));

export const shownNow = (key: Key, {kv, clock}: Pick<Lent, 'kv' | 'clock'>): Json =>
	shown(key, readFact(kv, scopeOf.key(key.id)), clock.now());

/** Throws `conflict` for a key that is revoked. */
export const standing = (kv: Kv, key: Key): Key => {
	if (factOf(kv, key).ended === undefined) return key;
	throw refuse('conflict', `The key ${key.id} is revoked, and that is for good.`);
};

/** A key and the doors of all its secrets. */
export const rowsOf = (key: Key, forgotten: readonly Secret[] = []): Record<string, Json> => {
	const rows: Record<string, Json> = {[`id:${key.id}`]: key as Json};
	for (const {sha256} of forgotten) rows[`key:${sha256}`] = null;
	for (const secret of key.secrets) rows[`key:${secret.sha256}`] = doorOf(key, secret) as Json;
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
	const until = endOf({expiresAt, ttlSeconds}, now);
	const {value, sha256} = random.secret('vk_');
	const id = `key_${random.uuid().replaceAll('-', '')}`;
	const key: Key = {
		id,
		...rest,
		...natureIn(rest),
		generations: generationsOf(kv, rest),
		createdAt: now,
		createdBy: actor,
		secrets: [{sha256}],
	};
	const parent = rest.parents?.at(-1);
	await write(lent, {
		...rowsOf(key),
		...factRows(scopeOf.key(id), {until}),
		...(parent !== undefined && {[`child:${parent}/${id}`]: 1}),
	});
	return {key: value, ...(shownNow(key, lent) as object)} as Json;
};
