import test from 'ava';
import {held, heldSoon, noon, sharedLedgers, team} from './helpers/shared-ledgers.ts';

const second = 1_000;
const minute = 60 * second;

test('a rolling minute: what was used in its last 61 seconds leaves no room, and the refusal says to the millisecond when there is some', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const rolling = (amount: number) => team(amount, 100, {window: 'rolling:1m'});
	end(await held(ledger.reserve([rolling(60)])));
	clock.now = noon + 30_500;
	end(await held(ledger.reserve([rolling(40)])));

	const {short} = await ledger.reserve([rolling(1)]);
	// The bucket of the first second counts until its last moment is a minute ago.
	t.deepEqual(short, {
		account: 'team:a',
		unit: 'requests',
		window: 'rolling:1m',
		limit: 100,
		used: 100,
		needed: 1,
		resetsAt: noon + 61 * second,
	});
	t.is((await ledger.reserve([rolling(61)])).short?.resetsAt, noon + 91 * second);
	t.is((await ledger.reserve([rolling(101)])).short?.resetsAt, undefined);

	clock.now = noon + 61 * second - 1;
	t.truthy((await ledger.reserve([rolling(1)])).short);
	clock.now = noon + 61 * second;
	end(await held(ledger.reserve([rolling(60)])));
	t.truthy((await ledger.reserve([rolling(1)])).short);
	t.like(ledger.balance('team:a', 'requests', 'rolling:1m'), {spent: 100, reserved: 0});
});

test('a rolling window has no edge at which twice its limit fits', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const given: number[] = [];
	for (let at = 0; at < 400; at += 1) {
		clock.now = noon + at * 500;
		const outcome = await ledger.reserve([team(1, 10, {window: 'rolling:10s'})]);
		if (!outcome.held) continue;
		end(outcome.held);
		given.push(clock.now);
	}
	for (const from of given) t.true(given.filter(at => at >= from && at < from + 10 * second).length <= 10);
	t.true(given.length >= 170, `${given.length} of 200`);
});

test('a rolling window is shared by two processes, and what one of them used comes back to the other when it is over', async t => {
	const {clock, open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	const rolling = (amount: number) => team(amount, 100, {window: 'rolling:1m'});
	a.end(await held(a.ledger.reserve([rolling(30)])));
	clock.now = noon + 10 * second;
	b.end(await heldSoon(() => b.ledger.reserve([rolling(70)])));
	for (const {ledger} of [a, b]) {
		const {short} = await ledger.reserve([rolling(20)]);
		t.like(short, {used: 100, needed: 20, resetsAt: noon + 61 * second});
	}
	clock.now = noon + 61 * second;
	b.end(await heldSoon(() => b.ledger.reserve([rolling(30)])));
	t.truthy((await a.ledger.reserve([rolling(1)])).short);
});

test('a process that was killed leaves its part of a rolling window used up, until it is back or the window is over', async t => {
	const {clock, open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	const rolling = (amount: number) => team(amount, 100, {window: 'rolling:1m'});
	const lost = await held(a.ledger.reserve([rolling(30)]));
	a.record('opened', 'lost', lost);
	// Killed here: only its journal and its rows are left, and the room it was granted ahead.
	await b.ledger.reserve([rolling(71)]);
	const again = await open('a', {}, a.file);
	t.like(again.ledger.orphans, [{exchange: 'lost', bookings: [{amount: 30}]}]);
	t.is(again.ledger.balance('team:a', 'requests', 'rolling:1m').spent, 30);
	t.truthy((await b.ledger.reserve([rolling(71)])).short);
	b.end(await heldSoon(() => b.ledger.reserve([rolling(70)])));
	clock.now = noon + 62 * second;
	b.end(await heldSoon(() => b.ledger.reserve([rolling(100)])));
});

test('a limit by the second costs a write in a minute, not in a second', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end, state} = await open('a', {writeEveryMs: 60_000});
	const fast = team(1, 5, {window: 'second'});
	end(await held(ledger.reserve([fast])));
	const before = state.writes;
	let waited = 0;
	for (let at = 0; at < 50; at += 1) {
		clock.now = noon + at * second + 100;
		for (let count = 0; count < 4; count += 1) {
			const outcome = ledger.reserve([fast]);
			if (outcome instanceof Promise) waited += 1;
			end(await held(outcome));
		}
		await new Promise(done => setTimeout(done, 1));
	}
	t.is(waited, 0);
	t.true(state.writes - before <= 2, `${state.writes - before} writes`);
	end(await held(ledger.reserve([fast])));
	t.like(await ledger.reserve([fast]), {short: {used: 5, resetsAt: noon + 50 * second}});
});

