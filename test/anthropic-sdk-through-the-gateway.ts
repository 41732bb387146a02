import Anthropic from '@anthropic-ai/sdk';
import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {anthropicClient, eventually, modelRecords, user} from './helpers/sdks.ts';

const models = {
	sonnet: ['claude/echo'],
	endless: ['claude/fault-endless'],
	limited: ['claude/fault-429-7'],
	broken: ['claude/fault-529'],
	picky: ['claude/fault-400'],
	'broken-mid': ['claude/fault-error-mid'],
	'reset-mid': ['claude/fault-reset-mid'],
	once: ['claude/fault-once-529-b'],
	openai: ['local/echo'],
};
const weather = {name: 'weather', input_schema: {type: 'object' as const, properties: {city: {type: 'string'}}}};

test('a message, a stream and a tool call are what the provider itself would have said', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	const asking = {model: 'sonnet', max_tokens: 100, messages: user('hello there')};

	const message = await client.messages.create(asking);
	t.like(message.content[0], {type: 'text', text: 'You said: hello there'});
	t.true(message.usage.input_tokens > 0);
	t.is(await client.messages.stream(asking).finalText(), 'You said: hello there');

	const calling = {...asking, messages: user('call the tool weather with {"city": "Ghent"}'), tools: [weather]};
	const called = await client.messages.create(calling);
	t.like(called.content.at(-1), {type: 'tool_use', name: 'weather', input: {city: 'Ghent'}});
	const inStream = await client.messages.stream(calling).finalMessage();
	t.like(inStream.content.at(-1), {type: 'tool_use', name: 'weather', input: {city: 'Ghent'}});
	t.is(inStream.stop_reason, 'tool_use');

	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({outcome, operation, stream, usage}) => ({outcome, operation, stream, source: usage?.source})),
		[false, true, false, true].map(stream => ({outcome: 'ok', operation: 'messages', stream, source: 'reported'})),
	);
	t.true(gateway.upstream.requests.every(({headers}) => headers['x-api-key'] !== undefined && headers.authorization === undefined));
});

test('the same is served under /anthropic', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient({url: `${gateway.url}/anthropic`}, {apiKey: await gateway.key()});
	const message = await client.messages.create({model: 'sonnet', max_tokens: 100, messages: user('hi')});
	t.like(message.content[0], {text: 'You said: hi'});
	t.true((await client.models.list()).data.some(({id}) => id === 'sonnet'));
	t.is((await client.models.retrieve('sonnet')).id, 'sonnet');
});

test('counting tokens costs nothing', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	t.true((await client.messages.countTokens({model: 'sonnet', messages: user('hello there')})).input_tokens > 0);
	t.like((await modelRecords(gateway))[0], {operation: 'count_tokens', outcome: 'ok', costMicroUsd: 0});
});

test('models are the aliases, in the shape of this SDK, and so is a missing one', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	t.deepEqual(
		(await client.models.list()).data.map(({id}) => id),
		Object.keys(models),
	);
	const missing = await t.throwsAsync(client.models.retrieve('nobody'), {instanceOf: Anthropic.NotFoundError});
	t.is(missing?.type, 'not_found_error');
	const stranger = anthropicClient(gateway, {apiKey: 'vk_nobody'});
	const refused = await t.throwsAsync(stranger.models.list().then(), {instanceOf: Anthropic.AuthenticationError});
	t.is(refused?.type, 'authentication_error');
});

test('each refusal is the exception that the SDK has for it', async t => {
	const gateway = await startGateway(t, {
		models,
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'*': [...Object.keys(models).filter(name => name !== 'endless'), 'nowhere']}}},
		],
	});
	const apiKey = await gateway.key();
	const client = anthropicClient(gateway, {apiKey});
	const asking = (model: string) => client.messages.create({model, max_tokens: 10, messages: user('hi')});

	const stranger = anthropicClient(gateway, {apiKey: 'vk_nobody'});
	await t.throwsAsync(stranger.messages.create({model: 'sonnet', max_tokens: 1, messages: user('hi')}), {
		instanceOf: Anthropic.AuthenticationError,
	});
	await t.throwsAsync(asking('endless'), {instanceOf: Anthropic.PermissionDeniedError});
	await t.throwsAsync(asking('nowhere'), {instanceOf: Anthropic.NotFoundError});
	await t.throwsAsync(client.messages.create({model: 'sonnet', max_tokens: 0, messages: user('hi')}), {
		instanceOf: Anthropic.BadRequestError,
	});
	const crossing = await t.throwsAsync(asking('openai'), {instanceOf: Anthropic.BadRequestError});
	t.regex(String(crossing?.message), /dialect/);
	t.is(gateway.upstream.counts().total, 0);
	const limited = await t.throwsAsync(asking('limited'), {instanceOf: Anthropic.RateLimitError});
	t.is(limited?.headers?.get('retry-after'), '7');
	await t.throwsAsync(asking('broken'), {instanceOf: Anthropic.InternalServerError});
	await t.throwsAsync(asking('picky'), {instanceOf: Anthropic.BadRequestError});
	t.deepEqual(
		(await modelRecords(gateway)).map(({status}) => status),
		[401, 403, 404, 400, 400, 429, 502, 400],
	);
});

test('a stream that breaks in the middle is an exception, not an end', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	for (const model of ['broken-mid', 'reset-mid']) {
		const error = await t.throwsAsync(client.messages.stream({model, max_tokens: 100, messages: user('hi')}).finalText());
		t.true(error instanceof Anthropic.APIError, `${model}: ${String(error)}`);
	}
	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome, error, usage}) => ({outcome, code: error?.code, source: usage?.source})),
		[1, 2].map(() => ({outcome: 'failed', code: 'upstream_failed', source: 'estimated'})),
	);
});

test('a client that leaves at the third event ends the upstream too, and leaves one record', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.messages.create({model: 'endless', max_tokens: 100, messages: user('go on'), stream: true});
	let events = 0;
	for await (const _ of stream) if (++events === 3) break;
	const left = performance.now();
	await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
	t.true(performance.now() - left < 1_000);
	t.like(await eventually(async () => (await modelRecords(gateway))[0]), {outcome: 'aborted', error: {code: 'client_closed'}});
	t.is((await modelRecords(gateway)).length, 1);
});

test('the SDK retries what may work later', async t => {
	const gateway = await startGateway(t, {models});
	const client = anthropicClient(gateway, {apiKey: await gateway.key(), maxRetries: 2});
	const message = await client.messages.create({model: 'once', max_tokens: 100, messages: user('hi')});
	t.like(message.content[0], {text: 'You said: hi'});
	t.is((await modelRecords(gateway)).length, 2);
});
