import type {Booking} from '../../schemas/record.ts';
import type {Effects, Reservation} from '../../schemas/verdict.ts';

export type Unit = Reservation['unit'];
export type Short = {
	account: string;
	unit: Unit;
	window: Reservation['window'];
	limit: number;
	/** Settled and reserved already. */
	used: number;
	needed: number;
	/** Milliseconds since 1970; missing for `total`. */
	resetsAt?: number;
};

export type Outcome = {held: Booking[]; short?: undefined} | {held?: undefined; short: Short};

/**
 * Accounts and their windows. At every moment, and after any crash, settled + reserved <= limit for each account and
 * window, as long as nothing is settled above its reservation. Spending is decided in memory, inside leases that were made durable first.
 */
export type Ledger = {
	/**
	 * Every account has room for its amount (an amount of 0 has room while the limit is not exceeded), or none is touched.
	 * Answers at once when the leases held suffice, else when the store has granted more. Rejects with `store_unavailable`,
	 * `shutting_down` or, for an unknown time zone, `plugin_failed`; then nothing is held.
	 */
	reserve(reservations: readonly Reservation[]): Outcome | Promise<Outcome>;
	/**
	 * Ends bookings: what was really used, by unit (missing units count as used in full); answers what was booked in the end,
	 * for the journal. Takes the very objects that `reserve` answered; doing it twice books once. More than was reserved
	 * is booked as it is, past the limit if need be. A booking belongs to the window it was reserved in.
	 */
	settle(held: readonly Booking[], used: NonNullable<Effects['settle']>): Booking[];
	/**
	 * The settled bookings (the very objects that `settle` answered, those of amount 0 too) stand in the journal's `exchange`
	 * record `seq`. Call it once per record, in the order of `seq`, when the number is final: as soon as `written` resolves.
	 * What was settled and is never recorded stays on the books until the next start, which asks the journal alone.
	 */
	journaled(settled: readonly Booking[], seq: number): void;
	balance(
		account: string,
		unit: Unit,
		window: Reservation['window'],
		timeZone?: string,
	): {spent: number; reserved: number; resetsAt?: number};
	/** Writes what is settled and gives unspent leases back. */
	close(): Promise<void>;
};
