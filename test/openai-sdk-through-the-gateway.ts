import test from 'ava';
import OpenAI from 'openai';
import {startGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

const models = {
	fast: ['local/echo'],
	embed: ['local/embed'],
	endless: ['local/fault-endless'],
	once: ['local/fault-once-500-a'],
	limited: ['local/fault-429-7'],
	broken: ['local/fault-500'],
	'broken-mid': ['local/fault-error-mid'],
	'reset-mid': ['local/fault-reset-mid'],
	picky: ['local/fault-422'],
	refused: ['refused/echo'],
};

test('a chat, a stream and a tool call are what the provider itself would have said', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});

	const {data, response} = await client.chat.completions.create({model: 'fast', messages: user('hello there')}).withResponse();
	t.is(data.choices[0]?.message.content, 'You said: hello there');
	t.true((data.usage?.total_tokens ?? 0) > 0);
	t.regex(response.headers.get('x-sallyport-exchange') ?? '', /^ex_/);
	t.is(response.headers.get('x-sallyport-route'), 'local/echo');
	t.regex(response.headers.get('x-sallyport-cost-usd') ?? '', /^\d+\.\d{6}$/);
	t.true(Number(response.headers.get('x-sallyport-overhead-ms')) >= 0);

	let streamed = '';
	for await (const chunk of await client.chat.completions.create({model: 'fast', messages: user('hello there'), stream: true})) {
		streamed += chunk.choices[0]?.delta.content ?? '';
	}
	t.is(streamed, 'You said: hello there');

	const asking = {model: 'fast', messages: user('call the tool weather with {"city": "Ghent"}'), tools: [weather]};
	const called = await client.chat.completions.create(asking);
	const call = called.choices[0]?.message.tool_calls?.[0];
	t.like(call, {type: 'function', function: {name: 'weather'}});
	t.deepEqual(call?.type === 'function' && JSON.parse(call.function.arguments), {city: 'Ghent'});

	const final = await client.chat.completions.stream(asking).finalChatCompletion();
	const inStream = final.choices[0]?.message.tool_calls?.[0];
	t.deepEqual(inStream?.type === 'function' && JSON.parse(inStream.function.arguments), {city: 'Ghent'});
	t.is(final.choices[0]?.finish_reason, 'tool_calls');

	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({outcome, status, operation, stream}) => ({outcome, status, operation, stream})),
		[false, true, false, true].map(stream => ({outcome: 'ok', status: 200, operation: 'chat', stream})),
	);
	t.true(records.every(({usage}) => usage?.source === 'reported'));
});

test('embeddings arrive as numbers, although the SDK asks for base64', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const {data, usage} = await client.embeddings.create({model: 'embed', input: ['one', 'two'], dimensions: 8});
	t.is(data.length, 2);
	t.is(data[0]?.embedding.length, 8);
	t.is(typeof data[0]?.embedding[0], 'number');
	t.true(usage.prompt_tokens > 0);
	t.like(JSON.parse(gateway.upstream.requests[0]?.body ?? ''), {encoding_format: 'base64'});
});

test('models are the aliases of the config, one by one and as a list', async t => {
	const gateway = await startGateway(t, {models: {fast: ['local/echo'], 'a/b c': ['local/echo']}});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	t.deepEqual(
		(await client.models.list()).data.map(({id}) => id),
		['fast', 'a/b c'],
	);
	t.is((await client.models.retrieve('fast')).id, 'fast');
	t.is((await client.models.retrieve('a/b c')).id, 'a/b c');
	await t.throwsAsync(client.models.retrieve('slow'), {instanceOf: OpenAI.NotFoundError});
	t.is(gateway.upstream.counts().total, 0);
});

test('each refusal is the exception that the SDK has for it', async t => {
	const gateway = await startGateway(t, {
		models,
		providers: {
			local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: 'unused-key'},
			refused: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: 'unused-key'},
		},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': ['fast', 'nowhere']}}}],
	});
	const apiKey = await gateway.key();
	const asking = {model: 'fast', messages: user('hello')};
	const client = openaiClient(gateway, {apiKey});

	const unknown = await t.throwsAsync(openaiClient(gateway, {apiKey: 'vk_wrong'}).chat.completions.create(asking), {
		instanceOf: OpenAI.AuthenticationError,
	});
	t.is(unknown?.code, 'unauthenticated');
	const denied = await t.throwsAsync(client.chat.completions.create({...asking, model: 'endless'}), {
		instanceOf: OpenAI.PermissionDeniedError,
	});
	t.is(denied?.code, 'model_not_granted');
	const missing = await t.throwsAsync(client.chat.completions.create({...asking, model: 'nowhere'}), {instanceOf: OpenAI.NotFoundError});
	t.is(missing?.code, 'model_not_found');
	t.is(missing?.param, 'model');
	// @ts-expect-error: what the SDK's types forbid and its users send.
	const wrong = await t.throwsAsync(client.chat.completions.create({...asking, temperature: 1, n: 'two'}), {
		instanceOf: OpenAI.BadRequestError,
	});
	t.is(wrong?.param, 'n');
	const unreachable = await t.throwsAsync(client.chat.completions.create(asking), {instanceOf: OpenAI.InternalServerError});
	t.is(unreachable?.code, 'upstream_unreachable');
});

