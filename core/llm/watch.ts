import type {Channel} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Member} from '../hooks.ts';
import {type Guard, holdBack} from '../upstream/hold-back.ts';
import {type SseEvent, sseParser} from '../upstream/sse.ts';
import {responseFields} from './after.ts';
import type {Asked} from './asked.ts';
import {channelOfDelta} from './channels.ts';
import type {StreamUsage} from './dialects/dialect.ts';
import {isObject, type JsonObject} from './json.ts';
import {openToolGate, type ToolGate} from './tool-gate.ts';

type Piece = string | Promise<string>;

/** A stream somebody looks at: events in, and out comes what every guard has cleared. */
export type Watch = {
	push(chunk: Buffer): string | Promise<string>;
	/** The closing bytes: what was held back, then the last event. Rejects where a guard refuses the rest. */
	close(): Promise<string>;
	/** The stream's last event has come. */
	readonly ended: boolean;
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
	const guards = hooks.windows(exchange);
	exchange.windowed = true;
	const gathers = hooks.reads('post-response', 'text[]', exchange);
	const gate = hooks.listens('on-tool-call', exchange) ? openToolGate(gateway, exchange, dialect) : undefined;
	if (guards.length === 0 && !gathers && !gate && !hidesUsage) return undefined;

	const held = holdBack(
		guards.map(member => guardOf(gateway, exchange, member, number => (ofCalls.has(number) ? 'tool-arguments' : 'assistant'))),
	);
	/** The numbers of channels that are open. */
	const numbers = new Map<string, number>();
	let channels = 0;
	/** The numbers of those that carry tool calls. */
	const ofCalls = new Set<number>();
	const lastOf = new Map<string, JsonObject>();
	const texts = new Map<string, string>();
	let gathered = 0;
	let ended = false;
	let tail = '';
	let pieces: Piece[] = [];

	const numberOf = (channel: string): number => {
		const known = numbers.get(channel);
		if (known !== undefined) return known;
		numbers.set(channel, ++channels);
		return channels;
	};

	const gather = (channel: string, text: string): void => {
		gathered += text.length;
		if (gathered > mostTextChars)
			throw new GatewayError('upstream_too_large', 'The answer is longer than the plugins that read it whole can take.');
		texts.set(channel, (texts.get(channel) ?? '') + text);
	};

	const joined = (first: Piece, second: Piece): Piece =>
		typeof first === 'string' && typeof second === 'string' ? first + second : Promise.all([first, second]).then(both => both.join(''));

	/** Ends the channels an event closes and that it carries nothing for: what they held goes out before it. */
	const flush = (prefixes: string[], except: ReadonlySet<string>): void => {
		for (const [channel, number] of numbers) {
			if (except.has(channel) || !prefixes.some(prefix => channel.startsWith(prefix))) continue;
			numbers.delete(channel);
			const rest = held.finish(number);
			const last = lastOf.get(channel)!;
			const event = (text: string) => (text === '' ? '' : dialect.deltaEvent(channel, text, last));
			pieces.push(typeof rest === 'string' ? event(rest) : rest.then(event));
		}
	};

	/** Sends an event's strings through the guards; true when it has to be written anew. */
	const clear = (json: JsonObject): boolean => {
		if (guards.length === 0 && !gathers) return false;
		const deltas = dialect.deltasOf(json);
		const prefixes = dialect.endsChannels(json);
		if (gathers) for (const {channel, text} of deltas) gather(channel, text);
		if (guards.length === 0) return false;
		if (prefixes.length > 0) flush(prefixes, new Set(deltas.map(({channel}) => channel)));
		const waits: Promise<void>[] = [];
		for (const delta of deltas) {
			const ends = delta.whole || prefixes.some(prefix => delta.channel.startsWith(prefix));
			const number = delta.whole ? ++channels : numberOf(delta.channel);
			if (channelOfDelta(delta.channel) === 'tool-arguments') ofCalls.add(number);
			const pushed = held.push(number, delta.text);
			const out = ends ? joined(pushed, held.finish(number)) : pushed;
			if (ends) numbers.delete(delta.channel);
			lastOf.set(delta.channel, json);
			if (typeof out === 'string') delta.set(out);
			else waits.push(out.then(text => delta.set(text)));
		}
		if (waits.length === 0) pieces.push(dialect.event(json));
		else pieces.push(Promise.all(waits).then(() => dialect.event(json)));
		return true;
	};

	const through = ({raw, data, event}: SseEvent): void => {
		const json = parsed(data);
		usage.see(json);
		if (isObject(json.error) || event === 'error')
			throw new GatewayError('upstream_failed', 'The provider broke off its answer with an error.');
		const shows = hidesUsage && 'usage' in json;
		if (shows && isObject(json.usage) && Array.isArray(json.choices) && json.choices.length === 0) return;
		if (shows) delete json.usage;
		if (!clear(json)) pieces.push(shows ? dialect.event(json) : raw.toString());
	};

	let arrived: SseEvent[] = [];
	const parser = sseParser(event => void arrived.push(event), {
		// Comments keep the connection alive; what they say is nobody's business.
		onSkipped: () => void pieces.push(':\n\n'),
	});

	const isLast = ({data, event}: SseEvent): boolean => data === '[DONE]' || event === 'message_stop';

	const finishWith = (event: SseEvent): void => {
		flush([''], new Set());
		ended = true;
		// Nobody has looked at what else stands in it.
		if (guards.length === 0) tail = event.raw.toString();
		else tail = dialect.name === 'anthropic' ? dialect.event({type: 'message_stop'}) : 'data: [DONE]\n\n';
	};

	const gated = async (events: readonly SseEvent[], tools: ToolGate): Promise<string> => {
		for (const event of events) {
			if (ended) break;
			for (const passed of await tools.take(event, isLast(event))) {
				if (isLast(passed)) finishWith(passed);
				else through(passed);
			}
		}
		return taken();
	};

	const taken = (): string | Promise<string> => {
		const out = pieces;
		pieces = [];
		return out.every(piece => typeof piece === 'string') ? out.join('') : Promise.all(out).then(all => all.join(''));
	};

	return {
		push(chunk) {
			arrived = [];
			parser.push(chunk);
			if (gate) return gated(arrived, gate);
			for (const event of arrived) {
				if (ended) break;
				if (isLast(event)) finishWith(event);
				else through(event);
			}
			return taken();
		},
		async close() {
			return (await taken()) + tail;
		},
		get ended() {
			return ended;
		},
		text: () => [...texts.values()],
		channels: () => [...texts.keys()].map(channelOfDelta),
	};
};

const parsed = (data: string): JsonObject => {
	try {
		const json: unknown = JSON.parse(data);
		if (isObject(json)) return json;
	} catch {
		// Said below: an event no guard can read goes nowhere.
	}
	throw new GatewayError('upstream_malformed', 'The provider sent an event that is not a JSON object.');
};

const guardOf = ({hooks}: Gateway, exchange: Exchange, member: Member, from: (channel: number) => Channel): Guard => {
	const {chars, overlap} = member.plugin.manifest.hooks['post-response']!.window ?? {chars: 1_024, overlap: 256};
	return {
		name: member.plugin.name,
		chars,
		overlap,
		ask(channel, text, final) {
			const answer = hooks.askWindow(exchange, member, responseFields(exchange, {window: {channel, text, final, from: from(channel)}}));
			const clearance = (verdict: Awaited<typeof answer>) => {
				if (!verdict) return member.mode === 'observe' || final ? {clear: text.length} : {};
				const replacement = verdict.verdict === 'rewrite' ? verdict.patch.window : undefined;
				return {...(verdict.clear !== undefined && {clear: verdict.clear}), ...(replacement !== undefined && {replacement})};
			};
			return answer instanceof Promise ? answer.then(clearance) : clearance(answer);
		},
	};
};
