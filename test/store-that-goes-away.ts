import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import pg from 'pg';
import sqlite3 from 'sqlite3';
import {openStore} from '../core/store/open.ts';
import {openSqlite} from '../core/store/sqlite/store.ts';
import type {Change} from '../core/store/store.ts';
import {postgresOfThisFile, startPostgres} from './helpers/postgres.ts';
import {openFor, until} from './helpers/store-engines.ts';
import {temporaryFolder, temporaryStore} from './helpers/temporary-store.ts';

const freshUrl = postgresOfThisFile();

const keysOf = (changes: readonly Change[]): string[] =>
	changes.flatMap(change => (change.kind === 'kv' ? Object.keys(change.entries) : []));

test('PostgreSQL stopped: everything says so at once, in words; started again: everything goes on, the listener where it stopped', async t => {
	const server = await startPostgres(t);
	const [store, other] = await Promise.all([openFor(t, server.url, {process: 'a'}), openFor(t, server.url, {process: 'b'})]);
	const seen: Change[] = [];
	store.onChange(change => seen.push(change));
	await store.kvPut('one', {before: '1'});
	await store.ledgerPut([{key: 'x', settled: 1, granted: 2, seq: 3}]);
	await server.stop();

	const calls: Record<string, () => Promise<unknown>> = {
		kvAll: () => store.kvAll(),
		kvPut: () => store.kvPut('one', {meanwhile: '1'}),
		ledgerOwn: () => store.ledgerOwn(),
		ledgerPut: () => store.ledgerPut([{key: 'x', settled: 9, granted: 9, seq: 9}]),
		ledgerLease: () => store.ledgerLease(['x'], () => []),
		once: () => store.once('name'),
		announce: () => store.announce({kind: 'recall', keys: ['x']}),
		beat: () => store.beat(),
		metaGet: () => store.metaGet('name'),
	};
	for (const [name, call] of Object.entries(calls)) {
		const begun = performance.now();
		await t.throwsAsync(
			call(),
			{code: 'store_unavailable', message: /^The store (refuses connections|broke the connection|is shutting down)\.$/},
			name,
		);
		t.true(performance.now() - begun < 2_000, name);
	}

	await server.start();
	// After the back-off, which is two seconds at most.
	await until(
		t,
		() =>
			other.kvPut('one', {after: '2'}).then(
				() => true,
				() => false,
			),
		'the writer',
		5_000,
	);
	await until(t, () => keysOf(seen).includes('after'), 'the listener', 5_000);
	t.deepEqual(keysOf(seen), ['before', 'after']);
	await until(
		t,
		() =>
			store.kvPut('one', {own: '3'}).then(
				() => true,
				() => false,
			),
		'the other writer',
		5_000,
	);
	t.deepEqual(await store.ledgerOwn(), [{key: 'x', process: 'a', settled: 1, granted: 2, seq: 3}]);
	t.deepEqual(keysOf(seen), ['before', 'after', 'own']);
});

test('connections cut again and again under writers: what was acknowledged is told, in order and once', async t => {
	const url = freshUrl();
	const [one, other, listener] = await Promise.all([openFor(t, url), openFor(t, url), openFor(t, url)]);
	const seen: Change[] = [];
	listener.onChange(change => seen.push(change));
	const admin = new URL(url);
	admin.search = '';
	const knife = new pg.Client({connectionString: admin.href});
	await knife.connect();
	t.teardown(() => knife.end());
	const acknowledged: string[] = [];
	const write = async (store: typeof one, name: string): Promise<void> => {
		for (let step = 0; step < 150; step++) {
			const key = `${name}${String(step).padStart(3, '0')}`;
			await store.kvPut('one', {[key]: '1'}).then(
				() => acknowledged.push(key),
				error => t.is(error.code, 'store_unavailable'),
			);
			// A failing server is left alone for a while; so is a writer that fails.
			await new Promise(done => setTimeout(done, 5));
		}
	};
	let cutting = true;
	const cut = async (): Promise<void> => {
		while (cutting) {
			await knife.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sallyport' AND random() < 0.5");
			await new Promise(done => setTimeout(done, 60));
		}
	};
	const knifing = cut();
	await Promise.all([write(one, 'a'), write(other, 'b')]);
	cutting = false;
	await knifing;
	await until(
		t,
		() =>
			listener.kvPut('one', {last: '1'}).then(
				() => true,
				() => false,
			),
		'the last write',
		5_000,
	);
	await until(t, () => keysOf(seen).includes('last'), 'the last change');
	const told = keysOf(seen);
	t.is(new Set(told).size, told.length, 'told twice');
	t.true(acknowledged.length > 20, `only ${acknowledged.length} were acknowledged`);
	t.deepEqual(new Set(acknowledged).difference(new Set(told)), new Set(), 'acknowledged and not told');
	for (const name of ['a', 'b']) {
		const its = told.filter(key => key.startsWith(name));
		t.deepEqual(its, its.toSorted(), 'out of order');
	}
	t.deepEqual((await listener.kvAll()).map(({key}) => key).toSorted(), told.toSorted());
});

