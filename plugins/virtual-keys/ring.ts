import type * as z from 'zod';
import {type Caller, type Host, type Json, refuse} from '../../plugin-sdk/index.ts';
import type {creating, listing} from './inputs.ts';
import {doorOf, type Key, type Secret, shown} from './key.ts';

type Lent = Pick<Host<unknown>, 'kv' | 'clock' | 'random'>;
type Change = (key: Key, now: number) => Key;

/** One piece of work after another: what an action read is still so when it writes. */
const openTurns = () => {
	let last: Promise<unknown> = Promise.resolve();
	return <T>(work: () => Promise<T>): Promise<T> => {
		const next = last.then(work, work);
		last = next;
		return next;
	};
};
const inTurn = openTurns();

/** `id:` rows are written by `save` alone. */
const keyOf = (kv: Lent['kv'], id: string): Key => {
	const key = kv.get(`id:${id}`) as Key | undefined;
	if (key === undefined) throw refuse('not_found', `There is no key ${id}.`);
	return key;
};

const standing = (key: Key): Key => {
	if (key.revokedAt === undefined) return key;
	throw refuse('conflict', `The key ${key.id} is revoked, and that is for good.`);
};

/** Writes a key and the doors of all its secrets, all or nothing. */
const save = async (kv: Lent['kv'], key: Key, forgotten: readonly Secret[] = []): Promise<Key> => {
	const rows: Record<string, Json> = {[`id:${key.id}`]: key as Json};
	for (const {sha256} of forgotten) rows[`key:${sha256}`] = null;
	for (const secret of key.secrets) rows[`key:${secret.sha256}`] = doorOf(key, secret) as Json;
	const {error} = await kv.put(rows);
	if (error) throw refuse('store_unavailable', 'The key could not be written; nothing has changed.');
	return key;
};

const momentOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));

const make = async ({kv, clock, random}: Lent, wanted: z.output<typeof creating>, {actor}: Caller): Promise<Json> => {
	const {ttlSeconds, expiresAt, ...rest} = wanted;
	const now = clock.now();
	const end = ttlSeconds === undefined ? momentOf(expiresAt) : now + ttlSeconds * 1_000;
	if (end !== undefined && end <= now) throw refuse('invalid_request', 'expiresAt: this moment has passed');
	const {value, sha256} = random.secret('vk_');
	const id = `key_${random.uuid().replaceAll('-', '')}`;
	const key = await save(kv, {id, ...rest, createdAt: now, createdBy: actor, expiresAt: end, secrets: [{sha256}]});
	return {key: value, ...shown(key, now)} as Json;
};

/** A new key; its secret is in this answer and nowhere else. */
export const create = (wanted: z.output<typeof creating>, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(() => make(lent, wanted, caller));

/** The first key of an empty store; once there is any key, revoked or not, there is no first one any more. */
export const createFirst = (lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		if (lent.kv.list('id:', {limit: 1}).length > 0) throw refuse('conflict', 'There are keys already; use create.');
		return make(lent, {name: 'first key', tenant: 'default', tags: []}, caller);
	});

export const get = (id: string, {kv, clock}: Lent): Json => shown(keyOf(kv, id), clock.now()) as Json;

/** Looks at 1,000 keys at most: a page may hold fewer than it should while `next` says that there are more. */
export const list = ({after, limit, ...wanted}: z.output<typeof listing>, {kv, clock}: Lent): Json => {
	const most = 1_000;
	const rows = kv.list('id:', {limit: most, ...(after !== undefined && {after: `id:${after}`})});
	const now = clock.now();
	const fits = (key: Key) =>
		(wanted.tenant ?? key.tenant) === key.tenant && (wanted.team ?? key.team) === key.team && (wanted.user ?? key.user) === key.user;
	const keys: Json[] = [];
	for (const [index, {value}] of rows.entries()) {
		const key = value as Key;
		if (fits(key)) keys.push(shown(key, now) as Json);
		const more = index + 1 < rows.length || rows.length === most;
		if (more && (keys.length === limit || index + 1 === most)) return {keys, next: key.id};
	}
	return {keys};
};

/** A new secret for a key. The old ones work for `graceSeconds` more, and no longer than they would have. */
export const rotate = (id: string, graceSeconds: number, {kv, clock, random}: Lent): Promise<Json> =>
	inTurn(async () => {
		const key = standing(keyOf(kv, id));
		const now = clock.now();
		if (key.expiresAt !== undefined && key.expiresAt <= now) throw refuse('conflict', `The key ${id} has expired; set a later end first.`);
		const end = now + graceSeconds * 1_000;
		const graced = key.secrets.map(({sha256, until = end}): Secret => ({sha256, until: Math.min(until, end)}));
		// Those whose grace was over before this rotation are forgotten, or a key's rows would grow for ever.
		const forgotten = key.secrets.filter(({until}) => until !== undefined && until <= now);
		const {value, sha256} = random.secret('vk_');
		const kept = graced.filter(old => !forgotten.some(gone => gone.sha256 === old.sha256));
		const saved = await save(kv, {...key, rotatedAt: now, secrets: [{sha256}, ...kept]}, forgotten);
		return {key: value, ...shown(saved, now), oldSecretsEndAt: new Date(end).toISOString()} as Json;
	});

const change = (id: string, {kv, clock}: Lent, to: Change): Promise<Json> =>
	inTurn(async () => {
		const now = clock.now();
		return shown(await save(kv, to(keyOf(kv, id), now)), now) as Json;
	});

export const block = (id: string, lent: Lent): Promise<Json> =>
	change(id, lent, (key, now) => ({...standing(key), blockedAt: key.blockedAt ?? now}));

export const unblock = (id: string, lent: Lent): Promise<Json> => change(id, lent, key => ({...standing(key), blockedAt: undefined}));

/** For good; the row stays, for audit. */
export const revoke = (id: string, lent: Lent): Promise<Json> =>
	change(id, lent, (key, now) => ({...key, revokedAt: key.revokedAt ?? now}));

export const expire = (id: string, at: string | null, lent: Lent): Promise<Json> =>
	change(id, lent, key => ({...standing(key), expiresAt: momentOf(at ?? undefined)}));
