import type {KvSpace} from '../sandbox/capabilities.ts';
import {type Entries, openEntries} from './entries.ts';
import type {Store} from './store.ts';

type Listener = (plugin: string, entries: Record<string, string | null>) => void;

/** Every plugin's namespace, in memory for reading and in the store for keeping. */
export type Kv = {
	space(plugin: string): KvSpace;
	/** Durable first, then visible: for actions, whose caller waits. */
	put(plugin: string, entries: Record<string, string | null>): Promise<void>;
	/** Visible at once, durable soon after: for effects, which nobody waits for. Rejects when the store fails. */
	putSoon(plugin: string, entries: Record<string, string | null>): Promise<void>;
	all(plugin: string): Record<string, string>;
	onChange(listener: Listener): void;
};

/** A namespace, and which of its keys are visible already by a write that the store has yet to do. */
type Space = {entries: Entries; ahead: Map<string, number>};

/** Reads everything into memory. What plugins read from then on is there at once. Rejects with `store_unavailable`. */
export const openKv = async (store: Store): Promise<Kv> => {
	const spaces = new Map<string, Space>();
	const listeners: Listener[] = [];
	let writes = 0;
	const spaceOf = (plugin: string): Space => {
		const known = spaces.get(plugin);
		if (known) return known;
		const fresh = {entries: openEntries(), ahead: new Map()};
		spaces.set(plugin, fresh);
		return fresh;
	};
	for (const [plugin, rows] of Map.groupBy(await store.kvAll(), row => row.plugin)) {
		spaceOf(plugin).entries.change(rows.map(({key, value}) => [key, value] as const));
	}

	const apply = (plugin: string, entries: Record<string, string | null>): void => {
		spaceOf(plugin).entries.change(Object.entries(entries));
		for (const listener of listeners) listener(plugin, entries);
	};

	const kv: Kv = {
		space: plugin => {
			const {get, list} = spaceOf(plugin).entries;
			return {get, list, put: entries => kv.put(plugin, entries)};
		},
		async put(plugin, entries) {
			const write = ++writes;
			await store.kvPut(plugin, entries);
			const {ahead} = spaceOf(plugin);
			// What a later write has made visible meanwhile is what the store will say in the end.
			const isLatest = ([key]: [string, unknown]) => (ahead.get(key) ?? 0) < write;
			apply(plugin, ahead.size === 0 ? entries : Object.fromEntries(Object.entries(entries).filter(isLatest)));
		},
		async putSoon(plugin, entries) {
			const write = ++writes;
			const {ahead} = spaceOf(plugin);
			for (const key of Object.keys(entries)) ahead.set(key, write);
			apply(plugin, entries);
			try {
				await store.kvPut(plugin, entries);
			} finally {
				for (const key of Object.keys(entries)) if (ahead.get(key) === write) ahead.delete(key);
			}
		},
		all: plugin => spaceOf(plugin).entries.all(),
		onChange: listener => void listeners.push(listener),
	};
	return kv;
};
