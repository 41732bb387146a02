import type {Channel} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import {type HoldBack, holdBack} from '../upstream/hold-back.ts';
import {isLastEvent, type SseEvent, sseParser} from '../upstream/sse.ts';
import type {Asked} from './asked.ts';
import {type Gather, openBatch} from './batch.ts';
import {channelOfDelta} from './channels.ts';
import {openClearing} from './clearing.ts';
import type {StreamUsage} from './dialects/dialect.ts';
import {eventsAgain} from './events-again.ts';
import {isObject, type JsonObject} from './json.ts';
import {heard, joined, type Piece} from './pieces.ts';
import {openToolGate, type ToolGate} from './tool-gate.ts';
import {guardOf} from './window-guard.ts';

/** A stream somebody looks at: events in, and out comes what every guard has cleared. */
export type Watch = {
	push(chunk: Buffer): Piece;
	/** The upstream has ended: its last event may lack the blank line behind it. */
	end(): Piece;
	/** Takes what goes out between two chunks, because it has waited long enough; nobody waits for it when the stream has ended. */
	onFlush(put: (piece: Piece) => void): void;
	/** The closing bytes: what was held back, then the last event. Rejects where a guard refuses the rest. */
	close(): Promise<string>;
	/** Nothing is flushed from now on. */
	stop(): void;
	/** Somebody else than the client decides what goes on. */
	readonly isGuarded: boolean;
	/** The stream's last event has come. */
	ended(): boolean;
	/** All text so far, by channel, for plugins that read it at the end. */
	text(): readonly string[];
	/** Where each of those came from. */
	channels(): readonly Channel[];
};

const mostTextChars = 4_000_000;

