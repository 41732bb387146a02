import {setTimeout as after} from 'node:timers/promises';
import {GatewayError} from '../errors.ts';
import type {Reply} from '../upstream/reply.ts';
import {openDam} from './dam.ts';
import type {Message} from './rpc.ts';
import {isJson, isStream, type Site} from './site.ts';
import {type Answered, noteIn, type Place, type Posting, type StreamEnd, type Wire} from './wire.ts';

const firstRetryMs = 1_000;
const leastRetryMs = 20;
/** What a stream may hold beside an answer, in largest answers. */
const mostTimes = 4;

/** One MCP server's endpoint of streamable HTTP, in both eras. */
export const openWire = (site: Site): Wire => {
	const {name, maxBytes, malformed} = site;

	type Reading = {place: Place; shown: readonly string[]; isBorne: (bytes: number) => boolean};

	/** The messages of a stream, until one is the last. */
	const streamed = (reply: Reply, {place, shown, isBorne}: Reading, onMessage: (message: Message) => boolean): Promise<void> =>
		site.events(reply, {
			onEvent({event, data, raw}) {
				noteIn(place, raw);
				if (data === '' || (event !== undefined && event !== 'message')) return false;
				return onMessage(site.messageIn(Buffer.from(data), shown));
			},
			onSkipped: raw => noteIn(place, raw),
			isBorne,
		});

	/** What one answer's stream may hold in all. */
	const upToMost = (): Reading['isBorne'] => {
		let came = 0;
		return bytes => {
			came += bytes;
			return came <= maxBytes * mostTimes;
		};
	};

	type Current = {reply: Reply; late?: GatewayError};

	const listenTo = (lastId: string | undefined, posting: Posting, room: 'calls' | 'streams'): Promise<Reply> => {
		const headers = {...posting.headers, ...(lastId !== undefined && {'last-event-id': lastId})};
		return site.get({...posting, headers}, room);
	};

	const read = async (
		current: Current,
		id: number,
		posting: Posting,
		onMessage: (message: Message) => void,
	): Promise<Answered['answer']> => {
		const {status} = current.reply;
		const place: Place = {retryMs: firstRetryMs};
		let shown = site.shownIn(posting.headers);
		const {apart = send => send(posting)} = posting;
		const fetchRest = (lastId: string): Promise<Reply> =>
			apart(own => {
				if (current.late) throw current.late;
				shown = [...new Set([...shown, ...site.shownIn(own.headers)])];
				return listenTo(lastId, own, 'calls');
			});
		let answer: Answered['answer'];
		const take = (message: Message): boolean => {
			if (message.kind !== 'answer') onMessage(message);
			else if (message.id === id || (message.id === undefined && message.error && status >= 400)) answer = message;
			else throw malformed('answered what nobody asked');
			return answer !== undefined;
		};
		for (;;) {
			if (isStream(current.reply)) await streamed(current.reply, {place, shown, isBorne: upToMost()}, take);
			else if (isJson(current.reply)) take(site.messageIn(await site.whole(current.reply), shown));
			else current.reply.drop();
			const {lastId, retryMs} = place;
			if (answer || lastId === undefined || !isStream(current.reply) || posting.headers['mcp-session-id'] === undefined) return answer;
			posting.onPolled?.();
			await after(Math.max(leastRetryMs, retryMs));
			current.reply = await fetchRest(lastId);
			if (current.late) {
				current.reply.abort();
				throw current.late;
			}
			if (current.reply.status !== 200) {
				current.reply.drop();
				return undefined;
			}
		}
	};

	/** One clock over the whole answer since `begun`: a server that drips, or answers in parts, is late all the same. */
	const within = async <T>({timeoutMs, isHeld}: Posting, begun: number, current: Current, reading: Promise<T>): Promise<T> => {
		const overdue = Promise.withResolvers<never>();
		const late = (): void => {
			if (isHeld?.()) {
				timer = setTimeout(late, timeoutMs);
				return;
			}
			current.late = new GatewayError('upstream_timeout', `The MCP server "${name}" did not answer within ${timeoutMs} ms.`);
			current.reply.abort(current.late);
			overdue.reject(current.late);
		};
		let timer = setTimeout(late, begun + timeoutMs - performance.now());
		try {
			return await Promise.race([reading, overdue.promise]);
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

	/** Reads a stream until it ends. */
	const stay = async (
		reply: Reply,
		{onOpen, headers}: Posting,
		onMessage: (message: Message) => void,
		place: Place,
	): Promise<StreamEnd> => {
		const {status} = reply;
		if (status !== 200 || !isStream(reply)) {
			reply.drop();
			if (status === 405 || status === 501) return 'missing';
			if (status === 404) return 'forgotten';
			throw new GatewayError('upstream_failed', `The MCP server "${name}" gave no stream (${status}).`);
		}
		const take = (message: Message): boolean => {
			onMessage(message);
			return false;
		};
		onOpen?.();
		await streamed(reply, {place, shown: site.shownIn(headers), isBorne: openDam(maxBytes)}, take);
		return 'ended';
	};

	return {
		async post(message, id, posting, onMessage) {
			const begun = performance.now();
			const reply = await site.post(message, posting, 'calls');
			if (id === undefined || reply.status === 202) {
				reply.drop();
				return {status: reply.status, sessionId: idOf(reply), answer: undefined};
			}
			const current = {reply};
			const answer = await within(posting, begun, current, read(current, id, posting, onMessage));
			return {status: reply.status, sessionId: idOf(reply), answer};
		},

		async listen(posting, onMessage, place = {retryMs: firstRetryMs}) {
			return stay(await listenTo(place.lastId, posting, 'streams'), posting, onMessage, place);
		},

		async follow(message, posting, onMessage) {
			const reply = await site.post(message, posting, 'streams');
			// An answer in the place of the stream: it knows no such request.
			if (!isJson(reply) || reply.status >= 500) return stay(reply, posting, onMessage, {retryMs: firstRetryMs});
			reply.drop();
			return 'missing';
		},

		drop(headers) {
			site.delete(headers, 2_000).then(
				reply => reply.drop(),
				// It ends by itself, some day.
				() => undefined,
			);
		},

		close: site.close,
	};
};
