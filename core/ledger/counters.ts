import {type Reservation, unit} from '../../schemas/verdict.ts';
import {openPeriods, type Period, type WindowName} from './periods.ts';

type Unit = Reservation['unit'];

/**
 * What one account has come to in one window, in whole units. `granted` is durable and never less than what is
 * reserved out of it; `journaled` is the part of `settled` that records tell of, `filed` the part of that known to be
 * in the journal's file, up to and including its record `filedSeq`.
 */
export type Counter = {
	readonly key: string;
	readonly period: Period;
	settled: number;
	reserved: number;
	granted: number;
	journaled: number;
	filed: number;
	filedSeq: number;
	/** What waits for a larger lease, the limit it named, and whether the next write is to enlarge it. */
	wanted: number;
	limit: number;
	step: number;
	growing: boolean;
	/** A lease is enlarged ahead of need once more than this is used. */
	refillAbove: number;
};

type Span = {readonly period: Period; readonly accounts: Record<Unit, Map<string, Counter>>};

const units: readonly Unit[] = unit.options;
const windows = 'second|minute|hour|day|week|month|quarter|total';
type Place = Pick<Reservation, 'account' | 'unit' | 'window' | 'timeZone'>;

const hourMs = 3_600_000;

/** Windows that ended are kept as long again, up to an hour, for a clock that is set back a little. */
const keptUntil = ({start, end}: Period): number => end + Math.min(end - start, hourMs);

const idle = ({settled, reserved, journaled, filed, growing}: Counter): boolean =>
	reserved === 0 && settled === journaled && settled === filed && !growing;

const keyPattern = new RegExp(`^(.*)\\|(${units.join('|')})\\|((${windows})\\|([^|[]+)(?:\\[([^|\\]]+)\\])?)$`, 's');

/** The counters in memory, found by what a reservation names or by their key. Builds a key once per window. */
export const openCounters = () => {
	const periodAt = openPeriods();
	const byKey = new Map<string, Counter>();
	const spans = new Map<string, Span>();
	const current = new Map<string, Partial<Record<WindowName, Span>>>();

	const spanOf = (period: Period): Span => {
		let span = spans.get(period.id);
		if (span === undefined) {
			span = {period, accounts: Object.fromEntries(units.map(name => [name, new Map<string, Counter>()])) as Span['accounts']};
			spans.set(period.id, span);
		}
		return span;
	};

	/** Drops what ended a while ago and has nothing left to write. */
	const sweep = (now: number): void => {
		for (const [id, {period, accounts}] of spans) {
			if (now < keptUntil(period)) continue;
			for (const counters of Object.values(accounts))
				for (const [account, counter] of counters)
					if (idle(counter)) {
						counters.delete(account);
						byKey.delete(counter.key);
					}
			if (Object.values(accounts).some(({size}) => size > 0)) continue;
			spans.delete(id);
			// Or a clock set back would find the dropped window here and a second one under its name.
			current.clear();
		}
	};

	const spanAt = (window: WindowName, timeZone: string, now: number): Span => {
		const found = current.get(timeZone)?.[window];
		if (found !== undefined && now >= found.period.start && now < found.period.end) return found;
		sweep(now);
		const span = spanOf(periodAt(window, timeZone, now));
		current.set(timeZone, {...current.get(timeZone), [window]: span});
		return span;
	};

	const make = (key: string, period: Period): Counter => {
		const counter: Counter = {
			key,
			period,
			settled: 0,
			reserved: 0,
			granted: 0,
			journaled: 0,
			filed: 0,
			filedSeq: 0,
			wanted: 0,
			limit: 0,
			step: 0,
			growing: false,
			refillAbove: 0,
		};
		byKey.set(key, counter);
		return counter;
	};

	return {
		sweep,
		all: () => byKey.values(),
		peek: ({account, unit, window, timeZone = 'UTC'}: Place, now: number): {counter?: Counter; period: Period} => {
			const {period, accounts} = spanAt(window, timeZone, now);
			return {counter: accounts[unit].get(account), period};
		},
		at: ({account, unit, window, timeZone = 'UTC'}: Place, now: number): Counter => {
			const {period, accounts} = spanAt(window, timeZone, now);
			const found = accounts[unit].get(account);
			if (found !== undefined) return found;
			const counter = make(`${account}|${unit}|${period.id}`, period);
			accounts[unit].set(account, counter);
			return counter;
		},
		/** A key that a later release wrote and this one cannot read is kept under its name alone. */
		byKey: (key: string): Counter => {
			const found = byKey.get(key);
			if (found !== undefined) return found;
			const [, account, unit, id, window, start, timeZone = 'UTC'] = keyPattern.exec(key) ?? [];
			const at = Date.parse(start ?? '');
			if (account === undefined || Number.isNaN(at)) return make(key, {id: '', start: 0, end: Number.POSITIVE_INFINITY});
			const span = spans.get(id!) ?? spanOf(periodAt(window as WindowName, timeZone, at));
			const counter = make(key, span.period);
			// A window's edges can move when a zone's rules change: then the old key is only counted, never spent from.
			if (span.period.id === id) span.accounts[unit as Unit].set(account, counter);
			return counter;
		},
	};
};

export type Counters = ReturnType<typeof openCounters>;
