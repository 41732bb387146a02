import type {JournalRecord} from '../../schemas/record.ts';
import {GatewayError} from '../errors.ts';
import type {StoredRecord} from '../journal/journal.ts';
import type {UsageRow, UsageStore} from '../store/usage.ts';
import {openTally} from './tally.ts';

type Options = {
	store: UsageStore;
	/** This process's journal, from a record on. */
	records: (fromSeq: number) => AsyncIterable<StoredRecord> | Iterable<StoredRecord>;
	/** The last record in the journal's file. */
	lastSeq: number;
	now?: () => number;
	/** How often what was counted is written to the store. */
	writeEveryMs?: number;
	/** Told of a write in the background that failed; it is tried again. */
	onWriteFailed?: (error: unknown) => void;
};

/** What was used, counted as each exchange ends: never from the journal while somebody waits for a page. */
export type Usage = {
	/**
	 * The `exchange` record `seq` is in the journal's file since `at` (milliseconds since 1970). To be called once for each, in the order
	 * of `seq`. Costs about a microsecond, and waits for nothing.
	 */
	ended(record: JournalRecord, seq: number, at: number): void;
	/** Resolves when the store counts all that ended before. Rejects with `store_unavailable`. */
	flush(): Promise<void>;
	/** Writes what is left, if the store is there; what is not written is read from the journal at the next start. */
	close(): Promise<void>;
};

type Batch = {rows: readonly UsageRow[]; after: number; seq: number};

const dayMs = 86_400_000;
const hourMs = dayMs / 24;
/** Rows of hours are kept for 13 months, so that a month can be compared with the same one a year before; those of days for five years more. */
const keptMs = {hour: 397 * dayMs, day: 6 * 366 * dayMs};
const recordsPerBatch = 5_000;

/**
 * Goes on counting where this process's rows in the store end, exactly: what its journal has beyond that, after a crash or before the
 * first start, is counted from there first. Rejects with `store_unavailable`.
 */
export const openUsage = async (options: Options): Promise<Usage> => {
	const {store, records, lastSeq, now = Date.now, writeEveryMs = 1_000, onWriteFailed = () => {}} = options;
	const tally = openTally();
	let position = await store.usagePosition();
	/** The last record that is counted here; what the store lacks up to `behind` is not, and is to be read from the journal. */
	let counted = lastSeq;
	let behind: number | undefined = lastSeq;
	/** It may have been written or not: to be written again before anything else. */
	let pending: Batch | undefined;
	let line: Promise<void> = Promise.resolve();
	let timer: NodeJS.Timeout | undefined;
	let pruned = Number.NEGATIVE_INFINITY;
	let closed = false;

	const write = async (batch: Batch): Promise<void> => {
		pending = batch;
		const {rows, after, seq} = batch;
		const added = await store.usageAdd(rows, {after, seq});
		const stands = added ? seq : await store.usagePosition();
		pending = undefined;
		position = stands;
		if (stands === seq) return;
		// The store is another than it was, as after it was restored: the journal knows.
		tally.take();
		behind = counted;
		throw new GatewayError(
			'store_unavailable',
			`The store counts usage up to record ${stands}, not ${after}: it is counted anew from there.`,
		);
	};

	/** Counts what the journal has after the position, up to `behind`. */
	const catchUp = async (to: number): Promise<void> => {
		// A journal that is shorter than it was, and begins its numbers again.
		if (to < position) await write({rows: [], after: position, seq: to});
		let read = openTally();
		let count = 0;
		let seq = position;
		for await (const record of records(position + 1)) {
			if (record.seq > to) break;
			seq = record.seq;
			if (record.kind === 'exchange') read.add(record, Date.parse(record.at));
			count += 1;
			if (count % recordsPerBatch > 0) continue;
			await write({rows: read.take(), after: position, seq});
			read = openTally();
			if (closed) return;
		}
		if (seq > position) await write({rows: read.take(), after: position, seq});
		if (behind === to) behind = undefined;
	};

	const file = async (): Promise<void> => {
		if (pending) await write(pending);
		while (behind !== undefined) {
			await catchUp(behind);
			if (closed && behind !== undefined) return;
		}
		if (counted > position) await write({rows: tally.take(), after: position, seq: counted});
		if (now() - pruned < hourMs) return;
		pruned = now();
		await store.usagePrune({hour: pruned - keptMs.hour, day: pruned - keptMs.day});
	};

	const flush = (): Promise<void> => {
		const turn = line.then(file);
		line = turn.catch(() => undefined);
		return turn;
	};

	const due = (): void => {
		if (closed || timer !== undefined) return;
		timer = setTimeout(() => {
			flush()
				.catch(onWriteFailed)
				.finally(() => {
					timer = undefined;
					if (counted > position || behind !== undefined) due();
				});
		}, writeEveryMs);
		timer.unref();
	};
	due();

	return {
		ended: (record, seq, at) => {
			tally.add(record, at);
			counted = seq;
			due();
		},
		flush,
		close: async () => {
			closed = true;
			clearTimeout(timer);
			await flush().catch(onWriteFailed);
		},
	};
};