test('a lease on a rolling window is renewed before it ends, without anybody waiting', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const rolling = team(1, 1_000_000, {window: 'rolling:1m'});
	end(await held(ledger.reserve([rolling])));
	let waited = 0;
	for (let at = 0; at < 60; at += 1) {
		clock.now = noon + at * 5 * second;
		const outcome = ledger.reserve([rolling]);
		if (outcome instanceof Promise) waited += 1;
		end(await held(outcome));
		await new Promise(done => setTimeout(done, 40));
	}
	t.is(waited, 0);
});

test('what is settled after the window has moved on belongs to where it was reserved', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const reserved = await held(ledger.reserve([team(50, 100, {window: 'rolling:1m'}), team(50, 100, {window: 'second'})]));
	clock.now = noon + 5 * minute;
	t.like(ledger.balance('team:a', 'requests', 'rolling:1m'), {spent: 0, reserved: 0});
	await held(ledger.reserve([team(100, 100, {window: 'rolling:1m'}), team(100, 100, {window: 'second'})]));
	t.like(end(reserved), [
		{key: 'team:a|requests|rolling:1m|2026-06-15T12:00:00Z', amount: 50},
		{key: 'team:a|requests|second|2026-06-15T12:00:00Z'},
	]);
	t.like(ledger.balance('team:a', 'requests', 'rolling:1m'), {spent: 0, reserved: 100});
});

test('slots are held as long as an exchange runs, cost nothing in the end, and are found free after a crash', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const slot = team(1, 2, {unit: 'slots', window: 'now'});
	const first = await held(a.ledger.reserve([slot]));
	const second = await held(a.ledger.reserve([slot]));
	t.deepEqual((await a.ledger.reserve([slot])).short, {account: 'team:a', unit: 'slots', window: 'now', limit: 2, used: 2, needed: 1});
	t.like(a.ledger.balance('team:a', 'slots', 'now'), {spent: 0, reserved: 2});
	t.like(a.end(first, {requests: 7}), [{amount: 0}]);
	const third = await held(a.ledger.reserve([slot]));
	a.record('opened', 'running', third);
	a.record('opened', 'too', second);
	const again = await open('a', {}, a.file);
	t.like(again.ledger.orphans, [{bookings: [{amount: 0}]}, {bookings: [{amount: 0}]}]);
	t.is((await held(again.ledger.reserve([slot, slot]))).length, 2);
});

test('slots of one account are shared by processes; those of a process that is dead come back to the others', async t => {
	const {clock, open} = await sharedLedgers(t);
	const time = {a: 0, b: 0};
	const a = await open('a', {ticks: () => time.a});
	const b = await open('b', {ticks: () => time.b});
	const slot = team(1, 4, {unit: 'slots', window: 'now'});
	for (let count = 0; count < 3; count += 1) await held(a.ledger.reserve([slot]));
	const last = await heldSoon(() => b.ledger.reserve([slot]));
	t.like((await b.ledger.reserve([slot])).short, {used: 4, limit: 4});
	b.end(last);
	await heldSoon(() => a.ledger.reserve([slot]));
	t.truthy((await b.ledger.reserve([slot])).short);
	// A says nothing any more.
	time.b += 20_000;
	clock.now += 2_000;
	for (let count = 0; count < 4; count += 1) {
		const outcome = await b.ledger.reserve([slot]);
		t.truthy(outcome.held, `slot ${count}`);
	}
	t.truthy((await b.ledger.reserve([slot])).short);
});

test('a process that was taken for dead asks again before it hands out slots', async t => {
	const {open} = await sharedLedgers(t);
	const time = {a: 0, b: 0};
	const a = await open('a', {ticks: () => time.a});
	const b = await open('b', {ticks: () => time.b});
	const slot = team(1, 4, {unit: 'slots', window: 'now'});
	a.end(await held(a.ledger.reserve([slot])));
	time.a += 20_000;
	time.b += 20_000;
	for (let count = 0; count < 4; count += 1) await held(b.ledger.reserve([slot]));
	t.truthy((await a.ledger.reserve([slot])).short);
});
