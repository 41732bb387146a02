import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import type {Outcome} from '../core/ledger/ledger.ts';
import {openLedger} from '../core/ledger/open.ts';
import type {Store} from '../core/store/store.ts';
import type {Reservation} from '../schemas/verdict.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

const noon = Date.parse('2026-06-15T12:00:00Z');
const midnight = Date.parse('2026-06-16T00:00:00Z');

const team = (amount: number, limit = 100): Reservation => ({account: 'team:a', unit: 'microUsd', amount, limit, window: 'day'});
const tenant = (amount: number, limit = 1_000): Reservation => ({account: 'tenant:a', unit: 'microUsd', amount, limit, window: 'month'});

/** A ledger on a real file, whose store can be made to fail, and whose clock stands still until it is moved. */
const setUp = async (t: ExecutionContext) => {
	const {store} = await temporaryStore(t);
	const state = {now: noon, broken: false, writes: 0};
	const breakable: Store = {
		...store,
		ledgerPut: async rows => {
			state.writes += 1;
			if (state.broken) throw new Error('the disk is gone');
			await store.ledgerPut(rows);
		},
		ledgerLease: async (keys, decide) => {
			state.writes += 1;
			if (state.broken) throw new Error('the disk is gone');
			return store.ledgerLease(keys, decide);
		},
	};
	const open = async (records: StoredRecord[] = []) => {
		const ledger = await openLedger({
			store: breakable,
			records: fromSeq => records.filter(({seq}) => seq >= fromSeq),
			now: () => state.now,
			writeEveryMs: 5,
		});
		t.teardown(() => ledger.close());
		return ledger;
	};
	return {store, state, open, ledger: await open()};
};

const record = (seq: number, more: Partial<StoredRecord>): StoredRecord => ({
	v: 1,
	seq,
	at: '',
	prev: '',
	hash: '',
	kind: 'exchange',
	...more,
});
const dayOf = (account: string) => `${account}|microUsd|day|2026-06-15T00:00:00Z`;

test('200 at once where there is room for 10: exactly 10 are held, and one write carried them all', async t => {
	const {ledger, state, store} = await setUp(t);
	const outcomes = await Promise.all(Array.from({length: 200}, () => ledger.reserve([team(10), tenant(10)])));
	t.is(outcomes.filter(({held}) => held).length, 10);
	t.is(ledger.balance('team:a', 'microUsd', 'day').reserved, 100);
	t.is(ledger.balance('tenant:a', 'microUsd', 'month').reserved, 100);
	t.is(state.writes, 1);
	t.is((await store.ledgerOwn()).find(({key}) => key === dayOf('team:a'))?.granted, 100);
});

test('two requests that fit alone but not together: the second is refused and told who is short', async t => {
	const {ledger} = await setUp(t);
	t.truthy((await ledger.reserve([tenant(60), team(60)])).held);
	t.deepEqual((await ledger.reserve([tenant(60), team(60)])).short, {
		account: 'team:a',
		unit: 'microUsd',
		window: 'day',
		limit: 100,
		used: 60,
		needed: 60,
		resetsAt: midnight,
	});
	t.is(ledger.balance('tenant:a', 'microUsd', 'month').reserved, 60);
});

test('of two accounts without room, the refusal names the one that stays without it for longer', async t => {
	const {ledger} = await setUp(t);
	t.is((await ledger.reserve([team(101), tenant(1_001)])).short?.account, 'tenant:a');
	t.is((await ledger.reserve([tenant(1_001), team(101)])).short?.account, 'tenant:a');
});

test('an account named twice in one reservation needs room for both', async t => {
	const {ledger} = await setUp(t);
	t.truthy((await ledger.reserve([team(60), team(60)])).short);
	t.is((await ledger.reserve([team(60), team(40)])).held?.length, 2);
});

test('once a lease is held, the answer comes at once', async t => {
	const {ledger} = await setUp(t);
	t.true(ledger.reserve([team(1)]) instanceof Promise);
	await ledger.reserve([team(1)]);
	t.truthy((ledger.reserve([team(1)]) as Outcome).held);
});

test('at steady load there is less than one write in 100 requests, and none waits', async t => {
	const {ledger, state, store} = await setUp(t);
	const accounts = [0, 1, 2, 3, 4].map(level => ({...team(1_000, 10_000_000), account: `level:${level}`}));
	await ledger.reserve(accounts);
	const before = state.writes;
	let waited = 0;
	for (let round = 0; round < 5_000; round += 1) {
		const outcome = ledger.reserve(accounts);
		if (outcome instanceof Promise) waited += 1;
		const {held = []} = await outcome;
		ledger.settle(held, {});
		// The store gets its turn: what it was asked for before is written when this answers.
		if (round % 100 === 0) await store.metaGet('anything');
	}
	t.is(waited, 0);
	t.true(state.writes - before <= 50, `${state.writes - before} writes`);
});

