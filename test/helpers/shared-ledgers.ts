import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {StoredRecord} from '../../core/journal/journal.ts';
import type {Outcome} from '../../core/ledger/ledger.ts';
import {type OpenedLedger, openLedger} from '../../core/ledger/open.ts';
import {openStore} from '../../core/store/open.ts';
import type {Store} from '../../core/store/store.ts';
import type {Booking, JournalRecord} from '../../schemas/record.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import {temporaryFolder} from './temporary-store.ts';

type Options = NonNullable<Parameters<typeof openLedger>[0]>;

export const noon = Date.parse('2026-06-15T12:00:00Z');

/** A gateway process in miniature: a ledger, its own store and a journal in memory. */
export type Member = {
	store: Store;
	ledger: OpenedLedger;
	file: StoredRecord[];
	/** Calls of the store that write, and what becomes of them. */
	state: {writes: number; broken: boolean; hung: Promise<void> | undefined};
	record(kind: 'opened' | 'exchange', exchange: string, bookings: readonly Booking[]): number;
	/** Settles, records and says so. */
	end(held: readonly Booking[], used?: Parameters<OpenedLedger['settle']>[1]): Booking[];
};

/** Several ledgers on one SQLite file (or at `place`), with one clock that stands still until it is moved. */
export const sharedLedgers = async (t: ExecutionContext, {place}: {place?: string} = {}) => {
	const file = place ?? join(await temporaryFolder(t), 'gateway.db');
	const clock = {now: noon};
	// No timer of the ledger keeps a process alive, and here there is nothing else.
	const alive = setInterval(() => {}, 1_000);
	t.teardown(() => clearInterval(alive));

	const open = async (process: string, options: Partial<Options> = {}, records: StoredRecord[] = []): Promise<Member> => {
		const store = await openStore(file, {process});
		t.teardown(() => store.close());
		const state: Member['state'] = {writes: 0, broken: false, hung: undefined};
		const through = async <T>(work: () => Promise<T>): Promise<T> => {
			if (state.hung) await state.hung;
			if (state.broken) throw new Error('the disk is gone');
			return work();
		};
		const counted = <T>(work: () => Promise<T>): Promise<T> => {
			state.writes += 1;
			return through(work);
		};
		const breakable: Store = {
			...store,
			ledgerPut: rows => counted(() => store.ledgerPut(rows)),
			ledgerLease: (keys, decide) => counted(() => store.ledgerLease(keys, decide)),
			ledgerTotals: keys => through(() => store.ledgerTotals(keys)),
			metaPut: (name, value) => counted(() => store.metaPut(name, value)),
			once: (name, expiresAt) => counted(() => store.once(name, expiresAt)),
			announce: change => counted(() => store.announce(change)),
			beat: () => through(() => store.beat()),
			processes: () => through(() => store.processes()),
		};
		const ledger = await openLedger({
			store: breakable,
			records: fromSeq => records.filter(({seq}) => seq >= fromSeq),
			now: () => clock.now,
			writeEveryMs: 20,
			...options,
		});
		t.teardown(() => ledger.close().catch(() => {}));
		const record = (kind: JournalRecord['kind'], exchange: string, bookings: readonly Booking[]): number => {
			const seq = (records.at(-1)?.seq ?? 0) + 1;
			records.push({v: 1, seq, at: '', prev: '', hash: '', kind, exchange, bookings: bookings.map(({key, amount}) => ({key, amount}))});
			return seq;
		};
		let ended = 0;
		return {
			store,
			ledger,
			file: records,
			state,
			record,
			end: (held, used = {}) => {
				const settled = ledger.settle(held, used);
				ended += 1;
				ledger.journaled(settled, record('exchange', `${process}-${ended}`, settled));
				return settled;
			},
		};
	};
	return {file, clock, open};
};

export const team = (amount: number, limit: number | null = 100, more: Partial<Reservation> = {}): Reservation => ({
	account: 'team:a',
	unit: 'requests',
	amount,
	limit,
	window: 'day',
	...more,
});

/** What was held; a refusal is an error here. */
export const held = async (outcome: Outcome | Promise<Outcome>): Promise<Booking[]> => {
	const decided = await outcome;
	if (decided.held === undefined) throw new Error(`refused: ${JSON.stringify(decided.short)}`);
	return decided.held;
};

/**
 * What is held, sooner or later: a busy machine may take longer to give room back than a request waits for it, and then says so to
 * whoever had been refused.
 */
export const heldSoon = async (reserve: () => Outcome | Promise<Outcome>): Promise<Booking[]> => {
	for (let tries = 0; tries < 500; tries += 1) {
		const outcome = await reserve();
		if (outcome.held) return outcome.held;
		await new Promise(done => setTimeout(done, 10));
	}
	return held(reserve());
};

/** Looks again and again, for things that happen a moment later. */
export const eventually = async (right: () => boolean, withinMs = 5_000): Promise<boolean> => {
	for (const end = performance.now() + withinMs; performance.now() < end; await new Promise(done => setTimeout(done, 10)))
		if (right()) return true;
	return right();
};
