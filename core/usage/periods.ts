import {GatewayError} from '../errors.ts';
import {openPeriods} from '../ledger/periods.ts';

export const granularities = ['hour', 'day', 'month', 'total'] as const;
export type Granularity = (typeof granularities)[number];

/** Whole hours of UTC, from `from` up to, not including, `until` (milliseconds since 1970), and what people there call that time. */
export type Period = {label: string; from: number; until: number};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const mostPeriods = 1_500;

/** What is wrong with a parameter, and how to mend it. */
export const wrong = (param: string, why: string): GatewayError => new GatewayError('invalid_request', `${param}: ${why}`, {param});

type Clock = {
	/** `2026-11-22` */
	date(at: number): string;
	/** `2026-11-22T14:00:00+01:00` */
	time(at: number): string;
};

/** The calendar of a time zone (an IANA name). Throws `invalid_request` for one that is none. */
export const clockOf = (timeZone: string): Clock => {
	const options = {
		timeZone,
		hourCycle: 'h23',
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
	} as const;
	let format: Intl.DateTimeFormat;
	try {
		format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {...options, timeZoneName: 'longOffset'});
	} catch {
		throw wrong('timeZone', `"${timeZone.slice(0, 60)}" is no time zone: write one like Europe/Berlin.`);
	}
	const partsAt = (at: number): Record<string, string> =>
		Object.fromEntries(format.formatToParts(at).map(({type, value}) => [type, value]));
	const dateOf = ({year = '', month, day}: Record<string, string>): string => `${year.padStart(4, '0')}-${month}-${day}`;
	return {
		date: at => dateOf(partsAt(at)),
		time: at => {
			const parts = partsAt(at);
			return `${dateOf(parts)}T${parts.hour}:${parts.minute}:00${parts.timeZoneName?.slice('GMT'.length) || '+00:00'}`;
		},
	};
};

/** The first moment of a date there; undefined for one that a change of zones has skipped. */
const midnight = (date: string, timeZone: string): number | undefined => {
	const noon = Date.parse(`${date}T12:00:00Z`);
	const periodAt = openPeriods();
	const {date: dateAt} = clockOf(timeZone);
	for (const at of [noon, noon - dayMs / 2, noon + dayMs / 2]) if (dateAt(at) === date) return periodAt('day', timeZone, at).start;
	return undefined;
};

/** A date (its midnight there), a month (its first), or a moment with its offset. Throws `invalid_request`. */
export const momentOf = (param: string, written: string, timeZone: string): number => {
	const date = /^\d{4}-\d{2}$/.test(written) ? `${written}-01` : written;
	const isDate = /^\d{4}-\d{2}-\d{2}$/.test(date);
	const isMoment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(date);
	const parsed = isDate || isMoment ? Date.parse(date) : Number.NaN;
	const isReal = !Number.isNaN(parsed) && (!isDate || new Date(parsed).toISOString().startsWith(date));
	const at = isReal && isDate ? midnight(date, timeZone) : parsed;
	if (isReal && at !== undefined) return at;
	throw wrong(param, `"${written.slice(0, 60)}" is no moment: write 2026-11-22, 2026-11, or 2026-11-22T14:00:00Z.`);
};

/** When the month began there that the last moment before `at` lies in. */
export const monthBefore = (at: number, timeZone: string): number => openPeriods()('month', timeZone, at - 1).start;

/** An hour belongs to the period in which it begins. */
const wholeHour = (at: number): number => Math.ceil(at / hourMs) * hourMs;

/**
 * The periods of a stretch of time by the calendar of a time zone, the first and the last cut to it; without those that hold no whole hour.
 * Throws `invalid_request` for more than can be shown.
 */
export const periodsOf = (from: number, to: number, granularity: Granularity, timeZone: string): Period[] => {
	if (from >= to) throw wrong('to', 'it is not after from.');
	const {date, time} = clockOf(timeZone);
	const end = wholeHour(to);
	if (granularity === 'total') return [{label: 'total', from: wholeHour(from), until: end}];
	const periodAt = openPeriods();
	const nextAfter = (at: number): number => (granularity === 'hour' ? at + hourMs : periodAt(granularity, timeZone, at).end);
	const labelOf = {hour: time, day: date, month: (at: number) => date(at).slice(0, 'yyyy-mm'.length)}[granularity];
	const periods: Period[] = [];
	for (let at = granularity === 'hour' ? wholeHour(from) : from; at < to; ) {
		const next = nextAfter(at);
		const period = {from: wholeHour(at), until: Math.min(wholeHour(next), end)};
		if (period.from < period.until) periods.push({label: labelOf(at), ...period});
		if (periods.length > mostPeriods)
			throw wrong('granularity', `from and to are more than ${mostPeriods} of them apart; ask for longer ones.`);
		at = next;
	}
	return periods;
};

/** A stretch of whole hours, as little of it as can be in hours and the rest in days of UTC. */
export const stretches = ({from, until}: Pick<Period, 'from' | 'until'>): {grain: 'hour' | 'day'; from: number; until: number}[] => {
	const first = Math.min(Math.ceil(from / dayMs) * dayMs, until);
	const last = Math.max(Math.floor(until / dayMs) * dayMs, first);
	const all = [
		{grain: 'hour', from, until: first},
		{grain: 'day', from: first, until: last},
		{grain: 'hour', from: last, until},
	] as const;
	return all.filter(stretch => stretch.from < stretch.until);
};
