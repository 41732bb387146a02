import test, {type ExecutionContext} from 'ava';
import type {Price} from '../schemas/price.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const perToken = {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000};
const keys = {use: 'virtual-keys'};
const budgets = {use: 'budgets', config: {window: 'month' as const, limitUsd: {'*': 100}}};

const start = (t: ExecutionContext, plugins: object[], price: Price = perToken) =>
	startGateway(t, {prices: {'local/*': price}, plugins: plugins as []});

const say = async (gateway: TestGateway, model: string, more: object = {}) => {
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const asked = {model: `local/${model}`, max_tokens: 100, messages: user('hi'), ...more};
	return client.chat.completions.create(asked as Parameters<typeof client.chat.completions.create>[0]);
};

const recordOf = (gateway: TestGateway) => eventually(async () => (await modelRecords(gateway)).at(-1));

test('a record has the parts of what was used, and they are what was charged', async t => {
	const gateway = await start(t, [keys]);
	await say(gateway, 'echo');
	const {usage, costMicroUsd} = await recordOf(gateway);
	t.is(usage?.source, 'reported');
	t.is(usage?.doubt, undefined);
	const {input = 0, cacheRead = 0, output = 0} = usage!.parts!;
	t.deepEqual([input + cacheRead, output], [usage!.inputTokens, usage!.outputTokens]);
	t.is(costMicroUsd, usage!.inputTokens + 2 * usage!.outputTokens);
});

test('a record says why its usage is an estimate: nothing was reported, or the answer broke off', async t => {
	const gateway = await start(t, [keys]);
	await say(gateway, 'fault-no-usage');
	t.like((await recordOf(gateway)).usage, {source: 'estimated', doubt: 'missing'});
	await t.throwsAsync(async () => {
		const stream = await say(gateway, 'fault-reset-mid', {stream: true});
		if (Symbol.asyncIterator in stream) for await (const _ of stream);
	});
	const {usage} = await eventually(async () => (await modelRecords(gateway)).find(({stream}) => stream));
	t.like(usage, {source: 'estimated', doubt: 'cut'});
	t.true(usage!.outputTokens >= 1 && usage!.outputTokens < 400, String(usage!.outputTokens));
});

test('no vocabulary is loaded and nothing is counted where no plugin reads estimates', async t => {
	for (const [plugins, counts] of [
		[[keys], false],
		[[keys, {...budgets, when: {model: 'other'}}], false],
		[[keys, budgets], true],
	] as const) {
		const gateway = await start(t, [...plugins]);
		await say(gateway, 'echo');
		t.is(gateway.gateway.catalogue.deployment('local/echo')!.bound.ready, counts);
	}
});

test('what is set aside for words is about twice what they are in tokens, not their bytes', async t => {
	const gateway = await start(t, [keys, budgets], {inputUsdPerMTok: 1, outputUsdPerMTok: 0});
	const content = 'The quick brown fox jumps over the lazy dog, and nobody knows why it does. '.repeat(40);
	await say(gateway, 'echo', {messages: user(content)});
	const opened = (await gateway.journal()).find(({kind}) => kind === 'opened');
	const amount = opened!.bookings![0]!.amount;
	t.true(amount > 40 * 16 && amount < content.length * 0.6, `${amount} for ${content.length} bytes`);
});

test('a price by the request is set aside and charged', async t => {
	const gateway = await start(t, [keys, budgets], {inputUsdPerMTok: 0, outputUsdPerMTok: 0, units: {requests: {usd: 0.5}}});
	await say(gateway, 'echo');
	t.is((await recordOf(gateway)).costMicroUsd, 500_000);
	const opened = (await gateway.journal()).find(({kind}) => kind === 'opened');
	t.is(opened!.bookings![0]!.amount, 500_000);
});
