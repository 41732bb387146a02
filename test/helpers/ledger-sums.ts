import type {StoredRecord} from '../../core/journal/journal.ts';
import type {Booking} from '../../schemas/record.ts';
import {type Account, periodOf, prefixOf, unitOf} from './ledger-accounts.ts';

/** What is booked and set aside, by the keys of a ledger. */
export type Sums = Map<string, number>;

export const add = (sums: Sums, bookings: readonly Booking[], sign = 1) => {
	for (const {key, amount} of bookings) sums.set(key, (sums.get(key) ?? 0) + sign * amount);
};

/** By the journal alone: what ended exchanges booked, and in full what those set aside that never ended, but for slots. */
export const sumOf = (file: readonly StoredRecord[]): Sums => {
	const sums: Sums = new Map();
	const last = new Map<string, StoredRecord>();
	for (const record of file) {
		const {kind, exchange = ''} = record;
		if (kind === 'exchange' || (kind === 'opened' && last.get(exchange)?.kind !== 'exchange')) last.set(exchange, record);
	}
	for (const {kind, bookings = []} of last.values())
		add(
			sums,
			bookings.filter(({key}) => kind === 'exchange' || unitOf(key) !== 'slots'),
		);
	return sums;
};

/** What the buckets that count at `now` come to, or the present window. */
export const usedAt = (sums: readonly Sums[], account: Account, now: number): number => {
	const present = periodOf(account, now);
	const prefix = prefixOf(account);
	let used = 0;
	for (const each of sums)
		for (const [key, amount] of each) {
			if (!key.startsWith(prefix)) continue;
			if (present.slide === undefined || present.slide.lengthMs === 0) used += key === prefix + present.id ? amount : 0;
			else if (key.startsWith(`${prefix}${account.window}|`)) {
				const {until} = periodOf(account, Date.parse(key.split('|').at(-1)!));
				if (until > now) used += amount;
			}
		}
	return used;
};

/** The most that any stretch of a rolling window's length had, of buckets that lie wholly in it. */
export const worstStretch = (sums: readonly Sums[], account: Account): number => {
	const {slide} = periodOf(account, 0);
	if (slide === undefined || slide.lengthMs === 0) return 0;
	const prefix = `${prefixOf(account)}${account.window}|`;
	const starts = sums.flatMap(each => [...each].filter(([key]) => key.startsWith(prefix)));
	const buckets = starts
		.map(([key, amount]) => ({start: Date.parse(key.slice(prefix.length)), amount}))
		.sort((one, other) => one.start - other.start);
	let worst = 0;
	for (const [first, {start}] of buckets.entries()) {
		let sum = 0;
		for (const bucket of buckets.slice(first)) if (bucket.start + slide.bucketMs <= start + slide.lengthMs) sum += bucket.amount;
		worst = Math.max(worst, sum);
	}
	return worst;
};
