import test from 'ava';
import {GatewayError} from '../core/errors.ts';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import type {DialectOperation} from '../core/llm/dialects/dialect.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import type {JsonObject} from '../core/llm/json.ts';

const chat = {model: 'fast', messages: [{role: 'user', content: 'hi'}]};
const message = {...chat, max_tokens: 10};

const facts = (operation: DialectOperation, json: JsonObject) =>
	(operation === 'messages' || operation === 'count_tokens' ? anthropic : openai).requestFacts(operation, json);

const wrong: [operation: DialectOperation, field: JsonObject, param: string][] = [
	['chat', {model: undefined}, 'model'],
	['chat', {model: 7}, 'model'],
	['chat', {model: ''}, 'model'],
	['chat', {model: ['fast']}, 'model'],
	['chat', {messages: 'hi'}, 'messages'],
	['chat', {messages: []}, 'messages'],
	['chat', {messages: ['hi']}, 'messages[0]'],
	['chat', {messages: [{content: 'hi'}]}, 'messages[0].role'],
	['chat', {messages: [{role: 'user', content: {text: 'hi'}}]}, 'messages[0].content'],
	['chat', {stream: 'true'}, 'stream'],
	['chat', {stream: 1}, 'stream'],
	['chat', {stream_options: true}, 'stream_options'],
	['chat', {max_tokens: 0}, 'max_tokens'],
	['chat', {max_tokens: -5}, 'max_tokens'],
	['chat', {max_tokens: 1.5}, 'max_tokens'],
	['chat', {max_tokens: '10'}, 'max_tokens'],
	['chat', {max_completion_tokens: 2 ** 53}, 'max_completion_tokens'],
	['chat', {n: 0}, 'n'],
	['chat', {n: 129}, 'n'],
	['chat', {tools: {}}, 'tools'],
	['chat', {tools: [1]}, 'tools'],
	['chat', {Model: 'dear'}, 'model'],
	['chat', {MAX_TOKENS: 9}, 'max_tokens'],
	['chat', {'me\u017f\u017fages': []}, 'messages'],
	['embeddings', {input: ''}, 'input'],
	['embeddings', {input: []}, 'input'],
	['embeddings', {input: {}}, 'input'],
	['messages', {max_tokens: undefined}, 'max_tokens'],
	['messages', {max_tokens: null}, 'max_tokens'],
	['messages', {system: 7}, 'system'],
	['messages', {stream: 0}, 'stream'],
	['count_tokens', {messages: []}, 'messages'],
];
for (const [operation, field, param] of wrong)
	test(`${operation} with ${JSON.stringify(field, (_, value) => (value === undefined ? '(missing)' : value))} is refused at ${param}`, t => {
		const error = t.throws(() => facts(operation, {...message, input: 'hi', ...field}), {instanceOf: GatewayError});
		t.like(error, {code: 'invalid_request', param});
		t.true(error.message.includes(`"${param}"`));
	});

test('an operation of the other dialect is refused', t => {
	t.throws(() => openai.requestFacts('messages', message), {code: 'dialect_mismatch'});
	t.throws(() => anthropic.requestFacts('chat', chat), {code: 'dialect_mismatch'});
});

test('a chat request is read: maxima are multiplied by n, the larger one counts, null is missing', t => {
	t.like(facts('chat', chat), {
		model: 'fast',
		stream: false,
		maxOutputTokens: undefined,
		answers: 1,
		extraOutputTokens: 0,
		extraInputTokens: 0,
	});
	t.is(facts('chat', {...chat, max_tokens: 5, max_completion_tokens: 7, n: 3}).maxOutputTokens, 21);
	t.is(facts('chat', {...chat, max_tokens: 50, max_completion_tokens: 7}).maxOutputTokens, 50);
	t.like(facts('chat', {...chat, n: 3, max_tokens: null, stream: null, tools: null}), {
		maxOutputTokens: undefined,
		answers: 3,
		stream: false,
		tools: undefined,
	});
});

test('params are the other top-level scalars, without prompts and without a prototype in reach', t => {
	const json = JSON.parse(
		'{"model":"m","messages":[{"role":"user"}],"temperature":0.5,"user":"u","store":true,"prompt":"words","x":{"y":1},"__proto__":"z"}',
	);
	const {params} = facts('chat', json);
	t.deepEqual(params, {temperature: 0.5, user: 'u', store: true});
	t.is(Object.getPrototypeOf(params), Object.prototype);
});

test('embeddings and the counting of tokens have no output, and counting is free', t => {
	t.like(facts('embeddings', {model: 'e', input: ['hi']}), {maxOutputTokens: 0, messages: ['hi'], free: false});
	t.like(facts('count_tokens', chat), {maxOutputTokens: 0, free: true, stream: false});
	t.like(facts('messages', message), {maxOutputTokens: 10, free: false});
});

test('a cache entry of an hour is noticed wherever it is asked for', t => {
	const cache_control = {type: 'ephemeral', ttl: '1h'};
	const part = {type: 'text', text: 'x', cache_control};
	for (const field of [
		{cache_control},
		{system: [part]},
		{tools: [{name: 't', cache_control}]},
		{messages: [{role: 'user', content: [part]}]},
		{messages: [{role: 'user', content: [{type: 'tool_result', content: [part]}]}]},
	]) {
		t.true(facts('messages', {...message, ...field}).longCacheWrites);
	}
	t.false(facts('messages', {...message, system: [{...part, cache_control: {type: 'ephemeral'}}]}).longCacheWrites);
});
