import {type Dispatcher, Pool} from 'undici';
import {GatewayError} from '../errors.ts';
import {type Limits, type Reply, receive, type Waiting} from './reply.ts';

export type UpstreamRequest = {
	/** Appended to the provider's `baseUrl`: `/chat/completions`. */
	path: string;
	method: string;
	/** Names in lower case. Those that belong to the connection or carry a credential are left behind. */
	headers: Readonly<Record<string, string | undefined>>;
	body?: Buffer | string;
};

export type Sending = {
	/** Ends the attempt when the client leaves. */
	waiting?: Waiting;
	/** Longest wait for the first byte, queueing and connecting included, instead of the provider's. */
	timeoutMs?: number;
};

export type Provider = {
	readonly name: string;
	/**
	 * Resolves with the head of the answer, whatever its status. Rejects with `upstream_unreachable` (nothing was sent), `upstream_timeout`,
	 * `upstream_malformed`, `upstream_failed` or `client_closed`. Never sends twice.
	 */
	send(request: UpstreamRequest, sending?: Sending): Promise<Reply>;
	/** Ends every connection; what still runs fails with `shutting_down`. */
	close(): Promise<void>;
};

export type ProviderOptions = {
	name: string;
	speaks: 'openai' | 'anthropic';
	baseUrl?: string;
	/** Goes into the one header the provider reads it from, and nowhere else. */
	key?: string;
	timeoutMs: number;
	idleMs: number;
	connections: number;
};

const homes = {openai: 'https://api.openai.com/v1', anthropic: 'https://api.anthropic.com/v1'} as const;

const connectMs = 10_000;
const keepAliveMs = 30_000;

/** A client's credentials are for this gateway; the rest belongs to one connection (RFC 9110, section 7.6.1) or is ours to say. */
const leftBehind = new Set([
	'authorization',
	'x-api-key',
	'api-key',
	'x-goog-api-key',
	'cookie',
	'proxy-authorization',
	'proxy-authenticate',
	'proxy-connection',
	'host',
	'connection',
	'keep-alive',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
	'expect',
	'content-length',
	'accept-encoding',
	'user-agent',
]);

const credentials = (speaks: ProviderOptions['speaks'], key: string | undefined): string[] => {
	if (key === undefined) return [];
	return speaks === 'anthropic' ? ['x-api-key', key] : ['authorization', `Bearer ${key}`];
};

const parsed = (name: string, baseUrl: string): URL => {
	const url = new URL(baseUrl);
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
		throw new Error(`providers.${name}.baseUrl must not have credentials, a query or a fragment: put the key into "key".`);
	}
	return url;
};

/** A provider's connections: HTTP/1.1, kept alive, opened as they are needed. Throws when `baseUrl` is not one. */
export const openProvider = ({name, speaks, baseUrl = homes[speaks], key, timeoutMs, idleMs, connections}: ProviderOptions): Provider => {
	const url = parsed(name, baseUrl);
	const prefix = url.pathname.replace(/\/+$/, '');
	const limits: Limits = {who: `Provider "${name}"`, timeoutMs, idleMs};
	const ours = ['accept-encoding', 'identity', 'user-agent', 'sallyport', ...credentials(speaks, key)];
	const pool = new Pool(url.origin, {
		connections,
		allowH2: false,
		keepAliveTimeout: keepAliveMs,
		// The timers here also cover the wait for a connection, and are exact; undici's tick every half second.
		headersTimeout: 0,
		bodyTimeout: 0,
		connect: {timeout: Math.min(connectMs, timeoutMs)},
	});

	const headersFor = (headers: UpstreamRequest['headers']): string[] => {
		const all = ours.slice();
		for (const header in headers) {
			const value = headers[header];
			if (value !== undefined && !leftBehind.has(header)) all.push(header, value);
		}
		if (speaks === 'anthropic' && headers['anthropic-version'] === undefined) all.push('anthropic-version', '2023-06-01');
		return all;
	};

	return {
		name,
		send: ({path, method, headers, body}, {waiting, timeoutMs: ownMs} = {}) =>
			new Promise((resolve, reject) => {
				if (waiting?.left) {
					reject(new GatewayError('client_closed', 'The client left before the answer.'));
					return;
				}
				const request: Dispatcher.DispatchOptions = {path: prefix + path, method, headers: headersFor(headers), body: body ?? null};
				pool.dispatch(request, receive(ownMs === undefined ? limits : {...limits, timeoutMs: ownMs}, waiting, resolve, reject));
			}),
		close: async () => {
			await pool.destroy();
		},
	};
};
