import {createHash} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openStore} from '../core/store/open.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const past = Date.parse('2026-01-01T00:00:00Z');
const future = Date.parse('2126-01-01T00:00:00Z');

/** The rows that virtual-keys 1.0 wrote: state and end stood in the key and in its door. */
const rowsOf = (number: number, standing: {blockedAt?: number; revokedAt?: number; expiresAt?: number}) => {
	const id = `key_${String(number).padStart(32, '0')}`;
	const {blockedAt, revokedAt, expiresAt} = standing;
	const state = revokedAt ? 'revoked' : blockedAt ? 'blocked' : undefined;
	const principal = {id, tenant: 'acme', key: id, tags: [], accounts: ['tenant:acme', `key:${id}`]};
	return {
		[`id:${id}`]: JSON.stringify({
			id,
			tenant: 'acme',
			tags: [],
			createdAt: past,
			createdBy: 'admin',
			...standing,
			secrets: [{sha256: sha256(`vk_${number}`)}],
		}),
		[`key:${sha256(`vk_${number}`)}`]: JSON.stringify({principal, state, until: expiresAt}),
	};
};

const start = async (t: ExecutionContext, standings: Parameters<typeof rowsOf>[1][]) => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-before-'));
	const store = await openStore(join(folder, 'store.db'));
	for (const [number, standing] of standings.entries()) await store.kvPut('virtual-keys', rowsOf(number, standing));
	await store.close();
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	return startGateway(t, {}, {folder});
};

const code = async ({url}: TestGateway, key: string): Promise<string> => {
	const response = await fetch(`${url}/v1/models`, {headers: {authorization: `Bearer ${key}`}});
	const {error} = (await response.json()) as {error?: {code: string}};
	return error?.code ?? 'ok';
};

test('keys that the release before made, blocked, revoked or gave an end are so still, and can be changed', async t => {
	const gateway = await start(t, [{}, {blockedAt: past}, {revokedAt: past}, {expiresAt: past}, {expiresAt: future}]);
	const all = () => Promise.all([0, 1, 2, 3, 4].map(number => code(gateway, `vk_${number}`)));
	const id = (number: number) => ({id: `key_${String(number).padStart(32, '0')}`});
	const act = (action: string, input: object) => gateway.act('virtual-keys', action, {...input});
	t.deepEqual(await all(), ['ok', 'key_blocked', 'unauthenticated', 'key_expired', 'ok']);
	const listed = (await act('list', {})) as {keys: {state: string}[]};
	t.deepEqual(
		listed.keys.map(({state}) => state),
		['active', 'blocked', 'revoked', 'expired', 'active'],
	);
	await act('unblock', id(1));
	await act('expire', {...id(3), at: null});
	await act('expire', {...id(4), at: '2026-01-01T00:00:00Z'});
	await t.throwsAsync(act('unblock', id(2)), {message: /revoked/});
	t.deepEqual(await all(), ['ok', 'ok', 'unauthenticated', 'ok', 'key_expired']);
	await act('expire', {...id(4), at: '2126-01-01T00:00:00Z'});
	const {key} = await act('rotate', {...id(4), graceSeconds: 60});
	t.deepEqual([await code(gateway, String(key)), await code(gateway, 'vk_4')], ['ok', 'ok']);
	await act('tenants.block', {tenant: 'acme'});
	t.deepEqual(await all(), ['blocked', 'blocked', 'unauthenticated', 'blocked', 'blocked']);
});
