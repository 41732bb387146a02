import type {Logger} from 'pino';
import type {ResolvedServer} from '../config/resolve.ts';
import type {Asker, Credential} from '../oauth/credential.ts';
import {authorizedWire} from './authorized.ts';
import {type Catalogue, type Entry, openCatalogue} from './catalogue.ts';
import type {Eras} from './greeting.ts';
import {openHttpLink} from './http-link.ts';
import {openHub} from './hub.ts';
import type {Link, ServerFacts} from './link.ts';
import {capabilitiesOf, nothingOffered, type Offer, within} from './offer.ts';
import {openShelf} from './shelf.ts';
import {openSite} from './site.ts';
import {wireOver} from './sse-upstream-found.ts';
import {openStdio} from './stdio.ts';

/** A conversation and what is known of its server. */
export type Channel = {
	server: string;
	link: Link;
	catalogue: Catalogue;
	timeoutMs: number;
	/** What its server may ask of callers that offer it. */
	may: Offer;
	/** The log level that its server was told. */
	level?: string;
	/** It is this owner's alone. */
	isOwn: boolean;
};

/** Whose conversation it is, what they offer, and which era they speak. */
export type Owner = {owner: string; offer: Offer; era: ServerFacts['era']};

export type Server = {
	readonly name: string;
	/** Whose conversation it is: over HTTP each owner has one of its own, so that what a server remembers of it stays with it. */
	channel(owner: Owner, asker: Asker): Channel;
	release(owner: string): void;
	close(): Promise<void>;
};

export type Servers = {
	names: readonly string[];
	get(name: string): Server | undefined;
	release(owner: string): void;
	close(): Promise<void>;
};

/** Conversations that are kept; of more, those that nobody uses and that were used longest ago end. */
const mostChannels = 2_000;
const idleMs = 600_000;

type Options = {log: Logger /** The largest message of any server. */; maxBytes: number; credentials: ReadonlyMap<string, Credential>};

/** The largest message of this server, in bytes. */
const largestOf = ({resultMb}: ResolvedServer, {maxBytes}: Options): number => Math.min(maxBytes, Math.floor(resultMb * 1_048_576));

const overStdio = (name: string, server: ResolvedServer, options: Options): Server => {
	const {timeoutMs} = server;
	const {command, args, env, folder} = server.stdio!;
	const {log, maxBytes} = options;
	const cwd = folder ?? process.cwd();
	const link = openStdio({name, command, args, env, cwd, largest: largestOf(server, options), maxBytes, timeoutMs, log});
	// The process is everybody's: whom it means when it asks, nobody could say.
	const channel = {server: name, link, catalogue: openCatalogue(name, link, openShelf()), timeoutMs, may: nothingOffered, isOwn: false};
	return {name, channel: () => channel, release: () => undefined, close: () => link.close()};
};

/** Everything that a client can offer, as far as a server may ask for it. */
const mayAsk = ({asks}: ResolvedServer): Offer => within(~0, asks);

const overHttp = (name: string, server: ResolvedServer, options: Options): Server => {
	const {credentials} = options;
	const {url, bearer, basic, headers, secretHeaders = [], timeoutMs, connections, transport} = server;
	const may = mayAsk(server);
	const own = Object.fromEntries(Object.entries(headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]));
	const login =
		bearer === undefined ? basic && `Basic ${Buffer.from(`${basic.user}:${basic.password}`).toString('base64')}` : `Bearer ${bearer}`;
	const site = openSite({
		name,
		url: url!,
		headers: {...own, ...(login !== undefined && {authorization: login})},
		secrets: [...secretHeaders.map(header => headers![header]!), ...(basic ? [basic.password] : [])],
		maxBytes: largestOf(server, options),
		connections,
	});
	const wire = wireOver(site, transport);
	const eras: Eras = {};
	const credential = credentials.get(name);
	/** `asker` is who came last: the same owner may come with another token of the same user's. */
	type Kept = Channel & {usedAt: number; uses: number; asker: Asker};
	const channels = new Map<string, Kept>();
	const shelf = openShelf<Entry>();
	const everybodys = openHub(wire);

	const drop = (key: string): void => {
		const channel = channels.get(key);
		channels.delete(key);
		void channel?.link.close();
	};
	/** A conversation that somebody waits on, or hears of changes by, goes on: there are no more of those than requests here. */
	const makeRoom = (): void => {
		if (channels.size < mostChannels) return;
		let oldest: string | undefined;
		let before = Number.POSITIVE_INFINITY;
		for (const [key, {usedAt, uses}] of channels) {
			if (uses > 0 || usedAt >= before) continue;
			oldest = key;
			before = usedAt;
		}
		if (oldest !== undefined) drop(oldest);
	};
	const sweep = setInterval(() => {
		const before = Date.now() - idleMs;
		for (const [key, {usedAt, uses}] of channels) if (usedAt < before && uses === 0) drop(key);
	}, 60_000).unref();

	return {
		name,
		channel({owner, offer, era}, asker) {
			const offered = offer & may;
			const key = era === 'legacy' ? owner : `${owner}\n${offered}`;
			const known = channels.get(key);
			if (known) {
				known.usedAt = Date.now();
				known.asker = asker;
				return known;
			}
			makeRoom();
			const own = credential ? authorizedWire(name, wire, credential, () => made.asker) : wire;
			// What one user's token lets be heard is that user's.
			const hub = credential ? openHub(own) : everybodys;
			const link = openHttpLink({name, wire: own, eras, hub, prefers: era, capabilities: capabilitiesOf(offered)});
			const request: Link['request'] = async (...asked) => {
				made.uses += 1;
				try {
					return await link.request(...asked);
				} finally {
					made.uses -= 1;
					made.usedAt = Date.now();
				}
			};
			const watch: Link['watch'] = async (uris, listener) => {
				const stop = await link.watch(uris, listener);
				made.uses += 1;
				return () => {
					made.uses -= 1;
					stop();
				};
			};
			const facts = {server: name, timeoutMs, may, isOwn: true, usedAt: Date.now(), uses: 0, asker};
			const made: Kept = {...facts, link: {...link, request, watch}, catalogue: openCatalogue(name, link, shelf)};
			channels.set(key, made);
			return made;
		},
		// A session's alone has an end that is told.
		release: drop,
		async close() {
			clearInterval(sweep);
			everybodys.close();
			for (const {link} of channels.values()) void link.close();
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
