import type {PluginHouse} from '../plugins/house.ts';
import type {Kv} from '../store/kv.ts';
import {openRehearsal, type Rehearsal, type Stage} from './rehearsal.ts';

/** A rehearsal that opens when it is wanted and closes when nobody wants it any more; one thing at a time happens in it. */
export type Curtain = {
	inside<T>(work: (rehearsal: Rehearsal) => Promise<T>): Promise<T>;
	/** Waits for what is being rehearsed. */
	close(): Promise<void>;
};

/** Moving in takes some tenths of a second: a few questions in a row share it. */
const idleMs = 10_000;

export const openCurtain = (stage: Stage, residents: PluginHouse['residents']): Curtain => {
	const listeners = new Set<Parameters<Kv['onChange']>[0]>();
	// The store's own list of listeners only grows.
	stage.kv.onChange((plugin, entries) => {
		for (const listener of listeners) listener(plugin, entries);
	});
	const kv: Kv = {...stage.kv, onChange: listener => void listeners.add(listener)};

	let turn: Promise<unknown> = Promise.resolve();
	let rehearsal: Rehearsal | undefined;
	let idle: NodeJS.Timeout | undefined;

	const end = async (): Promise<void> => {
		const over = rehearsal;
		rehearsal = undefined;
		listeners.clear();
		await over?.close();
	};
	const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
		const next = turn.then(work);
		turn = next.catch(() => undefined);
		return next;
	};

	return {
		inside: work =>
			inTurn(async () => {
				clearTimeout(idle);
				rehearsal ??= await openRehearsal({...stage, kv}, residents);
				rehearsal.begin();
				try {
					return await work(rehearsal);
				} finally {
					idle = setTimeout(() => void inTurn(end), idleMs).unref();
				}
			}),
		close() {
			clearTimeout(idle);
			return inTurn(end);
		},
	};
};
