import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {providerKey, startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

/** Every call asks for 10 tokens and gets 10: it costs 20 micro-dollars, as was set aside. */
const costUsd = 0.000_02;
const price = {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000};
const call = {model: 'fast', max_tokens: 10, messages: user('go on')};
const refused = {instanceOf: OpenAI.RateLimitError};

const start = (t: ExecutionContext, limitUsd: Record<string, number>, more: GatewayConfigInput = {}) =>
	startGateway(t, {
		models: {fast: ['local/words-50'], shaky: ['local/fault-500', 'local/words-50'], slow: ['local/fault-slow-3000']},
		prices: {'local/*': price},
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'total', limitUsd}}],
		...more,
	});

const spent = ({gateway}: TestGateway, account: string) => gateway.ledger.balance(account, 'microUsd', 'total');

test('a key in a team cannot escape the limit of its user, its team or its tenant', async t => {
	const who = {tenant: 'acme', team: 'search', user: 'ada'};
	for (const account of ['user:acme/ada', 'team:acme/search', 'tenant:acme']) {
		const gateway = await start(t, {[account]: costUsd, '*': 1});
		const of = async () => openaiClient(gateway, {apiKey: await gateway.key(who)});
		await (await of()).chat.completions.create(call);
		const error = await t.throwsAsync((await of()).chat.completions.create(call), refused);
		t.regex(error!.message, new RegExp(account));
		t.is(gateway.upstream.requests.length, 1, account);
	}
});

test('a tag that a client makes up does not change whose budget pays', async t => {
	const gateway = await start(t, {'tenant:default': costUsd, 'tag:free': 1, 'tenant:free': 1});
	const apiKey = await gateway.key();
	const headers = {
		'x-sallyport-tags': 'tenant:free,tag:free',
		'x-sallyport-session': 'tenant:free',
		'x-tenant': 'free',
		'openai-organization': 'free',
	};
	const client = openaiClient(gateway, {apiKey, headers});
	const asking = {...call, user: 'tenant:free', metadata: {tenant: 'free', accounts: 'tenant:free'}};
	await client.chat.completions.create(asking);
	await t.throwsAsync(client.chat.completions.create(asking), refused);
	t.deepEqual(spent(gateway, 'tenant:default'), {spent: 20, reserved: 0});
	for (const account of ['tag:free', 'tenant:free']) t.is(spent(gateway, account).spent, 0);
});

test('where a request names no maximum, the most that the model can answer is set aside', async t => {
	const gateway = await start(t, {'tenant:default': 0.002});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const asked = client.chat.completions.create({model: 'slow', messages: user('hi')});
	await eventually(() => (gateway.upstream.counts().inFlight === 1 ? true : undefined));
	t.deepEqual(spent(gateway, 'tenant:default'), {spent: 0, reserved: 2_000});
	await t.throwsAsync(client.chat.completions.create({model: 'fast', max_tokens: 1, messages: user('hi')}), refused);
	await asked;
	t.is(spent(gateway, 'tenant:default').reserved, 0);
});

test('whatever ids a client repeats, each call that is made is booked once, and none twice', async t => {
	const gateway = await start(t, {'tenant:default': 1});
	const headers = {
		'idempotency-key': 'same',
		'x-request-id': 'same',
		'x-sallyport-exchange': 'ex_same',
		traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
	};
	const client = openaiClient(gateway, {apiKey: await gateway.key(), headers});
	for (let count = 0; count < 3; count++) await client.chat.completions.create(call);
	const records = await modelRecords(gateway);
	t.is(new Set(records.map(({exchange}) => exchange)).size, 3);
	t.is(spent(gateway, 'tenant:default').spent, 60);
	t.is(gateway.upstream.requests.length, 3);
});

test('a call that is tried at two deployments, and again by its client, is booked once for each answer', async t => {
	const gateway = await start(t, {'tenant:default': 1});
	const client = openaiClient(gateway, {apiKey: await gateway.key(), maxRetries: 2});
	await client.chat.completions.create({...call, model: 'shaky'});
	t.deepEqual(spent(gateway, 'tenant:default'), {spent: 20, reserved: 0});
	const [record] = await modelRecords(gateway);
	t.is(record?.attempts?.length, 2);
	t.deepEqual(
		record?.bookings?.map(({amount}) => amount),
		[20],
	);
});

/** A provider that answers with this usage, whatever was asked. */
const providerWith = async (t: ExecutionContext, usage: unknown): Promise<string> => {
	const server = createServer((req, res) => {
		req.resume();
		const message = {role: 'assistant', content: 'hello'};
		const body = {id: 'x', object: 'chat.completion', model: 'm', choices: [{index: 0, message, finish_reason: 'stop'}], usage};
		res.setHeader('content-type', 'application/json').end(JSON.stringify(body));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const odd = (baseUrl: string): GatewayConfigInput => ({
	providers: {odd: {speaks: 'openai', baseUrl, key: providerKey}},
	models: {fast: ['odd/m']},
	prices: {'odd/*': price},
});

test('an upstream that reports more than was set aside is booked as it says, and the next call is refused', async t => {
	const baseUrl = await providerWith(t, {prompt_tokens: 5, completion_tokens: 500, total_tokens: 505});
	const gateway = await start(t, {'tenant:default': 0.0005}, odd(baseUrl));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	t.deepEqual(spent(gateway, 'tenant:default'), {spent: 1_000, reserved: 0});
	const error = await t.throwsAsync(client.chat.completions.create(call), refused);
	t.regex(error!.message, /has 0\.000000 USD left/);
});

for (const [what, usage] of Object.entries({
	'no usage': undefined,
	'negative usage': {prompt_tokens: -5, completion_tokens: -1_000, total_tokens: -1_005},
	'usage that is text': {prompt_tokens: '5', completion_tokens: '5', total_tokens: '10'},
	'more tokens than there are': {prompt_tokens: 1e15, completion_tokens: 1e15, total_tokens: 2e15},
}))
	test(`an upstream that reports ${what} is estimated, says so, and gives no money back`, async t => {
		const baseUrl = await providerWith(t, usage);
		const gateway = await start(t, {'tenant:default': 1}, odd(baseUrl));
		const client = openaiClient(gateway, {apiKey: await gateway.key()});
		await client.chat.completions.create(call);
		const [record] = await modelRecords(gateway);
		t.like(record, {outcome: 'ok', usage: {source: 'estimated'}});
		const booked = spent(gateway, 'tenant:default');
		t.is(booked.reserved, 0);
		t.true(booked.spent > 0 && booked.spent <= 20, String(booked.spent));
		t.is(booked.spent, record!.costMicroUsd!);
	});
