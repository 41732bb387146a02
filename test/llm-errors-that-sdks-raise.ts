import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {catalogue, type ErrorCode, GatewayError} from '../core/errors.ts';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import type {Dialect} from '../core/llm/dialects/dialect.ts';
import {openai} from '../core/llm/dialects/openai.ts';

type Answer = {status: number; type: 'application/json' | 'text/event-stream'; body: string};

/** A server that answers everything with one answer. */
const serving = async (t: ExecutionContext, {status, type, body}: Answer) => {
	const server = createServer((request, response) => {
		request.resume();
		response.writeHead(status, {'content-type': type, 'x-should-retry': 'false', connection: 'close'}).end(body);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => new Promise<void>(resolve => server.close(() => resolve())));
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		openai: new OpenAI({baseURL: `${url}/v1`, apiKey: 'vk_x', maxRetries: 0}),
		anthropic: new Anthropic({baseURL: url, apiKey: 'vk_x', maxRetries: 0}),
	};
};

const json = (body: unknown, status = 200): Answer => ({status, type: 'application/json', body: JSON.stringify(body)});
const stream = (events: readonly string[]): Answer => ({status: 200, type: 'text/event-stream', body: events.join('')});

const messages = [{role: 'user' as const, content: 'hello'}];
const refusal = (code: ErrorCode) => new GatewayError(code, 'No.', {plugin: 'budgets', rule: 'month', param: 'model'});
const own = {text: 'Hello "you"\n😀', model: 'fast', exchangeId: 'ex_1', at: 1_790_000_000_000};
const usage = {inputTokens: 30, cacheReadTokens: 10, cacheWriteTokens: 5, outputTokens: 7, reasoningTokens: 2, source: 'reported'} as const;

const typed = [
	['invalid_json', OpenAI.BadRequestError, Anthropic.BadRequestError, 'invalid_request_error'],
	['unauthenticated', OpenAI.AuthenticationError, Anthropic.AuthenticationError, 'authentication_error'],
	['denied', OpenAI.PermissionDeniedError, Anthropic.PermissionDeniedError, 'permission_error'],
	['model_not_found', OpenAI.NotFoundError, Anthropic.NotFoundError, 'not_found_error'],
	['body_too_large', OpenAI.APIError, Anthropic.APIError, 'request_too_large'],
	['budget_exceeded', OpenAI.RateLimitError, Anthropic.RateLimitError, 'rate_limit_error'],
	['plugin_failed', OpenAI.InternalServerError, Anthropic.InternalServerError, 'overloaded_error'],
	['upstream_failed', OpenAI.InternalServerError, Anthropic.InternalServerError, 'api_error'],
] as const;

for (const [code, openaiError, anthropicError, anthropicType] of typed)
	test(`${code} is raised by both SDKs as their own typed exception`, async t => {
		const error = refusal(code);
		const {openai: openaiClient} = await serving(t, json(openai.errorBody(error, 'ex_1'), error.status));
		const raised = await t.throwsAsync(openaiClient.chat.completions.create({model: 'm', messages}));
		t.true(raised instanceof openaiError);
		t.like(raised, {status: error.status, code, type: catalogue[code].type, param: 'model'});
		t.like((raised as InstanceType<typeof OpenAI.APIError>).error, {
			message: 'No.',
			plugin: 'budgets',
			rule: 'month',
			help: catalogue[code].help,
		});
		const {anthropic: anthropicClient} = await serving(t, json(anthropic.errorBody(error, 'ex_1'), error.status));
		const thrown = await t.throwsAsync(anthropicClient.messages.create({model: 'm', max_tokens: 9, messages}));
		t.true(thrown instanceof anthropicError);
		t.like(thrown, {status: error.status, type: anthropicType, apiMessage: 'No.'});
	});

test('an error in the middle of a stream is raised after what came before it, by both SDKs', async t => {
	const error = refusal('content_blocked');
	const cut = (dialect: Dialect, count: number) => stream([...dialect.textStream(own).slice(0, count), dialect.errorEvent(error, 'ex_1')]);

	const openaiText: string[] = [];
	const {openai: openaiClient} = await serving(t, cut(openai, 2));
	const chunks = await openaiClient.chat.completions.create({model: 'm', messages, stream: true});
	const raised = await t.throwsAsync(async () => {
		for await (const chunk of chunks) openaiText.push(chunk.choices[0]?.delta.content ?? '');
	});
	t.true(raised instanceof OpenAI.APIError);
	t.like(raised, {code: 'content_blocked'});
	t.is(openaiText.join(''), own.text);

	const anthropicText: string[] = [];
	const {anthropic: anthropicClient} = await serving(t, cut(anthropic, 3));
	const events = anthropicClient.messages.stream({model: 'm', max_tokens: 9, messages});
	events.on('text', text => anthropicText.push(text));
	const thrown = await t.throwsAsync(events.finalMessage());
	t.true(thrown instanceof Anthropic.APIError);
	t.like(thrown, {type: 'invalid_request_error', apiMessage: 'No.'});
	t.is(anthropicText.join(''), own.text);
});

