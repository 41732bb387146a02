import type {StoredRecord} from '../journal/journal.ts';
import type {OwnRow, Store} from '../store/store.ts';
import type {Counter, Counters} from './counters.ts';
import {rowOf} from './leases.ts';

/** The journal's records in order, from `fromSeq` on; `core/journal/read.ts` has them. */
export type Records = (fromSeq: number) => AsyncIterable<StoredRecord> | Iterable<StoredRecord>;

/** Where reading back begins: no exchange that was open when this was written has an `opened` record before it. */
const markName = 'ledger_seq';

export const putMark = (store: Pick<Store, 'metaPut'>, seq: number): Promise<void> => store.metaPut(markName, String(seq));

const readBack = async (records: Records, mark: number, settle: (key: string, amount: number, seq: number) => void) => {
	const opened = new Map<string, StoredRecord>();
	let lastSeq = 0;
	// The record of the mark itself is asked for too: it shows that this journal reaches that far.
	for await (const record of records(Math.max(1, mark))) {
		lastSeq = record.seq;
		const {kind, exchange = ''} = record;
		if (kind === 'opened') opened.set(exchange, record);
		if (kind !== 'exchange') continue;
		opened.delete(exchange);
		for (const {key, amount} of record.bookings ?? []) settle(key, amount, record.seq);
	}
	return {lastSeq, opened: [...opened.values()]};
};

/**
 * Brings the counters to what the journal says: rows of the store, then every `exchange` record after them, then, in
 * full, what `opened` records without an end had set aside. Grants that nothing was booked on are given back, unless
 * the journal is shorter than the store remembers: then they count as spent, since the evidence is gone.
 */
export const recoverCounters = async (store: Store, counters: Counters, records: Records, now: number) => {
	const mark = Number((await store.metaGet(markName)) ?? 0);
	const rows = new Map((await store.ledgerAll()).map(row => [row.key, row]));
	for (const {key, settled, granted} of rows.values()) {
		const counter = counters.byKey(key);
		counter.settled = settled;
		counter.granted = granted;
	}

	const {lastSeq, opened} = await readBack(records, mark, (key, amount, seq) => {
		if (seq > (rows.get(key)?.seq ?? 0)) counters.byKey(key).settled += amount;
	});

	const known = [...rows.values()].reduce((most, {seq}) => Math.max(most, seq), mark);
	if (lastSeq < known) for (const counter of counters.all()) counter.settled = Math.max(counter.settled, counter.granted);
	for (const counter of counters.all()) {
		counter.journaled = counter.settled;
		counter.filed = counter.settled;
		counter.filedSeq = lastSeq;
	}
	for (const {bookings} of opened) for (const {key, amount} of bookings ?? []) counters.byKey(key).settled += amount;

	const stale = (counter: Counter, row: OwnRow | undefined): boolean =>
		row === undefined || row.settled !== counter.filed || row.granted !== counter.settled || row.seq > lastSeq;
	const mended: OwnRow[] = [];
	for (const counter of counters.all()) {
		counter.granted = counter.settled;
		if (stale(counter, rows.get(counter.key))) mended.push(rowOf(counter, counter.granted));
	}
	if (mended.length > 0) await store.ledgerPut(mended);
	const low = opened.reduce((least, {seq}) => Math.min(least, seq - 1), lastSeq);
	await putMark(store, low);
	counters.sweep(now);
	return {lastSeq, low, orphans: opened};
};
