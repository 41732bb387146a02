import test from 'ava';
import type {Crossing} from '../core/ledger/ledger.ts';
import {eventually, held, noon, sharedLedgers, team} from './helpers/shared-ledgers.ts';

const notified = (amount: number, limit = 100) => team(amount, limit, {notifyAt: [50, 80, 100]});

test('a soft limit refuses nothing and tells what is past it; a hard one beside it refuses all the same', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger} = await open('a');
	const soft = team(60, 100, {soft: true});
	const hard = team(60, 130, {account: 'tenant:a'});
	t.is((await ledger.reserve([soft, hard])).held?.length, 2);
	const over = await ledger.reserve([soft, {...hard, amount: 1}]);
	t.is(over.held?.length, 2);
	t.like(over, {soft: [{account: 'team:a', limit: 100, used: 60, needed: 60}]});
	t.like((await ledger.reserve([soft, {...hard, amount: 70}])).short, {account: 'tenant:a'});
	t.is(ledger.balance('team:a', 'requests', 'day').reserved, 120);
});

test('a soft limit never waits for the store, and is written all the same', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, end, store} = await open('a');
	const outcome = ledger.reserve([team(60, 50, {soft: true})]);
	t.false(outcome instanceof Promise);
	end(await held(outcome));
	await ledger.close();
	t.like(await store.ledgerOwn(), [{settled: 60, granted: 60}]);
});

test('a limit of null is no limit, and what is used counts: a limit set later finds it', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	t.truthy((await ledger.reserve([team(10, 10)])).held);
	t.truthy((await ledger.reserve([team(1, 10)])).short);
	end(await held(ledger.reserve([team(1_000, null)])));
	t.is(ledger.balance('team:a', 'requests', 'day').spent, 1_000);
	t.like((await ledger.reserve([team(1, 1_000)])).short, {used: 1_010});
	t.truthy((await ledger.reserve([team(1, 1_011)])).held);
});

test('each threshold is told once in its window, with the reservation that reaches it', async t => {
	const {clock, open} = await sharedLedgers(t);
	const {ledger} = await open('a');
	const told: Crossing[] = [];
	ledger.onCrossed(crossing => told.push(crossing));
	const crossedBy = async (amount: number) =>
		((await ledger.reserve([notified(amount)])) as {crossed?: Crossing[]}).crossed?.map(({percent}) => percent);
	t.is(await crossedBy(49), undefined);
	t.deepEqual(await crossedBy(1), [50]);
	t.is(await crossedBy(1), undefined);
	t.deepEqual(await crossedBy(49), [80, 100]);
	t.true(await eventually(() => told.length === 3));
	t.deepEqual(told[1], {account: 'team:a', unit: 'requests', window: 'day', percent: 80, used: 100, limit: 100});
	clock.now = noon + 86_400_000;
	t.deepEqual(await crossedBy(60), [50]);
	t.true(await eventually(() => told.length === 4));
});

test('a settlement above its reservation that reaches a threshold tells it', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, end} = await open('a');
	const told: number[] = [];
	ledger.onCrossed(({percent}) => told.push(percent));
	end(await held(ledger.reserve([notified(40)])), {requests: 85});
	t.true(await eventually(() => told.length === 2));
	t.deepEqual(told.sort(), [50, 80]);
});

test('four processes that use a quarter each tell each threshold once, together', async t => {
	const {open} = await sharedLedgers(t);
	const members = [await open('a'), await open('b'), await open('c'), await open('d')];
	const told: number[] = [];
	for (const {ledger} of members) ledger.onCrossed(({percent}) => told.push(percent));
	for (let round = 0; round < 25; round += 1) for (const {ledger, end} of members) end(await held(ledger.reserve([notified(1)])));
	t.true(await eventually(() => told.length === 3), `told: ${told}`);
	await new Promise(done => setTimeout(done, 100));
	t.deepEqual(told.sort(), [100, 50, 80]);
});

test('a threshold that could not be told while the store was down is told when it is back', async t => {
	const {open} = await sharedLedgers(t);
	const {ledger, end, state} = await open('a');
	const told: number[] = [];
	ledger.onCrossed(({percent}) => told.push(percent));
	end(await held(ledger.reserve([notified(10)])));
	state.broken = true;
	end(await held(ledger.reserve([notified(45)])));
	await new Promise(done => setTimeout(done, 100));
	t.deepEqual(told, []);
	state.broken = false;
	t.true(await eventually(() => told.length === 1));
});
