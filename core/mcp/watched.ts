import type {Notice} from './link.ts';

type Options = {
	/** Tells the server that a resource is watched, or no longer. */
	tell(method: 'resources/subscribe' | 'resources/unsubscribe', uri: string): Promise<void>;
	onNotice(listener: Notice): () => void;
};

export type Watched = {watch(uris: readonly string[], listener: Notice): Promise<() => void>};

/** What several clients watch on one conversation: the server hears of a resource once, and each client of its own. */
export const openWatched = ({tell, onNotice}: Options): Watched => {
	const counts = new Map<string, number>();

	const count = (uri: string, by: 1 | -1): void => {
		const before = counts.get(uri) ?? 0;
		const after = before + by;
		if (after === 0) counts.delete(uri);
		else counts.set(uri, after);
		// A server that knows no subscriptions has no changes to tell of either.
		if (before === 0) tell('resources/subscribe', uri).catch(() => undefined);
		else if (after === 0) tell('resources/unsubscribe', uri).catch(() => undefined);
	};

	return {
		async watch(uris, listener) {
			const own = new Set(uris);
			for (const uri of own) count(uri, 1);
			const stop = onNotice((method, params) => {
				if (method !== 'notifications/resources/updated' || own.has(String(params.uri))) listener(method, params);
			});
			let isOver = false;
			return () => {
				if (isOver) return;
				isOver = true;
				stop();
				for (const uri of own) count(uri, -1);
			};
		},
	};
};
