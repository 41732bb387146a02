import test from 'ava';
import {openEntries} from '../core/store/entries.ts';
import {openKv} from '../core/store/kv.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

/** What is promised, in the plainest words. */
const listed = (model: ReadonlyMap<string, string>, prefix: string, after: string | undefined, limit: number) =>
	[...model]
		.filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.slice(0, limit);

const keys = (rows: [string, string][]) => rows.map(([key]) => key);

test('any order of puts and deletes lists what a sorted and filtered map would', t => {
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	// Parts that sort differently by UTF-16 code unit, by code point and by locale.
	const parts = ['a', 'b', 'B', 'é', '', ':', '\uffff', '\u{1f600}', '10', '9', 'id:', '__proto__'];
	const word = () => Array.from({length: 1 + random.below(4)}, () => random.pick(parts)).join('');
	for (let round = 0; round < 40; round++) {
		const entries = openEntries();
		const model = new Map<string, string>();
		for (let step = 0; step < 60; step++) {
			// Now and then so many at once that the order is made anew.
			const changes = Array.from({length: random.chance(0.05) ? 700 : random.below(5)}, (_, index): [string, string | null] => [
				random.chance(0.5) ? word() : `${word()}${random.below(2_000)}`,
				random.chance(0.4) ? null : `"${step}.${index}"`,
			]);
			entries.change(changes);
			for (const [key, value] of changes) {
				if (value === null) model.delete(key);
				else model.set(key, value);
			}
			const prefix = random.chance(0.3) ? '' : word();
			const after = random.chance(0.4) ? undefined : random.chance(0.5) ? `${prefix}${word()}` : word();
			const limit = random.pick([1, 2, 7, 1_000]);
			const asked = {seed, round, step, prefix, after, limit};
			t.deepEqual(entries.list(prefix, after, limit), listed(model, prefix, after, limit), JSON.stringify(asked));
			t.is(entries.get(prefix), model.get(prefix), JSON.stringify(asked));
		}
		t.deepEqual(entries.all(), Object.fromEntries(model), `seed ${seed}, round ${round}`);
	}
});

test('a page begins behind the last key of the page before, even when that key is gone', t => {
	const entries = openEntries();
	entries.change(['a:1', 'a:2', 'a:3', 'b:1'].map(key => [key, '0'] as const));
	t.deepEqual(keys(entries.list('a:', undefined, 2)), ['a:1', 'a:2']);
	entries.change([['a:2', null]]);
	t.deepEqual(keys(entries.list('a:', 'a:2', 2)), ['a:3']);
	t.deepEqual(entries.list('a:', 'b', 2), []);
	t.deepEqual(keys(entries.list('b', 'a:9', 2)), ['b:1']);
});

test('after a restart a namespace lists the same, in the same order, whatever order the store keeps', async t => {
	const {store} = await temporaryStore(t);
	const kv = await openKv(store);
	// SQLite sorts by UTF-8 bytes, JavaScript by UTF-16 code units: these two come the other way round.
	await kv.put('one', {'\u{1f600}': '1', '\uffff': '2', a: '3', gone: '4'});
	await kv.put('one', {gone: null});
	await kv.put('two', {a: '5'});
	const list = (from: typeof kv, plugin: string) => from.space(plugin).list('', undefined, 1_000);
	const again = await openKv(store);
	t.deepEqual(keys(list(again, 'one')), ['a', '\u{1f600}', '\uffff']);
	t.deepEqual(list(again, 'one'), list(kv, 'one'));
	t.deepEqual(list(again, 'two'), [['a', '5']]);
});

test('a put is visible only when it is durable, and stays unseen when the store fails', async t => {
	const {store} = await temporaryStore(t);
	const kv = await openKv(store);
	const space = kv.space('one');
	const putting = kv.put('one', {a: '1'});
	t.is(space.get('a'), undefined);
	await putting;
	t.is(space.get('a'), '1');
	await store.close();
	await t.throwsAsync(kv.put('one', {a: '2', b: '3'}), {code: 'store_unavailable'});
	t.deepEqual(space.list('', undefined, 10), [['a', '1']]);
});

test('what an effect puts is visible at once, and an action that began before does not bring the old value back', async t => {
	const {store} = await temporaryStore(t);
	const kv = await openKv(store);
	const space = kv.space('one');
	const told: Record<string, string | null>[] = [];
	kv.onChange((_, entries) => told.push(entries));
	const action = kv.put('one', {both: '"action"', own: '"action"'});
	const effect = kv.putSoon('one', {both: '"effect"'});
	t.is(space.get('both'), '"effect"');
	await Promise.all([action, effect]);
	t.deepEqual(space.list('', undefined, 10), [
		['both', '"effect"'],
		['own', '"action"'],
	]);
	t.deepEqual(Object.assign({}, ...told), kv.all('one'));
	t.deepEqual((await openKv(store)).all('one'), kv.all('one'));

	// A later action has the last word again.
	await kv.put('one', {both: '"later"'});
	t.is(space.get('both'), '"later"');
});
