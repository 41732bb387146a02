import type {Booking} from '../../schemas/record.ts';
import type {Effects, Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {StoredRecord} from '../journal/journal.ts';
import type {Counter, Counters} from './counters.ts';

/** A stretch of time between two writes: the journal's end when it began, and how many bookings made in it have no record yet. */
type Stretch = {readonly seq: number; open: number};
type Life = {
	readonly counter: Counter;
	readonly unit: Reservation['unit'];
	readonly stretch: Stretch;
	booked: Booking | undefined;
	recorded: boolean;
};

/** A booking that knows its own life, unseen by JSON. A class, because a WeakMap in its place made a request ten times dearer. */
class Tracked implements Booking {
	readonly key: string;
	readonly amount: number;
	readonly #life: Life;

	constructor(amount: number, life: Life) {
		this.key = life.counter.key;
		this.amount = amount;
		this.#life = life;
	}

	static life(booking: Booking): Life | undefined {
		return #life in booking ? booking.#life : undefined;
	}
}

const unitOf = (key: string) => key.split('|').at(-3) as Reservation['unit'];

/** Bookings from being held to standing in a record. What a booking was is known by the object, so ending one twice books once. */
export const openBookings = (
	counters: Counters,
	{lastSeq, low, orphans}: {lastSeq: number; low: number; orphans: readonly StoredRecord[]},
) => {
	const dirty = new Set<Counter>();
	let seq = lastSeq;
	let stretch: Stretch = {seq, open: 0};
	let stretches = [stretch];

	const lost: Stretch = {seq: low, open: 0};
	const settledInFull = ({key, amount}: Booking): Booking => {
		const life: Life = {counter: counters.byKey(key), unit: unitOf(key), stretch: lost, booked: undefined, recorded: false};
		lost.open += 1;
		life.booked = new Tracked(amount, life);
		return life.booked;
	};
	const lostInCrash = orphans.map(record => ({...record, bookings: record.bookings?.map(settledInFull)}));
	if (lost.open > 0) stretches.unshift(lost);

	return {
		dirty,
		/** The orphans, their bookings settled in full and waiting to be journaled. */
		orphans: lostInCrash,
		seq: () => seq,
		/** Begins a new stretch; answers the record before which no booking without a record can have been opened. */
		mark: (): number => {
			stretches = stretches.filter(({open}) => open > 0);
			const first = stretches[0]?.seq ?? seq;
			stretch = {seq, open: 0};
			stretches.push(stretch);
			return first;
		},
		hold: (counter: Counter, unit: Reservation['unit'], amount: number): Booking => {
			stretch.open += 1;
			return new Tracked(amount, {counter, unit, stretch, booked: undefined, recorded: false});
		},
		settle: (booking: Booking, used: NonNullable<Effects['settle']>): {counter: Counter; booked: Booking} => {
			const life = Tracked.life(booking);
			if (life === undefined) throw new GatewayError('internal', `No booking of this ledger was held as ${booking.key}.`);
			const {counter, unit} = life;
			if (life.booked === undefined) {
				life.booked = new Tracked(used[unit] ?? booking.amount, life);
				counter.reserved -= booking.amount;
				counter.settled += life.booked.amount;
			}
			return {counter, booked: life.booked};
		},
		journaled: (settled: readonly Booking[], recordSeq: number): void => {
			seq = recordSeq;
			for (const booking of settled) {
				const life = Tracked.life(booking);
				const counter = life?.counter ?? counters.byKey(booking.key);
				if (life !== undefined && !life.recorded) {
					life.recorded = true;
					life.stretch.open -= 1;
				}
				if (booking.amount === 0) continue;
				counter.journaled += booking.amount;
				dirty.add(counter);
			}
		},
	};
};

export type Bookings = ReturnType<typeof openBookings>;
