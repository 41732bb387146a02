import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type Exchange, openExchange} from '../core/exchange.ts';
import {type Kv, openKv} from '../core/store/kv.ts';
import {openStore} from '../core/store/open.ts';
import {openTaints, type Taints} from '../core/taints/taints.ts';
import {freshFolder} from './helpers/config-file.ts';

type Options = Partial<Pick<Parameters<typeof openTaints>[0], 'lastMs' | 'reach' | 'now'>>;
type Process = {taints: Taints; kv: Kv; failures: unknown[]; stop(): Promise<void>};

/** One process on the store in `folder`; closed with the test. */
const processOn = async (
	t: ExecutionContext,
	folder: string,
	name: string,
	options: Options = {},
	around = (kv: Kv): Kv => kv,
): Promise<Process> => {
	const store = await openStore(join(folder, 'store.db'), {process: name});
	const kv = await openKv(store);
	const failures: unknown[] = [];
	const taints = openTaints({
		kv: around(kv),
		lastMs: 60_000,
		reach: 'session',
		onWriteFailed: error => void failures.push(error),
		...options,
	});
	let stopping: Promise<void> | undefined;
	const stop = () => {
		stopping ??= Promise.resolve().then(() => {
			taints.close();
			kv.close();
			return store.close();
		});
		return stopping;
	};
	t.teardown(stop);
	return {taints, kv, failures, stop};
};

type Who = {tenant?: string; key?: string; session?: string; owner?: string; surface?: Exchange['surface']};

const exchangeOf = ({tenant = 'acme', key = 'key_1', surface = 'mcp', session, owner}: Who = {}): Exchange =>
	Object.assign(openExchange({method: 'POST', path: '/mcp', ip: '127.0.0.1', surface}), {
		principal: {id: `vk:${key}`, tenant, key, tags: [], accounts: []},
		...(session !== undefined && {session}),
		...(owner !== undefined && {owner}),
	});

const until = async (holds: () => boolean): Promise<void> => {
	const end = performance.now() + 10_000;
	while (!holds()) {
		if (performance.now() > end) throw new Error('it never came to be');
		await new Promise(resolve => setTimeout(resolve, 10));
	}
};

test('a tainted session is tainted, and no other: not of this key, nor one of that name of another key or tenant', async t => {
	const {taints} = await processOn(t, freshFolder(t), 'one');
	const here = {session: 'run-7', owner: 'session:abc'};
	const first = exchangeOf(here);
	taints.note(first, 'injection');
	taints.note(first, 'canary');
	t.deepEqual(taints.of(first), ['canary', 'injection']);
	t.deepEqual(taints.of(exchangeOf(here)), ['canary', 'injection']);
	t.deepEqual(
		taints.of(exchangeOf({session: 'run-7', owner: 'session:def', surface: 'openai'})),
		['canary', 'injection'],
		'by either name',
	);
	t.deepEqual(taints.of(exchangeOf({owner: 'session:abc'})), ['canary', 'injection']);
	for (const other of [
		{},
		{session: 'run-8'},
		{session: 'abc'},
		{session: 'session:abc'},
		{owner: 'session:run-7'},
		{owner: 'stream:abc'},
	] as Who[])
		t.deepEqual(taints.of(exchangeOf(other)), [], JSON.stringify(other));
	t.deepEqual(taints.of(exchangeOf({...here, key: 'key_2'})), []);
	t.deepEqual(taints.of(exchangeOf({...here, tenant: 'other'})), []);
});

test('over MCP a client without any session taints its key; a model call without one taints itself alone', async t => {
	const {taints} = await processOn(t, freshFolder(t), 'one');
	const model = exchangeOf({surface: 'openai'});
	taints.note(model, 'injection');
	t.deepEqual(taints.of(model), ['injection']);
	t.deepEqual(taints.of(exchangeOf({surface: 'openai'})), []);
	taints.note(exchangeOf({owner: 'principal:["acme","vk:key_1","key_1"]'}), 'injection');
	for (const who of [{}, {surface: 'openai'}, {session: 'run-7'}, {owner: 'session:abc'}] as Who[])
		t.deepEqual(taints.of(exchangeOf(who)), ['injection'], JSON.stringify(who));
	t.deepEqual(taints.of(exchangeOf({key: 'key_2'})), []);
});

test('with reach key a session taints its key', async t => {
	const {taints} = await processOn(t, freshFolder(t), 'one', {reach: 'key'});
	taints.note(exchangeOf({session: 'run-7'}), 'injection');
	t.deepEqual(taints.of(exchangeOf({session: 'run-8', surface: 'openai'})), ['injection']);
	t.deepEqual(taints.of(exchangeOf({session: 'run-7', key: 'key_2'})), []);
});

