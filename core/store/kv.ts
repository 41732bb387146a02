import type {KvSpace} from '../sandbox/capabilities.ts';
import {type Entries, openEntries} from './entries.ts';
import type {Store} from './store.ts';

type Texts = Record<string, string | null>;
type Changed = readonly [key: string, value: string | null];
type Listener = (plugin: string, entries: Texts) => void;

/** Every plugin's namespace, in memory for reading and in the store for keeping; as every process on the store has it, within a second. */
export type Kv = {
	space(plugin: string): KvSpace;
	/** Durable first, then visible: for actions, whose caller waits. */
	put(plugin: string, entries: Texts): Promise<void>;
	/** Visible at once, durable soon after: for effects, which nobody waits for. Rejects when the store fails. */
	putSoon(plugin: string, entries: Texts): Promise<void>;
	all(plugin: string): Record<string, string>;
	/** Told of what is visible now and was not before, whichever process wrote it. */
	onChange(listener: Listener): void;
	/** From now on nothing of other processes is taken in. */
	close(): void;
};

/** A write that is visible already, and what the store has come to hold of the same key meanwhile. */
type Ahead = {write: Texts; beneath?: {value: string | null}};
type Space = {entries: Entries; ahead: Map<string, Ahead>; stamp: Int32Array};

const retryMs = 1_000;

/** Reads everything into memory. What plugins read from then on is there at once. Rejects with `store_unavailable`. */
export const openKv = async (store: Pick<Store, 'kvAll' | 'kvPut' | 'onChange'>): Promise<Kv> => {
	const spaces = new Map<string, Space>();
	const listeners: Listener[] = [];
	/** While everything is being read: the keys that changes have told of since that began, which know better. */
	let touched: Map<string, Set<string>> | undefined;
	let retry: NodeJS.Timeout | undefined;

	const spaceOf = (plugin: string): Space => {
		const known = spaces.get(plugin);
		if (known) return known;
		const fresh: Space = {entries: openEntries(), ahead: new Map(), stamp: new Int32Array(new SharedArrayBuffer(4))};
		spaces.set(plugin, fresh);
		return fresh;
	};

	const show = (plugin: string, changes: readonly Changed[]): void => {
		if (changes.length === 0) return;
		const {entries, stamp} = spaceOf(plugin);
		entries.change(changes);
		stamp[0]! += 1;
		if (listeners.length === 0) return;
		const shown = Object.fromEntries(changes);
		for (const listener of listeners) listener(plugin, shown);
	};

	/** What is durable becomes visible, except where a later write already is. `write`: what brought it about. */
	const settle = (plugin: string, changes: readonly Changed[], write?: Texts): void => {
		const {ahead} = spaceOf(plugin);
		const isNews = ([key, value]: Changed): boolean => {
			const later = ahead.get(key);
			if (later === undefined) return true;
			if (later.write === write) ahead.delete(key);
			else later.beneath = {value};
			return false;
		};
		show(plugin, ahead.size === 0 ? changes : changes.filter(isNews));
	};

	const readAll = async (): Promise<void> => {
		const known = new Map<string, Set<string>>();
		touched = known;
		const rows = await store.kvAll();
		if (touched !== known) return;
		touched = undefined;
		const stored = Map.groupBy(rows, row => row.plugin);
		for (const plugin of new Set([...spaces.keys(), ...stored.keys()])) {
			const {entries} = spaceOf(plugin);
			const told = known.get(plugin);
			const changes: Changed[] = [];
			const gone = new Set(entries.keys());
			for (const {key, value} of stored.get(plugin) ?? []) {
				gone.delete(key);
				if (entries.get(key) !== value && !told?.has(key)) changes.push([key, value]);
			}
			for (const key of gone) if (!told?.has(key)) changes.push([key, null]);
			settle(plugin, changes);
		}
	};

	const readAnew = (): void => {
		readAll().catch(() => {
			clearTimeout(retry);
			retry = setTimeout(readAnew, retryMs);
			retry.unref();
		});
	};

	const stop = store.onChange(change => {
		if (change.kind === 'anew') return readAnew();
		if (change.kind !== 'kv') return;
		const {plugin, entries} = change;
		if (touched) {
			const keys = touched.get(plugin) ?? new Set();
			touched.set(plugin, keys);
			for (const key of Object.keys(entries)) keys.add(key);
		}
		settle(plugin, Object.entries(entries), entries);
	});
	await readAll().catch(error => {
		stop();
		throw error;
	});

	const kv: Kv = {
		space: plugin => {
			const {
				entries: {get, list},
				stamp,
			} = spaceOf(plugin);
			return {get, list, stamp, put: entries => kv.put(plugin, entries)};
		},
		// The store tells of it before it answers.
		put: (plugin, entries) => store.kvPut(plugin, {...entries}),
		async putSoon(plugin, entries) {
			const {ahead} = spaceOf(plugin);
			const write = {...entries};
			for (const key of Object.keys(write)) ahead.set(key, {write});
			show(plugin, Object.entries(write));
			try {
				await store.kvPut(plugin, write);
			} catch (error) {
				const mine = Object.keys(write).filter(key => ahead.get(key)?.write === write);
				const overtaken = mine.flatMap(key => {
					const {beneath} = ahead.get(key)!;
					return beneath ? [[key, beneath.value] as const] : [];
				});
				for (const key of mine) ahead.delete(key);
				show(plugin, overtaken);
				throw error;
			}
		},
		all: plugin => spaceOf(plugin).entries.all(),
		onChange: listener => void listeners.push(listener),
		close: () => {
			clearTimeout(retry);
			touched = undefined;
			stop();
		},
	};
	return kv;
};
