import test from 'ava';
import {GatewayError} from '../core/errors.ts';
import type {Outcome} from '../core/ledger/ledger.ts';
import {openStore} from '../core/store/open.ts';
import {eventually, held, sharedLedgers, team} from './helpers/shared-ledgers.ts';

/** A store that answers nothing until it is told to. */
const hang = (state: {hung: Promise<void> | undefined}) => {
	const {promise, resolve} = Promise.withResolvers<void>();
	state.hung = promise;
	return () => {
		state.hung = undefined;
		resolve();
	};
};

const fail = (state: {broken: boolean}) => {
	state.broken = true;
	return () => {
		state.broken = false;
	};
};

/** The store is back, and the ledger has noticed: it needs no help for that. */
const whenBack = async (reserve: () => Outcome | Promise<Outcome>): Promise<Outcome | undefined> => {
	for (const end = performance.now() + 5_000; performance.now() < end; await new Promise(done => setTimeout(done, 10))) {
		const outcome = await Promise.resolve()
			.then(reserve)
			.catch(() => undefined);
		if (outcome !== undefined) return outcome;
	}
	return undefined;
};

for (const how of ['rejects', 'hangs'] as const)
	test(`a store that ${how}: what fits into the leases goes on, the rest is told so, and all is written when it is back`, async t => {
		const {open} = await sharedLedgers(t);
		const {ledger, end, state, store} = await open('a', {storeWaitMs: 1_000});
		end(await held(ledger.reserve([team(1, 10_000)])));
		await eventually(() => state.writes > 2);
		const resume = how === 'hangs' ? hang(state) : fail(state);
		// Before the ledger is closed, also when something has gone wrong by then.
		t.teardown(resume);
		for (let count = 0; count < 500; count += 1) {
			const outcome = ledger.reserve([team(1, 10_000)]);
			t.false(outcome instanceof Promise);
			end(await held(outcome));
		}
		for (let count = 0; count < 3; count += 1)
			await t.throwsAsync(async () => ledger.reserve([team(1, 10, {account: 'team:new'})]), {code: 'store_unavailable'});
		t.is(ledger.balance('team:a', 'requests', 'day').spent, 501);
		t.is(ledger.balance('team:new', 'requests', 'day').reserved, 0);
		resume();
		t.truthy((await whenBack(() => ledger.reserve([team(10, 10, {account: 'team:new'})])))?.held);
		await ledger.close();
		const rows = await store.ledgerOwn();
		t.like(
			rows.find(({key}) => key.startsWith('team:a|')),
			{settled: 501, granted: 501},
		);
	});

for (const how of ['rejects', 'hangs'] as const)
	test(`a store that ${how}, and the config says to go on: requests are held, marked, and written when it is back`, async t => {
		const {open} = await sharedLedgers(t);
		const {ledger, end, state, store} = await open('a', {storeWaitMs: 1_000, onStoreDown: 'allow'});
		const resume = how === 'hangs' ? hang(state) : fail(state);
		// Before the ledger is closed, also when something has gone wrong by then.
		t.teardown(resume);
		for (let count = 0; count < 40; count += 1) {
			const outcome = await ledger.reserve([team(2, 100)]);
			t.like(outcome, {uncovered: true});
			end(outcome.held ?? []);
		}
		// What is known here leaves no room for more.
		t.like((await ledger.reserve([team(21, 100)])).short, {used: 80, needed: 21});
		resume();
		const isWritten = async () => (await store.ledgerOwn()).some(({settled, granted}) => settled === 80 && granted >= 80);
		for (let tries = 0; tries < 200 && !(await isWritten()); tries += 1) await new Promise(done => setTimeout(done, 20));
		t.true(await isWritten());
		const outcome = await ledger.reserve([team(20, 100)]);
		t.truthy(outcome.held);
		t.false('uncovered' in outcome);
	});

test('a store that comes and goes loses nothing and never lets two processes past their limit', async t => {
	const {open} = await sharedLedgers(t);
	const members = [await open('a'), await open('b')];
	let spent = 0;
	for (let round = 0; round < 30; round += 1) {
		for (const {state} of members) state.broken = round % 3 === 1;
		for (const {ledger, end} of members) {
			const outcome = await Promise.resolve(ledger.reserve([team(7, 300)])).catch(() => undefined);
			if (outcome?.held) for (const {amount} of end(outcome.held)) spent += amount;
		}
	}
	for (const {state} of members) state.broken = false;
	t.true(spent <= 300, `${spent}`);
	for (const {ledger} of members) await ledger.close();
	const rows = await members[0]!.store.ledgerTotals(['team:a|requests|day|2026-06-15T00:00:00Z']);
	t.deepEqual([...rows.values()], [{settled: spent, granted: spent}]);
	t.true(spent > 200, `${spent}`);
});

test('room that others hold and cannot be asked for is no room that is gone: the store is to blame, until it can be written again', async t => {
	const {open, file} = await sharedLedgers(t);
	const first = await open('a');
	const taken = await held(first.ledger.reserve([team(60)]));
	const store = await openStore(file, {process: 'b'});
	t.teardown(() => store.close());
	let isFull = false;
	const announce: typeof store.announce = async change => {
		if (isFull) throw new GatewayError('store_unavailable', 'The store has no space left on its disk.');
		return store.announce(change);
	};
	const deny = await open('b', {store: {...store, announce}});
	first.end(taken, {requests: 10});
	isFull = true;
	await t.throwsAsync(async () => deny.ledger.reserve([team(60)]), {code: 'store_unavailable'});
	isFull = false;
	t.truthy((await deny.ledger.reserve([team(60)])).held);
});
