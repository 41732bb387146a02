import {type ChildProcessByStdio, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import type {Readable, Writable} from 'node:stream';
import test, {type ExecutionContext} from 'ava';
import {records} from '../core/journal/read.ts';
import {openLedger} from '../core/ledger/open.ts';
import {openStore} from '../core/store/open.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

const program = join(import.meta.dirname, 'helpers', 'ledger-caller.ts');

type Told = {what: string; at: bigint};
type Caller = {
	child: ChildProcessByStdio<Writable, Readable, null>;
	told: Told[];
	until(right: (told: readonly Told[]) => boolean): Promise<void>;
};

const startCaller = (
	t: ExecutionContext,
	folder: string,
	{name, limit, refusals}: {name: string; limit: number; refusals: number},
): Caller => {
	const child = spawn(process.execPath, [program, folder, name, String(limit), '12', String(refusals)], {
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const told: Told[] = [];
	const waiting = new Set<() => void>();
	createInterface({input: child.stdout})
		.on('line', line => {
			const [what = '', at = '0'] = line.split(' ');
			told.push({what, at: BigInt(at)});
			for (const look of waiting) look();
		})
		.on('close', () => {
			for (const look of waiting) look();
		});
	const until = (right: (told: readonly Told[]) => boolean) =>
		new Promise<void>(done => {
			const look = () => {
				if (!right(told) && child.exitCode === null && child.signalCode === null) return;
				waiting.delete(look);
				done();
			};
			waiting.add(look);
			look();
		});
	return {child, told, until};
};

const end = async ({child}: Caller): Promise<void> => {
	if (child.exitCode !== null || child.signalCode !== null) return;
	child.kill('SIGKILL');
	await once(child, 'exit');
};

const count = (told: readonly Told[], what: string): number => told.filter(one => one.what === what).length;

/** What the journals of all processes say was booked of an account. */
const bookedIn = async (folder: string, names: readonly string[]): Promise<number> => {
	let sum = 0;
	for (const name of names) {
		const open = new Map<string, number>();
		for await (const {kind, exchange = '', bookings = []} of records(join(folder, `journal-${name}`))) {
			const amount = bookings.find(({key}) => key.startsWith('team:'))?.amount ?? 0;
			if (kind === 'opened') open.set(exchange, amount);
			if (kind !== 'exchange') continue;
			open.delete(exchange);
			sum += amount;
		}
		for (const amount of open.values()) sum += amount;
	}
	return sum;
};

test('four processes and a limit of 1,000 calls: at least 990 succeed before the first is refused, and never more than 1,000', async t => {
	const folder = await temporaryFolder(t);
	const callers = ['a', 'b', 'c', 'd'].map(name => startCaller(t, folder, {name, limit: 1_000, refusals: 1}));
	await Promise.all(callers.map(({until}) => until(told => count(told, 'ready') > 0)));
	for (const {child} of callers) child.stdin.end('go');
	await Promise.all(callers.map(({until}) => until(told => count(told, 'refused') > 0)));
	const told = callers.flatMap(caller => caller.told);
	const [first = 0n] = told
		.filter(({what}) => what === 'refused')
		.map(({at}) => at)
		.sort((one, other) => (one < other ? -1 : 1));
	const before = told.filter(({what, at}) => what === 'held' && at < first).length;
	t.log(
		`${before} before the first refusal, ${count(told, 'held')} in all; by process: ${callers.map(caller => count(caller.told, 'held'))}`,
	);
	t.true(before >= 990, `${before} before the first refusal`);
	t.true(count(told, 'held') <= 1_000);
	await Promise.all(callers.map(end));
});

test('four processes on one store, killed again and again: their limit holds, and their journals say what was booked', async t => {
	const seed = 1 + Math.floor(Math.random() * 1e6);
	t.log(`seed ${seed}`);
	const random = seededRandom(seed);
	const folder = await temporaryFolder(t);
	const limit = 900;
	const names = ['a', 'b', 'c', 'd'];
	let heldInAll = 0;
	const start = (name: string): Caller => {
		const caller = startCaller(t, folder, {name, limit, refusals: 1_000_000});
		caller.child.stdin.end();
		return caller;
	};
	let callers = new Map(names.map(name => [name, start(name)]));
	await Promise.all([...callers.values()].map(({until}) => until(told => count(told, 'ready') > 0)));
	for (let kills = 0; kills < 8; kills += 1) {
		const name = random.pick(names);
		const caller = callers.get(name)!;
		const most = random.below(60);
		await caller.until(told => count(told, 'held') >= most || count(told, 'refused') > 3);
		await end(caller);
		heldInAll += count(caller.told, 'held');
		t.true((await bookedIn(folder, names)) <= limit);
		callers = new Map([...callers, [name, start(name)]]);
		await callers.get(name)!.until(told => count(told, 'ready') > 0);
	}
	// What was lost with the killed ones has come back: all of it can be had in the end.
	await Promise.all([...callers.values()].map(({until}) => until(told => count(told, 'refused') > 20)));
	for (const caller of callers.values()) {
		await end(caller);
		heldInAll += count(caller.told, 'held');
	}
	const booked = await bookedIn(folder, names);
	t.true(booked <= limit, `${booked} booked`);
	t.true(booked >= heldInAll, `${heldInAll} were told of, ${booked} are on record`);
	t.true(booked >= limit * 0.99, `${booked} booked`);

	let spent = 0;
	for (const name of names) {
		const store = await openStore(join(folder, 'gateway.db'), {process: name});
		t.teardown(() => store.close());
		const ledger = await openLedger({store, records: fromSeq => records(join(folder, `journal-${name}`), {fromSeq})});
		for (const {bookings = []} of ledger.orphans) ledger.settle([], {requests: bookings.length});
		spent += (await store.ledgerOwn()).find(({key}) => key.startsWith('team:'))?.granted ?? 0;
	}
	t.is(spent, booked);
});
