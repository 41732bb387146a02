import {GatewayError} from '../errors.ts';
import type {SseEvent} from '../upstream/sse.ts';
import {inputOfArguments} from './dialects/custom-calls.ts';
import type {Dialect} from './dialects/dialect.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';

/** A piece of a tool call in one event of a stream. */
export type Fragment = {
	/** The same for all pieces of a call: `<choice>.<call>`. */
	call: string;
	/** Where it brings its arguments: of a custom tool it is any text. */
	kind?: 'arguments' | 'input';
	name?: string;
	/** Of the arguments. */
	text?: string;
	/** The whole arguments, where a provider sends them with the name. */
	input?: JsonObject;
	/** Makes this piece bring other arguments, or none. */
	set(args: JsonObject | undefined): void;
};

export const malformed = (what: string): GatewayError =>
	new GatewayError('upstream_malformed', `The provider asks for a tool call ${what}.`);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const textOf = (args: JsonObject | undefined): string => (args ? JSON.stringify(args) : '');

const openaiFragment = (call: string, holder: JsonObject, field: 'arguments' | 'input'): Fragment => ({
	call,
	kind: field,
	name: text(holder.name),
	text: text(holder[field]),
	set(args) {
		holder[field] = args && field === 'input' ? inputOfArguments(args) : textOf(args);
	},
});

/** OpenAI: `choices[].delta.tool_calls[]`, pieces of one call sharing an index, and the older `function_call`. */
const openaiFragments = (event: JsonObject): Fragment[] =>
	objectsOf(event.choices).flatMap(([place, choice]) => {
		const delta = isObject(choice.delta) ? choice.delta : {};
		const number = String(choice.index ?? place);
		const fragments = objectsOf(delta.tool_calls).map(([at, call]): Fragment => {
			const name = `${number}.${String(call.index ?? at)}`;
			if (isObject(call.custom) && isObject(call.function)) throw malformed('of two kinds');
			if (isObject(call.custom)) return openaiFragment(name, call.custom, 'input');
			if (isObject(call.function)) return openaiFragment(name, call.function, 'arguments');
			return {call: name, set: () => undefined};
		});
		return isObject(delta.function_call)
			? [...fragments, openaiFragment(`${number}.function_call`, delta.function_call, 'arguments')]
			: fragments;
	});

/**
 * Anthropic: a `tool_use` block begins with the name, and `input_json_delta` events bring its input. They bring that of other blocks too, such
 * as the calls of the provider's own tools, which are nobody's to judge: it has made them already.
 */
const anthropicFragments = () => {
	/** SDKs find a block by its place among those that have begun; a number that is another would name another block. */
	let begun = 0;
	const calls = new Set<unknown>();
	const others = new Set<unknown>();

	const fragmentOf = (event: JsonObject, delta: JsonObject): Fragment => ({
		call: `0.${String(event.index)}`,
		text: text(delta.partial_json),
		set(args) {
			delta.partial_json = textOf(args);
		},
	});

	const callOf = (index: unknown, block: JsonObject): Fragment => ({
		call: `0.${String(index)}`,
		name: text(block.name),
		input: isObject(block.input) && Object.keys(block.input).length > 0 ? block.input : undefined,
		set(args) {
			block.input = args ?? {};
		},
	});

	return (event: JsonObject): Fragment[] => {
		const {type, index, message, content_block: block, delta} = event;
		if (isObject(message) && Array.isArray(message.content)) {
			begun += message.content.length;
			if (objectsOf(message.content).some(([, {type}]) => type === 'tool_use')) throw malformed('before its answer has begun');
		}
		const isInPlace = type === 'content_block_start' && index === begun;
		if (type === 'content_block_start') begun++;
		if (isObject(block)) {
			if (block.type !== 'tool_use') {
				if (isInPlace) others.add(index);
				return [];
			}
			if (!isInPlace) throw malformed('in a place that is not its own');
			calls.add(index);
			return [callOf(index, block)];
		}
		if (!isObject(delta) || delta.type !== 'input_json_delta' || others.has(index)) return [];
		if (!calls.has(index)) throw malformed('that has not begun');
		return [fragmentOf(event, delta)];
	};
};

/** Reads the events of one stream, in their order. Throws `upstream_malformed` where clients could take a call for another. */
export const fragmentsIn = ({name}: Dialect): ((event: JsonObject) => Fragment[]) =>
	name === 'anthropic' ? anthropicFragments() : openaiFragments;

/**
 * Whether clients could read something else in an event than its fragments, so that it has to be written anew: under another name than its type,
 * or with calls in the `message` that some servers say beside each piece, which is taken out.
 */
export const unlikeItsPieces = ({name}: Dialect, {event}: SseEvent, json: JsonObject): boolean => {
	if (name === 'anthropic') return event !== json.type;
	let isUnlike = false;
	for (const [, choice] of objectsOf(json.choices)) {
		if (!isObject(choice.message) || !('tool_calls' in choice.message || 'function_call' in choice.message)) continue;
		delete choice.message;
		isUnlike = true;
	}
	return isUnlike;
};
