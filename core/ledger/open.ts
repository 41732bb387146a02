import type {Booking} from '../../schemas/record.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {StoredRecord} from '../journal/journal.ts';
import type {Store} from '../store/store.ts';
import {openBookings} from './bookings.ts';
import {type Counter, openCounters} from './counters.ts';
import {openFiling} from './filing.ts';
import {openLeases} from './leases.ts';
import type {Ledger, Outcome, Short} from './ledger.ts';
import {type Records, recoverCounters} from './recover.ts';

type Options = {
	store: Store;
	/** The journal as the last process left it; none means that there never was one. */
	records?: Records;
	/** The `opened` record of the oldest exchange without an end, those that reserved nothing too: reading back must find it. */
	oldestOpen?: () => number | undefined;
	/** Resolves when every record appended so far is in the journal's file: nothing is written to the store as settled before. */
	flushed?: () => Promise<void>;
	now?: () => number;
	/** How often what was settled is written to the store. */
	writeEveryMs?: number;
	/** Told of a write in the background that failed; it is tried again, and requests that need it get `store_unavailable`. */
	onWriteFailed?: (error: GatewayError) => void;
};

export type OpenedLedger = Ledger & {
	/**
	 * `opened` records that a crash left without an end; they count as spent in full. Each needs an `exchange` record with
	 * its bookings, and then `journaled` with the same bookings; until then the next start finds it again.
	 */
	readonly orphans: readonly StoredRecord[];
};

type Lack = {counter: Counter; amount: number; limit: number};

const shortOf = ({account, unit, window, amount}: Reservation, limit: number, used: number, {end}: Counter['period']): Short => ({
	account,
	unit,
	window,
	limit,
	used,
	needed: amount,
	...(Number.isFinite(end) && {resetsAt: end}),
});

/** Of several accounts without room, the one that stays so for longest. */
const later = (one: Short | undefined, other: Short): Short =>
	one === undefined || (other.resetsAt ?? Number.POSITIVE_INFINITY) > (one.resetsAt ?? Number.POSITIVE_INFINITY) ? other : one;

/**
 * Opens the accounts where the last process left them, crashed or not: reads the store, and of the journal what the
 * store does not know yet. One process at a time may have a store's ledger open. Rejects with `store_unavailable`.
 */
export const openLedger = async ({
	store,
	records = () => [],
	oldestOpen = () => undefined,
	flushed = async () => {},
	now = Date.now,
	writeEveryMs = 1_000,
	onWriteFailed = () => {},
}: Options): Promise<OpenedLedger> => {
	const counters = openCounters();
	const {lastSeq, low, orphans} = await recoverCounters(store, counters, records, now());
	const leases = openLeases(store);
	const bookings = openBookings(counters, {lastSeq, low, orphans});
	const filing = openFiling({store, counters, leases, bookings, oldestOpen, flushed, now, writeEveryMs, onWriteFailed});
	await filing.prune();
	let closed: Promise<void> | undefined;

	const enlargeAhead = (counter: Counter, limit: number): void => {
		leases.ask(counter, 0, limit);
		leases.soon().catch(onWriteFailed);
	};

	/** One step: nothing else runs between the first look and the last booking. */
	const tryNow = (reservations: readonly Reservation[]): Outcome | Lack[] => {
		const at = now();
		const taken = reservations.map(reservation => counters.at(reservation, at));
		let short: Short | undefined;
		let lacks: Lack[] | undefined;
		for (const [index, reservation] of reservations.entries()) {
			const {amount} = reservation;
			const limit = reservation.soft ? Number.POSITIVE_INFINITY : (reservation.limit ?? Number.POSITIVE_INFINITY);
			const counter = taken[index]!;
			const used = counter.settled + counter.reserved;
			if (amount > limit - used) short = later(short, shortOf(reservation, limit, used, counter.period));
			else if (limit < Number.POSITIVE_INFINITY && amount > counter.granted - used) {
				lacks ??= [];
				lacks.push({counter, amount, limit});
			}
			// Taken at once, and given back below if another account is short: the same account may come twice.
			counter.reserved += amount;
		}
		if (short === undefined && lacks === undefined) {
			const held = taken.map((counter, index) => bookings.hold(counter, reservations[index]!.unit, reservations[index]!.amount));
			for (const [index, {limit}] of reservations.entries()) {
				const counter = taken[index]!;
				if (limit !== null && counter.settled + counter.reserved > counter.refillAbove && counter.granted < limit && !counter.growing)
					enlargeAhead(counter, limit);
			}
			return {held};
		}
		for (const [index, counter] of taken.entries()) counter.reserved -= reservations[index]!.amount;
		return short === undefined ? lacks! : {short};
	};

	const refuseWhenClosed = (): void => {
		if (closed) throw new GatewayError('shutting_down', 'The ledger is closed.');
	};

	const whenGranted = async (reservations: readonly Reservation[], lacking: Lack[]): Promise<Outcome> => {
		for (let lacks = lacking; ; ) {
			for (const {counter, amount, limit} of lacks) leases.ask(counter, amount, limit);
			await leases.soon();
			refuseWhenClosed();
			const outcome = tryNow(reservations);
			if (!Array.isArray(outcome)) return outcome;
			lacks = outcome;
		}
	};

	return {
		orphans: bookings.orphans,
		reserve: reservations => {
			refuseWhenClosed();
			const outcome = tryNow(reservations);
			return Array.isArray(outcome) ? whenGranted(reservations, outcome) : outcome;
		},
		topUp: held => ({held: [...held]}),
		onCrossed: () => () => {},
		settle: (held, used) =>
			held.map((booking: Booking) => {
				const {counter, booked} = bookings.settle(booking, used);
				// More than was reserved is booked as it is, and covered by a lease as soon as one can be written.
				if (counter.settled + counter.reserved > counter.granted && !counter.growing) enlargeAhead(counter, 0);
				return booked;
			}),
		journaled: (settled, seq) => {
			bookings.journaled(settled, seq);
			filing.due();
		},
		balance: (account, unit, window, timeZone) => {
			const {counter, period} = counters.peek({account, unit, window, timeZone}, now());
			const resetsAt = Number.isFinite(period.end) ? {resetsAt: period.end} : {};
			return {spent: counter?.settled ?? 0, reserved: counter?.reserved ?? 0, ...resetsAt};
		},
		close: () => {
			closed ??= filing.close();
			return closed;
		},
	};
};
