import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {GatewayError} from '../core/errors.ts';
import {openStore} from '../core/store/open.ts';
import {openFor, storeEngines} from './helpers/store-engines.ts';
import {temporaryFolder, temporaryStore} from './helpers/temporary-store.ts';

test('a file is made with the folders it lies in, and `sqlite:` may stand before it', async t => {
	const file = join(await temporaryFolder(t), 'not', 'there', 'yet', 'gateway.db');
	const store = await openFor(t, `sqlite:${file}`);
	await store.metaPut('name', 'value');
	t.true((await stat(file)).isFile());
});

test('only the owner may read the file and what SQLite puts beside it', async t => {
	const {file, store} = await temporaryStore(t);
	await store.metaPut('name', 'value');
	for (const name of [file, `${file}-wal`, `${file}-shm`]) t.is((await stat(name)).mode & 0o777, 0o600, name);
});

for (const {name, fresh} of storeEngines()) {
	test(`${name}: what was written is there after it is opened again`, async t => {
		const place = await fresh(t);
		const first = await openStore(place, {process: 'a'});
		await first.kvPut('virtual-keys', {a: '1', b: '2'});
		await first.ledgerPut([{key: 'team:a|tokens|total|1970-01-01T00:00:00Z', settled: 3, granted: 10, seq: 7}]);
		await first.metaPut('name', 'value');
		await first.close();

		const second = await openFor(t, place, {process: 'a'});
		t.deepEqual(await second.kvAll(), [
			{plugin: 'virtual-keys', key: 'a', value: '1'},
			{plugin: 'virtual-keys', key: 'b', value: '2'},
		]);
		t.deepEqual(await second.ledgerOwn(), [
			{key: 'team:a|tokens|total|1970-01-01T00:00:00Z', process: 'a', settled: 3, granted: 10, seq: 7},
		]);
		t.is(await second.metaGet('name'), 'value');
		t.is(await second.metaGet('no such name'), undefined);
	});

	test(`${name}: null deletes an entry, and one namespace does not touch another`, async t => {
		const store = await openFor(t, await fresh(t));
		await store.kvPut('one', {same: '1', gone: '2'});
		await store.kvPut('two', {same: '3'});
		await store.kvPut('one', {gone: null, never: null, same: '4'});
		t.deepEqual(await store.kvAll(), [
			{plugin: 'one', key: 'same', value: '4'},
			{plugin: 'two', key: 'same', value: '3'},
		]);
	});

	test(`${name}: any text and any safe integer comes back as it was`, async t => {
		const store = await openFor(t, await fresh(t));
		const entries = {'': '', 'zero\u0000inside': 'a\u0000b', '"quotes"\n': '{"a":[1]}', ключ: '🔑'.repeat(50_000), __proto__x: "it's"};
		await store.kvPut('plugin', entries);
		t.deepEqual(Object.fromEntries((await store.kvAll()).map(({key, value}) => [key, value])), entries);

		const row = {key: 'a"b|🔑', settled: Number.MAX_SAFE_INTEGER, granted: 2 ** 40 + 1, seq: 2 ** 31, expiresAt: 4_102_444_800_000};
		await store.ledgerPut([row]);
		t.deepEqual(await store.ledgerOwn(), [{...row, process: ''}]);
	});

	test(`${name}: a later row replaces an earlier one whole`, async t => {
		const store = await openFor(t, await fresh(t));
		await store.ledgerPut([{key: 'a', settled: 1, granted: 9, seq: 1, expiresAt: 5}]);
		await store.ledgerPut([
			{key: 'a', settled: 2, granted: 4, seq: 2},
			{key: 'b', settled: 0, granted: 1, seq: 0},
		]);
		t.deepEqual(await store.ledgerOwn(), [
			{key: 'a', process: '', settled: 2, granted: 4, seq: 2},
			{key: 'b', process: '', settled: 0, granted: 1, seq: 0},
		]);
	});

	test(`${name}: pruning drops the rows of windows that ended before, and no others`, async t => {
		const store = await openFor(t, await fresh(t));
		const rows = [
			{key: 'at', settled: 0, granted: 0, seq: 0, expiresAt: 100},
			{key: 'before', settled: 0, granted: 0, seq: 0, expiresAt: 99},
			{key: 'never', settled: 0, granted: 0, seq: 0},
		];
		await store.ledgerPut(rows);
		await store.ledgerPrune(100);
		t.deepEqual(
			(await store.ledgerOwn()).map(({key}) => key),
			['at', 'never'],
		);
	});

	test(`${name}: a thousand writes at once all land, and share transactions`, async t => {
		const store = await openFor(t, await fresh(t));
		await Promise.all(Array.from({length: 1_000}, (_, index) => store.kvPut('plugin', {[`key${index}`]: String(index)})));
		const entries = await store.kvAll();
		t.is(entries.length, 1_000);
		t.true(entries.every(({key, value}) => key === `key${value}`));
	});

	test(`${name}: a write that cannot be done takes nothing with it: not its other rows, and not the writes beside it`, async t => {
		const store = await openFor(t, await fresh(t));
		const wrong = {key: 'wrong', settled: 0.5, granted: 1, seq: 1};
		const [before, failed, after] = await Promise.allSettled([
			store.metaPut('before', '1'),
			store.ledgerPut([{key: 'right', settled: 1, granted: 1, seq: 1}, wrong]),
			store.kvPut('plugin', {after: '1'}),
		]);
		t.is(before?.status, 'fulfilled');
		t.is(after?.status, 'fulfilled');
		t.like(failed, {status: 'rejected', reason: {code: 'store_unavailable'}});
		t.deepEqual(await store.ledgerOwn(), []);
		t.is(await store.metaGet('before'), '1');
		t.is((await store.kvAll()).length, 1);
	});

	test(`${name}: closing waits for what was asked before, and refuses what is asked after`, async t => {
		const place = await fresh(t);
		const store = await openStore(place);
		const written = store.metaPut('name', 'value');
		await Promise.all([store.close(), store.close()]);
		await written;
		await t.throwsAsync(store.metaPut('name', 'other'), {code: 'store_unavailable'});
		await t.throwsAsync(store.metaGet('name'), {code: 'store_unavailable'});
		const again = await openFor(t, place);
		t.is(await again.metaGet('name'), 'value');
	});

	test(`${name}: changes of the same key at once are the last one's`, async t => {
		const store = await openFor(t, await fresh(t));
		await Promise.all([store.kvPut('one', {a: '1', b: '1'}), store.kvPut('one', {a: null, b: '2'}), store.kvPut('one', {b: null, c: '3'})]);
		t.deepEqual(await store.kvAll(), [{plugin: 'one', key: 'c', value: '3'}]);
	});

	test(`${name}: a write of nothing is done, and does nothing`, async t => {
		const store = await openFor(t, await fresh(t));
		await store.kvPut('one', {});
		await store.ledgerPut([]);
		t.deepEqual(await store.ledgerLease([], () => []), []);
		t.deepEqual(await store.ledgerTotals([]), new Map());
		t.deepEqual(await store.kvAll(), []);
	});

	test(`${name}: a process sees its own rows, and of the others what they come to together`, async t => {
		const place = await fresh(t);
		const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(process => openFor(t, place, {process})));
		await a!.ledgerPut([{key: 'x', settled: 1, granted: 10, seq: 1}]);
		await b!.ledgerPut([{key: 'x', settled: 2, granted: 20, seq: 5, expiresAt: 9}]);
		await b!.ledgerPut([{key: 'y\0', settled: 0, granted: 7, seq: 5}]);
		t.deepEqual(await a!.ledgerOwn(), [{key: 'x', process: 'a', settled: 1, granted: 10, seq: 1}]);
		t.deepEqual(
			await c!.ledgerTotals(['x', 'y\0', 'z']),
			new Map([
				['x', {settled: 3, granted: 30}],
				['y\0', {settled: 0, granted: 7}],
			]),
		);
		const written = await a!.ledgerLease(['x', 'y\0', 'z'], others => {
			t.deepEqual(
				others,
				new Map([
					['x', {settled: 2, granted: 20}],
					['y\0', {settled: 0, granted: 7}],
				]),
			);
			return [{key: 'x', settled: 1, granted: 80, seq: 2}];
		});
		t.deepEqual(written, [{key: 'x', process: 'a', settled: 1, granted: 80, seq: 2}]);
		t.deepEqual(await a!.ledgerOwn(), written);
	});

	test(`${name}: a lease that decides to refuse writes nothing, and the next one goes ahead`, async t => {
		const store = await openFor(t, await fresh(t));
		const refuse = () => {
			throw new GatewayError('budget_exceeded', 'no room');
		};
		await t.throwsAsync(store.ledgerLease(['x'], refuse), {code: 'budget_exceeded', message: 'no room'});
		await store.ledgerLease(['x'], () => [{key: 'x', settled: 0, granted: 1, seq: 0}]);
		t.like(await store.ledgerOwn(), [{granted: 1}]);
	});

	test(`${name}: a name is taken once, until it expired and was pruned`, async t => {
		const store = await openFor(t, await fresh(t));
		t.true(await store.once('for ever'));
		t.true(await store.once('a day', 100));
		await store.ledgerPrune(100);
		t.deepEqual([await store.once('for ever'), await store.once('a day', 100)], [false, false]);
		await store.ledgerPrune(101);
		t.deepEqual([await store.once('for ever'), await store.once('a day', 200)], [false, true]);
	});

	test(`${name}: of two values for a name that nobody has, both are told the one that stands`, async t => {
		const place = await fresh(t);
		const [a, b] = await Promise.all([openFor(t, place), openFor(t, place)]);
		const [one, other] = await Promise.all([a.metaPutIfAbsent('name', 'one'), b.metaPutIfAbsent('name', 'other')]);
		t.is(one, other);
		t.is(await a.metaGet('name'), one);
	});

	test(`${name}: a process that beats is seen by all, with the time it last did, until it is pruned`, async t => {
		const place = await fresh(t);
		const [a, b] = await Promise.all(['a', 'b'].map(process => openFor(t, place, {process})));
		const before = Date.now();
		await b!.beat();
		await a!.beat();
		const seen = await a!.processes();
		t.deepEqual(
			seen.map(({process}) => process),
			['a', 'b'],
		);
		t.true(
			seen.every(({seenAt}) => seenAt > before - 1_000 && seenAt < Date.now() + 1_000),
			JSON.stringify({before, seen}),
		);
		await a!.ledgerPrune(Date.now() + 10_000);
		t.deepEqual(await b!.processes(), []);
	});
}
