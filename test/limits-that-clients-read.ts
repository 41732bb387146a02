import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {durationOf} from '../core/rate-headers.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {anthropicClient, openaiClient, user} from './helpers/sdks.ts';

const prices = {
	'local/*': {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000},
	'claude/*': {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000},
};
const models = {fast: ['local/words-50'], sonnet: ['claude/words-50'], broken: ['local/fault-500']};
const call = {model: 'fast', max_tokens: 10, messages: user('hi')};

const start = (t: ExecutionContext, ...plugins: NonNullable<GatewayConfigInput['plugins']>) =>
	startGateway(t, {models, prices, plugins: [{use: 'virtual-keys'}, ...plugins]});

/** A minute that ends in the middle of a test would give its room back: the last seconds of one are waited out. */
const sameMinute = async (): Promise<void> => {
	const left = 60_000 - (Date.now() % 60_000);
	if (left < 12_000) await new Promise(resolve => setTimeout(resolve, left));
};

const told = (headers: Headers): Record<string, string> =>
	Object.fromEntries([...headers].filter(([name]) => /^(x-ratelimit|x-sallyport-budget|retry-after)/.test(name)));

test('a duration is written as OpenAI writes it, and rounded up', t => {
	const written = {0: '0ms', 0.2: '1ms', 999: '999ms', 1000: '1s', 1001: '2s', 60000: '1m0s', 359500: '6m0s', 3600000: '1h0m0s'};
	for (const [ms, text] of Object.entries(written)) t.is(durationOf(Number(ms)), text, ms);
	t.is(durationOf(90_061_000), '25h1m1s');
});

test('every answer tells what is left of the tightest limits, whole or streamed, in either dialect', async t => {
	await sameMinute();
	const gateway = await start(
		t,
		{
			use: 'rate-limits',
			config: {limits: {'*': {'requests/minute': 5, 'tokens/rolling:10m': 500}, 'tenant:default': {'requests/minute': 50}}},
		},
		{use: 'budgets', config: {window: 'total', limitUsd: {'tenant:default': 0.01, 'key:none': 0}}},
	);
	const apiKey = await gateway.key();
	const client = openaiClient(gateway, {apiKey});
	const {data, response} = await client.chat.completions.create(call).withResponse();
	const used = data.usage!.total_tokens;
	const {'x-ratelimit-reset-requests': reset, ...first} = told(response.headers);
	t.deepEqual(first, {
		'x-ratelimit-limit-requests': '5',
		'x-ratelimit-remaining-requests': '4',
		'x-ratelimit-limit-tokens': '500',
		'x-ratelimit-remaining-tokens': String(500 - used),
		'x-ratelimit-reset-tokens': '10m0s',
		'x-sallyport-budget-remaining': '0.009980',
	});
	t.regex(reset!, /^\d+m?s$|^1m0s$/);

	const streamed = await client.chat.completions.create({...call, stream: true}).withResponse();
	t.like(told(streamed.response.headers), {'x-ratelimit-remaining-requests': '3'});
	t.true(Number(streamed.response.headers.get('x-ratelimit-remaining-tokens')) < 500 - used, 'what is set aside is not left');
	for await (const _ of streamed.data);

	const {response: anthropic} = await anthropicClient(gateway, {apiKey})
		.messages.create({...call, model: 'sonnet'})
		.withResponse();
	t.like(told(anthropic.headers), {'x-ratelimit-remaining-requests': '2', 'x-sallyport-budget-remaining': '0.009940'});
});

test('a refusal tells the true time left, and what is left of every limit', async t => {
	await sameMinute();
	const gateway = await start(t, {use: 'rate-limits', config: {limits: {'*': {'requests/minute': 1}}}});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	const error = await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	const left = 60_000 - (Date.now() % 60_000);
	t.like(error, {code: 'rate_limited', type: 'rate_limit_error'});
	const headers = error!.headers!;
	const ms = Number(headers.get('retry-after-ms'));
	t.true(ms >= left && ms < left + 5_000, `${ms}, ${left} are left`);
	t.is(headers.get('retry-after'), String(Math.ceil(ms / 1_000)));
	t.is(headers.get('x-should-retry'), 'true');
	t.like(told(headers), {'x-ratelimit-limit-requests': '1', 'x-ratelimit-remaining-requests': '0'});
	t.is(gateway.upstream.requests.length, 1);
});

test('what no waiting can help names no time to wait', async t => {
	const gateway = await start(t, {use: 'rate-limits', config: {limits: {'*': {'tokens/minute': 5}}}});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const error = await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	t.is(error!.headers!.get('retry-after'), null);
	t.is(error!.headers!.get('x-ratelimit-remaining-tokens'), '5');
});

test('a call that got no answer, or was refused by a plugin behind, gives its place back', async t => {
	const gateway = await start(
		t,
		{use: 'rate-limits', config: {limits: {'*': {'requests/day': 3, 'tokens/day': 10_000}}}},
		{use: 'budgets', config: {window: 'total', limitUsd: {'tenant:default/model:fast': 0}}},
	);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (const model of ['broken', 'fast', 'broken', 'fast']) {
		const error = await t.throwsAsync(client.chat.completions.create({...call, model}), {instanceOf: OpenAI.APIError});
		t.is(error!.headers!.get('x-ratelimit-remaining-requests'), '3', model);
		t.is(error!.headers!.get('x-ratelimit-remaining-tokens'), '10000', model);
	}
});

test('where nothing is limited, nothing is told', async t => {
	const gateway = await start(t, {use: 'budgets', config: {window: 'total', limitUsd: {'tenant:default': {total: {usd: 1, soft: true}}}}});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const {response} = await client.chat.completions.create(call).withResponse();
	t.deepEqual(told(response.headers), {});
	const {response: listed} = await client.models.list().withResponse();
	t.deepEqual(told(listed.headers), {});
});
