import type {Store} from '../store/store.ts';
import type {Counters} from './counters.ts';
import {type Lease, look, nextEdge} from './lease.ts';
import {type Leases, storeFailed} from './leases.ts';
import type {Presence} from './presence.ts';

type Options = {
	store: Pick<Store, 'announce' | 'onChange'>;
	counters: Pick<Counters, 'lease' | 'leases'>;
	presence: Pick<Presence, 'look'>;
	leases: Leases;
	now: () => number;
	ticks: () => number;
	onFailed: (error: unknown) => void;
};

/** Whoever lacks room waits this long for what others have and do not need; the store is asked after each pause. */
const pausesMs = [15, 25, 40, 60, 70, 90];
/** Many who lack the same room ask for it once. */
const coalesceMs = 50;
/** Nobody is asked again for what nobody gave back. */
const vainMs = 5_000;
/** For so long after a recall, what is not in use is given back at once. */
const recalledMs = 3_000;
const returnMs = 20;

/** Gets room back from other processes that were granted it and do not use it, and gives it back to them. */
export const openRecalls = ({store, counters, presence, leases, now, ticks, onFailed}: Options) => {
	const waiting = new Map<string, Set<() => void>>();
	const announced = new Map<string, number>();
	const returning = new Set<Lease>();
	let timer: NodeJS.Timeout | undefined;

	const wake = (key: string): void => {
		for (const resume of waiting.get(key) ?? []) resume();
	};

	const announce = async (keys: string[]): Promise<void> => {
		if (keys.length > 0) await store.announce({kind: 'recall', keys});
	};

	/** Gives up what is not in use, durably, and answers of which leases: to be told, because whoever asked may have given up waiting by now. */
	const giveBack = async (): Promise<string[]> => {
		const given: string[] = [];
		for (const lease of [...returning]) {
			// What is just being asked for is somebody's here; it is looked at again when it has been granted.
			if (lease.growing) continue;
			returning.delete(lease);
			if (lease.slide) look(lease, now());
			if (lease.granted <= lease.used) continue;
			lease.granted = lease.used;
			lease.refillAbove = Number.POSITIVE_INFINITY;
			leases.lower(lease);
			given.push(lease.key);
		}
		if (given.length > 0) await leases.soon();
		return given;
	};

	const returnSoon = (): void => {
		if (timer !== undefined || returning.size === 0) return;
		timer = setTimeout(() => {
			timer = undefined;
			giveBack().then(announce).catch(onFailed).finally(returnSoon);
		}, returnMs);
		timer.unref();
	};

	/** Another process has come: from now on leases are shared with it, and it need not ask for each. */
	const welcome = async (): Promise<void> => {
		await presence.look();
		for (const lease of counters.leases()) if (lease.granted > lease.used) returning.add(lease);
		await giveBack();
	};

	const stop = store.onChange(change => {
		if (change.kind !== 'recall') return;
		if (change.keys.length === 0) welcome().catch(onFailed).finally(returnSoon);
		for (const key of change.keys) {
			const lease = counters.lease(key);
			if (lease === undefined) continue;
			lease.recalledTo = ticks() + recalledMs;
			lease.fullTo = 0;
			lease.vainTo = 0;
			returning.add(lease);
			wake(key);
		}
		giveBack().then(announce).catch(onFailed).finally(returnSoon);
	});

	const recallable = ({kind, others, elsewhere, vainTo, vainFor, vainEdge}: Lease): boolean =>
		others > (kind === 'calendar' ? elsewhere : 0) && !(ticks() < vainTo && vainFor === others && now() < vainEdge);

	return {
		/**
		 * Waits a moment for others to give back what these leases lack, having asked them at the first `turn`. False, and at once, when
		 * there is nothing to wait for any more. Rejects with `store_unavailable` when they cannot be asked: then nobody knows whether there
		 * is room.
		 */
		wait: async (lacking: readonly Lease[], turn: number): Promise<boolean> => {
			if (turn >= pausesMs.length || !lacking.every(recallable)) return false;
			const tick = ticks();
			const unasked = lacking.map(({key}) => key).filter(key => (announced.get(key) ?? Number.NEGATIVE_INFINITY) < tick - coalesceMs);
			for (const key of unasked) announced.set(key, tick);
			if (turn === 0) {
				try {
					await announce(unasked);
				} catch (error) {
					for (const key of unasked) announced.delete(key);
					throw storeFailed(error);
				}
			}
			await new Promise<void>(resume => {
				const done = (): void => {
					clearTimeout(pause);
					for (const {key} of lacking) {
						waiting.get(key)?.delete(done);
						if (waiting.get(key)?.size === 0) waiting.delete(key);
					}
					resume();
				};
				const pause = setTimeout(done, pausesMs[turn]);
				for (const {key} of lacking) waiting.set(key, (waiting.get(key) ?? new Set()).add(done));
			});
			for (const [key, at] of announced) if (at < tick - coalesceMs) announced.delete(key);
			return true;
		},
		/** Says that this process has come. */
		greet: (): Promise<void> => store.announce({kind: 'recall', keys: []}),
		/** Nobody gave anything back. */
		vain: (lease: Lease): void => {
			lease.vainTo = ticks() + vainMs;
			lease.vainFor = lease.others;
			lease.vainEdge = nextEdge(lease, now());
		},
		/** Something became free here: whoever has asked for it gets it. */
		freed: (lease: Lease): void => {
			if (lease.recalledTo === 0 || lease.granted <= lease.used || ticks() >= lease.recalledTo) return;
			returning.add(lease);
			returnSoon();
		},
		close: (): void => {
			stop();
			clearTimeout(timer);
		},
	};
};

export type Recalls = ReturnType<typeof openRecalls>;
