import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {SseEvent} from '../upstream/sse.ts';
import {inputAsArguments} from './dialects/custom-calls.ts';
import type {Dialect} from './dialects/dialect.ts';
import {asksForCalls, breaksOff} from './dialects/endings.ts';
import {encodeBody} from './encode.ts';
import {exactly} from './exact.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';
import {parseJson} from './parse.ts';
import {isWhole, judgeToolCall} from './tool-calls.ts';
import {type Fragment, fragmentsIn, malformed, unlikeItsPieces} from './tool-fragments.ts';

/** `instead`: the events that go on for it. */
type Held = {event: SseEvent; json: JsonObject; edited: boolean; instead?: JsonObject[]};
type Growing = {name: string; kind?: Fragment['kind']; pieces: {fragment: Fragment; held: Held}[]; whole: boolean; cut: boolean};
/** Of one choice: how many of its calls have gone on, the number that none of them has, and whether one was denied. */
type Gone = {calls: number; next: number; denied: boolean};

/** Keeps a stream's tool calls back until they are whole and on-tool-call has let them pass. */
export type ToolGate = {
	/** The events that may go on now, in order. Rejects with GatewayError where a call is refused. */
	take(event: SseEvent, isLast: boolean): Promise<SseEvent[]>;
};

const mostHeldChars = 8_000_000;
/** Whoever asks for more of them is not answering a question. */
const mostCalls = 10_000;

/** Calls whose names begin with one of these get nothing more from this event on. */
const endsCalls = (dialect: Dialect, event: JsonObject): {prefix: string; cut: boolean}[] => {
	if (dialect.name === 'anthropic') {
		const reason = isObject(event.delta) ? event.delta.stop_reason : undefined;
		return event.type === 'message_delta' ? [{prefix: '0.', cut: breaksOff.has(reason)}] : [];
	}
	return objectsOf(event.choices).flatMap(([place, {index, finish_reason}]) =>
		// Some servers say '' in every chunk.
		typeof finish_reason === 'string' && finish_reason !== ''
			? [{prefix: `${String(index ?? place)}.`, cut: breaksOff.has(finish_reason)}]
			: [],
	);
};

/**
 * Writes into an event what it says of choices that have lost calls: without any call left they end as choices that had none, and probabilities
 * would say the words of calls. Answers whether it is another now.
 */
const settle = (dialect: Dialect, event: JsonObject, gone: ReadonlyMap<string, Gone>): boolean => {
	const hasNone = (choice: string): boolean => gone.get(choice)?.denied === true && gone.get(choice)?.calls === 0;
	if (dialect.name === 'anthropic') {
		const {type, delta} = event;
		if (type !== 'message_delta' || !isObject(delta) || !asksForCalls.has(delta.stop_reason) || !hasNone('0')) return false;
		delta.stop_reason = 'end_turn';
		return true;
	}
	let isOther = false;
	for (const [place, choice] of objectsOf(event.choices)) {
		const number = String(choice.index ?? place);
		if (!gone.get(number)?.denied) continue;
		const ends = asksForCalls.has(choice.finish_reason) && hasNone(number);
		if (ends) choice.finish_reason = 'stop';
		isOther ||= ends || Boolean(choice.logprobs);
		choice.logprobs &&= null;
	}
	return isOther;
};

/** The input of a call that came whole, with its numbers as they were written. */
const inputIn = ({data}: SseEvent): unknown => {
	const {content_block: block} = exactly(data) as JsonObject;
	return isObject(block) ? block.input : undefined;
};

/** What all clients take the arguments to be: two places that say them would be read differently. */
const argumentsText = ({kind, pieces}: Growing): string => {
	const words = pieces.map(({fragment}) => fragment.text ?? '').join('');
	const inOne = pieces.find(({fragment}) => fragment.input);
	if (inOne && words !== '') throw malformed('with its arguments twice');
	if (inOne) return JSON.stringify(inputIn(inOne.held.event));
	return kind === 'input' ? inputAsArguments(words) : words;
};

/**
 * Opens the gate for one stream: events pass until the first piece of a tool call, and then wait until all calls are whole. `shown` resolves when
 * guards have seen what came before, and is waited for before a call is judged.
 */
