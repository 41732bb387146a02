import type {Reservation} from '../../schemas/verdict.ts';
import type {Period} from './periods.ts';
import type {Slide} from './sliding.ts';

export type Place = Pick<Reservation, 'account' | 'unit' | 'window'>;

/**
 * What one account has come to in one window, or in one bucket of a rolling one, by this process, in whole units. `journaled` is
 * the part of `settled` that records tell of, `filed` the part of that known to be in the journal's file, up to and including
 * its record `filedSeq`.
 */
export type Counter = {
	readonly key: string;
	readonly period: Period;
	readonly lease: Lease;
	settled: number;
	reserved: number;
	/**
	 * Set aside and not used by what has been settled, until a record says so: a crash before it would book all that was set aside,
	 * and so nobody may have it before.
	 */
	unrecorded: number;
	journaled: number;
	filed: number;
	filedSeq: number;
	/** The part of `filed` that its row in the store says. */
	stored: number;
	/** Whether it is in what its lease calls used. */
	live: boolean;
};

/** What this process may spend of an account: durable, and in the store's sum for every other process. */
export type Lease = {
	/** What recalls name. A calendar window has a lease of its own, under its counter's key; a rolling one has one for all its buckets. */
	readonly key: string;
	readonly place: Place;
	readonly kind: 'calendar' | 'sliding' | 'slots';
	readonly slide: Slide | undefined;
	counters: Counter[];
	/** Settled, reserved and not recorded yet, of the counters that are live. */
	used: number;
	/** Never less than what is reserved out of it. */
	granted: number;
	/** All that was granted to anybody was within this limit when this process last asked; infinite before it ever did. */
	limit: number;
	/** When last asked: granted to other processes, and the part of it known to be settled. */
	others: number;
	elsewhere: number;
	/** By `ticks`: when `elsewhere` was last read. */
	knownAt: number;
	/** What waits for more, the smallest of it, the limit it named (-1: none did), and whether the next write is to say more. */
	wanted: number;
	least: number;
	asked: number;
	step: number;
	growing: boolean;
	/** Its row waits to be written, with less in it. */
	owed: boolean;
	/** It is enlarged ahead of need once more than this is used. */
	refillAbove: number;
	/** Spendable from… up to, not including… (milliseconds since 1970), and the start of the span that its row stands for. */
	from: number;
	to: number;
	span: number;
	/** Spans whose rows may have been written, though nobody was told: they are emptied with the next write. */
	strays: readonly number[];
	/** `used` holds from… up to, not including… */
	lookFrom: number;
	lookTo: number;
	/** In that time the others are known to leave no room. */
	fullFrom: number;
	fullTo: number;
	/** By `ticks`: until when others are waiting for what this process does not need; until when asking them for it is known to be vain, and what they had. */
	recalledTo: number;
	vainTo: number;
	vainFor: number;
	/** …unless something they used has stopped to count since (milliseconds since 1970). */
	vainEdge: number;
	/** What others have in buckets that end at the same time as ours; asked for only when somebody has to be told how long to wait. */
	bucketsElsewhere: readonly {readonly until: number; readonly amount: number}[];
	/** Which shares of the limit have been told, in which window; and what to look for when settling. */
	toldIn: string;
	told: Set<number> | undefined;
	notifyAt: readonly number[] | undefined;
	notifyLimit: number;
};

export const newLease = (key: string, place: Place, slide: Slide | undefined): Lease => ({
	key,
	place,
	kind: slide ? 'sliding' : place.unit === 'slots' ? 'slots' : 'calendar',
	slide,
	counters: [],
	used: 0,
	granted: 0,
	limit: Number.POSITIVE_INFINITY,
	others: 0,
	elsewhere: 0,
	knownAt: Number.NEGATIVE_INFINITY,
	wanted: 0,
	least: Number.POSITIVE_INFINITY,
	asked: -1,
	step: 0,
	growing: false,
	owed: false,
	refillAbove: 0,
	from: slide ? 0 : Number.NEGATIVE_INFINITY,
	to: slide ? 0 : Number.POSITIVE_INFINITY,
	span: Number.NEGATIVE_INFINITY,
	strays: [],
	lookFrom: slide ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
	lookTo: slide ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
	fullFrom: 0,
	fullTo: 0,
	recalledTo: 0,
	vainTo: 0,
	vainFor: -1,
	vainEdge: 0,
	bucketsElsewhere: [],
	toldIn: '',
	told: undefined,
	notifyAt: undefined,
	notifyLimit: 0,
});

/** No other process counts any more what was granted: neither what it is spendable for, nor what it may have been spent on. */
export const isOver = ({slide, span}: Lease, at: number): boolean =>
	slide !== undefined && (at >= span + 2 * slide.spanMs || at < span - slide.spanMs);

const isLive = ({period: {start, end, until, slide}}: Counter, at: number): boolean =>
	// A bucket ahead of a clock that was set back counts too: a stretch may hold both.
	slide?.lengthMs === 0 ? at >= start && at < end : at < until;

/** When something that was used may stop to count. */
export const nextEdge = ({slide}: Lease, at: number): number =>
	slide === undefined ? Number.POSITIVE_INFINITY : at - (at % slide.bucketMs) + slide.bucketMs;

/** What nobody else can have. */
export const heldIn = ({settled, reserved, unrecorded}: Counter): number => settled + reserved + unrecorded;

/** Brings `used` to what counts at `at`. */
export const look = (lease: Lease, at: number): void => {
	if (at >= lease.lookFrom && at < lease.lookTo) return;
	lease.used = 0;
	lease.lookFrom = Number.NEGATIVE_INFINITY;
	lease.lookTo = Number.POSITIVE_INFINITY;
	for (const counter of lease.counters) {
		counter.live = isLive(counter, at);
		if (counter.live) lease.used += heldIn(counter);
		for (const edge of [counter.period.start, counter.period.until])
			if (edge > at) lease.lookTo = Math.min(lease.lookTo, edge);
			else lease.lookFrom = Math.max(lease.lookFrom, edge);
	}
};

/** A counter has been added or dropped. */
export const lookAgain = (lease: Lease): void => {
	lease.lookFrom = Number.POSITIVE_INFINITY;
};

/** When `amount` will have room again, if nobody takes it first; nothing when no wait is known to help. */
export const roomAt = (lease: Lease, amount: number, limit: number, at: number): number | undefined => {
	const {slide, used, others} = lease;
	if (lease.kind === 'slots') return undefined;
	if (slide === undefined) {
		const [counter] = lease.counters;
		return counter !== undefined && Number.isFinite(counter.period.end) ? counter.period.end : undefined;
	}
	if (slide.lengthMs === 0) return at - (at % slide.bucketMs) + slide.bucketMs;
	if (amount > limit) return undefined;
	const own = lease.counters.filter(({live}) => live).map(counter => ({until: counter.period.until, amount: heldIn(counter)}));
	let lacking = amount - (limit - used - others);
	for (const bucket of [...own, ...lease.bucketsElsewhere].sort((one, other) => one.until - other.until)) {
		if (bucket.until <= at) continue;
		lacking -= bucket.amount;
		if (lacking <= 0) return bucket.until;
	}
	// What others were granted and have not used yet may be used at this moment.
	return at + slide.bucketMs + slide.lengthMs;
};
