import type {Period, WindowName} from './periods.ts';

/**
 * A window that has no edges on the calendar: what happened is counted in buckets, each an ordinary period, and a bucket counts until
 * its last moment is `lengthMs` ago, so never less than what any stretch of that length had. `second` counts only the second it is.
 */
export type Slide = {
	readonly window: WindowName;
	readonly lengthMs: number;
	readonly bucketMs: number;
	/** How long a lease on such a window lasts without being renewed; not shorter than the window, and whole buckets. */
	readonly spanMs: number;
};

const second = 1_000;
const minute = 60 * second;
const msOf: Readonly<Record<string, number>> = {s: second, m: minute, h: 60 * minute, d: 24 * 60 * minute};
const buckets = 60;

export const slideOf = (window: WindowName): Slide | undefined => {
	if (window === 'second') return {window, lengthMs: 0, bucketMs: second, spanMs: minute};
	const [, count, unit = ''] = /^rolling:(\d+)([smhd])$/.exec(window) ?? [];
	const unitMs = msOf[unit];
	if (count === undefined || unitMs === undefined) return undefined;
	const lengthMs = Number(count) * unitMs;
	const bucketMs = Math.max(second, Math.ceil(lengthMs / buckets));
	return {window, lengthMs, bucketMs, spanMs: Math.ceil(Math.max(lengthMs, minute) / bucketMs) * bucketMs};
};

const written = (at: number): string => new Date(at).toISOString().replace('.000', '');

export const bucketAt = (slide: Slide, at: number): Period => {
	const start = at - (at % slide.bucketMs);
	const end = start + slide.bucketMs;
	return {id: `${slide.window}|${written(start)}`, start, end, until: end + slide.lengthMs, slide};
};

/** When the span that `at` lies in begins. */
export const spanAt = ({spanMs}: Slide, at: number): number => at - (at % spanMs);

/** The row that a lease of the span from `start` on stands in; `key` names the account, the unit and the window. */
export const spanRow = (key: string, start: number): string => `${key}|lease ${written(start)}`;