test('settling frees what was not used, and doing it twice changes nothing', async t => {
	const {ledger} = await setUp(t);
	const {held = []} = await ledger.reserve([team(100), tenant(100)]);
	const settled = ledger.settle(held, {microUsd: 30});
	t.like(settled, [{key: dayOf('team:a'), amount: 30}, {amount: 30}]);
	t.is(JSON.stringify(settled[0]), `{"key":"${dayOf('team:a')}","amount":30}`);
	t.is(ledger.settle(held, {microUsd: 99})[0], settled[0]);
	t.like(ledger.balance('team:a', 'microUsd', 'day'), {spent: 30, reserved: 0, resetsAt: midnight});
});

test('a unit that is not settled counts in full', async t => {
	const {ledger} = await setUp(t);
	const {held = []} = await ledger.reserve([team(50), {...team(7), unit: 'tokens'}]);
	t.like(ledger.settle(held, {microUsd: 20}), [{amount: 20}, {amount: 7}]);
});

test('more used than reserved is booked as it is, made durable, and refuses what comes next', async t => {
	const {ledger, store} = await setUp(t);
	const {held = []} = await ledger.reserve([team(90)]);
	ledger.journaled(ledger.settle(held, {microUsd: 130}), 1);
	t.is(ledger.balance('team:a', 'microUsd', 'day').spent, 130);
	t.truthy((await ledger.reserve([team(0)])).short);
	await ledger.close();
	t.like(await store.ledgerOwn(), [{settled: 130, granted: 130, seq: 1}]);
});

test('an amount of 0 is held at the limit, even at a limit of 0; an amount of 1 is not', async t => {
	const {ledger} = await setUp(t);
	t.truthy((await ledger.reserve([team(0, 0)])).held);
	t.truthy((await ledger.reserve([team(1, 0)])).short);
	await ledger.reserve([team(100)]);
	t.truthy((await ledger.reserve([team(0)])).held);
	t.truthy((await ledger.reserve([team(1)])).short);
});

test('a lower limit refuses at once, whatever was granted under the old one; a higher one gives room at once', async t => {
	const {ledger} = await setUp(t);
	await ledger.reserve([team(50)]);
	t.truthy((await ledger.reserve([team(1, 40)])).short);
	t.truthy((await ledger.reserve([team(50)])).held);
	t.truthy((await ledger.reserve([team(1)])).short);
	t.truthy((await ledger.reserve([team(1, 101)])).held);
});

test('a failing store refuses what needs a lease, spends nothing, and is forgotten when it works again', async t => {
	const {ledger, state} = await setUp(t);
	state.broken = true;
	const attempts = await Promise.allSettled([ledger.reserve([team(10)]), ledger.reserve([team(10), tenant(10)])]);
	for (const attempt of attempts) t.like(attempt, {status: 'rejected', reason: {code: 'store_unavailable'}});
	t.like(ledger.balance('team:a', 'microUsd', 'day'), {spent: 0, reserved: 0});
	state.broken = false;
	t.truthy((await ledger.reserve([team(100)])).held);
});

test('a new day has room again; what was held yesterday is settled on yesterday', async t => {
	const {ledger, state} = await setUp(t);
	const {held = []} = await ledger.reserve([team(100)]);
	state.now = midnight - 1;
	t.truthy((await ledger.reserve([team(1)])).short);
	state.now = midnight;
	t.truthy((await ledger.reserve([team(100)])).held);
	t.is(ledger.settle(held, {microUsd: 40})[0]?.key, dayOf('team:a'));
	t.like(ledger.balance('team:a', 'microUsd', 'day'), {spent: 0, reserved: 100});
});

test('a clock that is set back finds the window it left as it was', async t => {
	const {ledger, state} = await setUp(t);
	await ledger.reserve([team(100)]);
	state.now = midnight + 60_000;
	t.truthy((await ledger.reserve([team(100)])).held);
	state.now = midnight - 60_000;
	t.truthy((await ledger.reserve([team(1)])).short);
	state.now = midnight + 60_000;
	t.truthy((await ledger.reserve([team(1)])).short);
});

