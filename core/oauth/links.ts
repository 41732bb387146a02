import {hash, randomUUID} from 'node:crypto';
import * as z from 'zod';
import type {Kv} from '../store/kv.ts';
import {client} from './clients.ts';
import type {Seal} from './seal.ts';

/** What a user entrusted to this gateway: to act at one server, in that user's name. */
export const link = z.strictObject({
	accessToken: z.string(),
	refreshToken: z.string().optional(),
	scopes: z.array(z.string()).optional(),
	/** Milliseconds since 1970; without it, it is good until it is refused. */
	expiresAt: z.number().optional(),
	/** How long it was good for when it came. */
	lifeMs: z.number().optional(),
	/** Who issued it, to whom, and for which server: at another issuer, or at another address, it is nothing. */
	issuer: z.string(),
	client,
	url: z.string(),
	/** Another one each time it is written. */
	generation: z.string(),
});
export type Link = z.output<typeof link>;

/** Users' tokens: sealed in the store, known to every process on it within a second. */
export type Links = {
	of(server: string, holder: string): Promise<Link | undefined>;
	/** Durable when it resolves. Rejects with `store_unavailable`. */
	put(server: string, holder: string, link: Omit<Link, 'generation'>): Promise<Link>;
	drop(server: string, holder: string): Promise<void>;
	/** Resolves when another process has written that row, or after so long. */
	changed(server: string, holder: string, withinMs: number): Promise<void>;
};

const namespace = '@oauth';
const mostOpened = 5_000;

/** The issuer is part of what a row is about, and stands inside: which it is, nobody has to ask in order to find the row. */
const rowOf = (server: string, holder: string): string => `link:${server}:${hash('sha256', holder, 'base64url')}`;

export const openLinks = (kv: Pick<Kv, 'space' | 'put' | 'onChange'>, seal: Seal): Links => {
	const {get} = kv.space(namespace);
	/** Rows that were opened, by what they are sealed as. */
	const opened = new Map<string, {sealed: string; link: Link}>();
	const waiting = new Map<string, Set<() => void>>();
	kv.onChange((plugin, entries) => {
		if (plugin !== namespace) return;
		for (const row of Object.keys(entries)) for (const wake of waiting.get(row) ?? []) wake();
	});

	return {
		async of(server, holder) {
			const row = rowOf(server, holder);
			const text = get(row);
			if (text === undefined) {
				opened.delete(row);
				return undefined;
			}
			const known = opened.get(row);
			if (known?.sealed === text) return known.link;
			const {data} = link.safeParse(await seal.open(row, String(JSON.parse(text))));
			if (!data) return undefined;
			if (opened.size >= mostOpened) opened.clear();
			opened.set(row, {sealed: text, link: data});
			return data;
		},
		async put(server, holder, given) {
			const row = rowOf(server, holder);
			const made = {...given, generation: randomUUID()};
			await kv.put(namespace, {[row]: JSON.stringify(await seal.close(row, made))});
			return made;
		},
		drop: (server, holder) => kv.put(namespace, {[rowOf(server, holder)]: null}),
		changed(server, holder, withinMs) {
			const row = rowOf(server, holder);
			return new Promise(resolve => {
				const all = waiting.get(row) ?? new Set<() => void>();
				waiting.set(row, all);
				const wake = (): void => {
					clearTimeout(timer);
					all.delete(wake);
					if (all.size === 0 && waiting.get(row) === all) waiting.delete(row);
					resolve();
				};
				const timer = setTimeout(wake, withinMs);
				all.add(wake);
			});
		},
	};
};
