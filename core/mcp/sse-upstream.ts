import {randomUUID} from 'node:crypto';
import {setTimeout as after} from 'node:timers/promises';
import {GatewayError} from '../errors.ts';
import type {JsonObject} from '../llm/json.ts';
import {openDam} from './dam.ts';
import {type Message, rpcCodes} from './rpc.ts';
import {isStream, type Site} from './site.ts';
import {endpointIn, openPendingAnswers, type PendingAnswers} from './sse-upstream-answers.ts';
import type {Answered, Posting, Wire} from './wire.ts';

type Heard = (message: Message) => void;
type Headers = Posting['headers'];

/** One stream of one owner's, on which everything comes that its server says. */
type Life = {
	id: string;
	/** Where to send to. */
	path: string;
	pending: PendingAnswers;
	/** What it may not say. */
	shown: Set<string>;
	/** What was sent last with, for what is answered here. */
	headers: Headers;
	listener?: Heard | undefined;
	ended: Promise<void>;
	end(): void;
};

export type OldWire = Wire & {
	/** Whether a session is of this transport. */
	owns(headers: Headers): boolean;
};

const sessionHeader = 'mcp-session-id';
const briefMs = 5_000;
const mostDeclining = 20;
/** The status of who does not know the stream, and has done nothing. */
const forgotten = 404;
/** How long after the end of a stream it may still say so. */
const graceMs = 250;

const without = ({[sessionHeader]: _, ...headers}: Headers): Headers => headers;

/**
 * A server of the HTTP+SSE transport of 2024-11-05: `initialize` opens a stream, whose first event says where to send to, and which is the
 * session from then on. The session's id is this wire's own and goes nowhere; a stream that has ended is a session that nobody knows (404).
 */
