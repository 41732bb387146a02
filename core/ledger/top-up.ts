import type {Booking} from '../../schemas/record.ts';
import type {Effects, Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {Bookings, Life} from './bookings.ts';
import type {Counters} from './counters.ts';
import {isForgotten} from './grants.ts';
import {type Counter, look} from './lease.ts';
import type {Short} from './ledger.ts';

type Growth = {readonly life: Life; readonly counter: Counter; readonly extra: number; readonly reservation: Reservation};

/** What others have of a window that ended a day ago is forgotten: there may be no room. */
const lateShort = ({reservation: {account, unit, window, limit}, extra}: Growth): Short => ({
	account,
	unit,
	window,
	limit: limit ?? 0,
	used: limit ?? 0,
	needed: extra,
});

/** Sets aside `extra` more of what is held, by unit, where and while there is room: what to claim, and what to do once that is done. */
export const toppedUp = (
	{bookings, counters}: {bookings: Bookings; counters: Counters},
	held: readonly Booking[],
	extra: NonNullable<Effects['settle']>,
	at: number,
) => {
	const lives = held.map(bookings.lifeOf);
	const growths: Growth[] = [];
	for (const life of lives) {
		const {reservation} = life;
		const more = reservation && extra[reservation.unit];
		if (more === undefined || more === 0) continue;
		if (life.booked !== undefined) throw new GatewayError('internal', `${life.counter.key} has been settled; there is nothing to add to.`);
		// In a rolling window all of it moves to the present: whatever stretch is looked at, it has the whole of it or nothing.
		const counter = life.counter.period.slide ? counters.at(reservation!, at) : life.counter;
		if (counter.lease.slide) look(counter.lease, at);
		const whole = counter !== life.counter && !life.counter.live;
		growths.push({life, counter, extra: more, reservation: {...reservation!, amount: whole ? life.amount + more : more}});
	}
	const late = growths.find(({counter, reservation: {limit, soft}}) => limit !== null && !soft && isForgotten(counter.period, at));
	return {
		late: late && lateShort(late),
		reservations: growths.map(({reservation}) => reservation),
		counters: growths.map(({counter}) => counter),
		at,
		book: (): Booking[] => {
			for (const {life, counter, extra: more} of growths) {
				if (counter !== life.counter) {
					life.counter.reserved -= life.amount;
					// What no longer counted has just been set aside anew.
					if (life.counter.live) counter.reserved += life.amount;
					life.counter = counter;
				}
				life.amount += more;
			}
			return lives.map(bookings.now);
		},
	};
};
