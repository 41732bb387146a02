import {writeSync} from 'node:fs';
import {join} from 'node:path';
import {openJournal} from '../../core/journal/append.ts';
import {records} from '../../core/journal/read.ts';
import {openLedger} from '../../core/ledger/open.ts';
import {openStore} from '../../core/store/open.ts';
import type {Reservation} from '../../schemas/verdict.ts';

/**
 * A process of its own that spends until it is killed: `ledger-under-load.ts <folder> <limit> <spenders>`. Tells on
 * standard output, in one write each, what it holds before it would ask a provider, and what was spent once that is on record.
 */
const [folder = '', limit = '', spenders = ''] = process.argv.slice(2);
const journalFolder = join(folder, 'journal');
const journal = await openJournal({folder: journalFolder, segmentBytes: 100_000});
const store = await openStore(join(folder, 'gateway.db'));
const ledger = await openLedger({
	store,
	records: fromSeq => records(journalFolder, {fromSeq}),
	flushed: () => journal.flushed(),
	writeEveryMs: 20,
});

for (const {exchange, bookings = []} of ledger.orphans) {
	const {seq, written} = journal.append({kind: 'exchange', exchange, outcome: 'failed', error: {code: 'gateway_crashed'}, bookings});
	await written;
	ledger.journaled(bookings, seq);
}

const accounts: Reservation[] = ['tenant:a', 'team:a/b', 'key:1'].map(account => ({
	account,
	unit: 'microUsd',
	amount: 0,
	limit: Number(limit),
	window: 'total',
}));

const spender = async (of: number) => {
	for (let count = 0; ; count += 1) {
		const amount = 1 + Math.floor(Math.random() * 1_000);
		const {held} = await ledger.reserve(accounts.map(account => ({...account, amount})));
		if (!held) {
			writeSync(1, 'refused 0\n');
			await new Promise(done => setTimeout(done, 5));
			continue;
		}
		const exchange = `${process.pid}-${of}-${count}`;
		await journal.append({kind: 'opened', exchange, bookings: held}).written;
		writeSync(1, `held ${amount}\n`);
		await new Promise(done => setTimeout(done, Math.random() * 5));
		const used = Math.floor(Math.random() * (amount + 1));
		const bookings = ledger.settle(held, {microUsd: used});
		const {seq, written} = journal.append({kind: 'exchange', exchange, outcome: 'ok', bookings});
		await written;
		ledger.journaled(bookings, seq);
		writeSync(1, `spent ${used}\n`);
	}
};

await Promise.all(Array.from({length: Number(spenders)}, (_, of) => spender(of)));
