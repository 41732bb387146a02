import {hash} from 'node:crypto';

/** Lists that a server showed, each kept once, however many conversations saw the same; beyond a size, those used longest ago are let go. */
export type Shelf<Entry extends {digest: string}> = {
	/** Keeps a list; answers what it is found by. `chars`: how large it is. */
	put(entries: ReadonlyMap<string, Entry>, chars: number): string;
	/** Undefined when it was let go. */
	get(place: string): ReadonlyMap<string, Entry> | undefined;
};

const mostChars = 33_554_432;

export const openShelf = <Entry extends {digest: string}>(most = mostChars): Shelf<Entry> => {
	const lists = new Map<string, {entries: ReadonlyMap<string, Entry>; chars: number}>();
	let held = 0;

	// The order of the map is that of their use.
	const used = (place: string): ReadonlyMap<string, Entry> | undefined => {
		const found = lists.get(place);
		if (!found) return undefined;
		lists.delete(place);
		lists.set(place, found);
		return found.entries;
	};

	return {
		put(entries, chars) {
			const place = hash('sha256', JSON.stringify([...entries].map(([name, {digest}]) => [name, digest])), 'base64url');
			if (used(place)) return place;
			lists.set(place, {entries, chars});
			held += chars;
			for (const [oldest, {chars: own}] of lists) {
				if (held <= most || oldest === place) break;
				lists.delete(oldest);
				held -= own;
			}
			return place;
		},
		get: used,
	};
};