/** Undefined when nobody looks: then the bytes can pass as they are. */
export const openWatch = (gateway: Gateway, exchange: Exchange, asked: Asked, usage: StreamUsage): Watch | undefined => {
	const {hooks} = gateway;
	const {dialect, hidesUsage} = asked;
	const members = hooks.windows(exchange);
	exchange.windowed = true;
	const gathers = hooks.reads('post-response', 'text[]', exchange);
	const gate = hooks.listens('on-tool-call', exchange) ? openToolGate(gateway, exchange, dialect, () => shown()) : undefined;
	if (members.length === 0 && !gathers && !gate && !hidesUsage) return undefined;

	const clearing = openClearing(() => held);
	const guards = members.map(member => guardOf(gateway, exchange, member, clearing.carries));
	const held: HoldBack = holdBack(guards);
	const isGuarded = members.some(({mode}) => mode === 'enforce');
	const isObserved = guards.length > 0 && !isGuarded;
	/** Who only looks on changes nothing: the bytes pass, when they have been seen. */
	let observes = isObserved;
	/** Others have always been shown everything. */
	const waits = isGuarded && guards.some(({chars}) => chars > 0);
	const texts = new Map<string, string[]>();
	let gathered = 0;
	let ended = false;
	let tail = '';
	/** What goes out of the chunk that is read. */
	let pieces: Piece[] = [];
	let batch: JsonObject[] = [];
	let timer: NodeJS.Timeout | undefined;
	let put: ((piece: Piece) => void) | undefined;

	const gather: Gather = channel => {
		const words = texts.get(channel) ?? [];
		texts.set(channel, words);
		const at = words.push('') - 1;
		return text => {
			gathered += text.length;
			if (gathered > mostTextChars)
				throw new GatewayError('upstream_too_large', 'The answer is longer than the plugins that read it whole can take.');
			words[at] = text;
		};
	};

	const said = (): [string, string][] =>
		[...texts].map(([channel, words]): [string, string] => [channel, words.join('')]).filter(([, text]) => text !== '');

	const again = eventsAgain(dialect);
	const {pass, flush} = openBatch(dialect, clearing, isGuarded && gathers ? gather : () => () => undefined, again);

	const take = ({raw, data, event}: SseEvent): void => {
		const json = again.read(data);
		if (json) usage.see(json);
		if (isObject(json?.error) || event === 'error')
			throw new GatewayError('upstream_failed', 'The provider broke off its answer with an error.');
		if (!json) {
			// Whoever decides about the answer must have read all of it; one who only looks on breaks nothing, and no client can read it either.
			if (!isObserved || gate) throw new GatewayError('upstream_malformed', 'The provider sent an event that is not a JSON object.');
			pieces.push(raw.toString(), blind());
			return;
		}
		const shows = hidesUsage && 'usage' in json;
		if (shows && isObject(json.usage) && Array.isArray(json.choices) && json.choices.length === 0) return;
		if (shows) delete json.usage;
		if (isGuarded) {
			batch.push(json);
			return;
		}
		if (gathers) for (const {channel, text} of dialect.deltasOf(json)) gather(channel)(text);
		pieces.push(shows ? again.event(json) : raw.toString());
		if (observes) batch.push(json);
	};

	let arrived: SseEvent[] = [];
	const parser = sseParser(event => void arrived.push(event), {
		// Comments keep the connection alive; what they say is nobody's business.
		onSkipped: () => void pieces.push(':\n\n'),
	});

	/** What guards find before a tool call may taint the exchange, and so decide about the call: nothing of it is left unseen. */
	const shown = async (): Promise<void> => {
		if (!isGuarded) return;
		const events = batch;
		batch = [];
		if (events.length > 0) pieces.push(await pass(events, false));
		held.hurry();
		pieces.push(await flush());
	};

	const finishWith = (event: SseEvent): void => {
		ended = true;
		// Nobody has looked at what else stands in it.
		if (!isGuarded && !gate) tail = event.raw.toString();
		else tail = dialect.name === 'anthropic' ? dialect.event({type: 'message_stop'}) : 'data: [DONE]\n\n';
	};

	const gated = async (events: readonly SseEvent[], tools: ToolGate): Promise<string> => {
		for (const event of events) {
			if (ended) break;
			for (const passed of await tools.take(event, isLastEvent(event))) {
				if (isLastEvent(passed)) finishWith(passed);
				else take(passed);
			}
		}
		return taken();
	};

	/** What is no answer that guards could pass on is one all the same for a client, where they only look on; they have not seen the rest. */
	const blind = (): string => {
		observes = false;
		for (const {plugin} of members)
			if (!exchange.rulings.some(ruling => ruling.plugin === plugin.name && ruling.verdict === 'failed'))
				exchange.rulings.push({plugin: plugin.name, hook: 'post-response', verdict: 'failed', mode: 'observe'});
		return '';
	};

	const observed = (events: readonly JsonObject[]): Piece => {
		try {
			const seen = pass(events, ended);
			return typeof seen === 'string' ? '' : heard(seen.then(() => '', blind));
		} catch {
			return blind();
		}
	};

	/** What goes on of the events that have been taken. */
	const taken = (): Piece => {
		const events = batch;
		batch = [];
		if (isGuarded && (events.length > 0 || ended)) pieces.push(pass(events, ended));
		if (observes) pieces.push(observed(events));
		const out = pieces;
		pieces = [];
		return joined(out);
	};

	const read = (events: readonly SseEvent[]): Piece => {
		if (gate) return heard(gated(events, gate));
		for (const event of events) {
			if (ended) break;
			if (isLastEvent(event)) finishWith(event);
			else take(event);
		}
		return taken();
	};

	/** Sets the clock for what waits now. */
	const wait = (): void => {
		clearTimeout(timer);
		timer = undefined;
		const ms = waits && put && !ended ? held.dueInMs() : undefined;
		if (ms !== undefined) timer = setTimeout(onTime, ms);
	};

	const onTime = (): void => {
		timer = undefined;
		settle(flush, piece => put?.(piece));
	};

	/** Does `work`, hands on what comes of it, and sets the clock again when it is there. */
	const settle = (work: () => Piece, hand: (piece: Piece) => void): void => {
		let out: Piece;
		try {
			out = work();
		} catch (thrown) {
			hand(Promise.reject(thrown));
			return;
		}
		hand(out);
		if (typeof out === 'string') wait();
		// What it rejects with is for whoever was handed it.
		else out.then(wait, () => undefined);
	};

	return {
		isGuarded: isGuarded || gathers,
		push(chunk) {
			clearTimeout(timer);
			arrived = [];
			parser.push(chunk);
			const out = read(arrived);
			if (typeof out === 'string') wait();
			else if (waits) out.then(wait, () => undefined);
			return out;
		},
		end() {
			const event = ended ? undefined : parser.end();
			return event && isLastEvent(event) ? read([event]) : '';
		},
		onFlush(given) {
			put = given;
		},
		async close() {
			return tail;
		},
		stop() {
			put = undefined;
			clearTimeout(timer);
		},
		ended: () => ended,
		text: () => said().map(([, text]) => text),
		channels: () => said().map(([channel]) => channelOfDelta(channel)),
	};
};
