import type {Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import {isAmount} from './bookings.ts';
import {renewable} from './grants.ts';
import {type Counter, type Lease, look, nextEdge, roomAt} from './lease.ts';
import type {Leases} from './leases.ts';
import type {Short} from './ledger.ts';
import type {Presence} from './presence.ts';

/** `full`: as far as is known, the others have it all. */
export type Lack = {readonly lease: Lease; readonly amount: number; readonly limit: number; readonly full: boolean};

/**
 * `held`: decided by what is held and remembered. `fresh`: the store has just been asked. `last`: it has, and nobody gives anything
 * back. `uncovered`: it cannot be asked, so what is held does not matter.
 */
export type Mode = 'held' | 'fresh' | 'last' | 'uncovered';

type Options = {leases: Leases; presence: Pick<Presence, 'counted'>; onFailed: (error: unknown) => void};

/** Refusals stay cheap for so long after others were found to leave no room, unless they give some back. */
const fullMs = 1_000;

const shortOf = ({account, unit, window, amount}: Reservation, limit: number, lease: Lease, at: number): Short => {
	const resetsAt = roomAt(lease, amount, limit, at);
	return {account, unit, window, limit, used: lease.used + lease.others, needed: amount, ...(resetsAt !== undefined && {resetsAt})};
};

/** Of several accounts without room, the one that stays so for longest. */
const later = (one: Short | undefined, other: Short): Short =>
	one === undefined || (other.resetsAt ?? Number.POSITIVE_INFINITY) > (one.resetsAt ?? Number.POSITIVE_INFINITY) ? other : one;

/** What a reservation may never pass; a soft one may. */
const hardLimit = ({limit, soft}: Reservation): number => (soft === true || limit === null ? Number.POSITIVE_INFINITY : limit);

/** What a reservation needs of a lease, which it may name more than once. */
const inFull = ({lease, limit}: Lack, reservations: readonly Reservation[], counters: readonly Counter[]): Lack => {
	const amount = reservations.reduce((sum, one, index) => (counters[index]?.lease === lease ? sum + one.amount : sum), 0);
	return {lease, amount, limit, full: amount > limit - lease.used - lease.others};
};

/** Whether what was granted is also within `limit`. An amount of 0 fits into any lease, but not past a limit that is exceeded. */
const isWithin = (lease: Lease, limit: number, mode: Mode, full: boolean, amount: number): boolean =>
	(limit >= lease.limit && !(full && amount === 0)) || (mode !== 'held' && !full);

export const openClaims = ({leases, presence, onFailed}: Options) => {
	const spendable = ({kind, from, to}: Lease, at: number): boolean => at >= from && at < to && (kind !== 'slots' || presence.counted());

	const enlarge = (lease: Lease, limit: number): void => {
		leases.ask(lease, 0, limit);
		leases.soon().catch(onFailed);
	};

	/** Throws `plugin_failed` where an amount is none. */
	const check = (reservations: readonly Reservation[]): void => {
		for (const reservation of reservations) {
			const {account, unit, amount} = reservation;
			if (isAmount(amount) || amount > hardLimit(reservation)) continue;
			throw new GatewayError('plugin_failed', `${amount} ${unit} of ${account} cannot be reserved: it is no amount.`);
		}
	};

	/** One step: nothing else runs between the first look and the last. Nothing answered: all of it has been set aside. */
	const claim = (
		reservations: readonly Reservation[],
		counters: readonly Counter[],
		at: number,
		mode: Mode,
	): Short | Lack[] | undefined => {
		let short: Short | undefined;
		let lacks: Lack[] | undefined;
		// Not by entries(), here and below: their pairs were a fourteenth of what a tool call leaves to be collected.
		for (let index = 0; index < reservations.length; index++) {
			const reservation = reservations[index]!;
			const {amount} = reservation;
			const counter = counters[index]!;
			const {lease} = counter;
			if (lease.slide !== undefined) look(lease, at);
			const limit = hardLimit(reservation);
			const room = limit - lease.used;
			const full = amount > room - lease.others;
			if (amount > room) short = later(short, shortOf(reservation, limit, lease, at));
			else if (limit === Number.POSITIVE_INFINITY) {
				// Never refused, so it waits for nothing; a lease follows.
			} else if (mode === 'uncovered') {
				if (full) short = later(short, shortOf(reservation, limit, lease, at));
			} else if (!(amount <= lease.granted - lease.used && isWithin(lease, limit, mode, full, amount) && spendable(lease, at))) {
				if (mode === 'last' && full) {
					lease.fullFrom = at;
					lease.fullTo = Math.min(at + fullMs, nextEdge(lease, at));
				}
				if (full && at >= lease.fullFrom && at < lease.fullTo) short = later(short, shortOf(reservation, limit, lease, at));
				else {
					lacks ??= [];
					lacks.push({lease, amount, limit, full});
				}
			}
			// Taken at once, and given back below if another account is short: the same account may come twice.
			counter.reserved += amount;
			lease.used += amount;
		}
		if (short === undefined && lacks === undefined) return undefined;
		for (let index = 0; index < counters.length; index++) {
			const counter = counters[index]!;
			counter.reserved -= reservations[index]!.amount;
			counter.lease.used -= reservations[index]!.amount;
		}
		return short ?? lacks?.map(lack => inFull(lack, reservations, counters));
	};

	/** Asks, ahead of need, for what the next reservations will take. */
	const lookAhead = (reservations: readonly Reservation[], counters: readonly Counter[], at: number): void => {
		for (let index = 0; index < reservations.length; index++) {
			const {lease} = counters[index]!;
			if (lease.growing) continue;
			const limit = hardLimit(reservations[index]!);
			if (lease.used > lease.refillAbove ? lease.granted + lease.others < limit : renewable(lease, at)) enlarge(lease, limit);
		}
	};

	return {
		check,
		claim,
		lookAhead,
		/** Soft limits that are passed by what has just been set aside. */
		passed: (reservations: readonly Reservation[], counters: readonly Counter[], at: number): Short[] | undefined => {
			let told: Short[] | undefined;
			for (let index = 0; index < reservations.length; index++) {
				const reservation = reservations[index]!;
				if (reservation.soft === undefined || reservation.limit === null) continue;
				const {lease} = counters[index]!;
				const used = lease.used + lease.elsewhere;
				if (used <= reservation.limit) continue;
				const short = {...shortOf(reservation, reservation.limit, lease, at), used: used - reservation.amount};
				told = [...(told ?? []), short];
			}
			return told;
		},
	};
};

export type Claims = ReturnType<typeof openClaims>;
