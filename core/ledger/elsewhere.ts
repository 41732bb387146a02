import type {Store} from '../store/store.ts';
import type {Crossings} from './crossings.ts';
import {bucketKeys} from './grants.ts';
import type {Lease} from './lease.ts';
import type {Presence} from './presence.ts';

type Options = {
	store: Pick<Store, 'ledgerTotals'>;
	crossings: Crossings;
	presence: Pick<Presence, 'others'>;
	now: () => number;
	ticks: () => number;
	onFailed: (error: unknown) => void;
};

const freshMs = 1_000;
const soonMs = 20;

/** What other processes have settled, read anew for the accounts that somebody looks at. */
export const openElsewhere = ({store, crossings, presence, now, ticks, onFailed}: Options) => {
	const watched = new Set<Lease>();
	let timer: NodeJS.Timeout | undefined;
	let dueAt = 0;
	let closed = false;

	const read = async (): Promise<void> => {
		const leases = [...watched];
		watched.clear();
		const at = now();
		const keys = new Map(leases.map(lease => [lease, lease.slide ? bucketKeys(lease, at).map(({key}) => key) : [lease.key]]));
		const ownOf = (lease: Lease): number =>
			lease.counters.reduce((sum, {key, stored}) => sum + (keys.get(lease)?.includes(key) ? stored : 0), 0);
		const own = new Map(leases.map(lease => [lease, ownOf(lease)]));
		const totals = await store.ledgerTotals([...new Set([...keys.values()].flat())]);
		for (const lease of leases) {
			// Written meanwhile: who knows which of the two was read.
			if (ownOf(lease) !== own.get(lease)) continue;
			const settled = (keys.get(lease) ?? []).reduce((sum, key) => sum + (totals.get(key)?.settled ?? 0), 0);
			lease.elsewhere = Math.max(0, settled - ownOf(lease));
			lease.knownAt = ticks();
			if (lease.notifyAt) crossings.see(lease, lease.notifyAt, lease.notifyLimit);
		}
	};

	const arm = (at: number): void => {
		if (timer !== undefined && dueAt <= at) return;
		clearTimeout(timer);
		dueAt = at;
		timer = setTimeout(
			() => {
				timer = undefined;
				read().catch(onFailed);
			},
			Math.max(soonMs, at - ticks()),
		);
		timer.unref();
	};

	return {
		/** Reads what others have of this account: a moment later, or when what is known of it is a second old. */
		watch: (lease: Lease): void => {
			if (closed || lease.kind === 'slots' || watched.has(lease)) return;
			// Nobody is there to change it.
			if (presence.others().length === 0 && lease.knownAt > Number.NEGATIVE_INFINITY) return;
			watched.add(lease);
			arm(Math.max(ticks() + soonMs, lease.knownAt + freshMs));
		},
		close: (): void => {
			closed = true;
			clearTimeout(timer);
		},
	};
};

export type Elsewhere = ReturnType<typeof openElsewhere>;
