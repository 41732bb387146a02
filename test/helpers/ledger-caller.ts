import {writeSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {openJournal} from '../../core/journal/append.ts';
import {records} from '../../core/journal/read.ts';
import {openLedger} from '../../core/ledger/open.ts';
import {openStore} from '../../core/store/open.ts';
import type {Reservation} from '../../schemas/verdict.ts';

/**
 * A process that calls, on accounts it shares with others, until it is refused or killed:
 * `ledger-caller.ts <folder> <process> <limit> <callers> <refusals>`. Tells what happened and when (nanoseconds of the machine, the
 * same for every process) on standard output, and leaves after so many refusals without giving anything back.
 */
const [folder = '', process_ = '', limit = '', callers = '', refusals = ''] = process.argv.slice(2);
const journalFolder = join(folder, `journal-${process_}`);
const journal = await openJournal({folder: journalFolder, segmentBytes: 100_000});
const store = await openStore(join(folder, 'gateway.db'), {process: process_});
const ledger = await openLedger({
	store,
	records: fromSeq => records(journalFolder, {fromSeq}),
	flushed: () => journal.flushed(),
	writeEveryMs: 50,
});
const tell = (what: string): void => void writeSync(1, `${what} ${process.hrtime.bigint()}\n`);

for (const {exchange, bookings = []} of ledger.orphans) {
	const {seq, written} = journal.append({kind: 'exchange', exchange, outcome: 'failed', error: {code: 'gateway_crashed'}, bookings});
	await written;
	ledger.journaled(bookings, seq);
}

const accounts: Reservation[] = ['tenant:a', 'team:a/b'].map(account => ({
	account,
	unit: 'requests',
	amount: 1,
	limit: Number(limit),
	window: 'total',
}));

let refused = 0;
tell('ready');
// Begins when told to, or at once when nobody can tell.
await new Promise<void>(done => process.stdin.once('data', () => done()).once('end', () => done()));
process.stdin.destroy();
const call = async (of: number): Promise<void> => {
	for (let count = 0; refused < Number(refusals); count += 1) {
		await pause(Math.random() * 4);
		const {held} = await ledger.reserve(accounts);
		if (!held) {
			refused += 1;
			tell('refused');
			continue;
		}
		const exchange = `${process_}-${process.pid}-${of}-${count}`;
		await journal.append({kind: 'opened', exchange, bookings: held}).written;
		tell('held');
		await pause(Math.random() * 4);
		const bookings = ledger.settle(held, {});
		const {seq, written} = journal.append({kind: 'exchange', exchange, outcome: 'ok', bookings});
		await written;
		ledger.journaled(bookings, seq);
	}
};

await Promise.all(Array.from({length: Number(callers)}, (_, of) => call(of)));
await new Promise(() => setInterval(() => {}, 1_000));
