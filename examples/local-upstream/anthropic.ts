import {randomUUID} from 'node:crypto';
import type {Answer, Call, Question, Usage} from './answer.ts';
import {type Dialect, type Frame, Refusal} from './dialect.ts';
import {countOf, type Fields, fieldsOf, listOf, parsed, stringOf} from './json.ts';

const blocksIn = (content: unknown): Fields[] =>
	typeof content === 'string' ? [{type: 'text', text: content}] : listOf(content).map(fieldsOf);

const textIn = (content: unknown): string =>
	blocksIn(content)
		.map(block => stringOf(block.text))
		.join('');

const charsIn = (content: unknown): number =>
	blocksIn(content).reduce((sum, block) => {
		if (block.type === 'tool_use') return sum + JSON.stringify(block.input ?? {}).length;
		if (block.type === 'tool_result') return sum + textIn(block.content).length;
		return sum + stringOf(block.text).length;
	}, 0);

const toolChoice = (choice: Fields): Question['toolChoice'] => {
	if (choice.type === 'none' || choice.type === 'any') return choice.type;
	return choice.type === 'tool' ? [stringOf(choice.name)] : 'auto';
};

/** How much a model would have to read of this body. */
export const inputCharsOf = (body: Fields): number =>
	listOf(body.messages).reduce<number>(
		(sum, message) => sum + charsIn(fieldsOf(message).content),
		charsIn(body.system) + (body.tools ? JSON.stringify(body.tools).length : 0),
	);

const question = (body: Fields): Question => {
	const messages = listOf(body.messages).map(fieldsOf);
	if (!stringOf(body.model)) throw new Refusal(400, 'invalid', 'model: Field required');
	if (!body.max_tokens) throw new Refusal(400, 'invalid', 'max_tokens: Field required');
	if (messages.length === 0) throw new Refusal(400, 'invalid', 'messages: at least one message is required');
	const lastUser = messages.findLast(message => message.role === 'user');
	const results = blocksIn(lastUser?.content).filter(block => block.type === 'tool_result');
	const choice = fieldsOf(body.tool_choice);
	return {
		model: stringOf(body.model),
		stream: body.stream === true,
		choices: 1,
		asksForUsage: true,
		inputChars: inputCharsOf(body),
		lastText: textIn(lastUser?.content),
		toolResult: results.length > 0 ? results.map(block => textIn(block.content)).join('\n') : undefined,
		tools: listOf(body.tools)
			.map(fieldsOf)
			.map(tool => ({name: stringOf(tool.name), schema: tool.input_schema})),
		toolChoice: toolChoice(choice),
		parallelCalls: choice.disable_parallel_tool_use !== true,
		maxTokens: countOf(body.max_tokens, Infinity),
	};
};

const usageOf = ({input, cached, cacheWritten, output}: Usage): Fields => ({
	input_tokens: input - cached - cacheWritten,
	cache_creation_input_tokens: cacheWritten,
	cache_read_input_tokens: cached,
	output_tokens: output,
	service_tier: 'standard',
});

const finish = {stop: 'end_turn', length: 'max_tokens', calls: 'tool_use'};

const message = (model: string, content: Fields[], stopReason: string | null, usage: Usage | undefined): Fields => ({
	id: `msg_${randomUUID().replaceAll('-', '')}`,
	type: 'message',
	role: 'assistant',
	model,
	content,
	stop_reason: stopReason,
	stop_sequence: null,
	...(usage && {usage: usageOf(usage)}),
});

const toolUse = ({id, name}: Call, input: unknown): Fields => ({type: 'tool_use', id: `toolu_${id}`, name, input});

const whole = ({model}: Question, {pieces, calls, finish: finished, usage}: Answer): Fields => {
	const content =
		calls.length > 0
			? calls.map(call => toolUse(call, parsed(call.arguments)))
			: [{type: 'text', text: [...pieces].join(''), citations: null}];
	return message(model, content, finish[finished], usage);
};

const frame = (type: string, fields: Fields = {}): Frame => ({
	wire: `event: ${type}\ndata: ${JSON.stringify({type, ...fields})}\n\n`,
	carriesDelta: type === 'content_block_delta',
});

function* block(index: number, start: Fields, deltas: Iterable<Fields>): Generator<Frame> {
	yield frame('content_block_start', {index, content_block: start});
	if (index === 0) yield frame('ping');
	for (const delta of deltas) yield frame('content_block_delta', {index, delta});
	yield frame('content_block_stop', {index});
}

function* textDeltas(pieces: Iterable<string>): Generator<Fields> {
	for (const text of pieces) yield {type: 'text_delta', text};
}

function* frames({model}: Question, {pieces, calls, finish: finished, usage}: Answer): Generator<Frame> {
	yield frame('message_start', {message: message(model, [], null, usage && {...usage, output: 1})});
	if (calls.length === 0) yield* block(0, {type: 'text', text: ''}, textDeltas(pieces));
	for (const [index, call] of calls.entries()) {
		const deltas = call.fragments.map(fragment => ({type: 'input_json_delta', partial_json: fragment}));
		yield* block(index, toolUse(call, {}), [{type: 'input_json_delta', partial_json: ''}, ...deltas]);
	}
	yield frame('message_delta', {
		delta: {stop_reason: finish[finished], stop_sequence: null},
		...(usage && {usage: usageOf(usage)}),
	});
	yield frame('message_stop');
}

const types: {[status: number]: string} = {
	400: 'invalid_request_error',
	401: 'authentication_error',
	403: 'permission_error',
	404: 'not_found_error',
	413: 'request_too_large',
	429: 'rate_limit_error',
	503: 'overloaded_error',
	504: 'timeout_error',
	529: 'overloaded_error',
};

const messageOf = ({status, reason, message: about}: Refusal): string => {
	switch (reason) {
		case 'key-missing':
			return 'x-api-key header is required';
		case 'key-wrong':
			return `invalid x-api-key: ${about}`;
		case 'model-unknown':
			return `model: ${about}`;
		case 'path-unknown':
			return 'Not Found';
		case 'invalid':
			return about;
		default:
			break;
	}
	if (status === 429) return "This request would exceed your organization's rate limit.";
	if (status === 503 || status === 529) return 'Overloaded';
	return status >= 500 ? 'Internal server error' : 'The request was not accepted.';
};

const error = (refusal: Refusal, requestId: string): Fields => ({
	type: 'error',
	error: {type: types[refusal.status] ?? (refusal.status >= 500 ? 'api_error' : 'invalid_request_error'), message: messageOf(refusal)},
	request_id: requestId,
});

const model = (id: string): Fields => ({type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z'});

/** Anthropic's messages. */
export const anthropic: Dialect = {
	requestIdHeader: 'request-id',
	question,
	whole,
	frames,
	error,
	errorFrame: (refusal, requestId) => `event: error\ndata: ${JSON.stringify(error(refusal, requestId))}\n\n`,
	models: ids => ({data: ids.map(model), has_more: false, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null}),
	model,
};
