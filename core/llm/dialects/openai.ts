import type {Usage} from '../../../schemas/usage.ts';
import {GatewayError} from '../../errors.ts';
import {isObject, type JsonObject, objectsOf} from '../json.ts';
import {tiersOf} from '../usage-figures.ts';
import {readOpenaiUsage, searchesAlways, sureOfOpenai} from '../usage-openai.ts';
import {inputOnly} from '../usage-parts.ts';
import {inputAsArguments, inputOfArguments} from './custom-calls.ts';
import type {DeniedCall, Dialect, DialectOperation, OwnReply, RequestFacts, StreamUsage, ToolCall} from './dialect.ts';
import {asksForCalls, breaksOff} from './endings.ts';
import {readBoolean, readCount, readInput, readMessages, readModel, readObjectField, readParams, readTools} from './fields.ts';
import {mediaOf} from './media.ts';
import {deltaEvent, deltasOf, endsChannels, event} from './openai-stream.ts';

const errorBody = (error: GatewayError, exchangeId: string): JsonObject => {
	const {type, help} = error.facts;
	const {message, code, param = null, plugin, rule} = error;
	return {error: {message, type, code, param, plugin, rule, help, exchange: exchangeId}};
};

/** A later chunk's figures replace an earlier one's: providers that report in every chunk report running totals. */
const streamUsage = (): StreamUsage => {
	let last: JsonObject = {};
	return {
		see: event => {
			if (isObject(event.usage)) last = event;
		},
		usage: () => readOpenaiUsage(last),
		input: () => {
			const parts = readOpenaiUsage(last)?.parts;
			return parts && inputOnly(parts);
		},
		sure: () => sureOfOpenai(last),
	};
};

const embeddingFacts = (json: JsonObject): RequestFacts => ({
	model: readModel(json),
	stream: false,
	maxOutputTokens: 0,
	answers: 1,
	extraOutputTokens: 0,
	extraInputTokens: 0,
	mediaBytes: 0,
	messages: readInput(json),
	params: readParams(json),
	free: false,
	longCacheWrites: false,
	tiers: tiersOf(json.service_tier),
	counts: {},
	sounds: false,
});

const chatFacts = (json: JsonObject): RequestFacts => {
	const answers = readCount(json, 'n', 128) ?? 1;
	const most = [readCount(json, 'max_completion_tokens', 100_000_000), readCount(json, 'max_tokens', 100_000_000)];
	const named = most.filter(count => count !== undefined);
	const prediction = readObjectField(json, 'prediction');
	readObjectField(json, 'stream_options');
	const messages = readMessages(json);
	const model = readModel(json);
	const media = mediaOf(messages);
	return {
		model,
		stream: readBoolean(json, 'stream'),
		// With both given, providers differ in which one they heed.
		...(named.length > 0 && {maxOutputTokens: Math.max(...named) * answers}),
		answers,
		// Tokens of a rejected prediction are billed as output on top of the maximum.
		extraOutputTokens: prediction === undefined ? 0 : Buffer.byteLength(JSON.stringify(prediction)) * answers,
		extraInputTokens: media.tokens,
		mediaBytes: media.bytes,
		messages,
		tools: readTools(json),
		params: readParams(json),
		free: false,
		longCacheWrites: false,
		tiers: tiersOf(json.service_tier),
		counts: json.web_search_options !== undefined || searchesAlways(model) ? {webSearches: answers} : {},
		sounds: media.sounds || speaks(json),
	};
};

/** Asks for an answer that is spoken. */
const speaks = ({audio, modalities}: JsonObject): boolean => isObject(audio) || (Array.isArray(modalities) && modalities.includes('audio'));

