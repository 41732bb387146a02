import type {Booking} from '../../schemas/record.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {StoredRecord} from '../journal/journal.ts';
import type {Store} from '../store/store.ts';
import {openBookings} from './bookings.ts';
import {type Lack, type Mode, openClaims} from './claims.ts';
import {openCounters} from './counters.ts';
import {openCrossings} from './crossings.ts';
import {openElsewhere} from './elsewhere.ts';
import {openFiling} from './filing.ts';
import {type Counter, look} from './lease.ts';
import {openLeases, storeFailed} from './leases.ts';
import type {Balance, Held, Ledger, Outcome, Short} from './ledger.ts';
import {openPresence} from './presence.ts';
import {openRecalls} from './recalls.ts';
import {type Records, recoverCounters} from './recover.ts';
import {toppedUp} from './top-up.ts';

type Options = {
	store: Store;
	/** The journal as this process left it; none means that there never was one. */
	records?: Records;
	/** The `opened` record of the oldest exchange without an end, those that reserved nothing too: reading back must find it. */
	oldestOpen?: () => number | undefined;
	/** Resolves when every record appended so far is in the journal's file: nothing is written to the store as settled before. */
	flushed?: () => Promise<void>;
	/**
	 * What becomes of a reservation that needs more than is leased when the store cannot be asked: refused, or held as far as is known
	 * to have room, and written when the store is back.
	 */
	onStoreDown?: 'deny' | 'allow';
	now?: () => number;
	/** Milliseconds from anywhere, that no clock change moves. */
	ticks?: () => number;
	/** How often what was settled is written to the store. */
	writeEveryMs?: number;
	/** How long a reservation waits for a store that does not answer. */
	storeWaitMs?: number;
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

/** What is to be set aside where, looked up anew for each try: time goes on while a larger lease is waited for. */
type Plan = {
	readonly reservations: readonly Reservation[];
	readonly counters: readonly Counter[];
	readonly at: number;
	readonly book: () => Booking[];
	/** It is too late for any of it. */
	readonly late?: Short | undefined;
};

/**
 * Opens the accounts where this process left them, crashed or not: reads its rows of the store, and of its journal what
 * the store does not know yet. Any number of processes may have a store's ledger open. Rejects with `store_unavailable`.
 */
export const openLedger = async ({
	store,
	records = () => [],
	oldestOpen = () => undefined,
	flushed = async () => {},
	onStoreDown = 'deny',
	now = Date.now,
	ticks = () => performance.now(),
	writeEveryMs = 1_000,
	storeWaitMs = 2_000,
	onWriteFailed = () => {},
}: Options): Promise<OpenedLedger> => {
	const onFailed = (error: unknown): void => onWriteFailed(storeFailed(error));
	const counters = openCounters();
	const presence = await openPresence({store, ticks, onFailed});
	const {lastSeq, low, orphans} = await recoverCounters(store, counters, records, now());
	const leases = openLeases({store, presence, now, ticks, storeWaitMs, onOwed: () => filing.owe()});
	const bookings = openBookings(counters, {lastSeq, low, orphans});
	const claims = openClaims({leases, presence, onFailed});
	const recalls = openRecalls({store, counters, presence, leases, now, ticks, onFailed});
	const crossings = openCrossings({store, now, onFailed});
	const elsewhere = openElsewhere({store, crossings, presence, now, ticks, onFailed});
	const filing = openFiling({
		store,
		counters,
		leases,
		bookings,
		oldestOpen,
		flushed,
		now,
		writeEveryMs,
		onWriteFailed,
		onFiled: filed => {
			for (const {lease} of filed) if (lease.notifyAt !== undefined) elsewhere.watch(lease);
			crossings.again().catch(onFailed);
		},
	});
	await filing.prune();
	await recalls.greet();
	let closed: Promise<void> | undefined;

	const seeCrossings = ({reservations, counters}: Plan, outcome: Held): void => {
		for (let index = 0; index < reservations.length; index++) {
			const {notifyAt, limit} = reservations[index]!;
			if (notifyAt === undefined || limit === null) continue;
			const crossed = crossings.see(counters[index]!.lease, notifyAt, limit);
			if (crossed !== undefined) outcome.crossed = [...(outcome.crossed ?? []), ...crossed];
		}
	};

	/** One step: nothing else runs between the first look and the last booking. */
	const tryNow = (plan: Plan, mode: Mode): Outcome | Lack[] => {
		if (plan.late !== undefined) return {short: plan.late};
		const {reservations, counters, at} = plan;
		const refused = claims.claim(reservations, counters, at, mode);
		if (Array.isArray(refused)) return refused;
		if (refused !== undefined) return {short: refused};
		const outcome: Held = {held: plan.book()};
		seeCrossings(plan, outcome);
		const soft = claims.passed(reservations, counters, at);
		if (soft !== undefined) outcome.soft = soft;
		if (mode === 'uncovered') {
			outcome.uncovered = true;
			for (const {lease} of counters) if (lease.used > lease.granted) leases.cover(lease);
			filing.owe();
		} else claims.lookAhead(reservations, counters, at);
		return outcome;
	};

	const refuseWhenClosed = (): void => {
		if (closed) throw new GatewayError('shutting_down', 'The ledger is closed.');
	};

	const whenGranted = async (planned: () => Plan, lacking: Lack[]): Promise<Outcome> => {
		const withoutStore = (error: unknown): Outcome => {
			refuseWhenClosed();
			if (onStoreDown === 'deny') throw error;
			return tryNow(planned(), 'uncovered') as Outcome;
		};
		let turn = 0;
		for (let lacks = lacking; ; ) {
			for (const {lease, amount, limit} of lacks) leases.ask(lease, amount, limit);
			const uncovered = await leases.soon().then(() => undefined, withoutStore);
			if (uncovered !== undefined) return uncovered;
			refuseWhenClosed();
			const answer = tryNow(planned(), 'fresh');
			if (!Array.isArray(answer)) return answer;
			lacks = answer;
			const full = lacks.filter(lack => lack.full).map(({lease}) => lease);
			if (full.length === 0) continue;
			const isHopeful = await recalls.wait(full, turn).catch(withoutStore);
			if (typeof isHopeful !== 'boolean') return isHopeful;
			turn += 1;
			if (!isHopeful) for (const lease of full) recalls.vain(lease);
			// Looked up anew: what was there before the wait may be gone.
			const next = tryNow(planned(), isHopeful ? 'held' : 'last');
			if (!Array.isArray(next)) return next;
			lacks = next;
		}
	};

	const decide = (planned: () => Plan): Outcome | Promise<Outcome> => {
		refuseWhenClosed();
		const answer = tryNow(planned(), 'held');
		return Array.isArray(answer) ? whenGranted(planned, answer) : answer;
	};

	return {
		orphans: bookings.orphans,
		reserve: reservations => {
			claims.check(reservations);
			return decide(() => {
				const at = now();
				const taken = reservations.map(reservation => counters.at(reservation, at));
				return {reservations, counters: taken, at, book: () => taken.map((counter, index) => bookings.hold(counter, reservations[index]!))};
			});
		},
		topUp: (held, extra) => {
			bookings.checkAmounts(held, extra);
			return decide(() => toppedUp({bookings, counters}, held, extra, now()));
		},
		settle: (held, used) => {
			bookings.checkAmounts(held, used);
			return held.map((booking: Booking) => {
				const {counter, booked, first} = bookings.settle(booking, used);
				const {lease} = counter;
				if (!first) return booked;
				// More than was reserved is booked as it is, and covered by a lease as soon as one can be written.
				if (lease.used > lease.granted && counter.live && !lease.growing) {
					leases.cover(lease);
					leases.soon().catch(onFailed);
				}
				if (lease.notifyAt !== undefined && booked.amount > booking.amount) crossings.see(lease, lease.notifyAt, lease.notifyLimit);
				recalls.freed(lease);
				return booked;
			});
		},
		journaled: (settled, seq) => {
			for (const lease of bookings.journaled(settled, seq)) recalls.freed(lease);
			filing.due();
		},
		balance: (account, unit, window, timeZone) => {
			const at = now();
			const place = {account, unit, window, timeZone};
			const period = counters.periodAt(place, at);
			const lease = presence.others().length > 0 ? counters.at(place, at).lease : counters.leaseAt(place, at);
			const balance: Balance = {spent: 0, reserved: 0};
			if (Number.isFinite(period.end) && period.until === period.end) balance.resetsAt = period.end;
			if (lease === undefined) return balance;
			elsewhere.watch(lease);
			if (lease.slide) look(lease, at);
			balance.spent = lease.elsewhere;
			for (const {live, settled, reserved} of lease.counters) {
				if (!live) continue;
				balance.spent += settled;
				balance.reserved += reserved;
			}
			return balance;
		},
		onCrossed: crossings.on,
		close: () => {
			presence.close();
			recalls.close();
			elsewhere.close();
			closed ??= filing.close();
			return closed;
		},
	};
};
