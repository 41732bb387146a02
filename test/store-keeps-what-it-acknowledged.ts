import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openStore} from '../core/store/open.ts';
import {temporaryFolder, temporaryStore} from './helpers/temporary-store.ts';

test('what was written is there after the file is opened again', async t => {
	const file = join(await temporaryFolder(t), 'not', 'there', 'yet', 'gateway.db');
	const first = await openStore(file);
	await first.kvPut('virtual-keys', {a: '1', b: '2'});
	await first.ledgerPut([{key: 'team:a|tokens|total|1970-01-01T00:00:00Z', settled: 3, granted: 10, seq: 7}]);
	await first.metaPut('name', 'value');
	await first.close();

	const second = await openStore(`sqlite:${file}`);
	t.teardown(() => second.close());
	t.deepEqual(await second.kvAll(), [
		{plugin: 'virtual-keys', key: 'a', value: '1'},
		{plugin: 'virtual-keys', key: 'b', value: '2'},
	]);
	t.deepEqual(await second.ledgerAll(), [{key: 'team:a|tokens|total|1970-01-01T00:00:00Z', settled: 3, granted: 10, seq: 7}]);
	t.is(await second.metaGet('name'), 'value');
	t.is(await second.metaGet('no such name'), undefined);
});

test('only the owner may read the file and what SQLite puts beside it', async t => {
	const {file, store} = await temporaryStore(t);
	await store.metaPut('name', 'value');
	for (const name of [file, `${file}-wal`, `${file}-shm`]) t.is((await stat(name)).mode & 0o777, 0o600, name);
});

test('null deletes an entry, and one namespace does not touch another', async t => {
	const {store} = await temporaryStore(t);
	await store.kvPut('one', {same: '1', gone: '2'});
	await store.kvPut('two', {same: '3'});
	await store.kvPut('one', {gone: null, never: null, same: '4'});
	t.deepEqual(await store.kvAll(), [
		{plugin: 'one', key: 'same', value: '4'},
		{plugin: 'two', key: 'same', value: '3'},
	]);
});

test('any text and any safe integer comes back as it was', async t => {
	const {store} = await temporaryStore(t);
	const entries = {'': '', 'zero\u0000inside': 'a\u0000b', '"quotes"\n': '{"a":[1]}', ключ: '🔑'.repeat(50_000), __proto__x: "it's"};
	await store.kvPut('plugin', entries);
	t.deepEqual(Object.fromEntries((await store.kvAll()).map(({key, value}) => [key, value])), entries);

	const row = {key: 'a"b|🔑', settled: Number.MAX_SAFE_INTEGER, granted: 2 ** 40 + 1, seq: 2 ** 31, expiresAt: 4_102_444_800_000};
	await store.ledgerPut([row]);
	t.deepEqual(await store.ledgerAll(), [row]);
});

test('a later row replaces an earlier one whole', async t => {
	const {store} = await temporaryStore(t);
	await store.ledgerPut([{key: 'a', settled: 1, granted: 9, seq: 1, expiresAt: 5}]);
	await store.ledgerPut([
		{key: 'a', settled: 2, granted: 4, seq: 2},
		{key: 'b', settled: 0, granted: 1, seq: 0},
	]);
	t.deepEqual(await store.ledgerAll(), [
		{key: 'a', settled: 2, granted: 4, seq: 2},
		{key: 'b', settled: 0, granted: 1, seq: 0},
	]);
});

test('pruning drops the rows of windows that ended before, and no others', async t => {
	const {store} = await temporaryStore(t);
	const rows = [
		{key: 'at', settled: 0, granted: 0, seq: 0, expiresAt: 100},
		{key: 'before', settled: 0, granted: 0, seq: 0, expiresAt: 99},
		{key: 'never', settled: 0, granted: 0, seq: 0},
	];
	await store.ledgerPut(rows);
	await store.ledgerPrune(100);
	t.deepEqual(
		(await store.ledgerAll()).map(({key}) => key),
		['at', 'never'],
	);
});

test('a thousand writes at once all land, and share transactions', async t => {
	const {store} = await temporaryStore(t);
	await Promise.all(Array.from({length: 1_000}, (_, index) => store.kvPut('plugin', {[`key${index}`]: String(index)})));
	const entries = await store.kvAll();
	t.is(entries.length, 1_000);
	t.true(entries.every(({key, value}) => key === `key${value}`));
});

test('a write that cannot be done takes nothing with it: not its other rows, and not the writes beside it', async t => {
	const {store} = await temporaryStore(t);
	const wrong = {key: 'wrong', settled: 0.5, granted: 1, seq: 1};
	const [before, failed, after] = await Promise.allSettled([
		store.metaPut('before', '1'),
		store.ledgerPut([{key: 'right', settled: 1, granted: 1, seq: 1}, wrong]),
		store.kvPut('plugin', {after: '1'}),
	]);
	t.is(before?.status, 'fulfilled');
	t.is(after?.status, 'fulfilled');
	t.like(failed, {status: 'rejected', reason: {code: 'store_unavailable'}});
	t.deepEqual(await store.ledgerAll(), []);
	t.is(await store.metaGet('before'), '1');
	t.is((await store.kvAll()).length, 1);
});

test('closing waits for what was asked before, and refuses what is asked after', async t => {
	const {file, store} = await temporaryStore(t);
	const written = store.metaPut('name', 'value');
	await Promise.all([store.close(), store.close()]);
	await written;
	await t.throwsAsync(store.metaPut('name', 'other'), {code: 'store_unavailable'});
	await t.throwsAsync(store.metaGet('name'), {code: 'store_unavailable'});
	const again = await openStore(file);
	t.teardown(() => again.close());
	t.is(await again.metaGet('name'), 'value');
});
