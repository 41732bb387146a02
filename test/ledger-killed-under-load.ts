import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test, {type ExecutionContext} from 'ava';
import {records} from '../core/journal/read.ts';
import {openLedger} from '../core/ledger/open.ts';
import {openStore} from '../core/store/open.ts';
import type {Reservation} from '../schemas/verdict.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

const program = join(import.meta.dirname, 'helpers', 'ledger-under-load.ts');

/** Runs the spending process until it has told of `lines` steps, kills it, and adds up all that it told of. */
const spendAndKill = async (t: ExecutionContext, folder: string, limit: number, lines: number) => {
	const child = spawn(process.execPath, [program, folder, String(limit), '40'], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	const told = {held: 0, spent: 0, refused: 0};
	let count = 0;
	for await (const line of createInterface({input: child.stdout})) {
		const [what, amount] = line.split(' ');
		if (what === 'held' || what === 'spent') told[what] += Number(amount);
		else told.refused += 1;
		count += 1;
		if (count === lines) child.kill('SIGKILL');
	}
	if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
	t.is(child.signalCode, 'SIGKILL');
	return told;
};

const journalSays = async (folder: string): Promise<number> => {
	const open = new Map<string, number>();
	let ended = 0;
	for await (const {kind, exchange = '', bookings = []} of records(join(folder, 'journal'))) {
		const amount = bookings.find(({key}) => key.startsWith('team:'))?.amount ?? 0;
		if (kind === 'opened') open.set(exchange, amount);
		if (kind !== 'exchange') continue;
		ended += amount;
		open.delete(exchange);
	}
	return [...open.values()].reduce((sum, amount) => sum + amount, ended);
};

for (const limit of [60_000, 10_000_000])
	test(`a process killed under load, three times over, never gets past its limit of ${limit}, and forgets nothing it spent`, async t => {
		const folder = await temporaryFolder(t);
		let spent = 0;
		let refused = 0;
		for (const lines of [100, 350, 500]) {
			const told = await spendAndKill(t, folder, limit, lines);
			spent += told.spent;
			refused += told.refused;

			const store = await openStore(join(folder, 'gateway.db'));
			const rows = await store.ledgerOwn();
			t.true(
				rows.every(({granted}) => granted <= limit),
				'a lease passed the limit',
			);
			const ledger = await openLedger({store, records: fromSeq => records(join(folder, 'journal'), {fromSeq})});
			const team: Reservation = {account: 'team:a/b', unit: 'microUsd', amount: 0, limit, window: 'total'};
			const balance = ledger.balance('team:a/b', 'microUsd', 'total');
			t.is(balance.spent, await journalSays(folder));
			t.true(balance.spent >= spent, `${spent} was reported as spent, ${balance.spent} is on the books`);
			t.true(balance.spent <= limit);
			t.truthy((await ledger.reserve([{...team, amount: limit - balance.spent + 1}])).short);
			t.truthy((await ledger.reserve([{...team, amount: limit - balance.spent}])).held);
			await store.close();
		}
		t.is(refused > 0, limit === 60_000);
	});