test('a server that accepts and never says a word is given up, in words', async t => {
	const sockets = new Set<Socket>();
	const server = createServer(socket => void sockets.add(socket));
	await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
	t.teardown(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	const address = server.address();
	const port = typeof address === 'object' && address ? address.port : 0;
	const begun = performance.now();
	await t.throwsAsync(openStore(`postgres://u:p@127.0.0.1:${port}/d`), {code: 'store_unavailable', message: /does not answer\.$/});
	t.true(performance.now() - begun < 6_000);
});

test('a disk that is full: each write says so, nothing is half written, and with room again all goes on', async t => {
	const file = join(await temporaryFolder(t), 'gateway.db');
	const store = await openSqlite(file, {process: 'a', changesKeptMs: 3_600_000, mostPages: 60});
	t.teardown(() => store.close());
	const seen: Change[] = [];
	store.onChange(change => seen.push(change));
	await store.kvPut('one', {before: '1'});
	const rowsOf = (batch: number) =>
		Array.from({length: 100}, (_, row) => ({key: `${batch}|${row}|${'x'.repeat(100)}`, settled: 0, granted: 0, seq: 1, expiresAt: 1}));
	let batch = 0;
	const fill = async (): Promise<never> => {
		for (; ; batch++) await store.ledgerPut(rowsOf(batch));
	};
	const full = {code: 'store_unavailable', message: 'The store has no space left on its disk.'};
	await t.throwsAsync(fill(), full);
	await t.throwsAsync(store.kvPut('one', {large: 'x'.repeat(50_000)}), full);
	t.is((await store.ledgerOwn()).length, batch * 100);
	t.deepEqual(await store.kvAll(), [{plugin: 'one', key: 'before', value: '1'}]);

	await store.ledgerPrune(2);
	await store.kvPut('one', {large: 'x'.repeat(50_000)});
	t.deepEqual(keysOf(seen), ['before', 'large']);
});

test('a file that another process holds for long: writes say so, reads and the listener go on, and nothing is lost', async t => {
	const {file, store} = await temporaryStore(t);
	const other = await openFor(t, file);
	const seen: Change[] = [];
	store.onChange(change => seen.push(change));
	await other.kvPut('one', {before: '1'});
	const holder = new sqlite3.Database(file);
	t.teardown(() => new Promise<void>(done => holder.close(() => done())));
	const exec = (sql: string) => new Promise<void>((done, failed) => holder.exec(sql, error => (error ? failed(error) : done())));
	await exec('BEGIN IMMEDIATE');
	const locked = {code: 'store_unavailable', message: 'The store is locked by another process.'};
	const refusals = Promise.all([t.throwsAsync(store.kvPut('one', {a: '1'}), locked), t.throwsAsync(store.once('name'), locked)]);
	await until(t, () => keysOf(seen).includes('before'), 'the listener');
	t.is((await other.kvAll()).length, 1);
	await refusals;
	await exec('ROLLBACK');
	await other.kvPut('one', {after: '1'});
	t.true(await store.once('name'));
	await until(t, () => keysOf(seen).includes('after'), 'the listener');
	t.deepEqual(keysOf(seen), ['before', 'after']);
});

const inspected = async (t: ExecutionContext, url: string): Promise<string> => {
	const error = await t.throwsAsync(openStore(url), {code: 'store_unavailable'});
	const {inspect} = await import('node:util');
	return `${inspect(error, {depth: 20, showHidden: true})} ${JSON.stringify(error)} ${error?.stack}`;
};

test('the password of a URL stands in no error, whatever goes wrong', async t => {
	const url = new URL(freshUrl());
	const password = 'never-to-be-seen-0123';
	const to = (change: Partial<Record<'password' | 'port' | 'pathname' | 'username' | 'hostname', string>>): string =>
		Object.assign(new URL(url), change).href;
	const places = {
		'a wrong password': to({password}),
		'nobody there': to({password, port: '1'}),
		'no such host': `postgres://user:${password}@nobody.invalid/x`,
		'no URL': `postgres://user:${password}@127.0.0.1:notaport/x`,
		'a percent sign': `postgres://user:%zz${password}@127.0.0.1:1/x`,
		'no such schema name': `${to({password})}%20drop`,
		'in the query': `postgres://127.0.0.1:1/x?user=u&password=${password}`,
		'another store': `mysql://user:${password}@127.0.0.1/x`,
	};
	for (const [name, place] of Object.entries(places)) t.false((await inspected(t, place)).includes(password), name);
	if (process.env.DATABASE_URL) return;
	const rightWord = url.password;
	t.true(rightWord.length > 0);
	t.false((await inspected(t, to({pathname: '/nothing'}))).includes(rightWord));
	await t.throwsAsync(openStore(to({password})), {
		message: /^The store postgres:\/\/sallyport@127\.0\.0\.1:\d+\/postgres refuses the password\.$/,
	});
	await t.throwsAsync(openStore(to({pathname: '/nothing'})), {message: /has no database of that name\.$/});
});