export const openOldWire = (site: Site): OldWire => {
	const {name} = site;
	const mark = `stream:${randomUUID()}:`;
	const lives = new Map<string, Life>();
	let ids = 0;
	let declining = 0;

	const lifeOf = (headers: Headers): Life | undefined => lives.get(headers[sessionHeader] ?? '');
	const gone = (): GatewayError => new GatewayError('upstream_failed', `The MCP server "${name}" has ended its stream.`);

	/** What nobody is there to answer: a server that asks whether somebody is has to hear so. */
	const decline = ({path, headers}: Life, {id, method}: Extract<Message, {kind: 'request'}>): void => {
		// Whoever asks faster than it takes answers is left without.
		if (declining >= mostDeclining) return;
		declining += 1;
		const error = {code: rpcCodes.unknownMethod, message: 'This client does not offer that.'};
		const answer: JsonObject = method === 'ping' ? {id, result: {}} : {id, error};
		site
			.post(answer, {waiting: {left: false}, headers, timeoutMs: briefMs}, 'calls', path)
			.then(
				reply => reply.drop(),
				// A server that cannot be told goes on without.
				() => undefined,
			)
			.finally(() => {
				declining -= 1;
			});
	};

	const heard = (life: Life, message: Message): void => {
		if (message.kind === 'answer') {
			// Of nobody's any more, who left or waited too long.
			life.pending.answered(message);
			return;
		}
		const whose = life.pending.meantBy(message);
		if (whose) whose(message);
		else if (life.listener) life.listener(message);
		else if (message.kind === 'request') decline(life, message);
	};

	/** Undefined where there is no stream. Rejects with `upstream_malformed` where it does not say, on the same origin, where to send to. */
	const begin = async (posting: Posting): Promise<Life | undefined> => {
		const headers = without(posting.headers);
		const reply = await site.get({...posting, headers, waiting: {left: false}}, 'streams');
		if (reply.status !== 200 || !isStream(reply)) {
			reply.drop();
			return undefined;
		}
		const ended = Promise.withResolvers<void>();
		const opened = Promise.withResolvers<Life>();
		const life: Life = {
			id: `${mark}${++ids}`,
			path: '',
			pending: openPendingAnswers(),
			shown: new Set(site.shownIn(headers)),
			headers,
			ended: ended.promise,
			end: () => reply.abort(gone()),
		};
		const over = (why: unknown): void => {
			lives.delete(life.id);
			opened.reject(why);
			life.pending.failed(why);
			ended.resolve();
		};
		const timer = setTimeout(() => {
			reply.abort(
				new GatewayError('upstream_timeout', `The MCP server "${name}" did not say within ${posting.timeoutMs} ms where to send to.`),
			);
		}, posting.timeoutMs);
		const onEvent = ({event = 'message', data}: {event?: string; data: string}): boolean => {
			if (life.path === '') {
				if (event !== 'endpoint') throw site.malformed('does not say first where to send to');
				life.path = endpointIn(site, data);
				lives.set(life.id, life);
				opened.resolve(life);
			} else if (event === 'endpoint') throw site.malformed('says twice where to send to');
			else if (event === 'message' && data !== '') heard(life, site.messageIn(Buffer.from(data), [...life.shown]));
			return false;
		};
		site.events(reply, {onEvent, isBorne: openDam(site.maxBytes)}).then(() => over(gone()), over);
		try {
			return await opened.promise;
		} finally {
			clearTimeout(timer);
		}
	};

	const say = async (life: Life, message: JsonObject, id: number | undefined, posting: Posting, onMessage: Heard): Promise<Answered> => {
		const {waiting, timeoutMs, isHeld} = posting;
		const headers = without(posting.headers);
		life.headers = headers;
		for (const secret of site.shownIn(headers)) life.shown.add(secret);
		const sent = site.post(message, {...posting, headers}, 'calls', life.path).then(reply => {
			reply.drop();
			return reply.status;
		});
		if (id === undefined) return {status: await sent, sessionId: life.id, answer: undefined};

		const answer = life.pending.of(id, onMessage);
		const answered = answer.promise.catch(async why => {
			// Sent when the stream was over already, it was not carried out.
			if ((await Promise.race([sent.catch(() => undefined), after(graceMs, undefined, {ref: false})])) === forgotten) return forgotten;
			throw why;
		});
		const left = (): void => answer.failed(new GatewayError('client_closed', 'The client left before the answer.'));
		const late = (): void => {
			if (isHeld?.()) timer = setTimeout(late, timeoutMs);
			else answer.failed(new GatewayError('upstream_timeout', `The MCP server "${name}" did not answer within ${timeoutMs} ms.`));
		};
		let timer = setTimeout(late, timeoutMs);
		try {
			// Some servers confirm a request when they have answered it.
			const first = await Promise.race([answered, sent]);
			if (first === forgotten) life.end();
			if (typeof first !== 'number') return {status: 200, sessionId: life.id, answer: first};
			if (first >= 400) return {status: first, sessionId: life.id, answer: undefined};
			if (waiting.left) left();
			waiting.onLeft = left;
			return {status: first, sessionId: life.id, answer: await answer.promise};
		} finally {
			sent.catch(() => undefined);
			clearTimeout(timer);
			answer.over();
			if (waiting.onLeft === left) waiting.onLeft = undefined;
		}
	};

	const hello = async (message: JsonObject, id: number | undefined, posting: Posting, onMessage: Heard): Promise<Answered> => {
		const life = await begin(posting);
		if (!life) return {status: 405, sessionId: undefined, answer: undefined};
		let isGreeted = false;
		try {
			const answered = await say(life, message, id, posting, onMessage);
			isGreeted = answered.answer?.result !== undefined;
			return answered;
		} finally {
			if (!isGreeted) life.end();
		}
	};

	return {
		owns: headers => headers[sessionHeader]?.startsWith(mark) ?? false,
		isGone: headers => headers[sessionHeader] !== undefined && !lifeOf(headers),
		async post(message, id, posting, onMessage) {
			if (message.method === 'initialize') return hello(message, id, posting, onMessage);
			const life = lifeOf(posting.headers);
			return life ? say(life, message, id, posting, onMessage) : {status: forgotten, sessionId: undefined, answer: undefined};
		},
		async listen({headers, waiting, onOpen}, onMessage) {
			const life = lifeOf(headers);
			if (!life) throw gone();
			if (waiting.left) return 'ended';
			life.listener = onMessage;
			const left = new Promise<void>(resolve => {
				waiting.onLeft = resolve;
			});
			onOpen?.();
			await Promise.race([left, life.ended]);
			if (life.listener === onMessage) life.listener = undefined;
			return 'ended';
		},
		follow: async () => 'missing',
		drop: headers => lifeOf(headers)?.end(),
		async close() {
			for (const life of lives.values()) life.end();
			await site.close();
		},
	};
};
