import type {Store} from '../store/store.ts';

type Options = {
	store: Pick<Store, 'process' | 'beat' | 'processes'>;
	/** Milliseconds that no clock change moves. */
	ticks: () => number;
	onFailed: (error: unknown) => void;
};

const beatMs = 5_000;
/** A process not heard of for so long is dead to the others: the slots it held are free. */
export const deadMs = 15_000;

/**
 * Which other processes are alive, and whether they count this one. Told by whether their last sign changes, and only at first by
 * the clock, so that a clock that jumps kills nobody.
 */
export const openPresence = async ({store, ticks, onFailed}: Options) => {
	const signs = new Map<string, {seenAt: number; aliveTo: number}>();
	let alive: string[] = [];
	let countedTo = Number.NEGATIVE_INFINITY;
	let timer: NodeJS.Timeout | undefined;
	let closed = false;

	const look = async (): Promise<void> => {
		const rows = await store.processes();
		const tick = ticks();
		const gone = new Set(signs.keys());
		for (const {process, seenAt} of rows) {
			gone.delete(process);
			if (process === store.process) continue;
			const known = signs.get(process);
			if (known?.seenAt === seenAt) continue;
			const age = known === undefined ? Math.max(0, Date.now() - seenAt) : 0;
			signs.set(process, {seenAt, aliveTo: tick + deadMs - age});
		}
		for (const process of gone) signs.delete(process);
		alive = [...signs].filter(([, {aliveTo}]) => tick < aliveTo).map(([process]) => process);
	};

	const beat = async (): Promise<void> => {
		const tick = ticks();
		await store.beat();
		countedTo = tick + deadMs;
	};

	const beatSoon = (): void => {
		timer = setTimeout(async () => {
			await beat().then(look).catch(onFailed);
			if (!closed) beatSoon();
		}, beatMs);
		timer.unref();
	};

	await beat();
	await look();
	beatSoon();

	return {
		/** As of the last look, a few seconds ago at most while the store answers. */
		others: (): readonly string[] => alive,
		/** Looks now, and lets the others know of this process if they may have given it up. */
		look: async (): Promise<void> => {
			if (ticks() >= countedTo) await beat();
			await look();
		},
		/** Whether every other process still takes this one for alive. */
		counted: (): boolean => ticks() < countedTo,
		close: (): void => {
			closed = true;
			clearTimeout(timer);
		},
	};
};

export type Presence = Awaited<ReturnType<typeof openPresence>>;
