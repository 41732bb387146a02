import type {JsonObject} from '../llm/json.ts';
import {stamp, statelessHeaders} from './hop.ts';
import type {Notice} from './link.ts';
import {openStanding, type Standing} from './standing.ts';
import type {Wire} from './wire.ts';

/** What changes at a server that keeps no sessions, heard once for everybody who wants to know. */
export type Hub = {
	/** Hears of lists, and of these resources. Answers how to stop. */
	watch(uris: readonly string[], listener: Notice, capabilities: JsonObject): Promise<() => void>;
	close(): void;
};

/** The lists that a server has, as `subscriptions/listen` asks for their changes. */
export const listsOf = ({tools, prompts, resources}: JsonObject): JsonObject => ({
	...(tools !== undefined && {toolsListChanged: true}),
	...(prompts !== undefined && {promptsListChanged: true}),
	...(resources !== undefined && {resourcesListChanged: true}),
});

/** One `subscriptions/listen` for all watchers of a server; a new one when more resources are watched than before. */
export const openHub = (wire: Wire): Hub => {
	const watchers = new Set<{uris: ReadonlySet<string>; listener: Notice}>();
	let standing: Standing | undefined;
	let heard = '';
	let ids = 0;
	let known: JsonObject = {};

	const urisNow = (): string[] => [...new Set([...watchers].flatMap(({uris}) => [...uris]))].sort();

	const open = (uris: readonly string[]): Standing =>
		openStanding({
			open: async (waiting, stands) => {
				const params = stamp({notifications: {...listsOf(known), ...(uris.length > 0 && {resourceSubscriptions: uris})}});
				const posting = {waiting, headers: statelessHeaders('subscriptions/listen', params), timeoutMs: 10_000};
				return wire.follow({id: `watch-${++ids}`, method: 'subscriptions/listen', params}, posting, message => {
					// The first thing that it says is that it listens.
					stands();
					if (message.kind !== 'notification') return;
					const {method, params: said} = message;
					for (const {uris: own, listener} of watchers)
						if (method !== 'notifications/resources/updated' || own.has(String(said.uri))) listener(method, said);
				});
			},
		});

	let ready = Promise.resolve();

	const follow = (): Promise<void> => {
		const uris = urisNow();
		const wanted = watchers.size > 0 ? JSON.stringify(uris) : '';
		if (wanted === heard) return ready;
		heard = wanted;
		const before = standing;
		standing = watchers.size > 0 ? open(uris) : undefined;
		ready = standing?.want() ?? Promise.resolve();
		// The new one begins before the old one ends: a change heard twice is better than one not heard.
		if (before) ready.finally(() => before.close());
		return ready;
	};

	return {
		async watch(uris, listener, capabilities) {
			known = capabilities;
			const watcher = {uris: new Set(uris), listener};
			watchers.add(watcher);
			await follow();
			return () => {
				if (watchers.delete(watcher)) void follow();
			};
		},
		close() {
			watchers.clear();
			standing?.close();
		},
	};
};
