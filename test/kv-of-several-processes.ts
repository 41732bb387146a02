import test, {type ExecutionContext} from 'ava';
import {type Kv, openKv} from '../core/store/kv.ts';
import type {StoreOptions} from '../core/store/open.ts';
import type {Store} from '../core/store/store.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {openFor, storeEngines, until} from './helpers/store-engines.ts';

type Replica = {store: Store; kv: Kv; told: Record<string, string | null>};

/** Each as a process of its own would have it; `told` adds up what listeners heard. */
const replicas = async (t: ExecutionContext, place: string, count: number, options?: StoreOptions): Promise<Replica[]> =>
	Promise.all(
		Array.from({length: count}, async () => {
			const store = await openFor(t, place, options);
			const kv = await openKv(store);
			t.teardown(() => kv.close());
			const told: Record<string, string | null> = {};
			kv.onChange((plugin, entries) => {
				for (const [key, value] of Object.entries(entries)) told[`${plugin}/${key}`] = value;
			});
			return {store, kv, told};
		}),
	);

const kept = (told: Record<string, string | null>) => Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null));

for (const {name, fresh} of storeEngines()) {
	test.serial(`${name}: a key that one process takes away is gone in the others within a second, and their listeners know`, async t => {
		const [a, b] = await replicas(t, await fresh(t), 2);
		await a!.kv.put('keys', {one: '"1"', two: '"2"'});
		await until(t, () => b!.kv.space('keys').get('one') === '"1"', 'the key', 1_000);
		await a!.kv.put('keys', {one: null});
		await until(t, () => b!.kv.space('keys').get('one') === undefined, 'its end', 1_000);
		t.deepEqual(b!.told, {'keys/one': null, 'keys/two': '"2"'});
		t.deepEqual(b!.kv.space('keys').list('', undefined, 10), [['two', '"2"']]);
	});

	test.serial(`${name}: three processes that put into the same keys, soon or not, come to agree with the store`, async t => {
		const seed = Date.now() & 0xffff_ffff;
		const random = seededRandom(seed);
		const all = await replicas(t, await fresh(t), 3);
		const writing: Promise<void>[] = [];
		for (let step = 0; step < 300; step++) {
			const {kv} = random.pick(all);
			const entries = Object.fromEntries(
				Array.from({length: 1 + random.below(3)}, () => [`key${random.below(6)}`, random.chance(0.3) ? null : String(step)]),
			);
			const soon = random.chance(0.5);
			writing.push(soon ? kv.putSoon('one', entries) : kv.put('one', entries));
			if (soon) for (const [key, value] of Object.entries(entries)) t.is(kv.space('one').get(key), value ?? undefined, `seed ${seed}`);
			if (random.chance(0.2)) await writing.at(-1);
		}
		await Promise.all(writing);
		const stored = Object.fromEntries((await all[0]!.store.kvAll()).map(({key, value}) => [key, value]));
		for (const {kv} of all)
			await until(
				t,
				() => JSON.stringify(Object.entries(kv.all('one')).sort()) === JSON.stringify(Object.entries(stored).sort()),
				`agreement, seed ${seed}`,
			);
		for (const {told} of all)
			t.deepEqual(kept(told), Object.fromEntries(Object.entries(stored).map(([key, value]) => [`one/${key}`, value])), `seed ${seed}`);
	});

	test.serial(`${name}: who starts while another writes misses nothing`, async t => {
		const place = await fresh(t);
		const [writer] = await replicas(t, place, 1);
		let stopped = false;
		const writing = (async () => {
			for (let step = 0; !stopped; step++) await writer!.kv.put('one', {[`key${step % 7}`]: String(step)});
		})();
		const late: Replica[] = [];
		for (let round = 0; round < 4; round++) late.push(...(await replicas(t, place, 1)));
		stopped = true;
		await writing;
		const stored = writer!.kv.all('one');
		for (const {kv} of late)
			await until(t, () => Object.entries(stored).every(([key, value]) => kv.space('one').get(key) === value), 'all of it');
		t.pass();
	});

	test.serial(`${name}: who was away for too long has everything anew, and its listeners hear only what differs`, async t => {
		const place = await fresh(t);
		const store = await openFor(t, place);
		const [writer] = await replicas(t, place, 1, {changesKeptMs: 4});
		await writer!.kv.put('one', {stays: '1', goes: '1', changes: '1'});
		// Asleep from here on: it hears nothing until it is woken.
		let wake = () => {};
		const asleep = new Promise<void>(done => {
			wake = done;
		});
		const told: unknown[] = [];
		const kv = await openKv({
			...store,
			onChange: listener => {
				let stop = () => {};
				void asleep.then(() => {
					stop = store.onChange(listener);
				});
				return () => stop();
			},
		});
		t.teardown(() => kv.close());
		kv.onChange((plugin, entries) => told.push({plugin, entries}));
		await writer!.kv.put('one', {goes: null, changes: '2'});
		for (let step = 0; step < 3; step++) {
			await new Promise(done => setTimeout(done, 10));
			await writer!.kv.put('two', {key: String(step)});
		}
		wake();
		await until(t, () => kv.space('two').get('key') === '2' && kv.space('one').get('changes') === '2', 'everything');
		t.deepEqual(kv.all('one'), {stays: '1', changes: '2'});
		t.true(told.every(word => !JSON.stringify(word).includes('stays')));
	});

	test.serial(`${name}: what was put soon and could not be stored stays visible here, and nowhere else`, async t => {
		const place = await fresh(t);
		const [a, b] = await replicas(t, place, 2);
		await a!.store.close();
		await t.throwsAsync(a!.kv.putSoon('one', {key: '1'}), {code: 'store_unavailable'});
		t.is(a!.kv.space('one').get('key'), '1');
		t.is(b!.kv.space('one').get('key'), undefined);
		t.deepEqual(await b!.store.kvAll(), []);
	});
}
