import type * as z from 'zod';
import {type Caller, type Json, refuse, within} from '../../plugin-sdk/index.ts';
import {factRows, inTurn, type Lent, scopeOf, write} from './facts.ts';
import type {creating, listing, updating} from './inputs.ts';
import type {Key, Secret} from './key.ts';
import {requireNarrower} from './lineage.ts';
import {factOf, keyOf, make, natureIn, rowsOf, shownNow, standing} from './rows.ts';
import {passOfKey, verdictOn} from './standing.ts';

export const create = (wanted: z.output<typeof creating>, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(() => {
		within(caller, wanted.tenant);
		return make(lent, wanted, caller);
	});

/** The first key of an empty store; once there is any key, revoked or not, there is no first one any more. */
export const createFirst = (lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		if (lent.kv.list('id:', {limit: 1}).length > 0) throw refuse('conflict', 'There are keys already; use create.');
		return make(lent, {name: 'first key', tenant: 'default', tags: []}, caller);
	});

export const get = (id: string, lent: Lent, caller: Caller): Json => shownNow(keyOf(lent.kv, id, caller), lent);

/** What pre-auth would say to the holder of a key, wherever it came from. */
export const explain = (id: string, {kv, clock}: Lent, caller: Caller): Json =>
	verdictOn(passOfKey(kv, keyOf(kv, id, caller)), undefined, clock.now) as Json;

/** Looks at 1,000 keys at most: a page may hold fewer than it should while `next` says that there are more. */
export const list = ({after, limit, ...wanted}: z.output<typeof listing>, lent: Lent, caller: Caller): Json => {
	const {tenant = caller.tenant, team, user, parent} = wanted;
	within(caller, tenant);
	const most = 1_000;
	const rows = lent.kv.list('id:', {limit: most, ...(after !== undefined && {after: `id:${after}`})});
	const fits = (key: Key) =>
		(tenant ?? key.tenant) === key.tenant &&
		(team ?? key.team) === key.team &&
		(user ?? key.user) === key.user &&
		(parent === undefined || key.parents?.at(-1) === parent);
	const keys: Json[] = [];
	for (const [index, {value}] of rows.entries()) {
		const key = value as Key;
		if (fits(key)) keys.push(shownNow(key, lent));
		const more = index + 1 < rows.length || rows.length === most;
		if (more && (keys.length === limit || index + 1 === most)) return {keys, next: key.id};
	}
	return {keys};
};

/** A new secret for a key. The old ones work for `graceSeconds` more, and no longer than they would have. */
export const rotate = (id: string, graceSeconds: number, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		const {kv, clock, random} = lent;
		const key = standing(kv, keyOf(kv, id, caller));
		const now = clock.now();
		const {until: over} = factOf(kv, key);
		if (typeof over === 'number' && over <= now) throw refuse('conflict', `The key ${id} has expired; set a later end first.`);
		const end = now + graceSeconds * 1_000;
		const graced = key.secrets.map(({sha256, until = end}): Secret => ({sha256, until: Math.min(until, end)}));
		// Those whose grace was over before this rotation are forgotten, or a key's rows would grow for ever.
		const forgotten = key.secrets.filter(({until}) => until !== undefined && until <= now);
		const {value, sha256} = random.secret('vk_');
		const kept = graced.filter(old => !forgotten.some(gone => gone.sha256 === old.sha256));
		const saved = {...key, rotatedAt: now, secrets: [{sha256}, ...kept]};
		const gone = Object.fromEntries(forgotten.map(old => [`key:${old.sha256}`, null]));
		await write(lent, {...rowsOf(saved), ...gone});
		return {key: value, ...(shownNow(saved, lent) as object), oldSecretsEndAt: new Date(end).toISOString()} as Json;
	});

type Fact = Parameters<typeof factRows>[1];

const change = (id: string, lent: Lent, caller: Caller, to: (key: Key, now: number) => Fact): Promise<Json> =>
	inTurn(async () => {
		const key = keyOf(lent.kv, id, caller);
		const fact = to(key, lent.clock.now());
		await write(lent, factRows(scopeOf.key(id), fact));
		return shownNow(key, lent);
	});

export const block = (id: string, lent: Lent, caller: Caller): Promise<Json> =>
	change(id, lent, caller, (key, now) => ({blockedAt: factOf(lent.kv, standing(lent.kv, key)).blockedAt ?? now}));

export const unblock = (id: string, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		const {blockedAt, ...key} = standing(lent.kv, keyOf(lent.kv, id, caller));
		// 1.0 wrote it into the key itself.
		await write(lent, {...(blockedAt !== undefined && rowsOf(key)), ...factRows(scopeOf.key(id), {blockedAt: null})});
		return shownNow(key, lent);
	});

/** For good; the row stays, for audit. */
export const revoke = (id: string, lent: Lent, caller: Caller): Promise<Json> =>
	change(id, lent, caller, (key, now) => ({ended: factOf(lent.kv, key).ended ?? {at: now}}));

/** Ends a child for good: of the key that the caller holds, where it holds one, and of no other. */
export const endChild = (id: string, lent: Lent, caller: Caller): Promise<Json> => {
	const {parents = []} = keyOf(lent.kv, id, caller);
	const mayEnd = caller.key === undefined ? parents.length > 0 : parents.includes(caller.key);
	if (mayEnd) return revoke(id, lent, caller);
	throw refuse('not_found', `There is no child ${id}.`);
};

export const expire = (id: string, at: string | null, lent: Lent, caller: Caller): Promise<Json> =>
	change(id, lent, caller, key => {
		const until = at === null ? null : Date.parse(at);
		requireNarrower(lent.kv, standing(lent.kv, key), {until});
		return {until};
	});

/** Changes what is named; a child stays within its parent. */
export const update = ({id, ...wanted}: z.output<typeof updating>, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		const {kv} = lent;
		const key = standing(kv, keyOf(kv, id, caller));
		const {name, tags, metadata, mayMint, ...rest} = wanted;
		const nature = natureIn({...rest, ...(mayMint !== undefined && {mayMint})});
		const next: Key = {
			...key,
			...(name !== undefined && {name: name ?? undefined}),
			...(tags !== undefined && {tags}),
			...(wanted.origins !== undefined && {origins: nature.origins}),
			...(wanted.mayTag !== undefined && {mayTag: nature.mayTag}),
			...(mayMint !== undefined && {mayMint: nature.mayMint}),
		};
		requireNarrower(kv, next, {});
		await write(lent, rowsOf({...next, metadata: metadata === undefined ? key.metadata : metadata}));
		return shownNow({...next, metadata: undefined}, lent);
	});
