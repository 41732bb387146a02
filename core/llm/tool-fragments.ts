import {GatewayError} from '../errors.ts';
import type {SseEvent} from '../upstream/sse.ts';
import {inputOfArguments} from './dialects/custom-calls.ts';
import type {Dialect} from './dialects/dialect.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';

/** A piece of a tool call in one event of a stream. */
export type Fragment = {
	/** The same for all calls of one answer, where several are asked for. */
	choice: string;
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
	/** Takes this piece out of its event, for `words`, where they are given; answers what is left: the events in the place of this one. */
	replace(words: string | undefined): JsonObject[];
	/** The number of its call among those of the answer, where clients put them together by that. */
	number?: {value: number; set(to: number): void};
};

export const malformed = (what: string): GatewayError =>
	new GatewayError('upstream_malformed', `The provider asks for a tool call ${what}.`);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const textOf = (args: JsonObject | undefined): string => (args ? JSON.stringify(args) : '');

type Held = Pick<Fragment, 'kind' | 'name' | 'text' | 'set'>;

/** Of an object that has the name and the arguments, in the field `field`. */
const openaiHeld = (holder: JsonObject, field: 'arguments' | 'input'): Held => ({
	kind: field,
	name: text(holder.name),
	text: text(holder[field]),
	set(args) {
		holder[field] = args && field === 'input' ? inputOfArguments(args) : textOf(args);
	},
});

const openaiHeldBy = (call: JsonObject): Held => {
	if (isObject(call.custom) && isObject(call.function)) throw malformed('of two kinds');
	if (isObject(call.custom)) return openaiHeld(call.custom, 'input');
	return isObject(call.function) ? openaiHeld(call.function, 'arguments') : {set: () => undefined};
};

/** OpenAI: `choices[].delta.tool_calls[]`, pieces of one call sharing an index, and the older `function_call`. */
const openaiFragments = () => {
	/** Choices that have said something: what is said in the place of a call begins a paragraph. */
	const spoken = new Set<string>();

	const fragmentsOf = (event: JsonObject, place: number, choice: JsonObject): Fragment[] => {
		const delta = isObject(choice.delta) ? choice.delta : {};
		const number = String(choice.index ?? place);
		if (delta.content) spoken.add(number);

		const say = (words: string): void => {
			const said = text(delta.content) ?? '';
			delta.content = Array.isArray(delta.content)
				? [...delta.content, {type: 'text', text: words}]
				: `${said}${spoken.has(number) ? '\n\n' : ''}${words}`;
			spoken.add(number);
		};
		const left = (words: string | undefined): JsonObject[] => {
			if (words !== undefined) say(words);
			const isEmpty = Object.keys(delta).length === 0 && !choice.finish_reason && !event.usage && objectsOf(event.choices).length === 1;
			return isEmpty ? [] : [event];
		};

		const fragments = objectsOf(delta.tool_calls).map(([at, call]): Fragment => {
			const index = call.index ?? at;
			return {
				choice: number,
				call: `${number}.${String(index)}`,
				...openaiHeldBy(call),
				replace(words) {
					const others = objectsOf(delta.tool_calls).flatMap(([, other]) => (other === call ? [] : [other]));
					if (others.length > 0) delta.tool_calls = others;
					else delete delta.tool_calls;
					return left(words);
				},
				number: {
					value: Number.isSafeInteger(Number(index)) ? Number(index) : at,
					set(to) {
						call.index = to;
					},
				},
			};
		});
		if (!isObject(delta.function_call)) return fragments;
		const older: Fragment = {
			choice: number,
			call: `${number}.function_call`,
			...openaiHeld(delta.function_call, 'arguments'),
			replace(words) {
				delete delta.function_call;
				return left(words);
			},
		};
		return [...fragments, older];
	};

	return (event: JsonObject): Fragment[] => objectsOf(event.choices).flatMap(([place, choice]) => fragmentsOf(event, place, choice));
};

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
		choice: '0',
		call: `0.${String(event.index)}`,
		text: text(delta.partial_json),
		set(args) {
			delta.partial_json = textOf(args);
		},
		replace: () => [],
	});

	const callOf = (event: JsonObject, block: JsonObject): Fragment => ({
		choice: '0',
		call: `0.${String(event.index)}`,
		name: text(block.name),
		input: isObject(block.input) && Object.keys(block.input).length > 0 ? block.input : undefined,
		set(args) {
			block.input = args ?? {};
		},
		replace: words => [
			{...event, content_block: {type: 'text', text: '', citations: null}},
			{type: 'content_block_delta', index: event.index, delta: {type: 'text_delta', text: words}},
		],
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
			return [callOf(event, block)];
		}
		if (!isObject(delta) || delta.type !== 'input_json_delta' || others.has(index)) return [];
		if (!calls.has(index)) throw malformed('that has not begun');
		return [fragmentOf(event, delta)];
	};
};

/** Reads the events of one stream, in their order. Throws `upstream_malformed` where clients could take a call for another. */
export const fragmentsIn = ({name}: Dialect): ((event: JsonObject) => Fragment[]) =>
	name === 'anthropic' ? anthropicFragments() : openaiFragments();

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
