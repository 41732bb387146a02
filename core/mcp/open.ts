import {randomBytes} from 'node:crypto';
import type {Logger} from 'pino';
import type {ResolvedConfig} from '../config.ts';
import type {Connect} from '../oauth/connect.ts';
import type {OAuth} from '../oauth/open.ts';
import type {Kv} from '../store/kv.ts';
import type {Store} from '../store/store.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import type {OldClient} from './old-sse.ts';
import {openParked, type Parked} from './parked.ts';
import {openPendingStates, type PendingStates} from './pending.ts';
import {openPush, type Push} from './push.ts';
import {openReplays, type Replays} from './replay.ts';
import {openSeal, type Seal} from './seal.ts';
import {openServers, type Servers} from './servers.ts';
import {openSessions, type Sessions} from './session.ts';
import {openShared, type Shared} from './shared.ts';
import {openToolPrices, type ToolPrices} from './tool-prices.ts';

/** The MCP side of a gateway. */
export type Mcp = {
	servers: Servers;
	sessions: Sessions;
	/** Where a server is asked with its users' own accounts. */
	connect?: Connect;
	pending: PendingStates;
	prices: ToolPrices;
	/** What processes on this store tell each other of sessions. */
	shared: Shared;
	push: Push;
	parked: Parked;
	/** Clients of the HTTP+SSE transport, by the id that they were given. */
	oldClients: Map<string, OldClient>;
	replays: Replays;
	seal: Seal;
	/** Told when a session's client wants to hear of something else. Answers how to stop. */
	onWatch(owner: string, listener: () => void): () => void;
	/** Who waits for each request under way, by whose it is and its id. */
	running: Map<string, Waiting>;
	/** Streams of sessions, on which nobody waits for anything. */
	streams: Set<Waiting>;
	/** Ends those streams: what stops need not wait for them. */
	endStreams(): void;
	close(): Promise<void>;
};

type Options = {
	config: ResolvedConfig;
	store: Pick<Store, 'metaPutIfAbsent' | 'once'>;
	kv: Pick<Kv, 'space' | 'put' | 'putSoon' | 'all' | 'onChange'>;
	log: Logger;
};

const nobody: OAuth = {credentials: new Map(), close: async () => undefined};

/** The SDK's OAuth client takes a while to load, and most gateways never ask for a token. */
const oauthOf = async (options: Options): Promise<OAuth> =>
	Object.values(options.config.servers).some(({oauth}) => oauth) ? (await import('../oauth/open.ts')).openOAuth(options) : nobody;

/** Starts no process and connects to nobody yet. */
export const openMcp = async (options: Options): Promise<Mcp> => {
	const {config, store, kv, log} = options;
	const oauth = await oauthOf(options);
	const servers = openServers(config.servers, {log, maxBytes: config.limits.replyMb * 1_048_576, credentials: oauth.credentials});
	// The same in every process on this store: a session is known to all of them.
	const key = await store.metaPutIfAbsent('mcp.session-key', randomBytes(32).toString('base64url'));
	const secret = Buffer.from(key, 'base64url');
	const shared = openShared(kv, log);
	const watching = new Map<string, () => void>();
	shared.onChange('watch', owner => watching.get(owner)?.());
	const streams = new Set<Waiting>();
	return {
		servers,
		sessions: openSessions(secret, shared),
		pending: openPendingStates(secret),
		prices: openToolPrices(config),
		shared,
		push: openPush(secret, shared),
		parked: openParked(),
		oldClients: new Map(),
		replays: openReplays(),
		seal: openSeal(secret),
		onWatch(owner, listener) {
			watching.set(owner, listener);
			return () => {
				if (watching.get(owner) === listener) watching.delete(owner);
			};
		},
		running: new Map(),
		streams,
		endStreams() {
			for (const waiting of streams) leave(waiting);
		},
		...(oauth.connect && {connect: oauth.connect}),
		async close() {
			shared.close();
			await servers.close();
			await oauth.close();
		},
	};
};
