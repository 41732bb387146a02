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
 * window. Spending is decided in memory, inside leases that were made durable first.
 */
export type Ledger = {
	/** Every account has room, or none is touched. Answers at once when the leases held suffice, else when the store has granted more. */
	reserve(reservations: readonly Reservation[]): Outcome | Promise<Outcome>;
	/** Ends bookings: what was really used, by unit (missing units count as used in full); answers what was booked in the end, for the journal. */
	settle(held: readonly Booking[], used: NonNullable<Effects['settle']>): Booking[];
	/** The settled bookings stand in the journal's record `seq` (not yet perhaps in the file). */
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
