import type {StoredRecord} from '../journal/journal.ts';
import type {LedgerRow, Store} from '../store/store.ts';
import type {Counters} from './counters.ts';
import {keepMs, type OwnRow, rowOf, rowsOf} from './grants.ts';
import {type Counter, type Lease, look, lookAgain, type Place} from './lease.ts';
import {spanAt} from './sliding.ts';

/** The journal's records in order, from `fromSeq` on; `core/journal/read.ts` has them. */
export type Records = (fromSeq: number) => AsyncIterable<StoredRecord> | Iterable<StoredRecord>;

type Marks = Pick<Store, 'process' | 'metaGet' | 'metaPut'>;

/** Where reading back begins: no exchange that was open when this was written has an `opened` record before it. */
const markName = ({process}: Marks): string => `ledger_seq:${process}`;
/** As the release wrote it that knew of one process. */
const firstMarkName = 'ledger_seq';

export const putMark = (store: Marks, seq: number): Promise<void> => store.metaPut(markName(store), String(seq));

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

const leasePattern = /^(.*\|[^|]+\|[^|]+)\|lease ([^|]+)$/s;
const slidingPattern = /\|(rolling:\d+[smhd]|second)\|[^|]+$/;
const isSlots = (key: string): boolean => key.split('|').at(-3) === 'slots';

/** Rolling windows: what is used by now is what stays granted, in a row of the present span, and older rows are given up. */
const renewSliding = (lease: Lease, now: number): void => {
	lookAgain(lease);
	look(lease, now);
	lease.granted = lease.used;
	if (lease.used === 0 || !lease.slide) return;
	lease.span = spanAt(lease.slide, now);
	lease.from = lease.span - lease.slide.spanMs;
	lease.to = lease.span + lease.slide.spanMs;
};

/** What was granted on a rolling window and cannot be accounted for counts as spent now. */
const loseLease = (counters: Counters, {key, granted}: LedgerRow, now: number): void => {
	const [, shared = '', start = ''] = leasePattern.exec(key) ?? [];
	const [window = '', unit = '', ...account] = shared.split('|').reverse();
	if (unit === 'slots' || Number.isNaN(Date.parse(start))) return;
	const counter = counters.at({account: account.reverse().join('|'), unit, window} as Place, now);
	const {lease} = counter;
	lookAgain(lease);
	look(lease, now);
	if (lease.slide && now < Date.parse(start) + 2 * lease.slide.spanMs) counter.settled += Math.max(0, granted - lease.used);
};

/**
 * Brings the counters to what the journal says: rows of the store, then every `exchange` record after them, then, in
 * full, what `opened` records without an end had set aside. Grants that nothing was booked on are given back, unless
 * the journal is shorter than the store remembers: then they count as spent, since the evidence is gone.
 */
export const recoverCounters = async (store: Store, counters: Counters, records: Records, now: number) => {
	const mark = Number((await store.metaGet(markName(store))) ?? (await store.metaGet(firstMarkName)) ?? 0);
	const own = await store.ledgerOwn();
	const leased = new Map(own.filter(({key}) => leasePattern.test(key)).map(row => [row.key, row]));
	const rows = new Map(own.filter(({key}) => !leased.has(key)).map(row => [row.key, row]));
	for (const row of rows.values()) {
		counters.keep(row);
		// A lease on a rolling window is for all its buckets together.
		if (slidingPattern.test(row.key) && (row.expiresAt ?? 0) > now - keepMs) counters.byKey(row.key);
	}

	const {lastSeq, opened} = await readBack(records, mark, (key, amount, seq) => {
		if (seq > (rows.get(key)?.seq ?? 0)) counters.byKey(key).settled += amount;
	});

	const known = own.reduce((most, {seq}) => Math.max(most, seq), mark);
	if (lastSeq < known) {
		for (const {key, granted} of rows.values()) {
			const counter = counters.byKey(key);
			counter.settled = Math.max(counter.settled, granted);
		}
		for (const row of leased.values()) loseLease(counters, row, now);
	}
	for (const counter of counters.all()) {
		counter.journaled = counter.settled;
		counter.filed = counter.settled;
		counter.filedSeq = lastSeq;
	}
	for (const {bookings} of opened) for (const {key, amount} of bookings ?? []) if (!isSlots(key)) counters.byKey(key).settled += amount;

	const stale = (counter: Counter, row: LedgerRow | undefined): boolean =>
		row === undefined || row.settled !== counter.filed || row.granted !== counter.settled || row.seq > lastSeq;
	const mended = new Map<string, OwnRow>();
	for (const counter of counters.all()) {
		if (counter.lease.kind === 'calendar') {
			counter.lease.used = counter.settled;
			counter.lease.granted = counter.settled;
		}
		if (stale(counter, rows.get(counter.key))) mended.set(counter.key, rowOf(counter, counter.settled));
		counter.stored = counter.filed;
	}
	for (const row of counters.kept()) {
		if (row.granted === row.settled) continue;
		row.granted = row.settled;
		mended.set(row.key, row);
	}
	for (const [key, row] of leased) if (row.granted > 0) mended.set(key, {...row, granted: 0});
	const where = {at: now, process: store.process};
	for (const lease of counters.leases()) {
		if (lease.kind !== 'sliding') continue;
		renewSliding(lease, now);
		for (const row of rowsOf(lease, where)) mended.set(row.key, row);
	}
	if (mended.size > 0) await store.ledgerPut([...mended.values()]);
	const low = opened.reduce((least, {seq}) => Math.min(least, seq - 1), lastSeq);
	await putMark(store, low);
	counters.sweep(now);
	return {lastSeq, low, orphans: opened};
};