test('an unknown time zone refuses the reservation and holds nothing of it', async t => {
	const {ledger} = await setUp(t);
	t.throws(() => ledger.reserve([team(10), {...tenant(10), timeZone: 'Mars/Olympus'}]), {code: 'plugin_failed'});
	t.is(ledger.balance('team:a', 'microUsd', 'day').reserved, 0);
});

test('a crash while a request is at the provider counts all it had set aside, until its record says so', async t => {
	const {ledger, open} = await setUp(t);
	const {held: first = []} = await ledger.reserve([team(30)]);
	const {held: second = []} = await ledger.reserve([team(40)]);
	await ledger.reserve([team(20)]);
	const settled = ledger.settle(first, {microUsd: 5});
	const records = [
		record(1, {kind: 'opened', exchange: 'one', bookings: first}),
		record(2, {kind: 'opened', exchange: 'two', bookings: second}),
		record(3, {exchange: 'one', bookings: settled}),
	];
	for (let start = 0; start < 2; start += 1) {
		const again = await open(records);
		t.like(again.balance('team:a', 'microUsd', 'day'), {spent: 45, reserved: 0});
		t.like(again.orphans, [{exchange: 'two', seq: 2, bookings: [{key: dayOf('team:a'), amount: 40}]}]);
	}
	const last = await open(records);
	const bookings = last.orphans[0]?.bookings ?? [];
	records.push(record(4, {exchange: 'two', outcome: 'failed', bookings}));
	last.journaled(bookings, 4);
	const after = await open(records);
	t.deepEqual(after.orphans, []);
	t.is(after.balance('team:a', 'microUsd', 'day').spent, 45);
});

test('when the journal is gone, what was granted and not accounted for counts as spent', async t => {
	const {ledger, open} = await setUp(t);
	const {held = []} = await ledger.reserve([team(30)]);
	ledger.journaled(ledger.settle(held, {microUsd: 5}), 8);
	await ledger.close();
	const crashed = await open([record(8, {exchange: 'one', bookings: [{key: dayOf('team:a'), amount: 5}]})]);
	await crashed.reserve([team(1)]);
	const without = await open([]);
	t.is(without.balance('team:a', 'microUsd', 'day').spent, 100);
});

test('when the store is gone, the journal alone tells what was spent', async t => {
	const {open} = await setUp(t);
	const records = [3, 4].map(seq => record(seq, {exchange: `e${seq}`, bookings: [{key: dayOf('team:a'), amount: seq}]}));
	t.is((await open(records)).balance('team:a', 'microUsd', 'day').spent, 7);
});

test('a start reads back what was still open, and nothing that ended before', async t => {
	const {ledger, store} = await setUp(t);
	const startAt = async () => {
		let from = 0;
		await openLedger({
			store,
			now: () => noon,
			records: fromSeq => {
				from = fromSeq;
				return [record(9, {kind: 'gateway'})];
			},
		});
		return from;
	};
	const {held: first = []} = await ledger.reserve([team(10)]);
	ledger.journaled(ledger.settle(first, {}), 7);
	await ledger.close();
	t.is(await startAt(), 7);

	const next = await openLedger({store, now: () => noon, records: () => [record(9, {kind: 'gateway'})]});
	await next.reserve([team(10)]);
	const {held: second = []} = await next.reserve([team(10)]);
	next.journaled(next.settle(second, {}), 20);
	await next.close();
	t.is(await startAt(), 9);
});

test('closing gives back what was leased and not spent, and refuses what comes after', async t => {
	const {ledger, store} = await setUp(t);
	const {held = []} = await ledger.reserve([team(30), tenant(30)]);
	ledger.journaled(ledger.settle(held, {microUsd: 12}), 4);
	await ledger.close();
	t.like(await store.ledgerOwn(), [
		{key: dayOf('team:a'), settled: 12, granted: 12, seq: 4, expiresAt: midnight},
		{settled: 12, granted: 12, seq: 4},
	]);
	t.throws(() => ledger.reserve([team(1)]), {code: 'shutting_down'});
});

test('windows that ended leave neither memory nor rows behind', async t => {
	const {ledger, state, store, open} = await setUp(t);
	for (let minute = 0; minute < 50; minute += 1) {
		state.now = noon + minute * 60_000;
		const {held = []} = await ledger.reserve([{...team(1), window: 'minute'}]);
		ledger.journaled(ledger.settle(held, {}), minute + 1);
	}
	await ledger.close();
	t.is((await store.ledgerOwn()).length, 50);
	state.now += 2 * 86_400_000;
	await open([record(50, {})]);
	t.deepEqual(await store.ledgerOwn(), []);
});
