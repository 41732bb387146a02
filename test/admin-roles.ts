import test, {type ExecutionContext} from 'ava';
import {type Admins, openAdmins, replaceFirstKey} from '../core/admin/admins.ts';
import {hashOf} from '../core/admin/key.ts';
import {openKv} from '../core/store/kv.ts';
import {calls, notes, notesEntry, type Said} from './helpers/admins.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {openFor, until} from './helpers/store-engines.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

const action = (name: string): string => `/admin/plugins/notes/actions/${name}`;

const setup = async (t: ExecutionContext) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, notesEntry(await notes(t))]});
	const call = calls(gateway);
	const make = async (input: Record<string, unknown>): Promise<Said['body']> => {
		const {status, body} = await call('/admin/admins', {name: 'somebody', ...input});
		if (status !== 200) throw new Error(JSON.stringify(body));
		return body;
	};
	const admins = async () => (await call('/admin/admins', undefined, {method: 'GET'})).body.admins as Said['body'][];
	return {gateway, call, make, admins};
};

test('an admin of one tenant reaches what is of that tenant, and of another it learns not even that it is there', async t => {
	const {call, make} = await setup(t);
	const {key} = await make({role: 'admin', tenant: 'acme'});
	await call(action('write'), {scope: 'tenant:other', text: 'theirs', id: 'theirs'});
	await call(action('write'), {scope: '*', text: "everybody's", id: 'all'});

	t.is((await call(action('write'), {scope: 'team:acme/search', text: 'ours', id: 'ours'}, {key})).status, 200);
	t.like((await call(action('read'), {id: 'ours'}, {key})).body, {text: 'ours'});
	for (const scope of [
		'tenant:other',
		'team:other/search',
		'user:other/ada',
		'tenant:acme/../other',
		'tenant:acm',
		'key:key_1',
		'*',
		'acme',
	]) {
		const {status, body} = await call(action('write'), {scope, text: 'mine now', id: 'theirs'}, {key});
		t.like({status, code: body.code}, {status: 403, code: 'denied'}, scope);
		t.false(JSON.stringify(body).includes('other/'), scope);
	}
	const guessed = await call(action('read'), {id: 'theirs'}, {key});
	const invented = await call(action('read'), {id: 'nowhere'}, {key});
	t.deepEqual([guessed.status, invented.status], [404, 404]);
	t.is(String(guessed.body.detail).replace('theirs', ''), String(invented.body.detail).replace('nowhere', ''));
	t.is((await call(action('read'), {id: 'all'}, {key})).status, 404);
	t.like((await call(action('read'), {id: 'theirs'})).body, {text: 'theirs'});
});

test('whatever does not say that it keeps to tenants is closed to an admin of one', async t => {
	const {call, make} = await setup(t);
	for (const role of ['admin', 'auditor', 'approver']) {
		const {key} = await make({role, tenant: 'acme'});
		for (const name of ['many', 'forget', 'decide'])
			t.is((await call(action(name), {count: 1, size: 1, id: '1'}, {key})).body.code, 'denied', `${role} ${name}`);
		t.is((await call('/admin/plugins', undefined, {key, method: 'GET'})).status, 403);
		t.is((await call('/admin/admins', undefined, {key, method: 'GET'})).status, 403);
		t.is((await call('/admin/openapi.json', undefined, {key, method: 'GET'})).status, 200);
	}
});

test('an auditor reads and changes nothing, an approver reads and decides', async t => {
	const {call, make} = await setup(t);
	await call(action('write'), {scope: '*', text: 'for all'});
	const statuses = async (key: string) => {
		const said: number[] = [];
		for (const [name, input] of [
			['read', {id: '1'}],
			['write', {scope: '*', text: 'changed'}],
			['decide', {}],
		] as const)
			said.push((await call(action(name), input, {key})).status);
		return said;
	};
	t.deepEqual(await statuses((await make({role: 'auditor'})).key), [200, 403, 403]);
	t.deepEqual(await statuses((await make({role: 'approver'})).key), [200, 403, 200]);
	t.like((await call(action('read'), {id: '1'})).body, {text: 'for all'});
	t.deepEqual(await statuses((await make({role: 'owner'})).key), [200, 200, 200]);
});

test('nobody but an owner makes, blocks or ends admins, not even itself a wider one', async t => {
	const {call, make, admins} = await setup(t);
	const before = await make({role: 'owner'});
	for (const wanted of [{role: 'admin', tenant: 'acme'}, {role: 'auditor'}, {role: 'approver'}, {role: 'approver', tenant: 'acme'}]) {
		const {key, id} = await make(wanted);
		const count = (await admins()).length;
		const tries: [string, unknown][] = [
			['/admin/admins', {name: 'me again', role: 'owner'}],
			['/admin/admins', {name: 'me again', ...wanted}],
			['/admin/admins', {name: 'me again', role: 'auditor', tenant: 'acme'}],
			[`/admin/admins/${before.id}/revoke`, {}],
			[`/admin/admins/${before.id}/block`, {}],
			[`/admin/admins/${id}/unblock`, {}],
			['/admin/admins/first-owner/revoke', {}],
		];
		for (const [path, input] of tries) t.like((await call(path, input, {key})).body, {code: 'denied'}, `${wanted.role} ${path}`);
		t.is((await admins()).length, count);
	}
	t.is((await call('/admin/admins', undefined, {key: before.key, method: 'GET'})).status, 200);
});

