import {fork, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {fieldsOf, listOf, stringOf} from './json.ts';
import {openRequestLog} from './request-log.ts';
import {startLocalUpstream} from './server.ts';

const hi = [{role: 'user' as const, content: 'hello there'}];
const fiftyWords = Array.from({length: 50}, (_, index) => `word${index + 1}`).join(' ');
const weather = {
	type: 'object' as const,
	properties: {city: {type: 'string'}, days: {type: 'integer', minimum: 3}, unit: {enum: ['celsius', 'kelvin']}},
	required: ['city'],
};
const weatherArguments = {city: 'city', days: 3, unit: 'celsius'};
const openaiTools = ['weather', 'search'].map(name => ({type: 'function' as const, function: {name, parameters: weather}}));
const anthropicTools = ['weather', 'search'].map(name => ({name, input_schema: weather}));

const setup = async (t: ExecutionContext, options: {longestMs?: number} = {}) => {
	const upstream = await startLocalUpstream(options);
	t.teardown(upstream.close);
	return {
		upstream,
		openai: new OpenAI({baseURL: `${upstream.url}/v1`, apiKey: 'provider-key', maxRetries: 0}),
		anthropic: new Anthropic({baseURL: upstream.url, apiKey: 'provider-key', maxRetries: 0}),
		post: (path: string, body: unknown, headers: {[name: string]: string} = {}) =>
			fetch(upstream.url + path, {
				method: 'POST',
				headers: {authorization: 'Bearer provider-key', 'content-type': 'application/json', ...headers},
				body: JSON.stringify(body),
			}),
	};
};

const until = async (holds: () => boolean) => {
	for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(10);
};

/** Reads a stream as far as it goes. */
const readAll = async (response: Response): Promise<{text: string; broke: boolean}> => {
	const decoder = new TextDecoder();
	let text = '';
	try {
		for await (const part of response.body ?? []) text += decoder.decode(part, {stream: true});
		return {text, broke: false};
	} catch {
		return {text, broke: true};
	}
};

test('openai: an answer echoes the last user text and counts a token for every four characters', async t => {
	const {openai} = await setup(t);
	const {data, request_id} = await openai.chat.completions.create({model: 'local/small', messages: hi}).withResponse();
	t.is(data.choices[0]?.message.content, 'You said: hello there');
	t.is(data.model, 'local/small');
	t.like(data.usage, {prompt_tokens: 3, completion_tokens: 6, total_tokens: 9, prompt_tokens_details: {cached_tokens: 0}});
	t.regex(request_id ?? '', /^req_/);
});

test('openai: n answers come in one completion and are all paid for', async t => {
	const {openai} = await setup(t);
	const completion = await openai.chat.completions.create({model: 'small', messages: hi, n: 3});
	t.deepEqual(
		completion.choices.map(choice => choice.index),
		[0, 1, 2],
	);
	t.is(completion.usage?.completion_tokens, 18);
});

test('openai: a stream says the same as the whole answer, and reports usage only when asked', async t => {
	const {openai} = await setup(t);
	const read = async (stream_options?: {include_usage: boolean}) => {
		const chunks = await Array.fromAsync(
			await openai.chat.completions.create({model: 'small', messages: hi, stream: true, ...(stream_options && {stream_options})}),
		);
		return {text: chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join(''), usages: chunks.filter(chunk => chunk.usage)};
	};
	t.deepEqual(await read(), {text: 'You said: hello there', usages: []});
	const {text, usages} = await read({include_usage: true});
	t.is(text, 'You said: hello there');
	t.is(usages.length, 1);
	t.deepEqual(usages[0]?.choices, []);
	t.is(usages[0]?.usage?.total_tokens, 9);
});

test('openai: text is cut off at max_tokens, and the answer says so', async t => {
	const {openai} = await setup(t);
	const completion = await openai.chat.completions.create({model: 'words-50', messages: hi, max_completion_tokens: 5});
	t.is(completion.choices[0]?.message.content, fiftyWords.slice(0, 20));
	t.is(completion.choices[0]?.finish_reason, 'length');
	t.is(completion.usage?.completion_tokens, 5);
});

test('openai: "call the tool NAME" is answered by a call whose arguments fit the schema', async t => {
	const {openai} = await setup(t);
	const messages = [{role: 'user' as const, content: 'Please call the tool weather. Then call the tool search with {"city": "Ghent {"}.'}];
	const {choices} = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(choices[0]?.finish_reason, 'tool_calls');
	t.is(choices[0]?.message.content, null);
	t.like(choices[0]?.message.tool_calls, [
		{type: 'function', function: {name: 'weather', arguments: JSON.stringify(weatherArguments)}},
		{type: 'function', function: {name: 'search', arguments: '{"city": "Ghent {"}'}},
	]);
});

test('openai: a tool that was not offered is not called, unless the model is one that does', async t => {
	const {openai} = await setup(t);
	const messages = [{role: 'user' as const, content: 'call the tool shell'}];
	const {choices} = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(choices[0]?.message.content, 'You said: call the tool shell');
	const hostile = await openai.chat.completions.create({model: 'fault-calls-shell', messages});
	t.like(hostile.choices[0]?.message.tool_calls, [{function: {name: 'shell', arguments: '{}'}}]);
});

test('openai: a streamed tool call comes in several fragments, and its result is answered with text', async t => {
	const {openai} = await setup(t);
	const tool_choice = {type: 'function' as const, function: {name: 'search'}};
	const runner = openai.chat.completions.stream({model: 'small', messages: hi, tools: openaiTools, tool_choice});
	let fragments = 0;
	runner.on('tool_calls.function.arguments.delta', ({arguments_delta}) => (fragments += arguments_delta ? 1 : 0));
	const {message} = (await runner.finalChatCompletion()).choices[0] ?? t.fail();
	const [call] = message.tool_calls ?? [];
	t.true(fragments >= 3);
	t.like(call, {function: {name: 'search', arguments: JSON.stringify(weatherArguments)}});

	const messages = [...hi, message, {role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'rain'}];
	const after = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(after.choices[0]?.message.content, 'The tool answered: rain');
});

test('embeddings: the same text has the same unit vector, and texts that share words are closer', async t => {
	const {openai} = await setup(t);
	const input = ['the cat sat on the mat', 'the cat sat on a mat', 'quarterly revenue fell', 'the cat sat on the mat'];
	const {data, usage} = await openai.embeddings.create({model: 'embed', input, dimensions: 256});
	const [first = [], near = [], far = [], same = []] = data.map(({embedding}) => embedding);
	const dot = (a: number[], b: number[]) => a.reduce((sum, each, index) => sum + each * (b[index] ?? 0), 0);
	t.is(first.length, 256);
	t.deepEqual(first, same);
	t.true(Math.abs(dot(first, first) - 1) < 1e-5);
	t.true(dot(first, near) > 0.7);
	t.true(dot(first, far) < 0.3);
	t.true(usage.prompt_tokens > 0);
});

test('embeddings: base64 and float say the same numbers', async t => {
	const {post} = await setup(t);
	const vector = async (encoding_format: string) => {
		const body = fieldsOf(await (await post('/v1/embeddings', {model: 'embed', input: 'x', dimensions: 8, encoding_format})).json());
		return fieldsOf(listOf(body.data)[0]).embedding;
	};
	const bytes = Buffer.from(stringOf(await vector('base64')), 'base64');
	t.deepEqual(
		Array.from({length: 8}, (_, index) => bytes.readFloatLE(index * 4)),
		await vector('float'),
	);
});

test('models are listed and shown in either dialect', async t => {
	const {openai, anthropic} = await setup(t);
	t.true((await Array.fromAsync(openai.models.list())).some(({id}) => id === 'small'));
	t.true((await Array.fromAsync(anthropic.models.list())).some(({id}) => id === 'small'));
	t.is((await openai.models.retrieve('large')).object, 'model');
	t.is((await anthropic.models.retrieve('large')).type, 'model');
	await t.throwsAsync(openai.models.retrieve('fault-unheard-of'), {instanceOf: OpenAI.NotFoundError});
});

test('anthropic: an answer echoes the last user text and splits its input by cache', async t => {
	const {anthropic} = await setup(t);
	const ask = {max_tokens: 100, system: 'be brief', messages: hi};
	const plain = await anthropic.messages.create({...ask, model: 'small'});
	t.like(plain.content, [{type: 'text', text: 'You said: hello there'}]);
	t.like(plain.usage, {input_tokens: 5, output_tokens: 6, cache_read_input_tokens: 0, cache_creation_input_tokens: 0});
	const cached = await anthropic.messages.create({...ask, model: 'cached'});
	t.like(cached.usage, {input_tokens: 2, output_tokens: 6, cache_read_input_tokens: 2, cache_creation_input_tokens: 1});
	t.is((await anthropic.messages.countTokens({model: 'small', system: 'be brief', messages: hi})).input_tokens, 5);
});

test('anthropic: a stream has the events of a real one, in their order', async t => {
	const {anthropic, post} = await setup(t);
	const ask = {model: 'split-8', max_tokens: 100, messages: hi};
	const {text} = await readAll(await post('/v1/messages', {...ask, stream: true}));
	t.deepEqual(
		Array.from(text.matchAll(/^event: (.*)$/gm), ([, event]) => event),
		[
			'message_start',
			'content_block_start',
			'ping',
			'content_block_delta',
			'content_block_delta',
			'content_block_delta',
			'content_block_stop',
			'message_delta',
			'message_stop',
		],
	);
	const message = await anthropic.messages.stream(ask).finalMessage();
	t.like(message, {stop_reason: 'end_turn', usage: {input_tokens: 3, output_tokens: 6}});
	t.like(message.content, [{text: 'You said: hello there'}]);
});

test('anthropic: a tool is used when asked for or forced, and its result is answered with text', async t => {
	const {anthropic} = await setup(t);
	const ask = {model: 'small', max_tokens: 100, tools: anthropicTools};
	const whole = await anthropic.messages.create({...ask, messages: [{role: 'user', content: 'call the tool weather'}]});
	t.is(whole.stop_reason, 'tool_use');
	t.like(whole.content, [{type: 'tool_use', name: 'weather', input: weatherArguments}]);

	const stream = anthropic.messages.stream({...ask, messages: hi, tool_choice: {type: 'tool', name: 'search'}});
	let fragments = 0;
	stream.on('inputJson', fragment => (fragments += fragment ? 1 : 0));
	const {content} = await stream.finalMessage();
	t.true(fragments >= 3);
	t.like(content, [{type: 'tool_use', name: 'search', input: weatherArguments}]);

	const [use] = content;
	const result = {type: 'tool_result' as const, tool_use_id: use?.type === 'tool_use' ? use.id : '', content: 'rain'};
	const messages = [...hi, {role: 'assistant' as const, content}, {role: 'user' as const, content: [result]}];
	t.like((await anthropic.messages.create({...ask, messages})).content, [{text: 'The tool answered: rain'}]);
});

test('a request without a key is refused in the shape of its dialect, and a wrong key is echoed', async t => {
	const {upstream, post} = await setup(t);
	const missing = await post('/v1/chat/completions', {model: 'small', messages: hi}, {authorization: ''});
	t.is(missing.status, 401);
	t.like(await missing.json(), {error: {type: 'invalid_request_error', param: null}});

	const apiKey = 'wrong-key';
	const options = {baseURL: `${upstream.url}/v1`, apiKey, maxRetries: 0};
	const openai = await t.throwsAsync(new OpenAI(options).models.list(), {instanceOf: OpenAI.AuthenticationError});
	t.is(openai?.code, 'invalid_api_key');
	t.regex(openai?.message ?? '', /wrong-key/);
	const anthropic = await t.throwsAsync(
		new Anthropic({...options, baseURL: upstream.url}).messages.create({model: 'small', max_tokens: 9, messages: hi}),
		{instanceOf: Anthropic.AuthenticationError},
	);
	t.is(anthropic?.type, 'authentication_error');
	t.regex(anthropic?.message ?? '', /wrong-key/);
});

test('an unknown fault, an unknown path, a body that is not JSON and a missing field are refused, not echoed', async t => {
	const {openai, anthropic, post, upstream} = await setup(t);
	const unknown = await t.throwsAsync(openai.chat.completions.create({model: 'fault-nope', messages: hi}), {
		instanceOf: OpenAI.NotFoundError,
	});
	t.is(unknown?.code, 'model_not_found');
	await t.throwsAsync(anthropic.messages.create({model: 'x/fault-nope', max_tokens: 9, messages: hi}), {
		instanceOf: Anthropic.NotFoundError,
	});
	await t.throwsAsync(openai.embeddings.create({model: 'embed', input: ''}), {instanceOf: OpenAI.BadRequestError});
	t.is((await post('/v1/nowhere', {})).status, 404);
	t.is((await post('/v1/messages', {model: 'small', messages: hi})).status, 400);
	const headers = {authorization: 'Bearer k'};
	t.is((await fetch(`${upstream.url}/v1/chat/completions`, {method: 'POST', headers, body: '{"mod'})).status, 400);
});

for (const [model, deltas] of [
	['words-3', ['word1 ', 'word2 ', 'word3']],
	['words-2-every-5', ['word1 ', 'word2']],
	[`say:${Buffer.from('héllo 👋').toString('base64url')}`, ['héllo ', '👋']],
	['split-10', ['You said: ', 'hello ther', 'e']],
	['chars', Array.from('You said: hello there')],
	['bytes-1', ['You ', 'said: ', 'hello ', 'there']],
] as const) {
	test(`${model} streams ${JSON.stringify(deltas)}`, async t => {
		const {openai} = await setup(t);
		const chunks = await Array.fromAsync(await openai.chat.completions.create({model, messages: hi, stream: true}));
		t.deepEqual(
			chunks.map(chunk => chunk.choices[0]?.delta.content).filter(content => content),
			[...deltas],
		);
	});
}

test('every event of a stream is a network chunk of its own', async t => {
	const {post} = await setup(t);
	const response = await post('/v1/chat/completions', {model: 'words-20', messages: hi, stream: true});
	let parts = 0;
	for await (const _ of response.body ?? []) parts++;
	t.true(parts > 5);
});

test('x-chunk-delay-ms sets the pace of a stream', async t => {
	const {post} = await setup(t);
	const from = Date.now();
	await readAll(await post('/v1/chat/completions', {model: 'words-5', messages: hi, stream: true}, {'x-chunk-delay-ms': '30'}));
	t.true(Date.now() - from >= 5 * 28);
});

test('fault-<status>: fails with that status, and with retry-after only when it names seconds', async t => {
	const {post} = await setup(t);
	for (const status of [400, 429, 500, 503]) {
		const response = await post('/v1/chat/completions', {model: `fault-${status}`, messages: hi});
		t.is(response.status, status);
		t.is(response.headers.get('retry-after'), null);
		t.not(stringOf(fieldsOf(fieldsOf(await response.json()).error).message), '');
	}
	const response = await post('/v1/messages', {model: 'fault-429-7', max_tokens: 9, messages: hi});
	t.is(response.headers.get('retry-after'), '7');
	t.regex(response.headers.get('request-id') ?? '', /^req_/);
	t.like(await response.json(), {type: 'error', error: {type: 'rate_limit_error'}});
});

test('fault-once: the first request fails, later ones do not, until the log is reset', async t => {
	const {post, upstream} = await setup(t);
	const status = async () => (await post('/v1/chat/completions', {model: 'fault-once-500-a', messages: hi})).status;
	t.deepEqual([await status(), await status(), await status()], [500, 200, 200]);
	upstream.reset();
	t.is(await status(), 500);
});

test('fault-slow: nothing comes before its time', async t => {
	const {post} = await setup(t);
	const from = Date.now();
	t.is((await post('/v1/chat/completions', {model: 'fault-slow-100', messages: hi})).status, 200);
	t.true(Date.now() - from >= 98);
});

test('fault-reset: the connection ends before any byte', async t => {
	const {post} = await setup(t);
	const error = await t.throwsAsync(post('/v1/chat/completions', {model: 'fault-reset', messages: hi}), {instanceOf: TypeError});
	t.like(error?.cause, {code: 'ECONNRESET'});
});

test('fault-reset-mid: three deltas arrive and the connection ends without an end', async t => {
	const {post} = await setup(t);
	for (const path of ['/v1/chat/completions', '/v1/messages']) {
		const {text, broke} = await readAll(await post(path, {model: 'fault-reset-mid', max_tokens: 99, messages: hi, stream: true}));
		t.true(broke);
		t.deepEqual(text.match(/word\d+/g), ['word1', 'word2', 'word3']);
	}
	t.true((await readAll(await post('/v1/chat/completions', {model: 'fault-reset-mid', messages: hi}))).broke);
});

test('fault-error-mid: an error event follows three deltas', async t => {
	const {openai, anthropic} = await setup(t);
	const openaiStream = await openai.chat.completions.create({model: 'fault-error-mid', messages: hi, stream: true});
	await t.throwsAsync(Array.fromAsync(openaiStream), {instanceOf: OpenAI.APIError, message: /server had an error/});
	const anthropicStream = await anthropic.messages.create({model: 'fault-error-mid', max_tokens: 99, messages: hi, stream: true});
	await t.throwsAsync(Array.fromAsync(anthropicStream), {instanceOf: Anthropic.APIError, message: /Internal server error/});
});

test('fault-malformed: one event is cut in half and the stream goes on to its end', async t => {
	const {post} = await setup(t);
	const {text, broke} = await readAll(await post('/v1/chat/completions', {model: 'fault-malformed', messages: hi, stream: true}));
	const events = Array.from(text.matchAll(/^data: (.*)$/gm), ([, data = '']) => data).filter(data => data !== '[DONE]');
	t.false(broke);
	t.true(text.endsWith('data: [DONE]\n\n'));
	t.is(events.filter(data => !data.endsWith('}')).length, 1);
	t.throws(() => JSON.parse(events.find(data => !data.endsWith('}')) ?? ''), {instanceOf: SyntaxError});
	await t.throwsAsync((await post('/v1/messages', {model: 'fault-malformed', max_tokens: 99, messages: hi})).json(), {
		instanceOf: SyntaxError,
	});
});

test('fault-endless: goes on until the client leaves, and then stops', async t => {
	const {openai, upstream} = await setup(t);
	const stream = await openai.chat.completions.create({model: 'fault-endless', messages: hi, stream: true});
	let chunks = 0;
	for await (const _ of stream) if (++chunks === 10) break;
	await until(() => upstream.counts().inFlight === 0);
	t.like(upstream.counts(), {inFlight: 0, aborted: 1});
	t.true(upstream.requests[0]?.aborted);
});

test('fault-endless and fault-stall are cut after the longest time, which is not counted as the client leaving', async t => {
	const {post, upstream} = await setup(t, {longestMs: 500});
	const read = async (model: string, stream: boolean) => readAll(await post('/v1/messages', {model, max_tokens: 99, messages: hi, stream}));
	const endless = await read('fault-endless', true);
	t.true(endless.broke);
	const stall = await read('fault-stall', true);
	t.true(stall.broke);
	t.deepEqual(stall.text.match(/word\d+/g), ['word1', 'word2']);
	t.true((await read('fault-stall', false)).broke);
	await t.throwsAsync(read('fault-endless', false), {instanceOf: TypeError});
	await until(() => upstream.counts().inFlight === 0);
	t.like(upstream.counts(), {inFlight: 0, aborted: 0});
});

test('fault-no-usage: usage is nowhere, not even when asked for', async t => {
	const {post} = await setup(t);
	const ask = {model: 'fault-no-usage', max_tokens: 9, messages: hi};
	for (const path of ['/v1/chat/completions', '/v1/messages']) {
		t.notRegex(await (await post(path, ask)).text(), /"usage"/);
		t.notRegex(await (await post(path, {...ask, stream: true, stream_options: {include_usage: true}})).text(), /"usage"/);
	}
	t.notRegex(await (await post('/v1/embeddings', {model: 'fault-no-usage', input: 'x'})).text(), /"usage"/);
});

test('fault-echo-headers: the provider key comes back in the answer', async t => {
	const {openai} = await setup(t);
	const {choices} = await openai.chat.completions.create({model: 'fault-echo-headers', messages: hi});
	t.regex(choices[0]?.message.content ?? '', /Bearer provider-key/);
});

test('the log holds what arrived, and a client that left before the answer is marked in it', async t => {
	const {post, upstream} = await setup(t);
	await post('/v1/chat/completions?trace=1', {model: 'small', messages: hi}, {'x-mark': 'a'});
	t.like(upstream.requests, [{method: 'POST', path: '/v1/chat/completions?trace=1', headers: {'x-mark': 'a'}, aborted: false}]);
	t.deepEqual(JSON.parse(upstream.requests[0]?.body ?? ''), {model: 'small', messages: hi});

	const init = {method: 'POST', headers: {authorization: 'Bearer k'}, body: JSON.stringify({model: 'fault-slow-5000', messages: hi})};
	const client = new AbortController();
	const left = t.throwsAsync(fetch(`${upstream.url}/v1/chat/completions`, {...init, signal: client.signal}), {any: true});
	await until(() => upstream.counts().total === 2);
	client.abort();
	await left;
	await until(() => upstream.counts().inFlight === 0);
	t.deepEqual(upstream.counts(), {total: 2, models: {small: 1, 'fault-slow-5000': 1}, inFlight: 0, aborted: 1});
	t.true(upstream.requests[1]?.aborted);
	upstream.reset();
	t.deepEqual(upstream.requests, []);
});

test('the log keeps the last 10,000 requests, fewer when they are large, and counts them all', t => {
	const log = openRequestLog();
	const request = {method: 'POST', path: '/', headers: {}, body: '', aborted: false};
	for (let at = 1; at <= 10_001; at++) log.received({...request, at});
	t.is(log.requests.length, 10_000);
	t.is(log.requests[0]?.at, 2);
	const body = 'x'.repeat(30 * 1024 * 1024);
	for (let at = 0; at < 3; at++) log.received({...request, body, at});
	t.is(log.requests.length, 2);
	t.is(log.counts().total, 10_004);
});

const firstLine = async (lines: AsyncIterable<string>): Promise<string> => {
	for await (const line of lines) return line;
	return '';
};
const main = new URL('main.ts', import.meta.url).pathname;

test('as a process: it prints where it listens, shows its log over HTTP and ends with 0 on SIGTERM', async t => {
	const child = spawn(process.execPath, [main], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	const {listening} = JSON.parse(await firstLine(createInterface(child.stdout)));
	await fetch(`${listening}/v1/models`, {headers: {'x-api-key': 'k'}});
	t.like(await (await fetch(`${listening}/_requests`)).json(), [{path: '/v1/models', headers: {'x-api-key': 'k'}}]);
	await fetch(`${listening}/_requests`, {method: 'DELETE'});
	t.deepEqual(await (await fetch(`${listening}/_counts`)).json(), {total: 0, models: {}, inFlight: 0, aborted: 0});
	child.kill('SIGTERM');
	t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('with its parent: it ends when the pipe to its stdin closes', async t => {
	const child = spawn(process.execPath, [main, '--with-parent'], {stdio: ['pipe', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	await firstLine(createInterface(child.stdout));
	child.stdin.end();
	t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('with its parent: it ends when the IPC channel disconnects, whatever its stdin is', async t => {
	const child = fork(main, ['--with-parent'], {stdio: ['ignore', 'pipe', 'inherit', 'ipc']});
	t.teardown(() => child.kill('SIGKILL'));
	if (!child.stdout) return t.fail();
	await firstLine(createInterface(child.stdout));
	t.is(child.exitCode, null);
	child.disconnect();
	t.deepEqual(await once(child, 'exit'), [0, null]);
});
