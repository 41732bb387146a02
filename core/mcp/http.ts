import {type Dispatcher, Pool} from 'undici';
import {GatewayError} from '../errors.ts';
import {parseBody} from '../llm/body.ts';
import type {JsonObject} from '../llm/json.ts';
import {refuseKeyIn} from '../llm/provider-key.ts';
import {type Reply, receive, type Waiting} from '../upstream/reply.ts';
import {sseParser} from '../upstream/sse.ts';
import {type Message, readMessage} from './rpc.ts';

export type HttpOptions = {
	name: string;
	url: string;
	/** What every request carries, credentials among them; names in lower case. */
	headers: Readonly<Record<string, string>>;
	/** What no answer may hold, beside those. */
	secrets?: readonly string[];
	maxBytes: number;
	connections: number;
};

export type Posting = {
	waiting: Waiting;
	headers: Readonly<Record<string, string>>;
	timeoutMs: number;
	/** Told of a 401 or 403, and of its `www-authenticate`, before it is an error. */
	onRefused?: (status: number, challenge: string | undefined) => void;
};

/** What came back: the head, and the messages that were in it, in order, each told while it comes; `answer` ends it. */
export type Wire = {
	/** Sends one message. Resolves with the head and the answer to `id`; without an id when its receipt was confirmed. */
	post(message: JsonObject, id: number | undefined, posting: Posting, onMessage: (message: Message) => void): Promise<Answered>;
	/** The stream of what a server says unasked, until it ends. Rejects when there is none. */
	listen(posting: Posting, onMessage: (message: Message) => void): Promise<void>;
	/** Ends a session; nobody waits for what the server says to it. */
	drop(headers: Readonly<Record<string, string>>): void;
	close(): Promise<void>;
};

export type Answered = {status: number; sessionId: string | undefined; answer: Extract<Message, {kind: 'answer'}> | undefined};

const connectMs = 10_000;

const listOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

