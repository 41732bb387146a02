import type {Booking} from '../../schemas/record.ts';
import type {Effects, Reservation} from '../../schemas/verdict.ts';

export type Unit = Reservation['unit'];
export type WindowName = Reservation['window'];

export type Short = {
	account: string;
	unit: Unit;
	window: WindowName;
	limit: number;
	/** Settled and reserved already, by every process. */
	used: number;
	needed: number;
	/** Milliseconds since 1970, when there is room again if nobody takes it first; missing for `total` and `now`, and for what no wait can help. */
	resetsAt?: number;
};

/** A share of a limit (`notifyAt`) that settled + reserved has reached. */
export type Crossing = {account: string; unit: Unit; window: WindowName; percent: number; used: number; limit: number};

export type Held = {
	held: Booking[];
	/** Soft limits that are passed by this. */
	soft?: Short[];
	/**
	 * Shares of limits that this process saw reached with this reservation, each once in its window. Another process may have
	 * seen the same: whoever notifies listens to `onCrossed` instead.
	 */
	crossed?: Crossing[];
	/** The store is down and `onStoreDown` is `allow`: held without a lease, so other processes may have spent the same room. */
	uncovered?: true;
	short?: undefined;
};
export type Outcome = Held | {held?: undefined; short: Short};

export type Balance = {
	/** By every process, as far as this one knows: its own to the unit, the others' as they stood about a second ago. */
	spent: number;
	/** By this process. */
	reserved: number;
	resetsAt?: number;
};

/**
 * Accounts and their windows. At every moment, and after any crash, settled + reserved of all processes <= limit for each account
 * and window, as long as nothing is settled above its reservation. Spending is decided in memory, inside leases that were made durable first.
 */
export type Ledger = {
	/**
	 * Every account has room for its amount (an amount of 0 has room while the limit is not exceeded), or none is touched.
	 * Answers at once when the leases held suffice, else when the store has granted more. Rejects with `store_unavailable`,
	 * `shutting_down` or, for an unknown time zone or an amount that is none, `plugin_failed`; then nothing is held.
	 */
	reserve(reservations: readonly Reservation[]): Outcome | Promise<Outcome>;
	/**
	 * Sets aside more for what is held already, by unit: on every booking of that unit, or on none. Answers all bookings anew, in
	 * their order, to stand for the old ones from then on: to be journaled in another `opened` record before more is spent, and
	 * to be settled. They stay in the window they were reserved in; those of rolling windows move up to now.
	 */
	topUp(held: readonly Booking[], extra: NonNullable<Effects['settle']>): Outcome | Promise<Outcome>;
	/**
	 * Ends bookings: what was really used, by unit (missing units count as used in full, slots as nothing); answers what was
	 * booked in the end, for the journal. Takes the very objects that `reserve` or `topUp` answered; doing it twice books once.
	 * More than was reserved is booked as it is, past the limit if need be. A booking belongs to the window it was reserved in.
	 * An amount that is none (negative, not whole, over a trillion) throws `plugin_failed`: then nothing is settled, and all stays reserved.
	 */
	settle(held: readonly Booking[], used: NonNullable<Effects['settle']>): Booking[];
	/**
	 * The settled bookings (the very objects that `settle` answered, those of amount 0 too) stand in the journal's `exchange`
	 * record `seq`. Call it once per record, in the order of `seq`, when the number is final: as soon as `written` resolves.
	 * What was set aside and not used is free again from then on: a crash before it would book all of it. What was settled and is
	 * never recorded stays on the books until the next start, which asks the journal alone.
	 */
	journaled(settled: readonly Booking[], seq: number): void;
	balance(account: string, unit: Unit, window: WindowName, timeZone?: string): Balance;
	/**
	 * Told of every crossing exactly once among all processes, in its window, as soon as the store has said who tells; at the latest
	 * about a second after the last reservation or settlement that it took. Answers how to stop.
	 */
	onCrossed(listener: (crossing: Crossing) => void): () => void;
	/** Writes what is settled and gives unspent leases back. */
	close(): Promise<void>;
};
