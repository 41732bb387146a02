import {randomUUID, timingSafeEqual} from 'node:crypto';
import * as z from 'zod';
import type {Caller, Role} from '../../plugin-sdk/index.ts';
import {GatewayError} from '../errors.ts';
import type {Kv} from '../store/kv.ts';
import type {Store} from '../store/store.ts';
import {firstKeyName, hashOf, newAdminKey} from './key.ts';

const moment = z.iso.datetime({offset: true, error: 'a moment like 2027-01-31T00:00:00Z'});
const tenant = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots, dashes and underscores, at most 63');
const longestSeconds = 10 * 366 * 86_400;

/** What an owner says of a new admin. */
export const creating = z
	.strictObject({
		name: z.string().min(1).max(200),
		role: z.enum(['owner', 'admin', 'auditor', 'approver'] satisfies Role[]),
		/** Confines it to what is of this tenant; an `admin` always is, an `owner` never. */
		tenant: tenant.optional(),
		expiresAt: moment.optional(),
		ttlSeconds: z.int().min(1).max(longestSeconds).optional(),
	})
	.refine(({role, tenant}) => role !== 'admin' || tenant !== undefined, {
		path: ['tenant'],
		error: 'an admin is of one tenant: name it, or make an owner',
	})
	.refine(({role, tenant}) => role !== 'owner' || tenant === undefined, {path: ['tenant'], error: 'an owner is of no tenant'})
	.refine(({expiresAt, ttlSeconds}) => expiresAt === undefined || ttlSeconds === undefined, 'say expiresAt or ttlSeconds, not both');

/**
 * One admin as it is stored under `id:<id>`, never to change; of its key, the hash alone. `blocked:<id>` and `revoked:<id>` stand beside
 * it, each written by itself: a block on one replica cannot undo what another has just revoked. Moments are milliseconds since 1970.
 */
type Admin = {
	id: string;
	name: string;
	role: Role;
	tenant?: string;
	createdAt: number;
	createdBy: string;
	expiresAt?: number;
	sha256: string;
};

/** What is shown of an admin: never its key or its hash. */
export type ShownAdmin = Pick<Admin, 'id' | 'name' | 'role' | 'tenant'> & {
	state: 'active' | 'expired' | 'blocked' | 'revoked';
	createdAt?: string;
	createdBy?: string;
	expiresAt?: string;
};

export type Change = 'block' | 'unblock' | 'revoke';

/** Whoever may use the admin API: the holder of the first key, and those an owner made since. */
export type Admins = {
	/** Who holds this key. Throws `unauthenticated`, `key_expired` or `key_blocked`; a revoked key is one that never was. */
	identify(key: string | undefined): Caller;
	/** A new admin with its key, which is in this answer and nowhere else. */
	create(wanted: z.output<typeof creating>, by: string): Promise<ShownAdmin & {key: string}>;
	list(): ShownAdmin[];
	/** Throws `not_found` or `conflict`. */
	change(id: string, change: Change): Promise<ShownAdmin>;
};

/** No plugin can have this name, so none can read or write here. */
const namespace = '@admins';
/** Told to the processes that run while the first key is replaced; the store's meta is what counts at a start. */
const firstRow = 'first';

/** Puts another first key in force, here and in every process on this store, before it resolves and soon after. */
export const replaceFirstKey = async (store: Pick<Store, 'metaPut' | 'kvPut'>, sha256: string): Promise<void> => {
	await store.metaPut(firstKeyName, sha256);
	await store.kvPut(namespace, {[firstRow]: JSON.stringify(sha256)});
};
/** The holder of the key that the first start made, which `sallyport admin-key` alone replaces. */
const first: ShownAdmin = {id: 'first-owner', name: 'the first admin key', role: 'owner', state: 'active'};

const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString());

const notKnown = (): GatewayError => new GatewayError('unauthenticated', 'This needs an admin key: "Authorization: Bearer adm_…".');