test('a taint ends after its time, and lasts from the last time it was found', async t => {
	const clock = {now: 1_000_000};
	const {taints} = await processOn(t, freshFolder(t), 'one', {lastMs: 60_000, now: () => clock.now});
	const note = () => taints.note(exchangeOf({session: 'run-7'}), 'injection');
	const now = () => taints.of(exchangeOf({session: 'run-7'})).length;
	note();
	clock.now += 59_000;
	t.is(now(), 1);
	note();
	clock.now += 59_000;
	t.is(now(), 1);
	clock.now += 1_000;
	t.is(now(), 0);
	t.deepEqual(taints.list(), []);
});

test('a second process on the store knows within a second, and after a restart it still holds', async t => {
	const folder = freshFolder(t);
	const [one, two] = [await processOn(t, folder, 'one'), await processOn(t, folder, 'two')];
	one.taints.note(exchangeOf({session: 'run-7'}), 'injection');
	t.deepEqual(one.taints.of(exchangeOf({session: 'run-7'})), ['injection'], 'at once');
	await until(() => two.taints.of(exchangeOf({session: 'run-7'})).length === 1);
	await one.stop();
	await two.stop();
	const three = await processOn(t, folder, 'three');
	t.deepEqual(three.taints.of(exchangeOf({session: 'run-7'})), ['injection']);
	t.deepEqual(three.taints.of(exchangeOf({session: 'run-7', key: 'key_2'})), []);
});

test('two processes that taint one session at once do not undo each other, and a lift ends both', async t => {
	const folder = freshFolder(t);
	const [one, two] = [await processOn(t, folder, 'one'), await processOn(t, folder, 'two')];
	const at = () => exchangeOf({session: 'run-7'});
	one.taints.note(at(), 'injection');
	two.taints.note(at(), 'injection');
	two.taints.note(at(), 'canary');
	await until(() => one.taints.of(at()).length === 2 && two.taints.of(at()).length === 2);
	const [place] = one.taints.list();
	const lifted = await one.taints.lift(place!.id, 'injection');
	t.deepEqual(
		lifted.map(({name, session, key}) => [name, session, key]),
		[['injection', 'named:run-7', 'key_1']],
	);
	t.deepEqual(one.taints.of(at()), ['canary']);
	await until(() => two.taints.of(at()).join() === 'canary');
	await two.taints.lift(place!.id);
	t.deepEqual(two.taints.of(at()), []);
	t.deepEqual(await two.taints.lift(place!.id), []);
	two.taints.note(at(), 'injection');
	t.deepEqual(two.taints.of(at()), ['injection'], 'what is found again is tainted again');
});

test('a taint that cannot be stored holds, and is stored when it can be', async t => {
	const folder = freshFolder(t);
	let broken = true;
	const around = (kv: Kv): Kv => ({
		...kv,
		putSoon: (space, entries) =>
			kv.putSoon(space, entries).then(() => (broken ? Promise.reject(new Error('the answer was lost')) : undefined)),
	});
	const one = await processOn(t, folder, 'one', {}, around);
	one.taints.note(exchangeOf({session: 'run-7'}), 'injection');
	await until(() => one.failures.length > 0);
	t.deepEqual(one.taints.of(exchangeOf({session: 'run-7'})), ['injection']);
	// What the store does not have is taken out of what is remembered of it; a taint stays until it was there.
	const [row] = Object.keys(one.kv.all('core.taints'));
	await one.kv.put('core.taints', {[row!]: null});
	t.deepEqual(one.taints.of(exchangeOf({session: 'run-7'})), ['injection']);
	broken = false;
	await until(() => Object.keys(one.kv.all('core.taints')).length === 1);
	const failures = one.failures.length;
	await new Promise(resolve => setTimeout(resolve, 1_100));
	t.is(one.failures.length, failures);
});

test('sessions without number are no way out: from the thousandth on the key itself is tainted', async t => {
	const {taints} = await processOn(t, freshFolder(t), 'one');
	for (let count = 0; count < 1_005; count++) taints.note(exchangeOf({session: `run-${count}`}), 'injection');
	t.is(taints.list().length, 1_001);
	t.deepEqual(taints.of(exchangeOf({session: 'another'})), ['injection']);
	t.deepEqual(taints.of(exchangeOf({session: 'another', key: 'key_2'})), []);
});

test('a plugin that calls each taint by another name fills nothing: what is too many goes by one name', async t => {
	const {taints} = await processOn(t, freshFolder(t), 'one');
	for (let count = 0; count < 500; count++) taints.note(exchangeOf({session: 'run-7'}), `name-${count}`);
	const names = taints.of(exchangeOf({session: 'run-7'}));
	t.is(names.length, 51);
	t.true(names.includes('other'));
});
