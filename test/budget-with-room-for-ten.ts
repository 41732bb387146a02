import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {modelRecords, user} from './helpers/sdks.ts';

const account = 'tenant:default';
const maxTokens = 10;
/** An answer costs exactly what was set aside for it, so no call that ends makes room for another one. */
const price = {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000};
const costMicroUsd = maxTokens * price.outputUsdPerMTok;

type Config = {limitMicroUsd: number; deployment?: string; prices?: typeof price};

const start = (t: ExecutionContext, {limitMicroUsd, deployment = 'local/words-50', prices = price}: Config) =>
	startGateway(t, {
		models: {fast: [deployment]},
		prices: {'local/*': prices},
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: {[account]: limitMicroUsd / 1e6}}}],
	});

const call = (gateway: TestGateway, key: string, {stream = false, signal}: {stream?: boolean; signal?: AbortSignal} = {}) =>
	fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'fast', max_tokens: maxTokens, stream, messages: user('go on')}),
		signal,
	});

const balance = ({gateway}: TestGateway) => gateway.ledger.balance(account, 'microUsd', 'month');

const booked = (records: readonly StoredRecord[]): number =>
	records.flatMap(({bookings = []}) => bookings).reduce((sum, {amount}) => sum + amount, 0);

/** Asserts that the refusal is typed, tells the true time and names the account that is the caller's own. */
const isRefusedTyped = async (t: ExecutionContext, response: Response, resetsAt: number) => {
	t.is(response.status, 429);
	t.like(await response.json(), {error: {type: 'insufficient_quota', code: 'budget_exceeded', plugin: 'budgets'}});
	t.is(response.headers.get('x-should-retry'), 'false');
	const left = Math.ceil((resetsAt - Date.now()) / 1_000);
	const told = Number(response.headers.get('retry-after'));
	t.true(told >= left && told <= left + 60, `retry-after ${told}, ${left} s are left`);
};

for (const stream of [false, true]) {
	test(`of 200 ${stream ? 'streams' : 'calls'} at once on a budget with room for ten, exactly ten reach the upstream`, async t => {
		const limit = 10 * costMicroUsd;
		const gateway = await start(t, {limitMicroUsd: limit});
		const key = await gateway.key();
		const responses = await Promise.all(Array.from({length: 200}, () => call(gateway, key, {stream})));
		const answered = responses.filter(({status}) => status === 200);
		const refused = responses.filter(({status}) => status !== 200);
		t.is(answered.length, 10);
		t.is(gateway.upstream.requests.length, 10);
		const texts = await Promise.all(answered.map(response => response.text()));
		for (const text of texts) t.true(stream ? text.endsWith('data: [DONE]\n\n') : text.includes('word1 word2'), text);
		const {spent, reserved, resetsAt} = balance(gateway);
		for (const response of refused) await isRefusedTyped(t, response, resetsAt!);

		t.deepEqual({spent, reserved}, {spent: limit, reserved: 0});
		const records = await modelRecords(gateway);
		t.is(records.length, 200);
		t.is(booked(records), spent);
		const ok = records.filter(({outcome}) => outcome === 'ok');
		t.is(ok.length, 10);
		t.true(ok.every(({usage, costMicroUsd: cost}) => usage?.source === 'reported' && cost === costMicroUsd));
		const denied = records.filter(({outcome}) => outcome === 'denied');
		t.is(denied.length, 190);
		t.true(
			denied.every(
				({error, attempts, bookings}) => error?.code === 'budget_exceeded' && !attempts && booked([{bookings} as StoredRecord]) === 0,
			),
		);
		// What never reached an upstream left nothing behind that a crash would have to end.
		t.is((await gateway.journal()).filter(({kind}) => kind === 'opened').length, 10);
	});
}

test('calls that turn out cheaper than they may have been make room for others, and never for too many', async t => {
	const dear = {inputUsdPerMTok: 10, outputUsdPerMTok: 20, maxOutputTokens: 1_000};
	const gateway = await start(t, {limitMicroUsd: 20_000, prices: dear});
	const key = await gateway.key();
	const responses = await Promise.all(Array.from({length: 200}, () => call(gateway, key)));
	const answered = responses.filter(({status}) => status === 200);
	t.true(answered.length > 0 && answered.length < 200, String(answered.length));
	t.is(gateway.upstream.requests.length, answered.length);
	const {spent, reserved} = balance(gateway);
	t.is(reserved, 0);
	t.true(spent <= 20_000);
	t.is(booked(await modelRecords(gateway)), spent);
	// Room is back: one more fits, as long as the most it may cost does.
	if (spent + 3_000 <= 20_000) t.is((await call(gateway, key)).status, 200);
});

test('streams that are still open hold their whole reservation, until their clients leave', async t => {
	const gateway = await start(t, {limitMicroUsd: 10 * costMicroUsd, deployment: 'local/fault-stall'});
	const key = await gateway.key();
	const leaving = new AbortController();
	const open = await Promise.all(Array.from({length: 10}, () => call(gateway, key, {stream: true, signal: leaving.signal})));
	t.true(open.every(({status}) => status === 200));
	t.deepEqual((({spent, reserved}) => ({spent, reserved}))(balance(gateway)), {spent: 0, reserved: 10 * costMicroUsd});
	t.is((await call(gateway, key, {stream: true})).status, 429);
	t.is(gateway.upstream.requests.length, 10);
	leaving.abort();
});

test('a limit that is one micro-dollar too small lets nine pass', async t => {
	const gateway = await start(t, {limitMicroUsd: 10 * costMicroUsd - 1});
	const key = await gateway.key();
	const responses = await Promise.all(Array.from({length: 40}, () => call(gateway, key)));
	t.is(responses.filter(({status}) => status === 200).length, 9);
	t.is(gateway.upstream.requests.length, 9);
	t.is(balance(gateway).spent, 9 * costMicroUsd);
});
