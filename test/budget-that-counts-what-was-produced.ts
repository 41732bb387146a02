import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {anthropicClient, eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const account = 'tenant:default';
const perToken = {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000};

const start = (t: ExecutionContext, limitUsd: number) =>
	startGateway(t, {
		models: {
			fast: ['local/echo'],
			broken: ['local/fault-500'],
			limited: ['local/fault-429-7'],
			picky: ['local/fault-422'],
			unsure: ['local/fault-500', 'local/echo'],
			slow: ['local/fault-slow-9000'],
			'half-said': ['local/fault-reset-mid'],
			endless: ['local/fault-endless'],
			untold: ['local/fault-no-usage'],
			sonnet: ['claude/words-200-every-20'],
		},
		prices: {'local/*': perToken, 'claude/*': perToken},
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: {[account]: limitUsd}}}],
	});

const balance = ({gateway}: TestGateway) => {
	const {spent, reserved} = gateway.ledger.balance(account, 'microUsd', 'month');
	return {spent, reserved};
};

/** The one record of a model call, once it is there. */
const recordOf = (gateway: TestGateway) => eventually(async () => (await modelRecords(gateway))[0]);

for (const model of ['broken', 'limited', 'picky']) {
	test(`a call that the upstream refused (${model}) costs nothing and gives its room back`, async t => {
		// Room for one: each of these has all of it, one after the other.
		const gateway = await start(t, 0.0025);
		const client = openaiClient(gateway, {apiKey: await gateway.key()});
		for (let count = 0; count < 3; count++) {
			const error = await t.throwsAsync(client.chat.completions.create({model, messages: user('hi')}));
			t.not((error as {code?: string}).code, 'budget_exceeded');
			t.deepEqual(balance(gateway), {spent: 0, reserved: 0});
		}
		t.is((await client.chat.completions.create({model: 'fast', messages: user('hi')})).choices.length, 1);
		const records = await modelRecords(gateway);
		t.deepEqual(
			records.slice(0, 3).map(({outcome, bookings}) => ({outcome, amounts: bookings?.map(({amount}) => amount)})),
			Array(3).fill({outcome: 'failed', amounts: [0]}),
		);
	});
}

test('an attempt that failed is not paid for when the next one answers', async t => {
	const gateway = await start(t, 1);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const {data, response} = await client.chat.completions.create({model: 'unsure', messages: user('hi')}).withResponse();
	const cost = data.usage!.prompt_tokens * perToken.inputUsdPerMTok + data.usage!.completion_tokens * perToken.outputUsdPerMTok;
	t.deepEqual(balance(gateway), {spent: cost, reserved: 0});
	t.is(response.headers.get('x-sallyport-cost-usd'), (cost / 1e6).toFixed(6));
	t.like(await recordOf(gateway), {costMicroUsd: cost, attempts: {0: {status: 500}, 1: {status: 200}}});
});

test('an answer that broke off costs at most what was set aside, and holds nothing any more', async t => {
	const gateway = await start(t, 1);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (const stream of [true, false] as const) {
		await t.throwsAsync(async () => {
			const answer = await client.chat.completions.create({model: 'half-said', max_tokens: 100, messages: user('hi'), stream});
			if (Symbol.asyncIterator in answer) for await (const _ of answer);
		});
	}
	await eventually(async () => ((await modelRecords(gateway)).length === 2 ? true : undefined));
	const records = await modelRecords(gateway);
	const {spent, reserved} = balance(gateway);
	t.is(reserved, 0);
	t.is(
		spent,
		records.flatMap(({bookings = []}) => bookings).reduce((sum, {amount}) => sum + amount, 0),
	);
	const opened = (await gateway.journal()).filter(({kind}) => kind === 'opened').flatMap(({bookings = []}) => bookings);
	t.true(spent > 0 && spent <= opened.reduce((sum, {amount}) => sum + amount, 0));
});

test('a client that leaves at the third chunk ends the upstream within a second and pays for what was produced', async t => {
	const gateway = await start(t, 10);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.chat.completions.create({model: 'endless', max_tokens: 1_000_000, messages: user('go on'), stream: true});
	const {reserved} = balance(gateway);
	t.true(reserved >= 2_000_000);
	let chunks = 0;
	for await (const _ of stream) if (++chunks === 3) break;
	const left = performance.now();
	await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
	t.true(performance.now() - left < 1_000);
	const record = await recordOf(gateway);
	t.like(record, {outcome: 'aborted', error: {code: 'client_closed'}, usage: {source: 'estimated'}});
	const {inputTokens, outputTokens} = record.usage!;
	t.true(outputTokens >= 3 && outputTokens < 50_000, String(outputTokens));
	t.is(record.costMicroUsd, inputTokens * perToken.inputUsdPerMTok + outputTokens * perToken.outputUsdPerMTok);
	t.deepEqual(balance(gateway), {spent: record.costMicroUsd!, reserved: 0});
	t.is(gateway.upstream.counts().inFlight, 0);
});

test('the same with the Anthropic SDK: the input is what the provider reported, the output what came', async t => {
	const gateway = await start(t, 10);
	const client = anthropicClient(gateway, {apiKey: await gateway.key()});
	const stream = await client.messages.create({model: 'sonnet', max_tokens: 1_000_000, messages: user('go on'), stream: true});
	let chunks = 0;
	for await (const _ of stream) if (++chunks === 3) break;
	await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
	const record = await recordOf(gateway);
	t.like(record, {outcome: 'aborted', usage: {source: 'estimated'}});
	t.deepEqual(balance(gateway), {spent: record.costMicroUsd!, reserved: 0});
	t.true(record.usage!.inputTokens < 10, 'reported, not bounded by bytes');
});

test('a client that leaves before the first byte has ended the upstream, and holds nothing any more', async t => {
	const gateway = await start(t, 1);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const leaving = new AbortController();
	const asked = client.chat.completions.create({model: 'slow', max_tokens: 10, messages: user('hi')}, {signal: leaving.signal});
	await eventually(() => (gateway.upstream.counts().inFlight === 1 ? true : undefined));
	const {reserved} = balance(gateway);
	t.true(reserved > 0);
	leaving.abort();
	await t.throwsAsync(asked);
	await recordOf(gateway);
	t.is(gateway.upstream.counts().aborted, 1);
	// Nobody can know what the provider bills for it: the most it may be counts.
	t.deepEqual(balance(gateway), {spent: reserved, reserved: 0});
});

test('a stream without a report of its usage is estimated upwards, never above what was set aside, and says so', async t => {
	const gateway = await start(t, 1);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for await (const _ of await client.chat.completions.create({model: 'untold', max_tokens: 100, messages: user('hi'), stream: true}));
	const record = await recordOf(gateway);
	t.like(record, {outcome: 'ok', usage: {source: 'estimated'}});
	const [opened] = (await gateway.journal()).filter(({kind}) => kind === 'opened');
	t.true(record.costMicroUsd! > 0 && record.costMicroUsd! <= opened!.bookings![0]!.amount);
	t.deepEqual(balance(gateway), {spent: record.costMicroUsd!, reserved: 0});
});
