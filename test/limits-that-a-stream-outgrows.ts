import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {anthropicClient, eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const account = 'tenant:default';
/** The model is said to end after 20 tokens, and does not. */
const price = {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 20};

const start = (t: ExecutionContext, limitMicroUsd: number) =>
	startGateway(t, {
		models: {long: ['local/words-900-every-1'], sonnet: ['claude/words-900-every-1']},
		prices: {'local/*': price, 'claude/*': price},
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'total', limitUsd: {[account]: limitMicroUsd / 1e6}}}],
	});

const balance = ({gateway}: TestGateway) => {
	const {spent, reserved} = gateway.ledger.balance(account, 'microUsd', 'total');
	return {spent, reserved};
};

const opened = async (gateway: TestGateway): Promise<number[]> =>
	(await gateway.journal()).filter(({kind}) => kind === 'opened').map(({bookings = []}) => bookings[0]?.amount ?? 0);

test('a stream that goes on longer than was set aside for it gets more, on the record, as long as there is room', async t => {
	const gateway = await start(t, 10_000);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	let text = '';
	let most = 0;
	for await (const {choices} of await client.chat.completions.create({model: 'long', messages: user('go on'), stream: true})) {
		text += choices[0]?.delta.content ?? '';
		const {spent, reserved} = balance(gateway);
		most = Math.max(most, spent + reserved);
	}
	t.true(text.includes('word900'));
	const [record] = await modelRecords(gateway);
	t.like(record, {outcome: 'ok', usage: {source: 'reported'}});
	t.deepEqual(balance(gateway), {spent: record!.costMicroUsd!, reserved: 0});
	t.true(most >= 1_800 && most <= 10_000, String(most));
	const amounts = await opened(gateway);
	t.is(amounts[0], 40);
	t.true(
		amounts.length > 1 && amounts.at(-1)! >= 1_800 && amounts.every((amount, at) => at === 0 || amount > amounts[at - 1]!),
		String(amounts),
	);
});

test('a stream that outgrows what there is room for is cut with a typed error, and never costs more than the limit', async t => {
	const gateway = await start(t, 800);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.chat.completions.create({model: 'long', messages: user('go on'), stream: true});
	let words = 0;
	const error = await t.throwsAsync(
		async () => {
			for await (const _ of stream) words++;
		},
		{instanceOf: OpenAI.APIError},
	);
	t.is(error?.code, 'budget_exceeded');
	t.true(words > 20 && words < 900, String(words));
	await eventually(() => (gateway.upstream.counts().inFlight === 0 ? true : undefined));
	const record = await eventually(async () => (await modelRecords(gateway))[0]);
	t.like(record, {
		outcome: 'denied',
		error: {code: 'budget_exceeded', plugin: 'budgets', rule: `${account}/total`},
		usage: {source: 'estimated', doubt: 'cut'},
	});
	const {spent, reserved} = balance(gateway);
	t.is(reserved, 0);
	t.is(spent, record.costMicroUsd!);
	t.true(spent > 40 && spent <= 800, String(spent));
	t.is(gateway.upstream.counts().aborted, 1);
});

test('a stream that keeps to its maximum sets nothing more aside', async t => {
	const gateway = await start(t, 800);
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.messages.create({model: 'sonnet', max_tokens: 20, messages: user('go on'), stream: true});
	for await (const _ of stream);
	await eventually(async () => (await modelRecords(gateway))[0]);
	t.deepEqual(balance(gateway), {spent: 40, reserved: 0});
	t.deepEqual(await opened(gateway), [40]);
});

test('two streams on one limit: what one is given the other cannot have, and both end typed', async t => {
	const gateway = await start(t, 1_200);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const read = async () => {
		for await (const _ of await client.chat.completions.create({model: 'long', messages: user('go on'), stream: true}));
	};
	const ended = await Promise.allSettled([read(), read()]);
	for (const one of ended) if (one.status === 'rejected') t.is((one.reason as {code?: string}).code, 'budget_exceeded');
	t.true(ended.some(({status}) => status === 'rejected'));
	const {spent} = await eventually(() => (balance(gateway).reserved === 0 ? balance(gateway) : undefined));
	t.true(spent <= 1_200, String(spent));
});

test('what several plugins set aside grows together, and the one without room says how the stream ends', async t => {
	const gateway = await startGateway(t, {
		models: {long: ['local/words-900-every-1']},
		prices: {'local/*': price},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'rate-limits', config: {limits: {[account]: {concurrency: 3, 'tokens/day': 1_000_000}}}},
			{use: 'quotas', config: {limits: {[account]: {'outputTokens/total': 500, 'requests/total': 9}}}},
			{use: 'budgets', config: {window: 'total', limitUsd: {[account]: 1}}},
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.chat.completions.create({model: 'long', messages: user('go on'), stream: true});
	const error = await t.throwsAsync(
		async () => {
			for await (const _ of stream);
		},
		{instanceOf: OpenAI.APIError},
	);
	t.is(error?.code, 'quota_exceeded');
	const record = await eventually(async () => (await modelRecords(gateway))[0]);
	t.like(record, {outcome: 'denied', error: {code: 'quota_exceeded', plugin: 'quotas', rule: `${account}/total`}});
	const {ledger} = gateway.gateway;
	const {outputTokens} = record.usage!;
	t.true(outputTokens > 20 && outputTokens <= 500, String(outputTokens));
	t.like(ledger.balance(account, 'outputTokens', 'total'), {spent: outputTokens, reserved: 0});
	t.like(ledger.balance(account, 'requests', 'total'), {spent: 1, reserved: 0});
	t.like(ledger.balance(account, 'microUsd', 'total'), {spent: record.costMicroUsd!, reserved: 0});
	t.like(ledger.balance(`rate:${account}`, 'slots', 'now'), {spent: 0, reserved: 0});
});
