import test from 'ava';
import {eventually, held, heldSoon, sharedLedgers, team} from './helpers/shared-ledgers.ts';

test('two processes at once on 100 units: exactly 100 are held between them', async t => {
	const {open} = await sharedLedgers(t);
	const members = [await open('a'), await open('b')];
	const outcomes = await Promise.all(Array.from({length: 200}, (_, index) => members[index % 2]!.ledger.reserve([team(1)])));
	const first = outcomes.filter(({held}) => held).length;
	t.true(first <= 100);
	for (let count = first; count < 100; count += 1) await heldSoon(() => members[0]!.ledger.reserve([team(1)]));
	for (const {ledger} of members) t.like((await ledger.reserve([team(1)])).short, {used: 100});
});

test('what one process was granted and does not use comes back to the one that lacks it', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	await held(a.ledger.reserve([team(1, 1_000)]));
	for (let count = 0; count < 999; count += 1) await heldSoon(() => b.ledger.reserve([team(1, 1_000)]));
	t.like((await b.ledger.reserve([team(1, 1_000)])).short, {used: 1_000});
	t.like((await a.ledger.reserve([team(1, 1_000)])).short, {used: 1_000});
});

test('refusals of an exhausted account are cheap', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	await held(a.ledger.reserve([team(100)]));
	t.truthy((await b.ledger.reserve([team(1)])).short);
	const before = b.state.writes;
	for (let count = 0; count < 1_000; count += 1) {
		const outcome = b.ledger.reserve([team(1)]);
		t.false(outcome instanceof Promise);
	}
	t.is(b.state.writes, before);
});

test('what a settlement gives back is there for another process, though that had found no room a moment before', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	const bookings = await held(a.ledger.reserve([team(100)]));
	t.truthy((await b.ledger.reserve([team(60)])).short);
	a.end(bookings, {requests: 40});
	t.is((await heldSoon(() => b.ledger.reserve([team(60)]))).length, 1);
	t.truthy((await a.ledger.reserve([team(1)])).short);
});

test('until a record says that it was not used, what was set aside is nobody else’s: a crash would book it', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	const bookings = await held(a.ledger.reserve([team(100)]));
	a.record('opened', 'one', bookings);
	a.ledger.settle(bookings, {requests: 40});
	t.truthy((await b.ledger.reserve([team(1)])).short);
	t.truthy((await a.ledger.reserve([team(1)])).short);
	const again = await open('a', {}, a.file);
	t.is(again.ledger.balance('team:a', 'requests', 'day').spent, 100);
});

test('a limit that was lowered holds for a process whose lease was granted under the old one', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	a.end(await held(a.ledger.reserve([team(10, 1_000)])));
	b.end(await heldSoon(() => b.ledger.reserve([team(30, 1_000)])));
	t.like((await a.ledger.reserve([team(11, 50)])).short, {limit: 50, used: 40});
	t.is((await heldSoon(() => a.ledger.reserve([team(10, 50)]))).length, 1);
	t.truthy((await b.ledger.reserve([team(1, 50)])).short);
	t.is((await heldSoon(() => b.ledger.reserve([team(1, 51)]))).length, 1);
	t.truthy((await b.ledger.reserve([team(100, null)])).held);
});

test('the balance is what all processes have spent, as of a moment ago', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	a.end(await held(a.ledger.reserve([team(10)])));
	b.end(await heldSoon(() => b.ledger.reserve([team(30), team(5, 100, {account: 'team:b'})])));
	t.true(await eventually(() => a.ledger.balance('team:a', 'requests', 'day').spent === 40));
	t.true(await eventually(() => a.ledger.balance('team:b', 'requests', 'day').spent === 5));
	t.true(await eventually(() => b.ledger.balance('team:a', 'requests', 'day').spent === 40));
});

test('a process that ends in order leaves all its room to the others; a killed one does when it is back', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	const c = await open('c');
	a.end(await held(a.ledger.reserve([team(10)])));
	await a.ledger.close();
	const taken = await held(b.ledger.reserve([team(20)]));
	b.record('opened', 'one', taken);
	const {file} = b;
	const again = await open('b', {}, file);
	t.is(again.ledger.balance('team:a', 'requests', 'day').spent, 20);
	t.truthy((await c.ledger.reserve([team(71)])).short);
	t.is((await heldSoon(() => c.ledger.reserve([team(70)]))).length, 1);
});

test('at steady load two processes write less than once in 100 requests', async t => {
	const {open} = await sharedLedgers(t);
	const members = [await open('a', {writeEveryMs: 200}), await open('b', {writeEveryMs: 200})];
	const accounts = [0, 1, 2, 3, 4].map(level => team(1_000, 100_000_000, {account: `level:${level}`, unit: 'microUsd'}));
	const rates = [team(1, 100_000, {window: 'second'}), team(1, 1_000_000, {window: 'rolling:1m'})];
	for (const {ledger} of members) await held(ledger.reserve([...accounts, ...rates]));
	const before = members.map(({state}) => state.writes);
	let count = 0;
	for (let round = 0; round < 3_000; round += 1) {
		for (const {ledger, end} of members) end(await held(ledger.reserve([...accounts, ...rates])));
		count += 2;
		if (round % 20 === 0) await new Promise(done => setTimeout(done, 1));
	}
	const writes = members.reduce((sum, {state}, index) => sum + state.writes - before[index]!, 0);
	t.log(`${writes} writes for ${count} requests`);
	t.true(writes * 100 <= count, `${writes} writes for ${count} requests`);
});
