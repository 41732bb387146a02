import type {Notice} from './link.ts';

/** What several clients want to hear of on one conversation. */
export type Watched = {
	/** The resources that somebody watches; undefined where nobody wants to hear of anything. */
	now(): readonly string[] | undefined;
	/** Answers how to stop. */
	watch(uris: readonly string[], listener: Notice): () => void;
};

/** `onChange` is called when `now` answers something else than before; each client hears of its own resources. */
export const openWatched = (onNotice: (listener: Notice) => () => void, onChange: () => void): Watched => {
	const counts = new Map<string, number>();
	let watchers = 0;

	const count = (uris: ReadonlySet<string>, by: 1 | -1): void => {
		const before = [watchers, counts.size];
		watchers += by;
		for (const uri of uris) {
			const after = (counts.get(uri) ?? 0) + by;
			if (after === 0) counts.delete(uri);
			else counts.set(uri, after);
		}
		// One watcher is added or taken away: the resources are others when they are more or fewer.
		if (before[1] !== counts.size || before[0] === 0 || watchers === 0) onChange();
	};

	return {
		now: () => (watchers > 0 ? [...counts.keys()] : undefined),
		watch(uris, listener) {
			const own = new Set(uris);
			const stop = onNotice((method, params) => {
				if (method !== 'notifications/resources/updated' || own.has(String(params.uri))) listener(method, params);
			});
			count(own, 1);
			let isOver = false;
			return () => {
				if (isOver) return;
				isOver = true;
				stop();
				count(own, -1);
			};
		},
	};
};