test('what the provider says against a request is the exception that the SDK has for it', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const asking = (model: string) => ({model, messages: user('hello')});

	const limited = await t.throwsAsync(client.chat.completions.create(asking('limited')), {instanceOf: OpenAI.RateLimitError});
	t.is(limited?.headers?.get('retry-after'), '7');
	t.is(limited?.headers?.get('x-should-retry'), 'true');
	await t.throwsAsync(client.chat.completions.create(asking('broken')), {instanceOf: OpenAI.InternalServerError});
	const picky = await t.throwsAsync(client.chat.completions.create(asking('picky')), {instanceOf: OpenAI.UnprocessableEntityError});
	t.is(picky?.headers?.get('x-should-retry'), 'false');
	t.deepEqual(
		(await modelRecords(gateway)).map(({status, outcome, attempts}) => ({status, outcome, tried: attempts?.map(({status}) => status)})),
		[429, 502, 422].map((status, place) => ({status, outcome: 'failed', tried: [[429, 500, 422][place]]})),
	);
});

test('a stream that breaks in the middle is an exception, not an end', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (const model of ['broken-mid', 'reset-mid']) {
		for (const stream_options of [undefined, {include_usage: true}]) {
			let text = '';
			const error = await t.throwsAsync(async () => {
				for await (const chunk of await client.chat.completions.create({model, messages: user('hi'), stream: true, stream_options})) {
					text += chunk.choices[0]?.delta.content ?? '';
				}
			});
			t.true(error instanceof OpenAI.APIError, `${model}: ${String(error)}`);
			t.regex(text, /^word1 word2/);
		}
	}
	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({outcome, error}) => ({outcome, code: error?.code})),
		records.map(() => ({outcome: 'failed', code: 'upstream_failed'})),
	);
	t.is(records.length, 4);
	t.true(records.every(({usage}) => usage?.source === 'estimated'));
});

test('a client that leaves at the third chunk ends the upstream too, and leaves one record', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.chat.completions.create({model: 'endless', messages: user('go on'), stream: true});
	let chunks = 0;
	for await (const _ of stream) if (++chunks === 3) break;
	const left = performance.now();
	await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
	t.true(performance.now() - left < 1_000);
	const record = await eventually(async () => (await modelRecords(gateway))[0]);
	t.like(record, {outcome: 'aborted', error: {code: 'client_closed'}, stream: true});
	t.is(record.usage?.source, 'estimated');
	t.is((await modelRecords(gateway)).length, 1);
});

test('a client that leaves before the first byte ends the upstream too', async t => {
	const gateway = await startGateway(t, {models: {slow: ['local/fault-slow-9000', 'local/echo']}});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const leaving = new AbortController();
	const asked = client.chat.completions.create({model: 'slow', messages: user('hi')}, {signal: leaving.signal});
	await eventually(() => (gateway.upstream.counts().inFlight === 1 ? true : undefined));
	leaving.abort();
	await t.throwsAsync(asked, {instanceOf: OpenAI.APIUserAbortError});
	const record = await eventually(async () => (await modelRecords(gateway))[0]);
	t.like(record, {outcome: 'aborted', error: {code: 'client_closed'}});
	t.is(gateway.upstream.counts().total, 1);
	t.is(gateway.upstream.counts().aborted, 1);
});

test('the SDK retries what may work later, and nothing else', async t => {
	const gateway = await startGateway(t, {models});
	const client = openaiClient(gateway, {apiKey: await gateway.key(), maxRetries: 2});
	t.is((await client.chat.completions.create({model: 'once', messages: user('hi')})).choices[0]?.message.content, 'You said: hi');
	t.is((await modelRecords(gateway)).length, 2);
	await t.throwsAsync(client.chat.completions.create({model: 'picky', messages: user('hi')}));
	await t.throwsAsync(client.chat.completions.create({model: 'nowhere', messages: user('hi')}));
	t.is((await modelRecords(gateway)).length, 4);
});
