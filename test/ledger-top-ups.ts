import test from 'ava';
import {held, noon, sharedLedgers, team} from './helpers/shared-ledgers.ts';

const midnight = Date.parse('2026-06-16T00:00:00Z');
const tokens = (amount: number, limit = 100) => team(amount, limit, {unit: 'outputTokens'});

test('a stream that outgrows what it set aside gets more on every account, or on none', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const first = await held(ledger.reserve([tokens(40), {...tokens(40, 70), account: 'key:1'}, team(1)]));
	const grown = await held(ledger.topUp(first, {outputTokens: 30}));
	t.like(grown, [{amount: 70}, {amount: 70}, {amount: 1}]);
	t.like((await ledger.topUp(grown, {outputTokens: 1})).short, {account: 'key:1', used: 70, needed: 1});
	t.is(ledger.balance('team:a', 'outputTokens', 'day').reserved, 70);
	t.like(end(grown, {outputTokens: 65}), [{amount: 65}, {amount: 65}, {amount: 1}]);
	t.like(ledger.balance('team:a', 'outputTokens', 'day'), {spent: 65, reserved: 0});
});

test('whoever kept the old bookings settles the same thing once', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger} = await open('a');
	const old = await held(ledger.reserve([tokens(40)]));
	const grown = await held(ledger.topUp(old, {outputTokens: 30}));
	t.like(ledger.settle(old, {}), [{amount: 70}]);
	t.is(ledger.settle(grown, {outputTokens: 5})[0]?.amount, 70);
	t.is(ledger.balance('team:a', 'outputTokens', 'day').spent, 70);
	t.throws(() => ledger.topUp(grown, {outputTokens: 5}), {code: 'internal'});
});

test('a stream that runs past midnight grows on the day it began', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const first = await held(ledger.reserve([tokens(40)]));
	clock.now = midnight + 60_000;
	await held(ledger.reserve([tokens(100)]));
	const grown = await held(ledger.topUp(first, {outputTokens: 60}));
	t.true(grown[0]?.key.endsWith('2026-06-15T00:00:00Z'));
	t.like((await ledger.topUp(grown, {outputTokens: 1})).short, {used: 100});
	t.like(end(grown, {outputTokens: 90}), [{amount: 90}]);
	t.like(ledger.balance('team:a', 'outputTokens', 'day'), {spent: 0, reserved: 100});
});

test('in a rolling window a stream that grows moves to the present with all it has', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger} = await open('a');
	const rolling = {...tokens(60), window: 'rolling:1m' as const};
	const first = await held(ledger.reserve([rolling]));
	clock.now = noon + 30_000;
	const grown = await held(ledger.topUp(first, {outputTokens: 20}));
	t.like(grown, [{key: 'team:a|outputTokens|rolling:1m|2026-06-15T12:00:30Z', amount: 80}]);
	t.is(ledger.balance('team:a', 'outputTokens', 'rolling:1m').reserved, 80);
	clock.now = noon + 5 * 60_000;
	t.is(ledger.balance('team:a', 'outputTokens', 'rolling:1m').reserved, 0);
	await held(ledger.reserve([{...rolling, amount: 15}]));
	t.like((await ledger.topUp(grown, {outputTokens: 10})).short, {needed: 90});
	await held(ledger.topUp(grown, {outputTokens: 5}));
	t.is(ledger.balance('team:a', 'outputTokens', 'rolling:1m').reserved, 100);
});

test('what had grown and was journaled is found after a crash as it was last', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, record, file} = await open('a');
	const first = await held(ledger.reserve([tokens(40)]));
	record('opened', 'stream', first);
	record('opened', 'stream', await held(ledger.topUp(first, {outputTokens: 25})));
	const again = await open('a', {}, file);
	t.is(again.ledger.balance('team:a', 'outputTokens', 'day').spent, 65);
	t.like(again.ledger.orphans, [{exchange: 'stream', bookings: [{amount: 65}]}]);
});

for (const amount of [-1, Number.NaN, 0.5, Number.POSITIVE_INFINITY, 2 ** 53, 1e15])
	test(`${amount} tokens cannot have been used: nothing is settled, and all stays reserved`, async t => {
		const {open} = await sharedLedgers(t);
		const {ledger} = await open('a');
		const bookings = await held(ledger.reserve([team(1), tokens(40)]));
		t.throws(() => ledger.settle(bookings, {requests: 1, outputTokens: amount}), {code: 'plugin_failed', message: /outputTokens/});
		t.throws(() => ledger.topUp(bookings, {outputTokens: amount}), {code: 'plugin_failed'});
		t.like(ledger.balance('team:a', 'outputTokens', 'day'), {spent: 0, reserved: 40});
		t.like(ledger.balance('team:a', 'requests', 'day'), {spent: 0, reserved: 1});
		t.like(ledger.settle(bookings, {}), [{amount: 1}, {amount: 40}]);
		t.true(
			amount === Number.POSITIVE_INFINITY ||
				amount >= 2 ** 40 ||
				(await t.throwsAsync(async () => ledger.reserve([tokens(amount)]))) !== undefined,
		);
		await t.throwsAsync(async () => ledger.reserve([{...tokens(amount), limit: null}]), {code: 'plugin_failed'});
	});

test('settling above what was set aside is booked as it is, and what comes next is refused', async t => {
	const {open} = await sharedLedgers(t);
	const a = await open('a');
	const b = await open('b');
	a.end(await held(a.ledger.reserve([tokens(60)])), {outputTokens: 160});
	t.like((await a.ledger.reserve([tokens(1)])).short, {used: 160});
	await a.ledger.close();
	t.like((await b.ledger.reserve([tokens(1)])).short, {used: 160});
});