/** One MCP server's endpoint over HTTP (streamable HTTP, both eras). Never follows a redirect; never sends twice. */
export const openWire = ({name, url: address, headers: ours, secrets: others = [], maxBytes, connections}: HttpOptions): Wire => {
	const url = new URL(address);
	const path = url.pathname + url.search;
	const pool = new Pool(url.origin, {
		connections,
		allowH2: false,
		keepAliveTimeout: 30_000,
		headersTimeout: 0,
		bodyTimeout: 0,
		connect: {timeout: connectMs},
	});
	const fixed = {'accept-encoding': 'identity', 'user-agent': 'sallyport', ...ours};
	const bare = (value: string): string => value.replace(/^\w+ /, '');
	const secrets = [...Object.values(ours).map(bare), ...others];

	const malformed = (why: string): GatewayError => new GatewayError('upstream_malformed', `The MCP server "${name}" ${why}.`);

	/** What a request carries beside them: a token of whoever asks. */
	const shownIn = ({authorization}: Readonly<Record<string, string>>): string[] =>
		authorization === undefined ? secrets : [...secrets, bare(authorization)];

	const messageIn = (bytes: Buffer, shown: readonly string[]): Message => {
		for (const key of shown) refuseKeyIn({name, key}, bytes);
		try {
			return readMessage(parseBody(bytes).json);
		} catch (thrown) {
			throw malformed(`answered with something that is no message: ${thrown instanceof Error ? thrown.message : 'unreadable'}`);
		}
	};

	const dispatch = (request: Dispatcher.DispatchOptions, {waiting, timeoutMs}: Pick<Posting, 'waiting' | 'timeoutMs'>): Promise<Reply> =>
		new Promise((resolve, reject) => {
			if (waiting.left) reject(new GatewayError('client_closed', 'The client left before the answer.'));
			else pool.dispatch(request, receive({provider: name, timeoutMs, idleMs: timeoutMs}, waiting, resolve, reject));
		});

	/** The events of a stream, until `isLast` says so. */
	const streamed = (reply: Reply, shown: readonly string[], onMessage: (message: Message) => boolean): Promise<void> =>
		new Promise((resolve, reject) => {
			let bytes = 0;
			const parser = sseParser(
				({event, data}) => {
					if (data === '' || (event !== undefined && event !== 'message')) return;
					if (onMessage(messageIn(Buffer.from(data), shown))) {
						resolve();
						reply.drop();
					}
				},
				{maxEventBytes: maxBytes},
			);
			reply.read({
				data: chunk => {
					bytes += chunk.length;
					if (bytes > maxBytes * 4) throw new GatewayError('upstream_too_large', `The MCP server "${name}" does not come to an end.`);
					parser.push(chunk);
				},
				end: () => resolve(),
				fail: reject,
			});
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

	const typeOf = (reply: Reply): string => String(reply.headers['content-type'] ?? '').toLowerCase();

	const read = async (
		reply: Reply,
		id: number | undefined,
		shown: readonly string[],
		onMessage: (message: Message) => void,
	): Promise<Answered['answer']> => {
		if (id === undefined || reply.status === 202) {
			reply.drop();
			return undefined;
		}
		let answer: Answered['answer'];
		const take = (message: Message): boolean => {
			if (message.kind !== 'answer') onMessage(message);
			else if (message.id === id || (message.id === undefined && message.error && reply.status >= 400)) answer = message;
			else throw malformed('answered what nobody asked');
			return answer !== undefined;
		};
		if (typeOf(reply).startsWith('text/event-stream')) await streamed(reply, shown, take);
		else if (typeOf(reply).startsWith('application/json')) take(messageIn(await reply.collect(maxBytes), shown));
		else reply.drop();
		return answer;
	};

	/** One clock over the whole answer: a server that drips is late all the same. */
	const within = async <T>(timeoutMs: number, reply: Reply, reading: Promise<T>): Promise<T> => {
		const late = () => new GatewayError('upstream_timeout', `The MCP server "${name}" did not answer within ${timeoutMs} ms.`);
		const timer = setTimeout(() => reply.abort(late()), timeoutMs);
		try {
			return await reading;
		} catch (thrown) {
			reply.abort();
			throw thrown;
		} finally {
			clearTimeout(timer);
		}
	};

	const idOf = ({headers}: Reply): string | undefined => {
		const id = headers['mcp-session-id'];
		return typeof id === 'string' && /^[\x21-\x7e]{1,1000}$/.test(id) ? id : undefined;
	};

	return {
		async post(message, id, posting, onMessage) {
			const head = {...fixed, ...posting.headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json'};
			const body = JSON.stringify({jsonrpc: '2.0', ...message});
			const reply = await dispatch({path, method: 'POST', headers: listOf(head), body}, posting);
			const refused = refusedBy(reply, posting);
			if (refused) {
				reply.drop();
				throw refused;
			}
			const answer = await within(posting.timeoutMs, reply, read(reply, id, shownIn(posting.headers), onMessage));
			return {status: reply.status, sessionId: idOf(reply), answer};
		},

		async listen(posting, onMessage) {
			const head = listOf({...fixed, ...posting.headers, accept: 'text/event-stream'});
			const reply = await dispatch({path, method: 'GET', headers: head}, posting);
			const refused = refusedBy(reply, posting);
			if (refused) {
				reply.drop();
				throw refused;
			}
			if (reply.status !== 200 || !typeOf(reply).startsWith('text/event-stream')) {
				reply.drop();
				throw malformed('has no stream of its own');
			}
			await streamed(reply, shownIn(posting.headers), message => {
				onMessage(message);
				return false;
			});
		},

		drop(headers) {
			const request = {path, method: 'DELETE', headers: listOf({...fixed, ...headers})} as const;
			dispatch(request, {waiting: {left: false}, timeoutMs: 2_000}).then(
				reply => reply.drop(),
				// It ends by itself, some day.
				() => undefined,
			);
		},

		close: async () => {
			await pool.destroy();
		},
	};
};
