import type {LedgerRow, LedgerTotal} from '../store/store.ts';
import type {Counter, Lease} from './lease.ts';
import {heldIn, isOver, look} from './lease.ts';
import {bucketAt, spanAt, spanRow} from './sliding.ts';

export type OwnRow = Omit<LedgerRow, 'process'>;

/** What waits for more of a lease, taken when the write begins; what is asked later waits for the next one. */
export type Ask = {
	readonly lease: Lease;
	readonly wanted: number;
	readonly least: number;
	readonly limit: number;
	readonly step: number;
	/** As its row says, unless a write has failed. */
	readonly granted: number;
	readonly detailed: boolean;
};

/** What a lease is to be once its rows are durable. */
export type Grant = {
	readonly lease: Lease;
	readonly granted: number;
	readonly slice: number;
	readonly limit: number;
	readonly others: number;
	readonly elsewhere: number;
	readonly span: number;
	readonly bucketsElsewhere: Lease['bucketsElsewhere'];
	/** Whether the rows say anything new. */
	readonly changed: boolean;
	readonly rows: readonly OwnRow[];
};

export type Surroundings = {
	readonly at: number;
	readonly process: string;
	/** Other processes that are alive. */
	readonly alive: readonly string[];
	/** Whether the others still count what this process holds now, and whether they are waiting for some of it. */
	readonly lapsed: boolean;
	readonly recalled: (lease: Lease) => boolean;
};

/** A lease is this share of the room that is left… */
const share = 8;
/** …or this many reservations like the last, whichever is more, so that small limits do not cost a write every few requests… */
const steps = 1_024;
/** …but, where there are several processes, not more than this share of what each could have. */
const reserve = 2;

const hourMs = 3_600_000;
/** Pruning waits this long after a row's end, for a clock that is set back; a short window asks for less by naming an earlier end. */
export const keepMs = 24 * hourMs;
const slotsKeepMs = 7 * keepMs;

const outliveMs = (lengthMs: number): number => Math.min(keepMs, Math.max(60_000, 60 * lengthMs));
const named = (until: number, lengthMs: number): number => until + outliveMs(lengthMs) - keepMs;

/** Whether what others have of this period may have been pruned. */
export const isForgotten = ({start, end, until}: Counter['period'], at: number): boolean => at >= until + outliveMs(end - start);

/** The row of a counter whose journal is known to be in the file up to `filedSeq`. A bucket of a rolling window says what is in it. */
export const rowOf = (counter: Counter, granted: number): OwnRow => {
	const {key, filed, filedSeq, lease, period} = counter;
	return {
		key,
		settled: filed,
		granted: Math.max(filed, lease.kind === 'calendar' ? granted : heldIn(counter)),
		seq: filedSeq,
		...(Number.isFinite(period.until) && {expiresAt: named(period.until, period.end - period.start)}),
	};
};

export const slotsRow = ({account}: Lease['place'], process: string): string => `${account}|slots|now|lease ${process}`;

/** The row that a lease stands in when its counters do not tell of it. */
const leaseRow = (lease: Lease, granted: number, span: number, {at, process}: Pick<Surroundings, 'at' | 'process'>): OwnRow => {
	const {key, slide, place} = lease;
	if (slide === undefined) return {key: slotsRow(place, process), settled: 0, granted, seq: 0, expiresAt: at + slotsKeepMs};
	return {key: spanRow(key, span), settled: 0, granted, seq: 0, expiresAt: named(span + 2 * slide.spanMs, slide.bucketMs)};
};

/** The rows of other spans than the one a lease stands in. */
const emptied = (lease: Lease, but: number, where: Pick<Surroundings, 'at' | 'process'>): OwnRow[] =>
	[...lease.strays, lease.span]
		.filter(span => lease.slide !== undefined && span !== but && span !== Number.NEGATIVE_INFINITY)
		.map(span => leaseRow(lease, 0, span, where));

/** The write failed, and may have been done all the same. */
export const strayed = ({lease, span}: Grant): void => {
	if (lease.slide && span !== lease.span && !lease.strays.includes(span)) lease.strays = [...lease.strays, span];
};

/** What says how much of a lease is this process's, as it stands. */
export const rowsOf = (lease: Lease, where: Pick<Surroundings, 'at' | 'process'>): OwnRow[] => {
	if (lease.kind === 'calendar') return lease.counters.map(counter => rowOf(counter, lease.granted));
	if (lease.slide && lease.span === Number.NEGATIVE_INFINITY) return emptied(lease, lease.span, where);
	return [...emptied(lease, lease.span, where), leaseRow(lease, lease.granted, lease.span, where)];
};

/** In the last quarter of its time a lease is renewed into the next span. */
export const renewable = ({slide, to, used}: Lease, at: number): boolean => slide !== undefined && used > 0 && at >= to - slide.spanMs / 4;

