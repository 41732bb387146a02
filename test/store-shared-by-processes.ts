import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test, {type ExecutionContext} from 'ava';
import type {Change} from '../core/store/store.ts';
import {openFor, storeEngines, until} from './helpers/store-engines.ts';

const program = join(import.meta.dirname, 'helpers', 'store-under-load.ts');

/** A process of its own that does `what` to the store, and what it says, line by line. */
const start = (t: ExecutionContext, place: string, process_: string, what: string, ...rest: (string | number)[]) => {
	const child = spawn(process.execPath, [program, place, process_, what, ...rest.map(String)], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	return {child, lines: createInterface({input: child.stdout})};
};

const ended = async (child: ChildProcess): Promise<void> => {
	if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/** All they say until they end. */
const allOf = async (t: ExecutionContext, place: string, count: number, what: string, ...rest: (string | number)[]): Promise<string[][]> =>
	Promise.all(
		Array.from({length: count}, async (_, index) => {
			const {child, lines} = start(t, place, `p${index}`, what, ...rest);
			const said = await Array.fromAsync(lines);
			await ended(child);
			t.is(child.exitCode, 0);
			return said;
		}),
	);

/** What a change of the load's own says of itself. */
const stepsOf = (changes: readonly Change[]): {process: string; step: number}[] =>
	changes.flatMap(change => (change.kind === 'kv' ? Object.values(change.entries).map(value => JSON.parse(value!)) : []));

/** Every writer's steps from 0 on, each once, in their order. */
const inOrder = (t: ExecutionContext, steps: readonly {process: string; step: number}[], writers: number, count: number): void => {
	const byWriter = Map.groupBy(steps, ({process}) => process);
	t.is(byWriter.size, writers);
	for (const [process, its] of byWriter)
		t.deepEqual(
			its.map(({step}) => step),
			Array.from({length: count}, (_, step) => step),
			process,
		);
};

for (const {name, fresh} of storeEngines()) {
	test.serial(`${name}: six processes that open a store nobody has used all find it made`, async t => {
		const place = await fresh(t);
		const said = await allOf(t, place, 6, 'open');
		t.deepEqual(said, Array(6).fill(['opened']));
	});

	test.serial(`${name}: eight connections that lease the same two keys never come past the limit, and use all of it`, async t => {
		const place = await fresh(t);
		const stores = await Promise.all(Array.from({length: 8}, (_, index) => openFor(t, place, {process: `c${index}`})));
		const limit = 1_000;
		const keys = ['a', 'b'];
		const lease = async (index: number): Promise<void> => {
			const mine = {a: 0, b: 0};
			for (let step = 0; step < 40; step++) {
				// Not always in the same order, which must not make two of them block each other.
				const asked = (step + index) % 2 === 0 ? keys : keys.toReversed();
				const rows = await stores[index]!.ledgerLease(asked, others =>
					asked.map(key => {
						const room = limit - (others.get(key)?.granted ?? 0) - mine[key as 'a'];
						return {key, settled: 0, granted: mine[key as 'a'] + Math.max(0, Math.min(7, room)), seq: step};
					}),
				);
				for (const {key, granted} of rows) mine[key as 'a'] = granted;
				const totals = await stores[index]!.ledgerTotals(keys);
				for (const key of keys) if ((totals.get(key)?.granted ?? 0) > limit) t.fail(`${key} has ${totals.get(key)?.granted}`);
			}
		};
		await Promise.all(stores.map((_, index) => lease(index)));
		const totals = await stores[0]!.ledgerTotals(keys);
		t.deepEqual([...totals.values()], Array(2).fill({settled: 0, granted: limit}));
	});

	test.serial(`${name}: four processes that lease the same key never come past the limit, and use all of it`, async t => {
		const place = await fresh(t);
		const store = await openFor(t, place);
		await allOf(t, place, 4, 'lease', 300);
		t.deepEqual(await store.ledgerTotals(['key']), new Map([['key', {settled: 0, granted: 300}]]));
	});

	test.serial(`${name}: of four processes that take the same names, each name goes to one`, async t => {
		const place = await fresh(t);
		await (await openFor(t, place)).metaPut('made', '1');
		const taken = (await allOf(t, place, 4, 'once', 50)).flat();
		t.is(taken.length, 50);
		t.is(new Set(taken).size, 50);
	});

	test.serial(`${name}: every listener sees every change of four processes that write at once, in the same order`, async t => {
		const place = await fresh(t);
		const [one, other] = await Promise.all([openFor(t, place), openFor(t, place)]);
		const seen: Change[][] = [[], []];
		one.onChange(change => seen[0]!.push(change));
		other.onChange(change => seen[1]!.push(change));
		await allOf(t, place, 4, 'put', 60);
		await until(t, () => seen.every(changes => stepsOf(changes).length >= 240), 'all changes');
		inOrder(t, stepsOf(seen[0]!), 4, 60);
		t.deepEqual(seen[0], seen[1]);
	});

	test.serial(`${name}: a listener that writes too sees its own changes where they stand among the others'`, async t => {
		const place = await fresh(t);
		const stores = await Promise.all(['a', 'b', 'c'].map(process => openFor(t, place, {process})));
		const seen = stores.map((): Change[] => []);
		for (const [index, store] of stores.entries()) store.onChange(change => seen[index]!.push(change));
		await Promise.all(
			stores.map(async ({kvPut, process}, index) => {
				for (let step = 0; step < 60; step++) {
					const entries = {key: JSON.stringify({process, step})};
					await kvPut('load', entries);
					const own = seen[index]!.find(change => change.kind === 'kv' && change.entries === entries);
					if (!own) t.fail('acknowledged before it was told');
				}
			}),
		);
		await until(t, () => seen.every(({length}) => length === 180), 'all changes');
		inOrder(t, stepsOf(seen[0]!), 3, 60);
		t.deepEqual(seen[1], seen[0]);
		t.deepEqual(seen[2], seen[0]);
		t.deepEqual(await stores[0]!.kvAll(), [{plugin: 'load', key: 'key', value: JSON.stringify(stepsOf(seen[0]!).at(-1))}]);
	});

	test.serial(`${name}: a recall reaches the other processes, and not the one that announced it`, async t => {
		const place = await fresh(t);
		const [asker, other] = await Promise.all([openFor(t, place), openFor(t, place)]);
		const heard: Change[] = [];
		asker.onChange(change => heard.push(change));
		const told = new Promise<Change>(done => void other.onChange(done));
		await asker.announce({kind: 'recall', keys: ['a', 'b|"\u0000']});
		t.deepEqual(await told, {kind: 'recall', keys: ['a', 'b|"\u0000']});
		await other.announce({kind: 'recall', keys: ['c']});
		await until(t, () => heard.length > 0, 'the recall');
		t.deepEqual(heard, [{kind: 'recall', keys: ['c']}]);
	});

	test.serial(`${name}: a listener that stopped hears nothing more`, async t => {
		const store = await openFor(t, await fresh(t));
		const seen: Change[] = [];
		const stop = store.onChange(change => seen.push(change));
		await store.kvPut('one', {a: '1'});
		stop();
		await store.kvPut('one', {a: '2'});
		t.is(seen.length, 1);
	});

	test.serial(`${name}: who was away for longer than changes are kept is told once to read everything anew`, async t => {
		const place = await fresh(t);
		const away = await openFor(t, place);
		const writer = await openFor(t, place, {changesKeptMs: 4});
		for (let step = 0; step < 5; step++) {
			await writer.kvPut('one', {[`key${step}`]: '1'});
			await new Promise(done => setTimeout(done, 10));
		}
		const seen: Change[] = [];
		away.onChange(change => seen.push(change));
		await until(t, () => seen.length > 0, 'the word');
		t.deepEqual(seen[0], {kind: 'anew'});
		t.is((await away.kvAll()).length, 5);
		const other = await openFor(t, place);
		await other.kvPut('one', {last: '1'});
		await until(t, () => JSON.stringify(seen.at(-1)).includes('last'), 'the last change');
		t.is(seen.filter(({kind}) => kind === 'anew').length, 1);
	});

	test.serial(`${name}: a writer that is killed loses nothing that it was told is durable`, async t => {
		const place = await fresh(t);
		const reader = await openFor(t, place);
		const seen: Change[] = [];
		reader.onChange(change => seen.push(change));
		const {child, lines} = start(t, place, 'p0', 'put', 1_000_000);
		let acknowledged = -1;
		for await (const line of lines) {
			acknowledged = Number(line);
			if (acknowledged === 150) child.kill('SIGKILL');
		}
		await ended(child);
		t.is(child.signalCode, 'SIGKILL');
		const last = async () => JSON.parse((await reader.kvAll()).find(({key}) => key === 'p0')?.value ?? '{"step":-1}').step;
		t.true((await last()) >= acknowledged, `${acknowledged} was acknowledged, ${await last()} is there`);
		inOrder(t, stepsOf(seen), 1, (await last()) + 1);
	});
}
