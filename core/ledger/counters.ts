import {type Reservation, unit} from '../../schemas/verdict.ts';
import type {OwnRow} from '../store/store.ts';
import {type Counter, isOver, type Lease, lookAgain, newLease, type Place} from './lease.ts';
import {openPeriods, type Period, type WindowName} from './periods.ts';

type Unit = Reservation['unit'];
type Span = {readonly period: Period; readonly accounts: Record<Unit, Map<string, Counter>>};
type Wanted = Pick<Reservation, 'account' | 'unit' | 'window' | 'timeZone'>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Windows that ended are kept as long again, from a minute up to an hour, for a clock that is set back a little. */
const keptUntil = ({start, end, until}: Period): number => until + Math.max(minuteMs, Math.min(end - start, hourMs));

const idle = ({settled, reserved, unrecorded, journaled, filed, lease}: Counter): boolean =>
	reserved === 0 && unrecorded === 0 && settled === journaled && settled === filed && !lease.growing;

const keyPattern = new RegExp(
	`^(.*)\\|(${unit.options.join('|')})\\|((second|minute|hour|day|week|month|quarter|total|now|rolling:\\d+[smhd])\\|([^|[]+)(?:\\[([^|\\]]+)\\])?)$`,
	's',
);

/** The counters in memory, found by what a reservation names or by their key. Builds a key once per window. */
export const openCounters = () => {
	const periodAt = openPeriods();
	const byKey = new Map<string, Counter>();
	/** Leases that outlast a period, by account, unit and window. */
	const sliding = new Map<string, Lease>();
	const spans = new Map<string, Span>();
	const current = new Map<string, Partial<Record<WindowName, Span>>>();
	/** Rows of windows that nobody has named since the start: a counter takes ten times their room. */
	const dormant = new Map<string, OwnRow>();

	const spanOf = (period: Period): Span => {
		const found = spans.get(period.id);
		if (found !== undefined) return found;
		const accounts = Object.fromEntries(unit.options.map(name => [name, new Map<string, Counter>()])) as Span['accounts'];
		const span = {period, accounts};
		spans.set(period.id, span);
		return span;
	};

	const drop = (counter: Counter): void => {
		const {lease} = counter;
		byKey.delete(counter.key);
		lease.counters = lease.counters.filter(other => other !== counter);
		lookAgain(lease);
	};

	/** Drops what ended a while ago and has nothing left to write. */
	const sweep = (now: number): void => {
		for (const [id, {period, accounts}] of spans) {
			if (now < keptUntil(period)) continue;
			for (const counters of Object.values(accounts))
				for (const [account, counter] of counters)
					if (idle(counter)) {
						counters.delete(account);
						drop(counter);
					}
			if (Object.values(accounts).some(({size}) => size > 0)) continue;
			spans.delete(id);
			// Or a clock set back would find the dropped window here and a second one under its name.
			current.clear();
		}
		for (const lease of sliding.values())
			if (lease.counters.length === 0 && !lease.growing && !lease.owed && (lease.granted === 0 || isOver(lease, now - minuteMs)))
				sliding.delete(lease.key);
	};

	const spanAt = (window: WindowName, timeZone: string, now: number): Span => {
		const found = current.get(timeZone)?.[window];
		if (found !== undefined && now >= found.period.start && now < found.period.end) return found;
		sweep(now);
		const span = spanOf(periodAt(window, timeZone, now));
		current.set(timeZone, {...current.get(timeZone), [window]: span});
		return span;
	};

	const leaseOf = (key: string, {account, unit, window}: Place, {slide}: Period): Lease => {
		if (slide === undefined) return newLease(key, {account, unit, window}, undefined);
		const shared = `${account}|${unit}|${window}`;
		const found = sliding.get(shared);
		if (found !== undefined) return found;
		const lease = newLease(shared, {account, unit, window}, slide);
		sliding.set(shared, lease);
		return lease;
	};

	const make = (key: string, place: Place, period: Period): Counter => {
		const lease = leaseOf(key, place, period);
		const counter: Counter = {
			key,
			period,
			lease,
			settled: 0,
			reserved: 0,
			unrecorded: 0,
			journaled: 0,
			filed: 0,
			filedSeq: 0,
			stored: 0,
			live: lease.kind !== 'sliding',
		};
		const row = dormant.get(key);
		if (row !== undefined) {
			dormant.delete(key);
			counter.settled = row.settled;
			counter.journaled = row.settled;
			counter.filed = row.settled;
			counter.filedSeq = row.seq;
			counter.stored = row.settled;
			if (lease.kind === 'calendar') {
				lease.used = row.settled;
				lease.granted = row.settled;
			}
		}
		byKey.set(key, counter);
		lease.counters.push(counter);
		if (lease.kind === 'sliding') lookAgain(lease);
		return counter;
	};

	/** A key that a later release wrote and this one cannot read is kept under its name alone. */
	const byKeyOf = (key: string): Counter => {
		const found = byKey.get(key);
		if (found !== undefined) return found;
		const [, account, unit, id, window, start, timeZone = 'UTC'] = keyPattern.exec(key) ?? [];
		const at = Date.parse(start ?? '');
		const forever = Number.POSITIVE_INFINITY;
		if (account === undefined || Number.isNaN(at))
			return make(key, {account: key, unit: 'requests', window: 'total'}, {id: '', start: 0, end: forever, until: forever});
		const place = {account, unit, window} as Place;
		const span = spans.get(id!) ?? spanOf(periodAt(place.window, timeZone, at));
		const counter = make(key, place, span.period);
		// A window's edges can move when a zone's rules change: then the old key is only counted, never spent from.
		if (span.period.id === id) span.accounts[place.unit].set(account, counter);
		return counter;
	};

	return {
		sweep,
		/** Keeps the row of a window, all of whose granted is settled, until the window is named. */
		keep: (row: OwnRow): void => void dormant.set(row.key, row),
		/** The rows still kept so. */
		kept: () => dormant.values(),
		/** Forgets those that may have been pruned. */
		forget: (before: number): void => {
			for (const [key, {expiresAt = Number.POSITIVE_INFINITY}] of dormant) if (expiresAt < before) dormant.delete(key);
		},
		all: () => byKey.values(),
		/** Every lease once. */
		leases: (): Set<Lease> => new Set([...sliding.values(), ...[...byKey.values()].map(({lease}) => lease)]),
		/** The lease that recalls name so. */
		lease: (key: string): Lease | undefined => sliding.get(key) ?? byKey.get(key)?.lease,
		periodAt: ({window, timeZone = 'UTC'}: Wanted, now: number): Period => spanAt(window, timeZone, now).period,
		/** The lease of a window in which there has been anything. */
		leaseAt: (place: Wanted, now: number): Lease | undefined => {
			const {account, unit, window, timeZone = 'UTC'} = place;
			const {period, accounts} = spanAt(window, timeZone, now);
			const found = accounts[unit].get(account)?.lease ?? sliding.get(`${account}|${unit}|${window}`);
			const key = `${account}|${unit}|${period.id}`;
			return found ?? (dormant.has(key) ? byKeyOf(key).lease : undefined);
		},
		at: (place: Wanted, now: number): Counter => {
			const {account, unit, window, timeZone = 'UTC'} = place;
			const {period, accounts} = spanAt(window, timeZone, now);
			let counter = accounts[unit].get(account);
			if (counter === undefined) {
				counter = make(`${account}|${unit}|${period.id}`, place, period);
				accounts[unit].set(account, counter);
			}
			return counter;
		},
		byKey: byKeyOf,
	};
};

export type Counters = ReturnType<typeof openCounters>;
