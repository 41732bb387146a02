import {type Dispatcher, Pool} from 'undici';
import {GatewayError} from '../errors.ts';
import {parseExactly} from '../llm/exact.ts';
import type {JsonObject} from '../llm/json.ts';
import {refuseKeyIn} from '../llm/provider-key.ts';
import {type Reply, receive} from '../upstream/reply.ts';
import {type SseEvent, sseParser} from '../upstream/sse.ts';
import {type Message, readMessage} from './rpc.ts';
import type {Posting} from './wire.ts';

export type SiteOptions = {
	name: string;
	url: string;
	/** What every request carries, credentials among them; names in lower case. */
	headers: Readonly<Record<string, string>>;
	/** What no answer may hold, beside the values of headers that look like a credential. */
	secrets?: readonly string[];
	maxBytes: number;
	connections: number;
};

/** Streams that stay open take no room from calls. */
type Room = 'calls' | 'streams';

type Reading = {
	/** True where it was the last. */
	onEvent(event: SseEvent): boolean;
	onSkipped?: (raw: Buffer) => void;
	/** Whether so much more may come; otherwise it ends with `upstream_too_large`. */
	isBorne(bytes: number): boolean;
};

/** Where one MCP server is, over HTTP: what goes there carries what the config names, and what comes from there is checked. */
export type Site = {
	readonly name: string;
	readonly url: URL;
	readonly maxBytes: number;
	/** An error in the server's name: `upstream_malformed`. */
	malformed(why: string): GatewayError;
	/** What no answer to a request with these headers may hold. */
	shownIn(headers: Readonly<Record<string, string>>): string[];
	/** Throws `upstream_malformed`. */
	messageIn(bytes: Buffer, shown: readonly string[]): Message;
	/** Asks for a stream. Rejects where the gateway is refused, and with `upstream_malformed` for a redirect. */
	get(posting: Posting, room: Room): Promise<Reply>;
	/** Sends one message, to another path of the same origin where one is given. Rejects as `get` does. */
	post(message: JsonObject, posting: Posting, room: Room, path?: string): Promise<Reply>;
	delete(headers: Readonly<Record<string, string>>, timeoutMs: number): Promise<Reply>;
	/** The whole body of an answer. Rejects with `upstream_too_large`. */
	whole(reply: Reply): Promise<Buffer>;
	/** The events of a stream, until one is the last. */
	events(reply: Reply, reading: Reading): Promise<void>;
	close(): Promise<void>;
};

const connectMs = 10_000;
/** A stream may be silent for as long as it likes; what an answer may take, `timeoutMs` says. */
const silentMs = 86_400_000;

const listOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

const typeOf = (reply: Reply): string => String(reply.headers['content-type'] ?? '').toLowerCase();

export const isStream = (reply: Reply): boolean => typeOf(reply).startsWith('text/event-stream');
export const isJson = (reply: Reply): boolean => typeOf(reply).startsWith('application/json');

const namesCredential = /auth|token|key|secret|cookie|credential|passw|session|signature/;
const shortestUnnamed = 16;

/** By the name of its header, or a long value in one piece that is no words: a team's name may stand in any answer. */
const isCredential = (name: string, value: string): boolean =>
	namesCredential.test(name) || (value.length >= shortestUnnamed && !/\s/.test(value) && !/^[a-z]+([-_.][a-z]+)*$/i.test(value));

/** A message that is larger than its server may send. */
export const oversized = (name: string, maxBytes: number): GatewayError =>
	new GatewayError(
		'upstream_too_large',
		`A message of the MCP server "${name}" is larger than ${maxBytes} bytes (servers.${name}.resultMb).`,
	);

