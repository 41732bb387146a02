import {setTimeout as after} from 'node:timers/promises';
import {type Dispatcher, Pool} from 'undici';
import {GatewayError} from '../errors.ts';
import {parseBody} from '../llm/body.ts';
import type {JsonObject} from '../llm/json.ts';
import {refuseKeyIn} from '../llm/provider-key.ts';
import {type Reply, receive} from '../upstream/reply.ts';
import {sseParser} from '../upstream/sse.ts';
import {type Message, readMessage} from './rpc.ts';
import {type Answered, noteIn, type Place, type Posting, type Wire} from './wire.ts';

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

const connectMs = 10_000;
/** A stream may be silent for as long as it likes; what an answer may take, `timeoutMs` says. */
const silentMs = 86_400_000;
const firstRetryMs = 1_000;
const leastRetryMs = 20;

const listOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

/** One MCP server's endpoint over HTTP (streamable HTTP, both eras). Never follows a redirect; never sends twice. */
export const openWire = ({name, url: address, headers: ours, secrets: others = [], maxBytes, connections}: HttpOptions): Wire => {
	const url = new URL(address);
	const path = url.pathname + url.search;
	const settings = {allowH2: false, keepAliveTimeout: 30_000, headersTimeout: 0, bodyTimeout: 0, connect: {timeout: connectMs}} as const;
	const pool = new Pool(url.origin, {...settings, connections});
	// Streams that stay open take no room from calls.
	const streams = new Pool(url.origin, settings);
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

	const dispatch = (
		request: Dispatcher.DispatchOptions,
		{waiting, timeoutMs}: Pick<Posting, 'waiting' | 'timeoutMs'>,
		through = pool,
	): Promise<Reply> =>
		new Promise((resolve, reject) => {
			if (waiting.left) reject(new GatewayError('client_closed', 'The client left before the answer.'));
			else through.dispatch(request, receive({provider: name, timeoutMs, idleMs: silentMs}, waiting, resolve, reject));
		});

	type Reading = {place: Place; shown: readonly string[]; mostBytes?: number};

	/** The events of a stream, until one is the last. */
	const streamed = (
		reply: Reply,
		{place, shown, mostBytes = maxBytes * 4}: Reading,
		onMessage: (message: Message) => boolean,
	): Promise<void> =>
		new Promise((resolve, reject) => {
			let bytes = 0;
			const parser = sseParser(
				({event, data, raw}) => {
					noteIn(place, raw);
					if (data === '' || (event !== undefined && event !== 'message')) return;
					if (onMessage(messageIn(Buffer.from(data), shown))) {
						resolve();
						reply.drop();
					}
				},
				{maxEventBytes: maxBytes, onSkipped: raw => noteIn(place, raw)},
			);
			reply.read({
				data: chunk => {
					bytes += chunk.length;
					if (bytes > mostBytes) throw new GatewayError('upstream_too_large', `The MCP server "${name}" does not come to an end.`);
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

	const isStream = (reply: Reply): boolean => typeOf(reply).startsWith('text/event-stream');

	type Current = {reply: Reply; late?: GatewayError};

	const taken = (reply: Reply, posting: Posting): Reply => {
		const refused = refusedBy(reply, posting);
		if (!refused) return reply;
		reply.drop();
		throw refused;
	};

	const listenTo = async (lastId: string | undefined, posting: Posting, through: Pool): Promise<Reply> => {
		const head = {...fixed, ...posting.headers, accept: 'text/event-stream', ...(lastId !== undefined && {'last-event-id': lastId})};
		return taken(await dispatch({path, method: 'GET', headers: listOf(head)}, posting, through), posting);
	};

	const read = async (
		current: Current,
		id: number,
		posting: Posting,
		onMessage: (message: Message) => void,
	): Promise<Answered['answer']> => {
		const {status} = current.reply;
		const place: Place = {retryMs: firstRetryMs};
		const shown = shownIn(posting.headers);
		let answer: Answered['answer'];
		const take = (message: Message): boolean => {
			if (message.kind !== 'answer') onMessage(message);
			else if (message.id === id || (message.id === undefined && message.error && status >= 400)) answer = message;
			else throw malformed('answered what nobody asked');
			return answer !== undefined;
		};
		for (;;) {
			if (isStream(current.reply)) await streamed(current.reply, {place, shown}, take);
			else if (typeOf(current.reply).startsWith('application/json')) take(messageIn(await current.reply.collect(maxBytes), shown));
			else current.reply.drop();
			const {lastId, retryMs} = place;
			if (answer || lastId === undefined || !isStream(current.reply) || posting.headers['mcp-session-id'] === undefined) return answer;
			posting.onPolled?.();
			await after(Math.max(leastRetryMs, retryMs));
			if (current.late) throw current.late;
			current.reply = await listenTo(lastId, posting, pool);
			if (current.reply.status !== 200) {
				current.reply.drop();
				return undefined;
			}
		}
	};

	/** One clock over the whole answer: a server that drips is late all the same. */
	const within = async <T>({timeoutMs, isHeld}: Posting, current: Current, reading: Promise<T>): Promise<T> => {
		const late = (): void => {
			if (isHeld?.()) {
				timer = setTimeout(late, timeoutMs);
				return;
			}
			current.late = new GatewayError('upstream_timeout', `The MCP server "${name}" did not answer within ${timeoutMs} ms.`);
			current.reply.abort(current.late);
		};
		let timer = setTimeout(late, timeoutMs);
		try {
			return await reading;
		} catch (thrown) {
			current.reply.abort();
			throw thrown;
		} finally {
			clearTimeout(timer);
		}
	};

	const idOf = ({headers}: Reply): string | undefined => {
		const id = headers['mcp-session-id'];
		return typeof id === 'string' && /^[\x21-\x7e]{1,1000}$/.test(id) ? id : undefined;
	};

	const send = async (message: JsonObject, posting: Posting, through: Pool): Promise<Reply> => {
		const head = {...fixed, ...posting.headers, accept: 'application/json, text/event-stream', 'content-type': 'application/json'};
		const body = JSON.stringify({jsonrpc: '2.0', ...message});
		return taken(await dispatch({path, method: 'POST', headers: listOf(head), body}, posting, through), posting);
	};

	/** Reads a stream until it ends. What it is not is refused as `upstream_malformed`. */
	const stay = async (reply: Reply, {onOpen, headers}: Posting, onMessage: (message: Message) => void, place: Place): Promise<void> => {
		if (reply.status !== 200 || !isStream(reply)) {
			reply.drop();
			throw malformed('has no stream of its own');
		}
		const take = (message: Message): boolean => {
			onMessage(message);
			return false;
		};
		onOpen?.();
		await streamed(reply, {place, shown: shownIn(headers), mostBytes: Number.POSITIVE_INFINITY}, take);
	};

	return {
		async post(message, id, posting, onMessage) {
			const reply = await send(message, posting, pool);
			if (id === undefined || reply.status === 202) {
				reply.drop();
				return {status: reply.status, sessionId: idOf(reply), answer: undefined};
			}
			const current = {reply};
			const answer = await within(posting, current, read(current, id, posting, onMessage));
			return {status: reply.status, sessionId: idOf(reply), answer};
		},

		async listen(posting, onMessage, place = {retryMs: firstRetryMs}) {
			await stay(await listenTo(place.lastId, posting, streams), posting, onMessage, place);
		},

		async follow(message, posting, onMessage) {
			await stay(await send(message, posting, streams), posting, onMessage, {retryMs: firstRetryMs});
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
			await Promise.all([pool.destroy(), streams.destroy()]);
		},
	};
};