export const openToolGate = (gateway: Gateway, exchange: Exchange, dialect: Dialect, shown: () => Promise<void>): ToolGate => {
	const fragmentsOf = fragmentsIn(dialect);
	const calls = new Map<string, Growing>();
	/** Clients would put what follows behind what has been judged. */
	const judged = new Set<string>();
	const gone = new Map<string, Gone>();
	let waiting: (Held | SseEvent)[] = [];
	let chars = 0;

	const grow = (fragment: Fragment, held: Held): void => {
		if (judged.has(fragment.call)) throw malformed('that it had ended');
		const call: Growing = calls.get(fragment.call) ?? {name: '', pieces: [], whole: false, cut: false};
		calls.set(fragment.call, call);
		if (fragment.name && call.name && fragment.name !== call.name) throw malformed('by two names');
		if (fragment.kind && call.kind && fragment.kind !== call.kind) throw malformed('of two kinds');
		call.name ||= fragment.name ?? '';
		call.kind ??= fragment.kind;
		call.whole = false;
		call.pieces.push({fragment, held});
	};

	const rewrite = ({pieces}: Growing, args: JsonObject | undefined): void => {
		const bringing = pieces.filter(({fragment}) => fragment.text !== undefined);
		const [first, ...others] = bringing.length > 0 ? bringing : pieces;
		for (const {fragment, held} of [first!, ...others]) {
			fragment.set(fragment === first!.fragment ? args : undefined);
			held.edited = true;
		}
	};

	const goneOf = ({pieces}: Growing): Gone => {
		const {choice} = pieces[0]!.fragment;
		const known = gone.get(choice) ?? {calls: 0, next: 0, denied: false};
		gone.set(choice, known);
		return known;
	};

	const deny = (call: Growing, words: string): void => {
		goneOf(call).denied = true;
		for (const [at, {fragment, held}] of call.pieces.entries()) {
			held.instead = fragment.replace(at === 0 ? words : undefined);
			held.edited = true;
		}
	};

	/** Clients make a list of the calls by their numbers, which has no gap where one was denied. */
	const pass = (call: Growing): void => {
		const own = goneOf(call);
		const {number} = call.pieces[0]!.fragment;
		own.calls++;
		if (!number) return;
		const to = own.denied ? own.next : number.value;
		own.next = Math.max(own.next, to + 1);
		if (to === number.value) return;
		for (const {fragment, held} of call.pieces) {
			fragment.number?.set(to);
			held.edited = true;
		}
	};

	const released = (entry: Held | SseEvent): SseEvent[] => {
		if (!('edited' in entry)) return [entry];
		const {event, json, edited, instead = [json]} = entry;
		if (!settle(dialect, json, gone) && !edited) return [event];
		return instead.map(one => {
			const name = dialect.name === 'anthropic' ? String(one.type) : event.event;
			const exact = exactly(encodeBody(event.data, one).toString()) as JsonObject;
			return {event: name, data: JSON.stringify(exact), raw: Buffer.from(dialect.event(exact))};
		});
	};

	const release = async (): Promise<SseEvent[]> => {
		await shown();
		for (const [id, call] of calls) {
			if (judged.add(id).size > mostCalls) throw malformed('too often');
			const said = argumentsText(call);
			// Half of the arguments can be judged by nobody: what goes on is a call without any, and judged as that.
			const isHalf = call.cut && !isWhole(said);
			const {args, denied} = await judgeToolCall(gateway, exchange, call.name, isHalf ? '' : said);
			if (denied !== undefined) {
				deny(call, denied);
				continue;
			}
			if (isHalf || args) rewrite(call, args);
			pass(call);
		}
		const events = waiting.flatMap(released);
		calls.clear();
		waiting = [];
		chars = 0;
		return events;
	};

	const parsed = (data: string): JsonObject | undefined => {
		try {
			const json: unknown = parseJson(data);
			return isObject(json) ? json : undefined;
		} catch {
			// Whoever takes the event next says what is wrong with it.
			return undefined;
		}
	};

	return {
		async take(event, isLast) {
			if (isLast) return calls.size > 0 ? [...(await release()), event] : [event];
			const json = parsed(event.data);
			const held = json && {event, json, edited: unlikeItsPieces(dialect, event, json)};
			if (held) for (const fragment of fragmentsOf(held.json)) grow(fragment, held);
			if (calls.size === 0) return released(held ?? event);
			chars += event.data.length;
			if (chars > mostHeldChars) throw new GatewayError('upstream_too_large', 'The tool calls of this answer are too long to be checked.');
			waiting.push(held ?? event);
			const ended = json ? endsCalls(dialect, json) : [];
			for (const [name, call] of calls) {
				const end = ended.find(({prefix}) => name.startsWith(prefix));
				call.whole ||= end !== undefined;
				call.cut ||= end?.cut === true;
			}
			return [...calls.values()].every(({whole}) => whole) ? release() : [];
		},
	};
};
