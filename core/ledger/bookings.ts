import type {Booking} from '../../schemas/record.ts';
import type {Effects, Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {StoredRecord} from '../journal/journal.ts';
import type {Counters} from './counters.ts';
import type {Counter, Lease} from './lease.ts';

/** A stretch of time between two writes: the journal's end when it began, and how many bookings made in it have no record yet. */
type Stretch = {readonly seq: number; open: number};
export type Life = {
	counter: Counter;
	/** What was asked for; nothing is known of what a crash left. */
	readonly reservation: Reservation | undefined;
	/** Set aside by now. */
	amount: number;
	readonly stretch: Stretch;
	booked: Booking | undefined;
	/** Set aside and not used, free once recorded. */
	unused: number;
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

/** A million US dollars, or a trillion tokens, are no exchange's: sums stay exact far beyond what so many can add up to. */
const mostAmount = 1e12;

export const isAmount = (amount: number): boolean => Number.isInteger(amount) && amount >= 0 && amount <= mostAmount;

const unitOf = (key: string) => key.split('|').at(-3) as Reservation['unit'];

/** What a booking comes to in the end: slots are only ever held. */
const usedOf = (unit: Reservation['unit'], amount: number, used: NonNullable<Effects['settle']>): number =>
	unit === 'slots' ? 0 : (used[unit] ?? amount);

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
		const counter = counters.byKey(key);
		const life: Life = {counter, reservation: undefined, amount, stretch: lost, booked: undefined, unused: 0, recorded: false};
		lost.open += 1;
		life.booked = new Tracked(usedOf(unitOf(key), amount, {}), life);
		return life.booked;
	};
	const lostInCrash = orphans.map(record => ({...record, bookings: record.bookings?.map(settledInFull)}));
	if (lost.open > 0) stretches.unshift(lost);

	const lifeOf = (booking: Booking): Life => {
		const life = Tracked.life(booking);
		if (life === undefined) throw new GatewayError('internal', `No booking of this ledger was held as ${booking.key}.`);
		return life;
	};

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
		lifeOf,
		hold: (counter: Counter, reservation: Reservation): Booking => {
			stretch.open += 1;
			const {amount} = reservation;
			return new Tracked(amount, {counter, reservation, amount, stretch, booked: undefined, unused: 0, recorded: false});
		},
		/** The booking as it now is, to stand for every earlier object of the same life. */
		now: (life: Life): Booking => life.booked ?? new Tracked(life.amount, life),
		/** Throws `plugin_failed` where an amount is none; nothing is settled then. */
		checkAmounts: (held: readonly Booking[], used: NonNullable<Effects['settle']>): void => {
			for (const booking of held) {
				const {unit} = lifeOf(booking).counter.lease.place;
				const amount = used[unit] ?? 0;
				if (!isAmount(amount))
					throw new GatewayError('plugin_failed', `${amount} ${unit} cannot have been used: amounts are whole, from 0 to ${mostAmount}.`);
			}
		},
		/** Answers what was booked, and whether just now. */
		settle: (booking: Booking, used: NonNullable<Effects['settle']>): {counter: Counter; booked: Booking; first: boolean} => {
			const life = lifeOf(booking);
			const {counter, amount} = life;
			if (life.booked !== undefined) return {counter, booked: life.booked, first: false};
			const unit = counter.lease.place.unit;
			life.booked = new Tracked(usedOf(unit, amount, used), life);
			counter.reserved -= amount;
			counter.settled += life.booked.amount;
			life.unused = unit === 'slots' ? 0 : Math.max(0, amount - life.booked.amount);
			counter.unrecorded += life.unused;
			if (counter.live) counter.lease.used += life.booked.amount + life.unused - amount;
			return {counter, booked: life.booked, first: true};
		},
		/** Answers the leases in which something became free. */
		journaled: (settled: readonly Booking[], recordSeq: number): Lease[] => {
			seq = recordSeq;
			const freed: Lease[] = [];
			for (const booking of settled) {
				const life = Tracked.life(booking);
				const counter = life?.counter ?? counters.byKey(booking.key);
				if (life !== undefined && !life.recorded) {
					life.recorded = true;
					life.stretch.open -= 1;
					counter.unrecorded -= life.unused;
					if (counter.live) counter.lease.used -= life.unused;
					if (life.unused > 0) freed.push(counter.lease);
				}
				if (booking.amount === 0) continue;
				counter.journaled += booking.amount;
				dirty.add(counter);
			}
			return freed;
		},
	};
};

export type Bookings = ReturnType<typeof openBookings>;
