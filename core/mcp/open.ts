import {randomBytes} from 'node:crypto';
import type {Logger} from 'pino';
import type {ResolvedConfig} from '../config.ts';
import type {Store} from '../store/store.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {openPendingStates, type PendingStates} from './pending.ts';
import {openServers, type Servers} from './servers.ts';
import {openSessions, type Sessions} from './session.ts';
import {openToolPrices, type ToolPrices} from './tool-prices.ts';

/** The MCP side of a gateway. */
export type Mcp = {
	servers: Servers;
	sessions: Sessions;
	pending: PendingStates;
	prices: ToolPrices;
	/** Ends a request under way, by whose it is and its id. */
	running: Map<string, () => void>;
	/** Streams of sessions, on which nobody waits for anything. */
	streams: Set<Waiting>;
	/** Ends those streams: what stops need not wait for them. */
	endStreams(): void;
	close(): Promise<void>;
};

type Options = {config: ResolvedConfig; store: Pick<Store, 'metaPutIfAbsent'>; log: Logger};

/** Starts no process and connects to nobody yet. */
export const openMcp = async ({config, store, log}: Options): Promise<Mcp> => {
	const servers = openServers(config.servers, {log, maxBytes: config.limits.replyMb * 1_048_576});
	// The same in every process on this store: a session is known to all of them.
	const key = await store.metaPutIfAbsent('mcp.session-key', randomBytes(32).toString('base64url'));
	const streams = new Set<Waiting>();
	return {
		servers,
		sessions: openSessions(Buffer.from(key, 'base64url')),
		pending: openPendingStates(Buffer.from(key, 'base64url')),
		prices: openToolPrices(config),
		running: new Map(),
		streams,
		endStreams() {
			for (const waiting of streams) leave(waiting);
		},
		close: () => servers.close(),
	};
};
