import test from 'ava';
import OpenAI from 'openai';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {anthropicClient, modelRecords, openaiClient, user} from './helpers/sdks.ts';

/** Every call asks for 10 tokens and gets 10: it costs 20 micro-dollars, as was set aside. */
const costUsd = 0.000_02;
const models = {fast: ['local/words-50'], sonnet: ['claude/words-50'], unpriced: ['local/chars'], mixed: ['local/words-50', 'local/chars']};
const free = {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000};
const prices = {'local/words-50': free, 'claude/*': free};
const call = {model: 'fast', max_tokens: 10, messages: user('go on')};
const withBudgets = (...plugins: NonNullable<GatewayConfigInput['plugins']>): GatewayConfigInput => ({
	models,
	prices,
	plugins: [{use: 'virtual-keys'}, ...plugins],
});
const budget = (limitUsd: Record<string, number>, window = 'month') => ({use: 'budgets', config: {window, limitUsd}});

/** A day that ends in the middle of a test would give its room back: the last seconds of one are waited out. */
const sameDay = async (): Promise<void> => {
	const left = 86_400_000 - (Date.now() % 86_400_000);
	if (left < 20_000) await new Promise(resolve => setTimeout(resolve, left));
};

test('a key that has spent its budget still lists models and counts tokens', async t => {
	const gateway = await startGateway(t, withBudgets(budget({'*': costUsd})));
	const apiKey = await gateway.key();
	const client = openaiClient(gateway, {apiKey});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	t.deepEqual(
		(await client.models.list()).data.map(({id}) => id),
		Object.keys(models),
	);
	t.is((await client.models.retrieve('fast')).id, 'fast');
	const {input_tokens} = await anthropicClient(gateway, {apiKey}).messages.countTokens({model: 'sonnet', messages: user('go on')});
	t.true(input_tokens > 0);
	const refused = await t.throwsAsync(anthropicClient(gateway, {apiKey}).messages.create({...call, model: 'sonnet'}));
	t.like(refused, {status: 429});
});

test('a limit of 0 lets nothing reach the upstream, and lists all the same', async t => {
	const gateway = await startGateway(t, withBudgets(budget({'tenant:default': 0})));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (const stream of [false, true]) {
		const error = await t.throwsAsync(client.chat.completions.create({...call, stream}), {instanceOf: OpenAI.RateLimitError});
		t.is(error?.code, 'budget_exceeded');
	}
	t.is(gateway.upstream.requests.length, 0);
	t.true((await client.models.list()).data.length > 0);
});

test('a model without a price, also of its second deployment alone, is refused to whom a budget applies, and to nobody else', async t => {
	const gateway = await startGateway(t, withBudgets(budget({'team:acme/paying': 1})));
	const of = async (team: string) => openaiClient(gateway, {apiKey: await gateway.key({tenant: 'acme', team})});
	const paying = await of('paying');
	for (const model of ['unpriced', 'mixed']) {
		const error = await t.throwsAsync(paying.chat.completions.create({...call, model}), {instanceOf: OpenAI.PermissionDeniedError});
		t.is(error?.code, 'price_unknown');
	}
	t.is(gateway.upstream.requests.length, 0);
	await (await of('other')).chat.completions.create({...call, model: 'unpriced'});
	t.is(gateway.upstream.requests.length, 1);
});

test('two members of one team: the one who has spent theirs is refused, the other is not', async t => {
	const gateway = await startGateway(
		t,
		withBudgets(budget({'team:acme/search': 1, 'user:acme/ada': costUsd, 'user:acme/bob': 2 * costUsd})),
	);
	const of = async (user: string) => openaiClient(gateway, {apiKey: await gateway.key({tenant: 'acme', team: 'search', user})});
	const [ada, bob] = [await of('ada'), await of('bob')];
	await ada.chat.completions.create(call);
	const error = await t.throwsAsync(ada.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	t.regex(error?.message ?? '', /user:acme\/ada/);
	t.false(error?.message.includes('bob'));
	await bob.chat.completions.create(call);
	t.is(gateway.upstream.requests.length, 2);
	// A refusal has booked nothing on the team either.
	t.like(await gateway.act('budgets', 'get', {account: 'team:acme/search'}), {spentUsd: 2 * costUsd, reservedUsd: 0});
});

test('a team without room refuses each of its members, and nobody else', async t => {
	const gateway = await startGateway(t, withBudgets(budget({'team:acme/search': costUsd})));
	const of = async (team: string, user: string) => openaiClient(gateway, {apiKey: await gateway.key({tenant: 'acme', team, user})});
	await (await of('search', 'ada')).chat.completions.create(call);
	await t.throwsAsync((await of('search', 'bob')).chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	await (await of('sales', 'cyd')).chat.completions.create(call);
	t.is(gateway.upstream.requests.length, 2);
});

test('a budget for the day and one for the month: the shorter refuses first, and neither books what the other refused', async t => {
	await sameDay();
	const gateway = await startGateway(
		t,
		withBudgets({...budget({'*': 2 * costUsd}, 'day'), as: 'daily'}, {...budget({'*': 3 * costUsd}), as: 'monthly'}),
	);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const spent = async (plugin: string) =>
		(await gateway.act(plugin, 'get', {account: 'tenant:default'})) as {spentUsd: number; reservedUsd: number};
	await client.chat.completions.create(call);
	await client.chat.completions.create(call);
	const byDay = await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	t.like(byDay?.error, {plugin: 'daily', code: 'budget_exceeded'});
	for (const plugin of ['daily', 'monthly']) t.like(await spent(plugin), {spentUsd: 2 * costUsd, reservedUsd: 0});

	// Limits are each plugin's own: the day's is raised, then the month's refuses, and the day gets its room back.
	await gateway.act('daily', 'set', {account: '*', limitUsd: 1});
	await client.chat.completions.create(call);
	const byMonth = await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	t.like(byMonth?.error, {plugin: 'monthly', code: 'budget_exceeded'});
	for (const plugin of ['daily', 'monthly']) t.like(await spent(plugin), {spentUsd: 0.000_06, reservedUsd: 0});
	t.is(gateway.upstream.requests.length, 3);

	const records = await modelRecords(gateway);
	const keys = records[0]?.bookings?.map(({key}) => key.split('|').slice(0, 3).join('|')).sort();
	t.true(keys?.includes('tenant:default|microUsd|day') && keys.includes('tenant:default|microUsd|month'), JSON.stringify(keys));
});

test('a limit that an action sets counts from the next call on', async t => {
	const gateway = await startGateway(t, withBudgets(budget({'*': costUsd})));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	await gateway.act('budgets', 'set', {account: '*', limitUsd: 2 * costUsd});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), {instanceOf: OpenAI.RateLimitError});
	await gateway.act('budgets', 'set', {account: '*', limitUsd: null});
	await client.chat.completions.create(call);
	t.is(gateway.upstream.requests.length, 3);
});

test('a budget that only observes sets nothing aside and refuses nobody, but says on the record that it would have', async t => {
	const gateway = await startGateway(t, withBudgets({...budget({'*': 0}), mode: 'observe' as const}));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	const [record] = await modelRecords(gateway);
	t.is(record?.outcome, 'ok');
	t.like(
		record?.rulings?.find(({plugin}) => plugin === 'budgets'),
		{verdict: 'deny', code: 'budget_exceeded', mode: 'observe'},
	);
	t.falsy(record?.bookings);
});
