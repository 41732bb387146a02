import type {GatewayError} from '../errors.ts';
import type {Store} from '../store/store.ts';
import type {Bookings} from './bookings.ts';
import type {Counters} from './counters.ts';
import {type Leases, rowOf, storeFailed} from './leases.ts';
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
};

const hourMs = 3_600_000;
/** Rows outlive their window by this, for a clock that is set back. */
const keepMs = 24 * hourMs;

/** Writes to the store what the journal's file already says, every so often while there is anything to write. */
export const openFiling = ({store, counters, leases, bookings, oldestOpen, flushed, now, writeEveryMs, onWriteFailed}: Options) => {
	let timer: NodeJS.Timeout | undefined;
	let running: Promise<void> | undefined;
	let written = bookings.seq();
	let pruned = now();
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
		try {
			await flushed();
			for (const {counter, amount} of journaled) {
				counter.filed = amount;
				counter.filedSeq = seq;
				leases.change(counter);
			}
			await leases.soon();
			await putMark(store, mark);
			written = seq;
		} catch (error) {
			for (const {counter} of journaled) bookings.dirty.add(counter);
			throw error;
		}
		counters.sweep(now());
		if (Math.abs(now() - pruned) > hourMs) await prune();
	};

	const due = (): void => {
		if (closed || timer !== undefined || running !== undefined) return;
		timer = setTimeout(() => {
			timer = undefined;
			running = file()
				.catch(error => onWriteFailed(storeFailed(error)))
				.finally(() => {
					running = undefined;
					if (bookings.dirty.size > 0 || bookings.seq() !== written) due();
				});
		}, writeEveryMs);
		timer.unref();
	};

	return {
		prune,
		due,
		/** Files everything, and gives back what was leased and neither spent nor still reserved. */
		close: async (): Promise<void> => {
			closed = true;
			clearTimeout(timer);
			await running;
			await file();
			const rows = [...counters.all()]
				.filter(({granted, settled, reserved}) => granted > settled + reserved)
				.map(counter => rowOf(counter, counter.settled + counter.reserved));
			if (rows.length > 0) await store.ledgerPut(rows);
		},
	};
};