const requestFacts = (operation: DialectOperation, json: JsonObject): RequestFacts => {
	// What is moderated is given like what is embedded, and nothing is produced either.
	if (operation === 'embeddings' || operation === 'moderations') return embeddingFacts(json);
	if (operation === 'chat') return chatFacts(json);
	throw new GatewayError('dialect_mismatch', `OpenAI's API has no operation "${operation}".`);
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `holder` has the name and the arguments, in the field `field`. */
const call = (id: unknown, holder: JsonObject, field: 'arguments' | 'input', path: readonly (string | number)[]): ToolCall => ({
	id: text(id),
	name: text(holder.name),
	argumentsText: field === 'input' ? inputAsArguments(text(holder[field])) : text(holder[field]),
	path: [...path, field],
});

const callsOfMessage = (message: JsonObject, path: readonly (string | number)[]): ToolCall[] => {
	const calls: ToolCall[] = [];
	for (const [index, item] of objectsOf(message.tool_calls)) {
		const at = [...path, 'tool_calls', index];
		if (isObject(item.function)) calls.push(call(item.id, item.function, 'arguments', [...at, 'function']));
		if (isObject(item.custom)) calls.push(call(item.id, item.custom, 'input', [...at, 'custom']));
	}
	if (isObject(message.function_call)) calls.push(call('', message.function_call, 'arguments', [...path, 'function_call']));
	return calls;
};

const toolCallsOf = (reply: JsonObject): ToolCall[] =>
	objectsOf(reply.choices).flatMap(([index, {message, finish_reason}]) => {
		const calls = isObject(message) ? callsOfMessage(message, ['choices', index, 'message']) : [];
		return breaksOff.has(finish_reason) ? calls.map(one => ({...one, cut: true})) : calls;
	});

const patchToolCall = (reply: JsonObject, {path}: ToolCall, newArguments: JsonObject | undefined): void => {
	const field = String(path.at(-1));
	let holder: unknown = reply;
	for (const key of path.slice(0, -1)) holder = Array.isArray(holder) ? holder[Number(key)] : isObject(holder) ? holder[key] : undefined;
	if (!isObject(holder)) return;
	if (!newArguments) holder[field] = '';
	else holder[field] = field === 'input' ? inputOfArguments(newArguments) : JSON.stringify(newArguments);
};

const withWords = (content: unknown, words: string): unknown => {
	if (Array.isArray(content)) return [...content, {type: 'text', text: words}];
	return typeof content === 'string' && content !== '' ? `${content}\n\n${words}` : words;
};

const replaceIn = (choice: JsonObject, message: JsonObject, denied: readonly DeniedCall[]): void => {
	const gone = new Set(denied.map(({call: {path}}) => path.slice(3, 5).join('.')));
	const left = Array.isArray(message.tool_calls) ? message.tool_calls.filter((_, index) => !gone.has(`tool_calls.${index}`)) : [];
	if (left.length > 0) message.tool_calls = left;
	else delete message.tool_calls;
	if (gone.has('function_call.arguments')) delete message.function_call;
	for (const {words} of denied) message.content = withWords(message.content, words);
	// They say the words of calls too.
	choice.logprobs &&= null;
	if (asksForCalls.has(choice.finish_reason) && left.length === 0 && !isObject(message.function_call)) choice.finish_reason = 'stop';
};

const replaceToolCalls = (reply: JsonObject, denied: readonly DeniedCall[]): void => {
	for (const [index, choice] of objectsOf(reply.choices)) {
		const own = denied.filter(({call: {path}}) => path[1] === index);
		if (own.length > 0 && isObject(choice.message)) replaceIn(choice, choice.message, own);
	}
};

const usageFields = (usage: Usage): JsonObject => ({
	prompt_tokens: usage.inputTokens,
	completion_tokens: usage.outputTokens,
	total_tokens: usage.inputTokens + usage.outputTokens,
	prompt_tokens_details: {cached_tokens: usage.cacheReadTokens},
	completion_tokens_details: {reasoning_tokens: usage.reasoningTokens},
});

const head = ({exchangeId, at, model}: OwnReply, object: string): JsonObject => ({
	id: `chatcmpl-${exchangeId}`,
	object,
	created: Math.floor(at / 1_000),
	model,
});

const textReply = (reply: OwnReply): JsonObject => ({
	...head(reply, 'chat.completion'),
	choices: [{index: 0, message: {role: 'assistant', content: reply.text, refusal: null}, logprobs: null, finish_reason: 'stop'}],
	...(reply.usage && {usage: usageFields(reply.usage)}),
});

const textStream = (reply: OwnReply): string[] => {
	const start = head(reply, 'chat.completion.chunk');
	const chunk = (delta: JsonObject, finish_reason: string | null) =>
		event({...start, choices: [{index: 0, delta, logprobs: null, finish_reason}]});
	return [
		chunk({role: 'assistant', content: '', refusal: null}, null),
		chunk({content: reply.text}, null),
		chunk({}, 'stop'),
		...(reply.usage ? [event({...start, choices: [], usage: usageFields(reply.usage)})] : []),
		'data: [DONE]\n\n',
	];
};

/** OpenAI's wire format: chat completions and embeddings. */
export const openai: Dialect = {
	name: 'openai',
	errorBody,
	// Without an event name: the SDK raises any event whose data has `error`.
	errorEvent: (error, exchangeId) => event(errorBody(error, exchangeId)),
	usageOf: readOpenaiUsage,
	sureOf: sureOfOpenai,
	streamUsage,
	requestFacts,
	toolCallsOf,
	patchToolCall,
	replaceToolCalls,
	deltasOf,
	endsChannels,
	deltaEvent,
	event,
	textReply,
	textStream,
	modelsReply: models => ({
		object: 'list',
		data: models.map(({id, createdAt = 0, ownedBy = 'sallyport'}) => ({
			id,
			object: 'model',
			created: Math.floor(createdAt / 1_000),
			owned_by: ownedBy,
		})),
	}),
};
