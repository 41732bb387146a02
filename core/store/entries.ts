/** One plugin's namespace in memory: entries by key, and in the order of their keys (UTF-16 code units). */
export type Entries = {
	get(key: string): string | undefined;
	/** The first `limit` entries whose key begins with `prefix` and comes after `after`: costs what it answers, not what there is. */
	list(prefix: string, after: string | undefined, limit: number): [string, string][];
	/** Sets what it names; `null` takes an entry away. */
	change(entries: Iterable<readonly [string, string | null]>): void;
	/** In their order. */
	keys(): readonly string[];
	all(): Record<string, string>;
};

/** More new or lost keys than this at once, and the order is made anew: moving the rest of the list for each would cost more. */
const fewKeys = 512;

export const openEntries = (): Entries => {
	const values = new Map<string, string>();
	let keys: string[] = [];

	/** Where `key` stands, or would stand. */
	const placeOf = (key: string): number => {
		let from = 0;
		let to = keys.length;
		while (from < to) {
			const middle = (from + to) >>> 1;
			if (keys[middle]! < key) from = middle + 1;
			else to = middle;
		}
		return from;
	};

	return {
		get: key => values.get(key),
		list(prefix, after, limit) {
			const found: [string, string][] = [];
			const isBehind = after !== undefined && after >= prefix;
			let place = placeOf(isBehind ? after : prefix);
			if (isBehind && keys[place] === after) place++;
			for (; found.length < limit && place < keys.length; place++) {
				const key = keys[place]!;
				if (!key.startsWith(prefix)) break;
				found.push([key, values.get(key)!]);
			}
			return found;
		},
		change(entries) {
			const added = new Set<string>();
			const lost = new Set<string>();
			for (const [key, value] of entries) {
				if (value !== null) {
					if (!values.has(key) && !lost.delete(key)) added.add(key);
					values.set(key, value);
				} else if (values.delete(key) && !added.delete(key)) lost.add(key);
			}
			if (added.size + lost.size > fewKeys) {
				const kept = lost.size > 0 ? keys.filter(key => !lost.has(key)) : keys;
				// What is sorted already costs one look at each.
				keys = [...kept, ...added].sort();
				return;
			}
			for (const key of lost) keys.splice(placeOf(key), 1);
			for (const key of added) keys.splice(placeOf(key), 0, key);
		},
		keys: () => keys,
		all: () => Object.fromEntries(values),
	};
};
