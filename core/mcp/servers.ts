import type {Logger} from 'pino';
import type {ResolvedServer} from '../config/resolve.ts';
import type {Asker, Credentials} from '../oauth/credential.ts';
import {authorizedWire} from './authorized.ts';
import {type Catalogue, type Entry, openCatalogue} from './catalogue.ts';
import {openWire} from './http.ts';
import {type Era, openHttpLink} from './http-link.ts';
import type {Link} from './link.ts';
import {openShelf} from './shelf.ts';
import {openStdio} from './stdio.ts';

/** A conversation and what is known of its server. */
export type Channel = {server: string; link: Link; catalogue: Catalogue; timeoutMs: number};

export type Server = {
	readonly name: string;
	/** Whose conversation it is: over HTTP each owner has one of its own, so that what a server remembers of it stays with it. */
	channel(owner: string, asker: Asker): Channel;
	release(owner: string): void;
	close(): Promise<void>;
};

export type Servers = {
	names: readonly string[];
	get(name: string): Server | undefined;
	release(owner: string): void;
	close(): Promise<void>;
};

/** Conversations that are kept; of more, those that were used longest ago end. */
const mostChannels = 2_000;
const idleMs = 600_000;

type Options = {log: Logger; maxBytes: number; credentials: ReadonlyMap<string, Credentials>};

const overStdio = (name: string, {stdio, timeoutMs}: ResolvedServer, {log, maxBytes}: Options): Server => {
	const {command, args, env, folder} = stdio!;
	const link = openStdio({name, command, args, env, cwd: folder ?? process.cwd(), maxBytes, log});
	const channel = {server: name, link, catalogue: openCatalogue(name, link, openShelf()), timeoutMs};
	return {name, channel: () => channel, release: () => undefined, close: () => link.close()};
};

const overHttp = (
	name: string,
	{url, bearer, basic, headers, timeoutMs, connections}: ResolvedServer,
	{maxBytes, credentials}: Options,
): Server => {
	const own = Object.fromEntries(Object.entries(headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]));
	const login =
		bearer === undefined ? basic && `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}` : `Bearer ${bearer}`;
	const wire = openWire({
		name,
		url: url!,
		headers: {...own, ...(login !== undefined && {authorization: login})},
		...(basic && {secrets: [basic.password]}),
		maxBytes,
		connections,
	});
	const era: Era = {probedAt: 0};
	const logins = credentials.get(name);
	/** The same owner may come with another token of the same user's. */
	type Kept = Channel & {usedAt: number; asker: Asker};
	const channels = new Map<string, Kept>();
	const shelf = openShelf<Entry>();

	const release = (owner: string): void => {
		const channel = channels.get(owner);
		channels.delete(owner);
		void channel?.link.close();
	};
	const sweep = setInterval(() => {
		const before = Date.now() - idleMs;
		for (const [owner, {usedAt}] of channels) if (usedAt < before) release(owner);
	}, 60_000).unref();

	return {
		name,
		channel(owner, asker) {
			const known = channels.get(owner);
			if (known) {
				known.usedAt = Date.now();
				known.asker = asker;
				// The order of the map is that of their use.
				channels.delete(owner);
				channels.set(owner, known);
				return known;
			}
			const [oldest] = channels.keys();
			if (channels.size >= mostChannels && oldest !== undefined) release(oldest);
			const own = logins
				? authorizedWire(
						name,
						wire,
						logins.of(() => made.asker),
					)
				: wire;
			const link = openHttpLink({name, wire: own, era});
			const made: Kept = {server: name, link, catalogue: openCatalogue(name, link, shelf), timeoutMs, usedAt: Date.now(), asker};
			channels.set(owner, made);
			return made;
		},
		release,
		async close() {
			clearInterval(sweep);
			await wire.close();
		},
	};
};

/** Every MCP server of the config; none is connected to, or started, before somebody asks for it. */
export const openServers = (config: Readonly<Record<string, ResolvedServer>>, options: Options): Servers => {
	const servers = new Map(
		Object.entries(config).map(([name, server]) => [name, (server.stdio ? overStdio : overHttp)(name, server, options)]),
	);
	return {
		names: [...servers.keys()],
		get: name => servers.get(name),
		release(owner) {
			for (const server of servers.values()) server.release(owner);
		},
		async close() {
			await Promise.all([...servers.values()].map(server => server.close()));
		},
	};
};
