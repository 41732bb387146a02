import {GatewayError} from '../../errors.ts';
import {isObject, type JsonObject, objectsOf} from '../json.ts';
import {anthropicInput, geoOf, readAnthropicUsage, sureOfAnthropic} from '../usage-anthropic.ts';
import {tiersOf} from '../usage-figures.ts';
import {deltaEvent, deltasOf, endsChannels, event} from './anthropic-stream.ts';
import {runsTools, toolCounts, toolTokens} from './anthropic-tools.ts';
import type {DeniedCall, Dialect, DialectOperation, OwnReply, RequestFacts, StreamUsage, ToolCall} from './dialect.ts';
import {asksForCalls} from './endings.ts';
import {readBoolean, readCount, readMessages, readModel, readParams, readTools} from './fields.ts';
import {mediaOf} from './media.ts';

/** https://docs.claude.com/en/api/errors */
const errorTypes: Readonly<Record<number, string>> = {
	401: 'authentication_error',
	403: 'permission_error',
	404: 'not_found_error',
	413: 'request_too_large',
	429: 'rate_limit_error',
	503: 'overloaded_error',
	504: 'timeout_error',
};

const typeOf = (status: number): string => errorTypes[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');

const errorBody = (error: GatewayError, exchangeId: string): JsonObject => {
	const {message, code, param, plugin, rule} = error;
	return {
		type: 'error',
		error: {type: typeOf(error.status), message, code, param, plugin, rule, help: error.facts.help},
		request_id: exchangeId,
	};
};

/** `message_start` reports the input and a first token or so; `message_delta` the running totals of whatever changed. */
const streamUsage = (): StreamUsage => {
	const seen: JsonObject = {};
	let counted = false;
	const take = (usage: unknown): boolean => {
		if (!isObject(usage)) return false;
		for (const key of Object.keys(usage)) if (usage[key] !== null) seen[key] = usage[key];
		return 'output_tokens' in usage;
	};
	return {
		see: ({type, message, usage}) => {
			if (type === 'message_start' && isObject(message)) take(message.usage);
			if (type === 'message_delta' && take(usage)) counted = true;
		},
		usage: () => (counted ? readAnthropicUsage(seen) : undefined),
		input: () => anthropicInput(seen),
		sure: () => sureOfAnthropic(seen),
	};
};

/** A cache entry of an hour is asked for by `cache_control: {type: 'ephemeral', ttl: '1h'}` on any block, at any depth. */
const asksForLongCache = (value: unknown): boolean => {
	if (Array.isArray(value)) return value.some(asksForLongCache);
	if (!isObject(value)) return false;
	if (isObject(value.cache_control) && value.cache_control.ttl === '1h') return true;
	return Array.isArray(value.content) && value.content.some(asksForLongCache);
};

const requestFacts = (operation: DialectOperation, json: JsonObject): RequestFacts => {
	if (operation !== 'messages' && operation !== 'count_tokens')
		throw new GatewayError('dialect_mismatch', `Anthropic's API has no operation "${operation}".`);
	const answers = operation === 'messages';
	const messages = readMessages(json);
	const maxOutputTokens = answers ? readCount(json, 'max_tokens', 100_000_000) : 0;
	if (maxOutputTokens === undefined) throw new GatewayError('invalid_request', '"max_tokens" is missing.', {param: 'max_tokens'});
	const {system = null} = json;
	if (system !== null && typeof system !== 'string' && !Array.isArray(system))
		throw new GatewayError('invalid_request', '"system" must be a string or a list of parts.', {param: 'system'});
	const tools = readTools(json);
	const media = mediaOf(messages);
	return {
		model: readModel(json),
		stream: answers && readBoolean(json, 'stream'),
		maxOutputTokens,
		answers: 1,
		extraOutputTokens: 0,
		extraInputTokens: media.tokens + toolTokens(json),
		mediaBytes: media.bytes,
		messages,
		tools,
		runsTools: runsTools(json),
		params: readParams(json),
		free: !answers,
		longCacheWrites: asksForLongCache(json) || asksForLongCache(system) || asksForLongCache(tools) || asksForLongCache(messages),
		tiers: tiersOf(json.speed, geoOf(json)),
		counts: toolCounts(json),
		sounds: false,
	};
};

const toolCallsOf = (reply: JsonObject): ToolCall[] =>
	objectsOf(reply.content)
		.filter(([, block]) => block.type === 'tool_use')
		.map(([index, {id, name, input}]) => ({
			id: typeof id === 'string' ? id : '',
			name: typeof name === 'string' ? name : '',
			argumentsText: JSON.stringify(input ?? {}),
			path: ['content', index, 'input'],
		}));

const patchToolCall = (reply: JsonObject, {path}: ToolCall, newArguments: JsonObject | undefined): void => {
	const block: unknown = Array.isArray(reply.content) ? reply.content[Number(path[1])] : undefined;
	if (isObject(block)) block.input = newArguments ?? {};
};

const replaceToolCalls = (reply: JsonObject, denied: readonly DeniedCall[]): void => {
	const {content} = reply;
	if (!Array.isArray(content) || denied.length === 0) return;
	for (const {call, words} of denied) content[Number(call.path[1])] = {type: 'text', text: words, citations: null};
	if (asksForCalls.has(reply.stop_reason) && toolCallsOf(reply).length === 0) reply.stop_reason = 'end_turn';
};

const usageFields = ({usage}: OwnReply): JsonObject => ({
	input_tokens: usage ? usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens : 0,
	cache_creation_input_tokens: usage?.cacheWriteTokens ?? 0,
	cache_read_input_tokens: usage?.cacheReadTokens ?? 0,
	output_tokens: usage?.outputTokens ?? 0,
});

const textReply = (reply: OwnReply): JsonObject => ({
	id: `msg_${reply.exchangeId}`,
	type: 'message',
	role: 'assistant',
	model: reply.model,
	content: [{type: 'text', text: reply.text, citations: null}],
	stop_reason: 'end_turn',
	stop_sequence: null,
	usage: usageFields(reply),
});

const textStream = (reply: OwnReply): string[] => [
	event({
		type: 'message_start',
		message: {...textReply(reply), content: [], stop_reason: null, usage: {...usageFields(reply), output_tokens: 0}},
	}),
	event({type: 'content_block_start', index: 0, content_block: {type: 'text', text: '', citations: null}}),
	event({type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: reply.text}}),
	event({type: 'content_block_stop', index: 0}),
	event({type: 'message_delta', delta: {stop_reason: 'end_turn', stop_sequence: null}, usage: usageFields(reply)}),
	event({type: 'message_stop'}),
];

/** Anthropic's wire format: messages and the counting of their tokens. */
export const anthropic: Dialect = {
	name: 'anthropic',
	errorBody,
	errorEvent: (error, exchangeId) => event(errorBody(error, exchangeId)),
	usageOf: reply => readAnthropicUsage(reply.usage),
	sureOf: reply => sureOfAnthropic(reply.usage),
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
		data: models.map(({id, createdAt = 0}) => ({type: 'model', id, display_name: id, created_at: new Date(createdAt).toISOString()})),
		has_more: false,
		first_id: models[0]?.id ?? null,
		last_id: models.at(-1)?.id ?? null,
	}),
};
