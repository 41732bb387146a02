import type {Store} from '../store/store.ts';
import type {Lease} from './lease.ts';
import type {Crossing} from './ledger.ts';
import {spanAt} from './sliding.ts';

type Options = {store: Pick<Store, 'once'>; now: () => number; onFailed: (error: unknown) => void};
type Untold = {readonly name: string; readonly expiresAt: number | undefined; readonly crossing: Crossing};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The window that a share of a limit is told once in, and its end. Windows that only roll have turns as long as their leases; slots, hours. */
const turnOf = ({key, slide, kind, counters}: Lease, now: number): {name: string; end: number} => {
	if (kind === 'calendar') return {name: key, end: counters[0]?.period.end ?? now};
	const start = slide ? spanAt(slide, now) : now - (now % hourMs);
	return {name: `${key}|${start}`, end: start + (slide?.spanMs ?? hourMs)};
};

/** Shares of limits that have been reached: seen once here, and told once among all processes. */
export const openCrossings = ({store, now, onFailed}: Options) => {
	const listeners = new Set<(crossing: Crossing) => void>();
	const untold = new Set<Untold>();

	const tell = async (one: Untold): Promise<void> => {
		untold.add(one);
		try {
			const mine = await store.once(one.name, one.expiresAt);
			untold.delete(one);
			if (mine) for (const listener of listeners) listener(one.crossing);
		} catch (error) {
			onFailed(error);
		}
	};

	return {
		/** What of `notifyAt` is reached for the first time in its window; nothing is written down when nobody asked. */
		see: (lease: Lease, notifyAt: readonly number[], limit: number): Crossing[] | undefined => {
			lease.notifyAt = notifyAt;
			lease.notifyLimit = limit;
			const used = lease.used + lease.elsewhere;
			let seen: Crossing[] | undefined;
			for (const percent of notifyAt) {
				if (used * 100 < percent * limit || used === 0) continue;
				if (lease.kind !== 'calendar' || lease.told === undefined) {
					const {name} = turnOf(lease, now());
					if (lease.toldIn !== name) lease.told = new Set();
					lease.toldIn = name;
				}
				if (lease.told?.has(percent)) continue;
				lease.told?.add(percent);
				const crossing = {...lease.place, percent, used, limit};
				const {end} = turnOf(lease, now());
				seen = [...(seen ?? []), crossing];
				void tell({name: `ledger ${percent}% ${lease.toldIn}`, expiresAt: Number.isFinite(end) ? end + dayMs : undefined, crossing});
			}
			return seen;
		},
		/** Tries again to tell what could not be told. */
		again: async (): Promise<void> => {
			const waiting = [...untold];
			untold.clear();
			for (const one of waiting) await tell(one);
		},
		on: (listener: (crossing: Crossing) => void): (() => void) => {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
	};
};

export type Crossings = ReturnType<typeof openCrossings>;