const targetSpan = ({slide, span}: Lease, at: number): number => {
	if (slide === undefined) return span;
	const present = spanAt(slide, at);
	const next = present + slide.spanMs;
	return span === next || (span === present && at >= next - slide.spanMs / 4) ? next : present;
};

/** Where the others' leases stand that count against this one. */
const otherLeases = ({key, slide, place}: Lease, at: number, alive: readonly string[]): string[] => {
	if (slide === undefined) return place.unit === 'slots' ? alive.map(process => slotsRow(place, process)) : [key];
	const present = spanAt(slide, at);
	return [-1, 0, 1, 2].map(by => spanRow(key, present + by * slide.spanMs));
};

/** The buckets that count at `at`, whoever they are of. */
export const bucketKeys = ({slide, place}: Lease, at: number): {key: string; until: number}[] => {
	if (slide === undefined) return [];
	const found = [];
	for (let start = at - slide.lengthMs - slide.bucketMs; start <= at; start += slide.bucketMs) {
		const {id, until} = bucketAt(slide, start);
		if (until > at) found.push({key: `${place.account}|${place.unit}|${id}`, until});
	}
	return found;
};

/** Every key that must stand still while `grant` looks; the lease's own name among them, which all processes share. */
export const keysOf = ({lease, detailed}: Ask, {at, alive}: Surroundings): string[] => [
	lease.key,
	...otherLeases(lease, at, alive),
	...(detailed ? bucketKeys(lease, at).map(({key}) => key) : []),
];

const most = (total: LedgerTotal | undefined): number => Math.max(total?.granted ?? 0, total?.settled ?? 0);

/** What may be held of what is held: another process counts it. */
const held = (lease: Lease, {at, lapsed}: Surroundings): number =>
	(lease.kind === 'slots' && lapsed) || isOver(lease, at) ? lease.used : lease.granted;

const sliceOf = ({lease, wanted, least, step}: Ask, room: number, {alive, recalled}: Surroundings): number => {
	if (room === Number.POSITIVE_INFINITY) return Math.max(wanted, step * steps);
	const ahead = Math.max(Math.ceil(room / share), step * steps);
	if (alive.length === 0) return Math.max(0, Math.min(room, Math.max(wanted, ahead)));
	// Too little for anybody here may be enough for somebody elsewhere.
	if (room < least && wanted > 0) return 0;
	const fair = recalled(lease) ? 0 : Math.min(ahead, Math.ceil(room / (reserve * (alive.length + 1))));
	return Math.max(0, Math.min(room, Math.max(wanted, fair)));
};

/**
 * What a lease becomes, given what the others have: everything granted to anybody stays within the limit that was asked with,
 * unless more than that was used. Says the rows that are to be written for it.
 */
export const grant = (ask: Ask, others: ReadonlyMap<string, LedgerTotal>, around: Surroundings): Grant => {
	const {lease, limit} = ask;
	const {at, alive} = around;
	if (lease.slide) look(lease, at);
	const elsewhere = lease.kind === 'calendar' ? (others.get(lease.key)?.settled ?? 0) : lease.elsewhere;
	const taken = otherLeases(lease, at, alive).reduce((sum, key) => sum + most(others.get(key)), 0);
	const room = limit - taken - lease.used;
	const slice = limit < 0 ? 0 : sliceOf(ask, room, around);
	let kept = held(lease, around);
	if (limit >= 0 && limit < lease.limit) kept = Math.min(kept, limit - taken);
	if (alive.length > 0 && limit >= 0 && ask.wanted > 0 && room < ask.least) kept = lease.used;
	const granted = Math.max(lease.used, kept, lease.used + slice);
	const span = targetSpan(lease, at);
	const rows: OwnRow[] = [];
	if (lease.kind === 'calendar') rows.push(...lease.counters.map(counter => rowOf(counter, granted)));
	else {
		rows.push(...emptied(lease, span, around), leaseRow(lease, granted, span, around));
	}
	return {
		lease,
		granted,
		slice,
		limit: limit < 0 ? lease.limit : Math.max(limit, granted + taken),
		others: taken,
		elsewhere,
		span,
		bucketsElsewhere: ask.detailed
			? bucketKeys(lease, at).map(({key, until}) => ({until, amount: most(others.get(key))}))
			: lease.bucketsElsewhere,
		changed: granted !== ask.granted || span !== lease.span,
		rows,
	};
};

/** The rows are durable: what they say may be spent. */
export const take = ({lease, granted, slice, limit, others, elsewhere, span, bucketsElsewhere}: Grant, tick: number): void => {
	lease.granted = granted;
	lease.refillAbove = granted - slice / 2;
	lease.limit = limit;
	lease.others = others;
	lease.elsewhere = elsewhere;
	if (lease.kind === 'calendar') lease.knownAt = tick;
	lease.bucketsElsewhere = bucketsElsewhere;
	if (lease.slide === undefined) return;
	lease.span = span;
	lease.strays = [];
	lease.from = span - lease.slide.spanMs;
	lease.to = span + lease.slide.spanMs;
};