type Options = {
	kv: Pick<Kv, 'space' | 'put' | 'onChange'>;
	/** As the store's meta has it now. */
	firstKeySha256: string;
	now?: () => number;
};

export const openAdmins = ({kv, firstKeySha256, now = Date.now}: Options): Admins => {
	const {get, list} = kv.space(namespace);
	let firstSha256 = firstKeySha256;
	kv.onChange((plugin, entries) => {
		const replaced = plugin === namespace ? entries[firstRow] : undefined;
		if (typeof replaced === 'string') firstSha256 = JSON.parse(replaced) as string;
	});
	const byId = (id: string): Admin | undefined => {
		const json = get(`id:${id}`);
		return json === undefined ? undefined : (JSON.parse(json) as Admin);
	};
	const stateOf = ({id, expiresAt}: Admin): ShownAdmin['state'] => {
		if (get(`revoked:${id}`) !== undefined) return 'revoked';
		if (get(`blocked:${id}`) !== undefined) return 'blocked';
		return expiresAt !== undefined && expiresAt <= now() ? 'expired' : 'active';
	};
	const shown = (admin: Admin): ShownAdmin => {
		const {id, name, role, tenant, createdAt, createdBy, expiresAt} = admin;
		return {id, name, role, tenant, state: stateOf(admin), createdAt: iso(createdAt), createdBy, expiresAt: iso(expiresAt)};
	};

	return {
		identify(key) {
			if (key === undefined) throw notKnown();
			const sha256 = hashOf(key);
			if (timingSafeEqual(Buffer.from(sha256), Buffer.from(firstSha256))) return {actor: first.id, role: first.role};
			const id = get(`key:${sha256}`);
			const admin = id === undefined ? undefined : byId(JSON.parse(id) as string);
			if (!admin) throw notKnown();
			const state = stateOf(admin);
			if (state === 'revoked') throw notKnown();
			if (state === 'blocked') throw new GatewayError('key_blocked', 'This admin key is blocked.');
			if (state === 'expired') throw new GatewayError('key_expired', 'This admin key has expired.');
			return {actor: admin.id, role: admin.role, ...(admin.tenant !== undefined && {tenant: admin.tenant})};
		},
		async create({ttlSeconds, expiresAt, ...wanted}, by) {
			const at = now();
			const end = ttlSeconds === undefined ? expiresAt && Date.parse(expiresAt) : at + ttlSeconds * 1_000;
			if (end && end <= at) throw new GatewayError('invalid_request', 'expiresAt: this moment has passed');
			const key = newAdminKey();
			const id = `admin_${randomUUID().replaceAll('-', '')}`;
			const admin: Admin = {id, ...wanted, createdAt: at, createdBy: by, expiresAt: end || undefined, sha256: hashOf(key)};
			await kv.put(namespace, {[`id:${id}`]: JSON.stringify(admin), [`key:${admin.sha256}`]: JSON.stringify(id)});
			return {key, ...shown(admin)};
		},
		list: () => [
			first,
			...list('id:', undefined, Number.POSITIVE_INFINITY)
				.map(([, json]) => JSON.parse(json) as Admin)
				.sort((a, b) => a.createdAt - b.createdAt)
				.map(shown),
		],
		async change(id, change) {
			if (id === first.id) throw new GatewayError('conflict', 'The first admin key is replaced by sallyport admin-key alone.');
			const admin = byId(id);
			if (!admin) throw new GatewayError('not_found', `There is no admin ${id.slice(0, 100)}.`);
			if (change !== 'revoke' && stateOf(admin) === 'revoked')
				throw new GatewayError('conflict', `The admin ${id} is revoked, and that is for good.`);
			const row = change === 'revoke' ? `revoked:${id}` : `blocked:${id}`;
			await kv.put(namespace, {[row]: change === 'unblock' ? null : JSON.stringify(now())});
			return shown(admin);
		},
	};
};
