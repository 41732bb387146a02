import {GatewayError} from '../errors.ts';
import type {LedgerTotal, Store} from '../store/store.ts';
import {type Ask, type Grant, grant, keysOf, type OwnRow, rowOf, rowsOf, type Surroundings, strayed, take} from './grants.ts';
import type {Counter, Lease} from './lease.ts';
import type {Presence} from './presence.ts';

type Options = {
	store: Pick<Store, 'process' | 'ledgerPut' | 'ledgerLease'>;
	presence: Presence;
	now: () => number;
	ticks: () => number;
	/** How long anybody waits for a store that does not answer. */
	storeWaitMs: number;
	/** Something could not be written: it waits for the next write. */
	onOwed: () => void;
};

type Written = {readonly grants: readonly Grant[]; readonly rows: ReadonlyMap<string, OwnRow>};

export const storeFailed = (error: unknown): GatewayError =>
	error instanceof GatewayError ? error : new GatewayError('store_unavailable', 'The ledger could not be written.', {cause: error});

/**
 * Enlarges leases, and writes what was settled. One write at a time carries everything that was asked for while the one
 * before was under way, so two writes never disagree about a row; nothing counts as granted before it is durable.
 */
export const openLeases = ({store, presence, now, ticks, storeWaitMs, onOwed}: Options) => {
	const asked = new Set<Lease>();
	const changed = new Set<Counter>();
	const lowered = new Set<Lease>();
	let next: PromiseWithResolvers<void> | undefined;
	let running = false;
	let hangs = false;
	/** What the present write has said, once or more often. */
	let tried: Grant[] = [];

	const around = (): Surroundings => ({
		at: now(),
		process: store.process,
		alive: presence.others(),
		lapsed: !presence.counted(),
		recalled: ({recalledTo}) => ticks() < recalledTo,
	});

	const ask = (lease: Lease, wanted: number, limit: number): void => {
		lease.wanted += wanted;
		if (wanted > 0) {
			lease.step = wanted;
			lease.least = Math.min(lease.least, wanted);
		}
		lease.asked = Math.max(lease.asked, limit);
		lease.growing = true;
		asked.add(lease);
	};

	/** More is used than is granted. */
	const cover = (lease: Lease): void => {
		lease.growing = true;
		asked.add(lease);
	};

	const lower = (lease: Lease): void => {
		lease.owed = true;
		lowered.add(lease);
	};

	const begin = (lease: Lease): Ask => {
		const {wanted, least, asked: limit, step, slide} = lease;
		lease.wanted = 0;
		lease.least = Number.POSITIVE_INFINITY;
		lease.asked = -1;
		return {
			lease,
			wanted,
			least,
			limit,
			step,
			granted: lease.granted,
			detailed: slide !== undefined && slide.lengthMs > 0 && wanted > limit - lease.used - lease.others,
		};
	};

	/** Writes what `asks` come to and what else is due, in one transaction. */
	const write = async (asks: readonly Ask[], counters: ReadonlySet<Counter>, leases: ReadonlySet<Lease>): Promise<Written> => {
		let again = false;
		let rows = new Map<string, OwnRow>();
		tried = [];
		const due = (where: Surroundings, grants: readonly Grant[]): OwnRow[] => {
			rows = new Map();
			for (const counter of counters) rows.set(counter.key, rowOf(counter, counter.lease.granted));
			for (const lease of leases) for (const row of rowsOf(lease, where)) rows.set(row.key, row);
			for (const grant of grants)
				if (again || grant.changed || grant.rows.some(({key}) => rows.has(key))) for (const row of grant.rows) rows.set(row.key, row);
			return [...rows.values()];
		};
		if (asks.length === 0) {
			const written = due(around(), []);
			if (written.length > 0) await store.ledgerPut(written);
			return {grants: [], rows};
		}
		let grants: Grant[] = [];
		const decide = (where: Surroundings) => (others: ReadonlyMap<string, LedgerTotal>) => {
			grants = asks.map(one => grant(one, others, where));
			tried.push(...grants);
			const written = due(where, grants);
			// What is given up may not be spent while it is being written.
			for (const {lease, granted} of grants) lease.granted = Math.min(lease.granted, granted);
			return written;
		};
		const slots = asks.some(({lease}) => lease.kind === 'slots');
		if (slots) await presence.look();
		for (;;) {
			const where = around();
			await store.ledgerLease([...new Set(asks.flatMap(one => keysOf(one, where)))], decide(where));
			if (!slots) return {grants, rows};
			// A process that came meanwhile may have leased before this one, unseen; one that comes later will see this lease.
			await presence.look();
			if (presence.others().every(process => where.alive.includes(process))) return {grants, rows};
			again = true;
		}
	};

	const turn = async ({resolve, reject}: PromiseWithResolvers<void>): Promise<void> => {
		const asks = [...asked].map(begin);
		const counters = new Set(changed);
		const leases = new Set(lowered);
		for (const counter of counters)
			if (counter.lease.used > counter.lease.granted && !asked.has(counter.lease)) asks.push(begin(counter.lease));
		asked.clear();
		changed.clear();
		lowered.clear();
		for (const {lease} of asks) lease.growing = true;
		const hung = setTimeout(() => {
			hangs = true;
			const failure = new GatewayError('store_unavailable', 'The store does not answer.');
			reject(failure);
			next?.reject(failure);
			next = undefined;
		}, storeWaitMs);
		hung.unref();
		let failure: unknown;
		try {
			const {grants, rows} = await write(asks, counters, leases);
			for (const one of grants) take(one, ticks());
			for (const {lease} of grants) for (const counter of lease.counters) counter.stored = rows.get(counter.key)?.settled ?? counter.stored;
			for (const counter of counters) counter.stored = rows.get(counter.key)?.settled ?? counter.stored;
		} catch (error) {
			failure = error;
			for (const counter of counters) changed.add(counter);
			for (const one of tried) strayed(one);
			// It may have been written all the same: then a row says more than is held here.
			for (const lease of [...leases, ...asks.map(({lease}) => lease)]) lower(lease);
		}
		for (const lease of leases) lease.owed = lowered.has(lease);
		clearTimeout(hung);
		hangs = false;
		let owed = failure !== undefined;
		for (const {lease} of asks) {
			// Soft limits, and more used than reserved, do not wait for a lease.
			if (lease.used > lease.granted) {
				asked.add(lease);
				owed = true;
			}
			lease.growing = asked.has(lease);
		}
		if (owed) onOwed();
		if (failure === undefined) resolve();
		else reject(storeFailed(failure));
	};

	const run = async (): Promise<void> => {
		running = true;
		// Everything that this turn of the loop still asks for goes along.
		await Promise.resolve();
		while (next !== undefined) {
			const waiting = next;
			next = undefined;
			await turn(waiting);
		}
		running = false;
	};

	const soon = (): Promise<void> => {
		if (hangs) return Promise.reject(new GatewayError('store_unavailable', 'The store does not answer.'));
		next ??= Promise.withResolvers<void>();
		const {promise} = next;
		if (!running) void run();
		return promise;
	};

	return {
		/** Asks for `wanted` more than is in use, within `limit`; `soon()` says when it has been granted. */
		ask,
		cover,
		/** The next write carries this counter's row as it then is. */
		change: (counter: Counter): void => void changed.add(counter),
		/** The next write says how little of this lease is left to this process. */
		lower,
		/** Resolves when all asked so far is durable; rejects with `store_unavailable`, and then nothing has been granted. */
		soon,
		around,
	};
};

export type Leases = ReturnType<typeof openLeases>;
