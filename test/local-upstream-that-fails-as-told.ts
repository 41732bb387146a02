import Anthropic from '@anthropic-ai/sdk';
import test from 'ava';
import OpenAI from 'openai';
import {fieldsOf, stringOf} from '../examples/local-upstream/json.ts';
import {hi, readAll, until, upstreamAndClients} from './helpers/local-upstream.ts';

test('fault-<status>: fails with that status, and with retry-after only when it names seconds', async t => {
	const {post} = await upstreamAndClients(t);
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
	const {post, upstream} = await upstreamAndClients(t);
	const status = async () => (await post('/v1/chat/completions', {model: 'fault-once-500-a', messages: hi})).status;
	t.deepEqual([await status(), await status(), await status()], [500, 200, 200]);
	upstream.reset();
	t.is(await status(), 500);
});

test('fault-slow: nothing comes before its time', async t => {
	const {post} = await upstreamAndClients(t);
	const from = Date.now();
	t.is((await post('/v1/chat/completions', {model: 'fault-slow-100', messages: hi})).status, 200);
	t.true(Date.now() - from >= 98);
});

test('fault-reset: the connection ends before any byte', async t => {
	const {post} = await upstreamAndClients(t);
	const error = await t.throwsAsync(post('/v1/chat/completions', {model: 'fault-reset', messages: hi}), {instanceOf: TypeError});
	t.like(error?.cause, {code: 'ECONNRESET'});
});

test('fault-reset-mid: three deltas arrive and the connection ends without an end', async t => {
	const {post} = await upstreamAndClients(t);
	for (const path of ['/v1/chat/completions', '/v1/messages']) {
		const {text, broke} = await readAll(await post(path, {model: 'fault-reset-mid', max_tokens: 99, messages: hi, stream: true}));
		t.true(broke);
		t.deepEqual(text.match(/word\d+/g), ['word1', 'word2', 'word3']);
	}
	t.true((await readAll(await post('/v1/chat/completions', {model: 'fault-reset-mid', messages: hi}))).broke);
});

test('fault-error-mid: an error event follows three deltas', async t => {
	const {openai, anthropic} = await upstreamAndClients(t);
	const openaiStream = await openai.chat.completions.create({model: 'fault-error-mid', messages: hi, stream: true});
	await t.throwsAsync(Array.fromAsync(openaiStream), {instanceOf: OpenAI.APIError, message: /server had an error/});
	const anthropicStream = await anthropic.messages.create({model: 'fault-error-mid', max_tokens: 99, messages: hi, stream: true});
	await t.throwsAsync(Array.fromAsync(anthropicStream), {instanceOf: Anthropic.APIError, message: /Internal server error/});
});

test('fault-malformed: one event is cut in half and the stream goes on to its end', async t => {
	const {post} = await upstreamAndClients(t);
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
	const {openai, upstream} = await upstreamAndClients(t);
	const stream = await openai.chat.completions.create({model: 'fault-endless', messages: hi, stream: true});
	let chunks = 0;
	for await (const _ of stream) if (++chunks === 10) break;
	await until(() => upstream.counts().inFlight === 0);
	t.like(upstream.counts(), {inFlight: 0, aborted: 1});
	t.true(upstream.requests[0]?.aborted);
});

test('fault-endless and fault-stall are cut after the longest time, which is not counted as the client leaving', async t => {
	const {post, upstream} = await upstreamAndClients(t, {longestMs: 500});
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
	const {post} = await upstreamAndClients(t);
	const ask = {model: 'fault-no-usage', max_tokens: 9, messages: hi};
	for (const path of ['/v1/chat/completions', '/v1/messages']) {
		t.notRegex(await (await post(path, ask)).text(), /"usage"/);
		t.notRegex(await (await post(path, {...ask, stream: true, stream_options: {include_usage: true}})).text(), /"usage"/);
	}
	t.notRegex(await (await post('/v1/embeddings', {model: 'fault-no-usage', input: 'x'})).text(), /"usage"/);
});

test('fault-echo-headers: the provider key comes back in the answer', async t => {
	const {openai} = await upstreamAndClients(t);
	const {choices} = await openai.chat.completions.create({model: 'fault-echo-headers', messages: hi});
	t.regex(choices[0]?.message.content ?? '', /Bearer provider-key/);
});

test('an unknown fault, an unknown path, a body that is not JSON and a missing field are refused, not echoed', async t => {
	const {openai, anthropic, post, upstream} = await upstreamAndClients(t);
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
