import type {GatewayError} from '../errors.ts';
import type {Store} from '../store/store.ts';
import type {Bookings} from './bookings.ts';
import type {Counters} from './counters.ts';
import {keepMs} from './grants.ts';
import type {Counter} from './lease.ts';
import {type Leases, storeFailed} from './leases.ts';
import {putMark} from './recover.ts';

type Options = {
	store: Store;
	counters: Counters;
	leases: Leases;
	bookings: Bookings;
	oldestOpen: () => number | undefined;
	flushed: () => Promise<void>;
	now: () => number;
	writeEveryMs: number;
	onWriteFailed: (error: GatewayError) => void;
	/** These stand in the store. */
	onFiled: (counters: readonly Counter[]) => void;
};

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Where reading back begins is written less often than what was settled: reading a few seconds more costs less than the writes. */
const writesPerMark = 10;

/** Writes to the store what the journal's file already says, every so often while there is anything to write. */
export const openFiling = (options: Options) => {
	const {store, counters, leases, bookings, oldestOpen, flushed, now, writeEveryMs, onWriteFailed, onFiled} = options;
	let timer: NodeJS.Timeout | undefined;
	let running: Promise<void> | undefined;
	let written = bookings.seq();
	let pruned = now();
	let refreshed = now();
	let untilMark = writesPerMark;
	let owed = false;
	let closed = false;

	const prune = async (): Promise<void> => {
		pruned = now();
		await store.ledgerPrune(pruned - keepMs);
	};

	/** In this order: the records are in the file, the rows that count them are durable, reading back may begin later. */
	const file = async (): Promise<void> => {
		const seq = bookings.seq();
		const mark = Math.min(bookings.mark(), (oldestOpen() ?? Number.POSITIVE_INFINITY) - 1);
		const journaled = [...bookings.dirty].map(counter => ({counter, amount: counter.journaled}));
		bookings.dirty.clear();
		owed = false;
		untilMark -= 1;
		try {
			await flushed();
			for (const {counter, amount} of journaled) {
				counter.filed = amount;
				counter.filedSeq = seq;
				leases.change(counter);
			}
			await leases.soon();
			if (untilMark <= 0 || closed) {
				await putMark(store, mark);
				untilMark = writesPerMark;
			}
			written = seq;
		} catch (error) {
			for (const {counter} of journaled) bookings.dirty.add(counter);
			throw error;
		}
		onFiled(journaled.map(({counter}) => counter));
		counters.sweep(now());
		if (Math.abs(now() - pruned) > minuteMs) await prune();
		if (Math.abs(now() - refreshed) < hourMs) return;
		refreshed = now();
		counters.forget(refreshed - keepMs);
		for (const lease of counters.leases()) if (lease.kind === 'slots' && lease.granted > 0) leases.lower(lease);
	};

	const due = (): void => {
		if (closed || timer !== undefined || running !== undefined) return;
		timer = setTimeout(() => {
			timer = undefined;
			running = file()
				.catch(error => onWriteFailed(storeFailed(error)))
				.finally(() => {
					running = undefined;
					if (owed || bookings.dirty.size > 0 || bookings.seq() !== written) due();
				});
		}, writeEveryMs);
		timer.unref();
	};

	return {
		prune,
		due,
		/** Something else waits for the next write. */
		owe: (): void => {
			owed = true;
			due();
		},
		/** Files everything, and gives back what was leased and neither spent nor still reserved. */
		close: async (): Promise<void> => {
			closed = true;
			clearTimeout(timer);
			await running;
			await file();
			for (const lease of counters.leases()) {
				if (lease.granted <= lease.used) continue;
				lease.granted = lease.used;
				leases.lower(lease);
			}
			await leases.soon();
		},
	};
};
