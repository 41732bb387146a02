import {randomUUID} from 'node:crypto';
import type {Answer, Call, Question, Usage} from './answer.ts';
import {type Dialect, type Frame, Refusal} from './dialect.ts';
import {countOf, type Fields, fieldsOf, listOf, stringOf} from './json.ts';

const textIn = (content: unknown): string =>
	typeof content === 'string'
		? content
		: listOf(content)
				.map(part => stringOf(fieldsOf(part).text))
				.join('');

const toolChoice = (choice: unknown): Question['toolChoice'] => {
	if (choice === 'none') return 'none';
	if (choice === 'required') return 'any';
	const name = stringOf(fieldsOf(fieldsOf(choice).function).name);
	return name ? [name] : 'auto';
};

const charsIn = (messages: Fields[], tools: unknown): number =>
	messages.reduce(
		(sum, message) => sum + textIn(message.content).length + (message.tool_calls ? JSON.stringify(message.tool_calls).length : 0),
		tools ? JSON.stringify(tools).length : 0,
	);

const question = (body: Fields): Question => {
	const messages = listOf(body.messages).map(fieldsOf);
	if (!stringOf(body.model)) throw new Refusal(400, 'invalid', 'you must provide a model parameter');
	if (messages.length === 0) throw new Refusal(400, 'invalid', "Missing required parameter: 'messages'.");
	const last = messages.at(-1);
	return {
		model: stringOf(body.model),
		stream: body.stream === true,
		choices: Math.min(128, countOf(body.n, 1)),
		asksForUsage: body.stream !== true || fieldsOf(body.stream_options).include_usage === true,
		inputChars: charsIn(messages, body.tools),
		lastText: textIn(messages.findLast(message => message.role === 'user')?.content),
		toolResult: last?.role === 'tool' ? textIn(last.content) : undefined,
		tools: listOf(body.tools)
			.map(tool => fieldsOf(fieldsOf(tool).function))
			.map(tool => ({name: stringOf(tool.name), schema: tool.parameters})),
		toolChoice: toolChoice(body.tool_choice),
		parallelCalls: body.parallel_tool_calls !== false,
		maxTokens: countOf(body.max_completion_tokens ?? body.max_tokens, Infinity),
	};
};

const usageOf = ({input, cached, output}: Usage): Fields => ({
	prompt_tokens: input,
	completion_tokens: output,
	total_tokens: input + output,
	prompt_tokens_details: {cached_tokens: cached, audio_tokens: 0},
	completion_tokens_details: {reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0},
});

const finish = {stop: 'stop', length: 'length', calls: 'tool_calls'};

const identity = (model: string, object: string) => ({
	id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
	object,
	created: Math.floor(Date.now() / 1000),
	model,
	service_tier: 'default',
	system_fingerprint: 'fp_local',
});

const toolCall = ({id, name, arguments: given}: Call): Fields => ({id: `call_${id}`, type: 'function', function: {name, arguments: given}});

const whole = ({model, choices}: Question, {pieces, calls, finish: finished, usage}: Answer): Fields => {
	const message = {
		role: 'assistant',
		content: calls.length > 0 ? null : [...pieces].join(''),
		...(calls.length > 0 && {tool_calls: calls.map(toolCall)}),
		refusal: null,
		annotations: [],
	};
	return {
		...identity(model, 'chat.completion'),
		choices: Array.from({length: choices}, (_, index) => ({index, message, logprobs: null, finish_reason: finish[finished]})),
		...(usage && {usage: usageOf(usage)}),
	};
};

function* deltas({pieces, calls}: Answer): Generator<{delta: Fields; carriesDelta: boolean}> {
	yield {delta: {role: 'assistant', content: calls.length > 0 ? null : '', refusal: null}, carriesDelta: false};
	for (const content of pieces) yield {delta: {content}, carriesDelta: true};
	for (const [index, call] of calls.entries()) {
		yield {delta: {tool_calls: [{index, ...toolCall({...call, arguments: ''})}]}, carriesDelta: false};
		for (const fragment of call.fragments) yield {delta: {tool_calls: [{index, function: {arguments: fragment}}]}, carriesDelta: true};
	}
}

function* frames({model, choices, asksForUsage}: Question, answer: Answer): Generator<Frame> {
	const head = identity(model, 'chat.completion.chunk');
	const usageIsDue = asksForUsage && answer.usage !== undefined;
	const frame = (chosen: Fields[], carriesDelta: boolean, usage: Fields | null = null): Frame => ({
		wire: `data: ${JSON.stringify({...head, choices: chosen, ...(usageIsDue && {usage})})}\n\n`,
		carriesDelta,
	});

	for (const {delta, carriesDelta} of deltas(answer)) {
		for (let index = 0; index < choices; index++) yield frame([{index, delta, logprobs: null, finish_reason: null}], carriesDelta);
	}
	for (let index = 0; index < choices; index++) {
		yield frame([{index, delta: {}, logprobs: null, finish_reason: finish[answer.finish]}], false);
	}
	if (asksForUsage && answer.usage) yield frame([], false, usageOf(answer.usage));
	yield {wire: 'data: [DONE]\n\n', carriesDelta: false};
}

const problem = ({status, reason, message: about}: Refusal): {message: string; type: string; code: string | null} => {
	const invalid = {type: 'invalid_request_error', code: null};
	switch (reason) {
		case 'key-missing':
			return {
				...invalid,
				message:
					"You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
			};
		case 'key-wrong':
			return {
				...invalid,
				message: `Incorrect API key provided: ${about}. You can find your API key at https://platform.openai.com/account/api-keys.`,
				code: 'invalid_api_key',
			};
		case 'model-unknown':
			return {...invalid, message: `The model \`${about}\` does not exist or you do not have access to it.`, code: 'model_not_found'};
		case 'path-unknown':
			return {...invalid, message: `Invalid URL (${about})`};
		case 'invalid':
			return {...invalid, message: about};
		default:
			break;
	}
	if (status === 429) return {message: `Rate limit reached for ${about}.`, type: 'requests', code: 'rate_limit_exceeded'};
	if (status === 503) return {message: 'The engine is currently overloaded, please try again later.', type: 'server_error', code: null};
	if (status >= 500) {
		return {message: 'The server had an error while processing your request. Sorry about that!', type: 'server_error', code: null};
	}
	return {...invalid, message: `The request to ${about} was not accepted.`};
};

const error = (refusal: Refusal): Fields => ({error: {...problem(refusal), param: null}});

const model = (id: string): Fields => ({id, object: 'model', created: 1_767_225_600, owned_by: 'local'});

/** OpenAI's chat completions. */
export const openai: Dialect = {
	requestIdHeader: 'x-request-id',
	question,
	whole,
	frames,
	error,
	errorFrame: refusal => `data: ${JSON.stringify(error(refusal))}\n\n`,
	models: ids => ({object: 'list', data: ids.map(model)}),
	model,
};
