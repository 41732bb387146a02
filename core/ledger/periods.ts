import type {Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import {bucketAt, type Slide, slideOf} from './sliding.ts';

export type WindowName = Reservation['window'];

/**
 * One calendar window, or one bucket of a rolling one: from `start` up to, not including, `end`, in milliseconds since 1970.
 * `id` ends the ledger's keys: the window's name and its start in the notation of RFC 9557 (`day|2026-03-28T23:00:00Z[Europe/Berlin]`).
 */
export type Period = {
	readonly id: string;
	readonly start: number;
	readonly end: number;
	/** What happened in it counts until then: its end, but for rolling windows. */
	readonly until: number;
	readonly slide?: Slide;
};

/** Milliseconds since 1970 → the clock on the wall there, read as if it were UTC. */
type Wall = (at: number) => number;

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const wallIn = (timeZone: string): Wall => {
	if (timeZone === 'UTC') return at => at;
	let format: Intl.DateTimeFormat;
	try {
		format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
			timeZone,
			hourCycle: 'h23',
			year: 'numeric',
			month: 'numeric',
			day: 'numeric',
			hour: 'numeric',
			minute: 'numeric',
			second: 'numeric',
		});
	} catch (cause) {
		throw new GatewayError('plugin_failed', `A plugin reserves by the time zone "${timeZone}", which is none that IANA knows.`, {cause});
	}
	return at => {
		const part: Record<string, number> = {};
		for (const {type, value} of format.formatToParts(at)) part[type] = Number(value);
		const {year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0} = part;
		return Date.UTC(year, month - 1, day, hour, minute, second) + (((at % 1_000) + 1_000) % 1_000);
	};
};

/** The first second that `wall` dates on or after `date` (days since 1970): midnight, or what a clock change leaves of it. */
const dawn = (wall: Wall, date: number): number => {
	// Zones lie between UTC-12 and UTC+14.
	let before = (date * day - 16 * hour) / second;
	let after = (date * day + 16 * hour) / second;
	while (after - before > 1) {
		const middle = Math.floor((before + after) / 2);
		if (wall(middle * second) < date * day) before = middle;
		else after = middle;
	}
	return after * second;
};

/** First day (days since 1970) of the window that has `date` in it, and of the window after it. */
const daysOf = (window: 'day' | 'week' | 'month' | 'quarter', date: number): [number, number] => {
	const calendar = new Date(date * day);
	const firstOf = (months: number) => Date.UTC(calendar.getUTCFullYear(), months, 1) / day;
	const month = calendar.getUTCMonth();
	if (window === 'day') return [date, date + 1];
	if (window === 'month') return [firstOf(month), firstOf(month + 1)];
	if (window === 'quarter') return [firstOf(month - (month % 3)), firstOf(month - (month % 3) + 3)];
	const monday = date - ((calendar.getUTCDay() + 6) % 7);
	return [monday, monday + 7];
};

const period = (window: WindowName, timeZone: string, start: number, end: number): Period => ({
	id: `${window}|${new Date(start).toISOString().replace('.000', '')}${timeZone === 'UTC' ? '' : `[${timeZone}]`}`,
	start,
	end,
	until: end,
});

/** Which window of a time zone (IANA name; the name is part of the window's id, as it is written) a moment lies in. */
export const openPeriods = () => {
	const walls = new Map<string, Wall>();
	const slides = new Map<WindowName, Slide | undefined>();

	return (window: WindowName, timeZone: string, at: number): Period => {
		if (window === 'total' || window === 'now') return period(window, 'UTC', 0, Number.POSITIVE_INFINITY);
		const wall = walls.get(timeZone) ?? wallIn(timeZone);
		walls.set(timeZone, wall);
		// Every zone's minutes are the same minutes; its hours need not be (UTC+5:30).
		if (window === 'minute') return period(window, 'UTC', at - (at % minute), at - (at % minute) + minute);
		if (!slides.has(window)) slides.set(window, slideOf(window));
		const slide = slides.get(window);
		if (slide !== undefined) return bucketAt(slide, at);
		const there = wall(at);
		if (window === 'hour') return period(window, timeZone, at - (there % hour), at - (there % hour) + hour);
		const [first, next] = daysOf(window as 'day', Math.floor(there / day));
		if (timeZone === 'UTC') return period(window, timeZone, first * day, next * day);
		return period(window, timeZone, dawn(wall, first), dawn(wall, next));
	};
};