test("an answer in the model's place is read by both SDKs as the model's own", async t => {
	const {openai: openaiClient} = await serving(t, json(openai.textReply({...own, usage})));
	const completion = await openaiClient.chat.completions.create({model: 'm', messages});
	t.like(completion, {id: 'chatcmpl-ex_1', model: 'fast', created: 1_790_000_000});
	t.is(completion.choices[0]?.message.content, own.text);
	t.like(completion.usage, {prompt_tokens: 30, completion_tokens: 7, total_tokens: 37});
	const {anthropic: anthropicClient} = await serving(t, json(anthropic.textReply({...own, usage})));
	const message = await anthropicClient.messages.create({model: 'm', max_tokens: 9, messages});
	t.like(message, {id: 'msg_ex_1', model: 'fast', stop_reason: 'end_turn', content: [{type: 'text', text: own.text}]});
	t.like(message.usage, {input_tokens: 15, cache_read_input_tokens: 10, cache_creation_input_tokens: 5, output_tokens: 7});
});

test("a streamed answer in the model's place is added up by both SDKs", async t => {
	const {openai: openaiClient} = await serving(t, stream(openai.textStream({...own, usage})));
	const completion = await openaiClient.chat.completions
		.stream({model: 'm', messages, stream_options: {include_usage: true}})
		.finalChatCompletion();
	t.is(completion.choices[0]?.message.content, own.text);
	t.like(completion.usage, {prompt_tokens: 30, completion_tokens: 7});
	const {anthropic: anthropicClient} = await serving(t, stream(anthropic.textStream({...own, usage})));
	const message = await anthropicClient.messages.stream({model: 'm', max_tokens: 9, messages}).finalMessage();
	t.like(message, {stop_reason: 'end_turn', content: [{type: 'text', text: own.text}]});
	t.like(message.usage, {input_tokens: 15, output_tokens: 7});
});

test('the list of models is read by both SDKs', async t => {
	const models = [{id: 'fast', createdAt: 1_790_000_000_000}, {id: 'slow'}];
	const {openai: openaiClient} = await serving(t, json(openai.modelsReply(models)));
	const openaiIds: string[] = [];
	for await (const {id} of openaiClient.models.list()) openaiIds.push(id);
	t.deepEqual(openaiIds, ['fast', 'slow']);
	const {anthropic: anthropicClient} = await serving(t, json(anthropic.modelsReply(models)));
	const anthropicIds: string[] = [];
	for await (const {id} of anthropicClient.models.list()) anthropicIds.push(id);
	t.deepEqual(anthropicIds, ['fast', 'slow']);
});

test('what a delta event carries is added up by both SDKs to the string it belongs to', async t => {
	const [first = '', ...others] = openai.textStream(own).slice(0, 1);
	const last = JSON.parse(first.slice('data: '.length));
	const tool = openai.event({
		...last,
		choices: [
			{
				index: 0,
				delta: {tool_calls: [{index: 0, id: 'call_1', type: 'function', function: {name: 'f', arguments: '{"a":'}}]},
				finish_reason: null,
			},
		],
	});
	const finish = openai.textStream(own).slice(2);
	const events = [
		first,
		...others,
		openai.deltaEvent('0.content', 'held', last),
		tool,
		openai.deltaEvent('0.tool_calls.0.function.arguments', '"b"}', last),
		...finish,
	];
	const {openai: openaiClient} = await serving(t, stream(events));
	const completion = await openaiClient.chat.completions.stream({model: 'm', messages}).finalChatCompletion();
	t.like(completion.choices[0]?.message, {content: 'held', tool_calls: [{id: 'call_1', function: {name: 'f', arguments: '{"a":"b"}'}}]});

	const whole = anthropic.textStream(own);
	const block = (index: number, content_block: object) => anthropic.event({type: 'content_block_start', index, content_block});
	const started = [
		...whole.slice(0, 2),
		anthropic.deltaEvent('0.text', 'held', {}),
		anthropic.event({type: 'content_block_stop', index: 0}),
		block(1, {type: 'tool_use', id: 'toolu_1', name: 'f', input: {}}),
		anthropic.deltaEvent('1.partial_json', '{"a":"b"}', {}),
		anthropic.event({type: 'content_block_stop', index: 1}),
		block(2, {type: 'thinking', thinking: '', signature: ''}),
		anthropic.deltaEvent('2.thinking', 'hm', {}),
		anthropic.event({type: 'content_block_stop', index: 2}),
		...whole.slice(4),
	];
	const {anthropic: anthropicClient} = await serving(t, stream(started));
	const message = await anthropicClient.messages.stream({model: 'm', max_tokens: 9, messages}).finalMessage();
	t.like(message.content, {0: {text: 'held'}, 1: {input: {a: 'b'}}, 2: {thinking: 'hm'}});
});
