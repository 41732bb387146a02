import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {SseEvent} from '../upstream/sse.ts';
import type {Dialect} from './dialects/dialect.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';
import {askToolCall} from './tool-calls.ts';

/** A piece of a tool call in one event of a stream. */
type Fragment = {call: string; name?: string; arguments?: string; set(text: string): void};

type Growing = {name: string; text: string; fragments: Fragment[]};

/** Keeps a stream's tool calls back until they are whole and on-tool-call has let them pass. */
export type ToolGate = {
	/** The events that may go on now, in order. Rejects with GatewayError where a call is refused. */
	take(event: SseEvent, isLast: boolean): Promise<SseEvent[]>;
};

const mostHeldChars = 8_000_000;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** OpenAI: `choices[].delta.tool_calls[]`, pieces of one call sharing an index. */
const openaiFragments = (event: JsonObject): Fragment[] =>
	objectsOf(event.choices).flatMap(([, choice]) => {
		const delta = isObject(choice.delta) ? choice.delta : {};
		return objectsOf(delta.tool_calls).map(([place, call]): Fragment => {
			const inner = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : {};
			return {
				call: `${String(choice.index)}.${String(call.index ?? place)}`,
				name: text(inner.name),
				arguments: text(inner.arguments),
				set(words) {
					inner.arguments = words;
				},
			};
		});
	});

/** Anthropic: a `tool_use` block begins with the name; `input_json_delta` events bring its input. */
const anthropicFragments = (event: JsonObject): Fragment[] => {
	const call = String(event.index);
	const block = isObject(event.content_block) ? event.content_block : {};
	const delta = isObject(event.delta) ? event.delta : {};
	if (block.type === 'tool_use') return [{call, name: text(block.name), set: () => undefined}];
	if (delta.type !== 'input_json_delta') return [];
	return [
		{
			call,
			arguments: text(delta.partial_json),
			set(words) {
				delta.partial_json = words;
			},
		},
	];
};

const endsCalls = (dialect: Dialect, event: JsonObject): boolean =>
	dialect.name === 'anthropic' ? event.type === 'message_delta' : objectsOf(event.choices).some(([, {finish_reason}]) => typeof finish_reason === 'string');

/** Opens the gate for one stream: events pass until the first piece of a tool call, and then wait until all calls are whole. */
export const openToolGate = (gateway: Gateway, exchange: Exchange, dialect: Dialect): ToolGate => {
	const fragmentsOf = dialect.name === 'anthropic' ? anthropicFragments : openaiFragments;
	const calls = new Map<string, Growing>();
	let held: {event: SseEvent; json?: JsonObject}[] = [];
	let chars = 0;

	const grow = (fragment: Fragment): void => {
		const call = calls.get(fragment.call) ?? {name: '', text: '', fragments: []};
		calls.set(fragment.call, call);
		call.name += fragment.name ?? '';
		call.text += fragment.arguments ?? '';
		if (fragment.arguments !== undefined) call.fragments.push(fragment);
	};

	const release = async (): Promise<SseEvent[]> => {
		for (const {name, text: words, fragments} of calls.values()) {
			const args = await askToolCall(gateway, exchange, name, words);
			if (!args) continue;
			for (const [index, fragment] of fragments.entries()) fragment.set(index === 0 ? JSON.stringify(args) : '');
		}
		const events = held.map(({event, json}) => (json ? {...event, data: JSON.stringify(json), raw: Buffer.from(dialect.event(json))} : event));
		calls.clear();
		held = [];
		chars = 0;
		return events;
	};

	return {
		async take(event, isLast) {
			if (isLast) return calls.size > 0 ? [...(await release()), event] : [event];
			let json: unknown;
			try {
				json = JSON.parse(event.data);
			} catch {
				return [event];
			}
			if (!isObject(json)) return [event];
			const fragments = fragmentsOf(json);
			fragments.forEach(grow);
			if (calls.size === 0) return [event];
			chars += event.data.length;
			if (chars > mostHeldChars) throw new GatewayError('upstream_too_large', 'The tool calls of this answer are too long to be checked.');
			held.push({event, ...(fragments.length > 0 && {json})});
			return endsCalls(dialect, json) ? release() : [];
		},
	};
};
