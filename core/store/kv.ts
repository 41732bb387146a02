import type {KvSpace} from '../sandbox/capabilities.ts';
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

export const openKv = async (store: Store): Promise<Kv> => {
	const spaces = new Map<string, Map<string, string>>();
	const listeners: Listener[] = [];
	const spaceOf = (plugin: string): Map<string, string> => {
		const known = spaces.get(plugin);
		if (known) return known;
		const fresh = new Map<string, string>();
		spaces.set(plugin, fresh);
		return fresh;
	};
	for (const {plugin, key, value} of await store.kvAll()) spaceOf(plugin).set(key, value);

	const apply = (plugin: string, entries: Record<string, string | null>): void => {
		const space = spaceOf(plugin);
		for (const [key, json] of Object.entries(entries)) {
			if (json === null) space.delete(key);
			else space.set(key, json);
		}
		for (const listener of listeners) listener(plugin, entries);
	};

	const kv: Kv = {
		space: plugin => {
			const space = spaceOf(plugin);
			return {
				get: key => space.get(key),
				list(prefix, after, limit) {
					const found = [...space].filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after));
					return found.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
				},
				put: entries => kv.put(plugin, entries),
			};
		},
		async put(plugin, entries) {
			await store.kvPut(plugin, entries);
			apply(plugin, entries);
		},
		putSoon(plugin, entries) {
			apply(plugin, entries);
			return store.kvPut(plugin, entries);
		},
		all: plugin => Object.fromEntries(spaceOf(plugin)),
		onChange: listener => void listeners.push(listener),
	};
	return kv;
};
