import {GatewayError} from '../errors.ts';
import type {OwnRow, Store} from '../store/store.ts';
import type {Counter} from './counters.ts';

/** A lease is this share of the room that is left… */
const share = 8;
/** …or this many reservations like the last, whichever is more, so that small limits do not cost a write every few requests. */
const steps = 1_024;

/** The row of a counter whose journal is known to be in the file up to `filedSeq`. */
export const rowOf = ({key, filed, filedSeq, period}: Counter, granted: number): OwnRow => ({
	key,
	settled: filed,
	granted,
	seq: filedSeq,
	...(Number.isFinite(period.end) && {expiresAt: period.end}),
});

const sliceOf = ({settled, reserved, wanted, limit, step}: Counter): number => {
	const room = limit - settled - reserved;
	return Math.max(0, Math.min(room, Math.max(wanted, Math.ceil(room / share), step * steps)));
};

export const storeFailed = (error: unknown): GatewayError =>
	error instanceof GatewayError ? error : new GatewayError('store_unavailable', 'The ledger could not be written.', {cause: error});

/**
 * Enlarges leases, and writes what was settled. One write at a time carries everything that was asked for while the one
 * before was under way, so two writes never disagree about a row; nothing counts as granted before it is durable.
 */
export const openLeases = (store: Pick<Store, 'ledgerPut'>) => {
	const asked = new Set<Counter>();
	const changed = new Set<Counter>();
	let next: PromiseWithResolvers<void> | undefined;
	let running = false;

	const turn = async ({resolve, reject}: PromiseWithResolvers<void>): Promise<void> => {
		const growing = [...asked];
		const slices = new Map(growing.map(counter => [counter, sliceOf(counter)]));
		const leases = new Map(
			growing.map(counter => [counter, Math.max(counter.granted, counter.settled + counter.reserved + (slices.get(counter) ?? 0))]),
		);
		const rows: OwnRow[] = [];
		for (const counter of new Set([...growing, ...changed])) {
			const granted = leases.get(counter) ?? counter.granted;
			if (granted !== counter.granted || changed.has(counter)) rows.push(rowOf(counter, granted));
		}
		asked.clear();
		changed.clear();
		for (const counter of growing) {
			counter.wanted = 0;
			counter.limit = 0;
		}
		try {
			if (rows.length > 0) await store.ledgerPut(rows);
		} catch (error) {
			for (const counter of growing) counter.growing = asked.has(counter);
			return reject(storeFailed(error));
		}
		for (const [counter, granted] of leases) {
			counter.granted = granted;
			counter.refillAbove = granted - (slices.get(counter) ?? 0) / 2;
			counter.growing = asked.has(counter);
		}
		resolve();
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
		next ??= Promise.withResolvers<void>();
		const {promise} = next;
		if (!running) void run();
		return promise;
	};

	const ask = (counter: Counter, wanted: number, limit: number): void => {
		counter.wanted += wanted;
		if (wanted > 0) counter.step = wanted;
		counter.limit = Math.max(counter.limit, limit);
		counter.growing = true;
		asked.add(counter);
	};

	return {
		/** Asks for `wanted` more than is in use, within `limit`; `soon()` says when it has been granted. */
		ask,
		/** The next write carries this counter's row as it then is. */
		change: (counter: Counter): void => void changed.add(counter),
		/** Resolves when all asked so far is durable; rejects with `store_unavailable`, and then nothing has been granted. */
		soon,
	};
};

export type Leases = ReturnType<typeof openLeases>;