test('a blocked and a revoked admin are out at once, a revoked one for good', async t => {
	const {gateway, call, make, admins} = await setup(t);
	const {key, id} = await make({role: 'owner'});
	const status = async (its = key) => (await call(action('decide'), {}, {key: its})).status;
	const change = (to: string) => call(`/admin/admins/${id}/${to}`, {});
	t.is(await status(), 200);
	t.like((await change('block')).body, {id, state: 'blocked'});
	t.is(await status(), 403);
	await change('unblock');
	t.is(await status(), 200);
	// At the same moment, on whichever replica: a block takes no revocation away.
	await Promise.all([change('block'), change('revoke'), change('unblock')]);
	t.is(await status(), 401);
	t.is((await change('unblock')).status, 409);
	t.is((await change('block')).status, 409);
	t.like(
		(await admins()).find(admin => admin.id === id),
		{state: 'revoked'},
	);

	t.is((await call('/admin/admins/first-owner/revoke', {})).status, 409);
	t.is((await call('/admin/admins/admin_nobody/revoke', {})).status, 404);
	t.false(JSON.stringify([await admins(), await gateway.journal(), gateway.logged()]).includes(key));
});

test('an admin ends with its last moment', async t => {
	const clock = {now: Date.parse('2026-11-22T12:00:00Z')};
	const kv = await openKv((await temporaryStore(t)).store);
	const admins = openAdmins({kv, firstKeySha256: hashOf('adm_first'), now: () => clock.now});
	const {key} = await admins.create({name: 'rita', role: 'auditor', ttlSeconds: 60}, 'test');
	clock.now += 59_999;
	t.like(admins.identify(key), {role: 'auditor'});
	clock.now += 1;
	t.throws(() => admins.identify(key), {code: 'key_expired'});
	t.like(admins.list().at(-1), {state: 'expired'});
	t.like(admins.identify('adm_first'), {actor: 'first-owner', role: 'owner'});
});

test('an admin who is made, blocked or revoked is so in every process within a second, and so is another first key', async t => {
	const {file, store: first} = await temporaryStore(t);
	const second = await openFor(t, file, {process: 'another'});
	const kvs = await Promise.all([first, second].map(openKv));
	const [here, there] = kvs.map(kv => openAdmins({kv, firstKeySha256: hashOf('adm_first')}));
	const {key, id} = await here!.create({name: 'rita', role: 'auditor'}, 'test');
	const isIn = (admins: Admins, its: string) => {
		try {
			return admins.identify(its).actor !== '';
		} catch {
			return false;
		}
	};
	await until(t, () => isIn(there!, key), 'made', 1_000);
	await there!.change(id, 'block');
	await until(t, () => !isIn(here!, key), 'blocked', 1_000);
	await here!.change(id, 'unblock');
	await until(t, () => isIn(there!, key), 'unblocked', 1_000);
	await there!.change(id, 'revoke');
	await until(t, () => !isIn(here!, key), 'revoked', 1_000);

	await replaceFirstKey(second, hashOf('adm_second'));
	await until(t, () => isIn(here!, 'adm_second') && isIn(there!, 'adm_second'), 'replaced', 1_000);
	t.false(isIn(here!, 'adm_first') || isIn(there!, 'adm_first'));
});

test('an admin without a sensible role, tenant or end is not made', async t => {
	const {call, admins} = await setup(t);
	for (const [input, field] of [
		[{role: 'admin'}, 'tenant'],
		[{role: 'owner', tenant: 'acme'}, 'tenant'],
		[{role: 'root'}, 'role'],
		[{role: 'auditor', tenant: 'a/b'}, 'tenant'],
		[{role: 'auditor', ttlSeconds: 0}, 'ttlSeconds'],
		[{role: 'auditor', expiresAt: '2020-01-01T00:00:00Z'}, 'expiresAt'],
		[{role: 'auditor', ttlSeconds: 5, expiresAt: '2999-01-01T00:00:00Z'}, 'not both'],
		[{role: 'auditor', key: 'adm_mine'}, 'key'],
	] as const) {
		const {status, body} = await call('/admin/admins', {name: 'x', ...input});
		t.is(status, 400, JSON.stringify(input));
		t.true(String(body.detail).includes(field), String(body.detail));
	}
	t.deepEqual(
		(await admins()).map(({id, role}) => [id, role]),
		[['first-owner', 'owner']],
	);
});

test('the keys of admins outlive a restart, and open no model', async t => {
	const folder = freshFolder(t);
	const plugins = [{use: 'virtual-keys'}];
	const first = await startGateway(t, {plugins}, {folder});
	const {body} = await calls(first)('/admin/admins', {name: 'rita', role: 'auditor'});
	await first.stop();
	const second = await startGateway(t, {plugins}, {folder});
	t.is((await calls(second)('/admin/plugins', undefined, {key: body.key, method: 'GET'})).status, 200);
	const models = await fetch(`${second.url}/v1/models`, {headers: {authorization: `Bearer ${body.key}`}});
	t.is(models.status, 401);
});
