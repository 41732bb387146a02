import test, {type ExecutionContext} from 'ava';
import {openDiary} from '../core/admin/differences.ts';
import {hashOf} from '../core/admin/key.ts';
import {openKv} from '../core/store/kv.ts';
import {calls, notes, notesEntry} from './helpers/admins.ts';
import {configFor, folderWith, sallyport, startCommand} from './helpers/cli.ts';
import {startGateway} from './helpers/gateway.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

type Event = {
	what?: string;
	action?: string;
	actor?: string;
	tenant?: string;
	changes?: {key: string; before?: unknown; after?: unknown}[];
	moreChanges?: number;
};

const setup = async (t: ExecutionContext, use: 'own process' | 'inline') => {
	const folder = await notes(t);
	const entry = notesEntry(folder);
	const probe = use === 'inline' ? await startGateway(t, {plugins: [{use: 'virtual-keys'}, entry]}) : undefined;
	const trust = probe?.gateway.house.introduce().at(1)?.digest;
	const plugins = [{use: 'virtual-keys'}, {...entry, ...(trust && {tier: 'inline' as const, trust})}];
	const gateway = await startGateway(t, {plugins});
	const call = calls(gateway);
	const events = async () => (await gateway.journal()).filter(({kind}) => kind === 'admin').map(({event}) => event as Event);
	return {
		gateway,
		events,
		call,
		act: (action: string, input: unknown, key?: string) => call(`/admin/plugins/notes/actions/${action}`, input, {key}),
	};
};

for (const tier of ['own process', 'inline'] as const)
	test(`what an action changed stands in its record, before and after, also where it failed (${tier})`, async t => {
		const {act, events, call} = await setup(t, tier);
		const {body: olga} = await call('/admin/admins', {name: 'olga', role: 'admin', tenant: 'acme'});
		await act('write', {scope: 'tenant:acme', text: 'one'}, olga.key);
		await act('write', {scope: 'tenant:acme', text: 'two'});
		await act('write', {scope: 'tenant:acme', text: 'two'});
		await act('read', {id: '1'});
		await act('forget', {id: '1'});
		const [, made, ...rest] = await events();
		t.like(made, {what: 'admin made', actor: 'first-owner', admin: olga.id});
		t.deepEqual(
			rest.map(({action, actor, tenant, changes}) => ({action, actor, tenant, changes})),
			[
				{
					action: 'write',
					actor: olga.id,
					tenant: 'acme',
					changes: [{key: 'note:1', after: {scope: 'tenant:acme', text: 'one'}}],
				},
				{
					action: 'write',
					actor: 'first-owner',
					tenant: undefined,
					changes: [{key: 'note:1', before: {scope: 'tenant:acme', text: 'one'}, after: {scope: 'tenant:acme', text: 'two'}}],
				},
				{action: 'write', actor: 'first-owner', tenant: undefined, changes: undefined},
				{action: 'read', actor: 'first-owner', tenant: undefined, changes: undefined},
				{
					action: 'forget',
					actor: 'first-owner',
					tenant: undefined,
					changes: [{key: 'note:1', before: {scope: 'tenant:acme', text: 'two'}}],
				},
			],
		);
	});

test('a difference holds no secret and no hash, neither as a key nor in a value', async t => {
	const {act, gateway, events} = await setup(t, 'own process');
	const hash = hashOf('vk_of-somebody');
	await act('write', {scope: '*', text: `see ${hash}`, hash});
	const {key} = await gateway.act('virtual-keys', 'create');
	const all = await events();
	const text = JSON.stringify(all);
	for (const secret of [hash, String(key), hashOf(String(key)), '"short"', gateway.adminKey!]) t.false(text.includes(secret), secret);
	t.deepEqual(
		all.at(-2)?.changes?.map(({key}) => key),
		['note:1', 'by:[64 characters that may be a secret]'],
	);
	t.like(all.at(-2)?.changes?.[1], {after: {id: '1', apiKey: '[hidden]', secret: '[hidden]'}});
	t.true(all.at(-1)!.changes!.length > 0);
});

test('a difference is bounded, in how many changes it tells and in how long each is', async t => {
	const {act, events, gateway} = await setup(t, 'inline');
	t.is((await act('many', {count: 120, size: 50_000})).status, 200);
	const {changes, moreChanges} = (await events()).at(-1)!;
	t.is(changes?.length, 50);
	t.is(moreChanges, 70);
	t.deepEqual(changes?.[0], {key: 'many:0', after: '[50002 characters]'});
	const record = (await gateway.journal()).findLast(({kind}) => kind === 'admin');
	t.true(JSON.stringify(record).length < 10_000);
});

test('of two actions at once each has its own difference, and what a hook puts meanwhile is in neither', async t => {
	const kv = await openKv((await temporaryStore(t)).store);
	const diary = openDiary();
	const space = diary.space('notes', kv.space('notes'));
	const pause = Promise.withResolvers<void>();
	const first = diary.during('notes', async () => {
		await space.put({a: '1'});
		await pause.promise;
		await space.put({a: '2'});
	});
	const second = diary.during('notes', () => space.put({b: '1', a: null}));
	const other = diary.during('other', () => diary.space('other', kv.space('other')).put({c: '1'}));
	t.deepEqual([...(await other).written], [['c', {before: undefined, after: '1'}]]);
	await kv.putSoon('notes', {effect: '1'});
	pause.resolve();
	t.deepEqual([...(await first).written], [['a', {before: undefined, after: '2'}]]);
	t.deepEqual(
		[...(await second).written],
		[
			['b', {before: undefined, after: '1'}],
			['a', {before: '2', after: undefined}],
		],
	);
	await space.put({later: '1'});
	t.is((await diary.during('notes', async () => 'nothing')).written.size, 0);
});

test.serial('the first start, its key and a key that replaces it are on the record', async t => {
	const folder = await folderWith(t, configFor('http://127.0.0.1:9'));
	const gateway = await startCommand(t, folder);
	await gateway.end('SIGTERM');
	const replaced = await sallyport(['admin-key'], {cwd: folder});
	t.is(replaced.code, 0, replaced.stderr);
	const {stdout} = await sallyport(['audit', 'tail', '-n', '50'], {cwd: folder});
	const events = stdout
		.trim()
		.split('\n')
		.map(line => JSON.parse(line) as {kind: string; event: Event})
		.filter(({kind}) => kind === 'admin')
		.map(({event}) => event);
	t.deepEqual(
		events.map(({what, action, actor}) => ({what, action, actor})),
		[
			{what: 'first admin key made', action: undefined, actor: 'first start'},
			{what: undefined, action: 'createFirst', actor: 'first start'},
			{what: 'first admin key replaced', action: undefined, actor: 'cli'},
		],
	);
	t.true(events[1]!.changes!.length > 0);
	for (const secret of [gateway.adminKey, gateway.key, replaced.stdout.trim()])
		t.false(stdout.includes(secret) || stdout.includes(hashOf(secret)));
});