/** Connects to nobody yet. Never follows a redirect; never sends twice. */
export const openSite = ({name, url: address, headers: ours, secrets: others = [], maxBytes, connections}: SiteOptions): Site => {
	const url = new URL(address);
	const own = url.pathname + url.search;
	const settings = {allowH2: false, keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0, connect: {timeout: connectMs}} as const;
	const rooms = {calls: new Pool(url.origin, {...settings, connections}), streams: new Pool(url.origin, settings)};
	const fixed = {'accept-encoding': 'identity', 'user-agent': 'sallyport', ...ours};
	const bare = (value: string): string => value.replace(/^\w+ /, '');
	const shown = Object.entries(ours).filter(([header, value]) => isCredential(header, bare(value)));
	const secrets = [...shown.map(([, value]) => value), ...others].map(bare);

	const who = `The MCP server "${name}"`;

	const malformed = (why: string): GatewayError => new GatewayError('upstream_malformed', `${who} ${why}.`);

	const sizeNamed = (thrown: unknown): unknown =>
		thrown instanceof GatewayError && thrown.code === 'upstream_too_large' ? oversized(name, maxBytes) : thrown;

	const dispatch = (
		request: Dispatcher.DispatchOptions,
		{waiting, timeoutMs}: Pick<Posting, 'waiting' | 'timeoutMs'>,
		room: Room,
	): Promise<Reply> =>
		new Promise((resolve, reject) => {
			if (waiting.left) reject(new GatewayError('client_closed', 'The client left before the answer.'));
			else rooms[room].dispatch(request, receive({who, timeoutMs, idleMs: silentMs}, waiting, resolve, reject));
		});

	const refusedBy = ({status, headers}: Reply, {onRefused}: Posting): GatewayError | undefined => {
		if (status === 401 || status === 403) {
			const challenge = headers['www-authenticate'];
			onRefused?.(status, Array.isArray(challenge) ? challenge.join(', ') : challenge);
			return new GatewayError('upstream_refused', `The MCP server "${name}" does not accept the gateway's own credentials.`);
		}
		if (status >= 300 && status < 400) return malformed('answered with a redirect, which is not followed');
		if (status === 429) return new GatewayError('upstream_rate_limited', `The MCP server "${name}" is limiting.`);
		return undefined;
	};

	const taken = (reply: Reply, posting: Posting): Reply => {
		const refused = refusedBy(reply, posting);
		if (!refused) return reply;
		reply.drop();
		throw refused;
	};

	return {
		name,
		url,
		maxBytes,
		malformed,
		// Beside the config's there may be a token of whoever asks.
		shownIn: ({authorization}) => (authorization === undefined ? secrets : [...secrets, bare(authorization)]),
		messageIn(bytes, shown) {
			for (const key of shown) refuseKeyIn({name: who, key}, bytes);
			try {
				return readMessage(parseExactly(bytes));
			} catch (thrown) {
				throw malformed(`answered with something that is no message: ${thrown instanceof Error ? thrown.message : 'unreadable'}`);
			}
		},
		async get(posting, room) {
			const headers = listOf({...fixed, ...posting.headers, accept: 'text/event-stream'});
			return taken(await dispatch({path: own, method: 'GET', headers}, posting, room), posting);
		},
		async post(message, posting, room, path = own) {
			const types = {accept: 'application/json, text/event-stream', 'content-type': 'application/json'};
			const headers = listOf({...fixed, ...posting.headers, ...types});
			const body = JSON.stringify({jsonrpc: '2.0', ...message});
			return taken(await dispatch({path, method: 'POST', headers, body}, posting, room), posting);
		},
		delete(headers, timeoutMs) {
			const request = {path: own, method: 'DELETE', headers: listOf({...fixed, ...headers})} as const;
			return dispatch(request, {waiting: {left: false}, timeoutMs}, 'calls');
		},
		whole: reply =>
			reply.collect(maxBytes).catch(thrown => {
				throw sizeNamed(thrown);
			}),
		events: (reply, {onEvent, onSkipped, isBorne}) =>
			new Promise((resolve, reject) => {
				const endless = new GatewayError('upstream_too_large', `The MCP server "${name}" does not come to an end.`);
				const parser = sseParser(
					event => {
						if (!onEvent(event)) return;
						resolve();
						reply.drop();
					},
					{maxEventBytes: maxBytes, ...(onSkipped && {onSkipped})},
				);
				reply.read({
					data: chunk => {
						if (!isBorne(chunk.length)) throw endless;
						parser.push(chunk);
					},
					end: () => resolve(),
					fail: thrown => reject(thrown === endless ? thrown : sizeNamed(thrown)),
				});
			}),
		close: async () => {
			await Promise.all([rooms.calls.destroy(), rooms.streams.destroy()]);
		},
	};
};
