import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import OpenAI from 'openai';
import {openLedger} from '../core/ledger/open.ts';
import {openStore} from '../core/store/open.ts';
import {startPlugin} from '../plugin-sdk/testing.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import type {Reservation} from '../schemas/verdict.ts';
import {startGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

/** Every call asks for 10 tokens and gets 10: it costs 20 micro-dollars, as was set aside; `best` costs ten times that. */
const costUsd = 0.000_02;
const free = {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000};
const base: GatewayConfigInput = {
	models: {fast: ['local/words-50'], best: ['local/words-60']},
	prices: {'local/words-50': free, 'local/words-60': {...free, outputUsdPerMTok: 20}},
};
const call = {model: 'fast', max_tokens: 10, messages: user('go on')};
const refused = {instanceOf: OpenAI.RateLimitError};
const withBudgets = (config: Record<string, unknown>): GatewayConfigInput => ({
	...base,
	plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'total', ...config}}],
});

test('null takes a limit away at once, and a new one counts what was spent meanwhile', async t => {
	const gateway = await startGateway(t, withBudgets({limitUsd: {'*': costUsd}}));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), refused);
	await gateway.act('budgets', 'set', {account: '*', limitUsd: null});
	await client.chat.completions.create(call);
	await client.chat.completions.create(call);
	await gateway.act('budgets', 'set', {account: '*', limitUsd: 4 * costUsd});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), refused);
	t.is(gateway.upstream.requests.length, 4);
});

test('a limit for one model refuses that model, under whatever name its deployment has, and no other', async t => {
	const gateway = await startGateway(t, {
		...withBudgets({limitUsd: {'tenant:default/model:best': 10 * costUsd, '*/model:local/words-60': 20 * costUsd}}),
		models: {...base.models, alias: ['local/words-60']},
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create({...call, model: 'best'});
	const error = await t.throwsAsync(client.chat.completions.create({...call, model: 'best'}), refused);
	t.regex(error!.message, /tenant:default\/model:best/);
	await client.chat.completions.create(call);
	// Another name for the same deployment, which is limited as well.
	await client.chat.completions.create({...call, model: 'alias'});
	await t.throwsAsync(client.chat.completions.create({...call, model: 'alias'}), refused);
	await t.throwsAsync(client.chat.completions.create({...call, model: 'local/words-60'}), refused);
	await client.chat.completions.create(call);
	t.is(gateway.upstream.requests.length, 4);
});

test('a temporary increase ends by itself', async t => {
	const gateway = await startGateway(t, withBudgets({limitUsd: {'tenant:default': costUsd}}));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), refused);
	const until = new Date(Date.now() + 4_000).toISOString();
	await gateway.act('budgets', 'raise', {account: 'tenant:default', byUsd: 1, until});
	await client.chat.completions.create(call);
	t.like(await gateway.act('budgets', 'get', {account: 'tenant:default'}), {limitUsd: 1 + costUsd});
	await eventually(async () => {
		const {limitUsd} = await gateway.act('budgets', 'get', {account: 'tenant:default'});
		return limitUsd === costUsd ? true : undefined;
	});
	t.true(Date.now() >= Date.parse(until));
	await t.throwsAsync(client.chat.completions.create(call), refused);
});

test('a day that is used up passes again in the first second after midnight of its time zone, and says so', async t => {
	const {store} = await temporaryStore(t);
	// Summer time ends in Berlin on that day: it has 25 hours.
	const clock = {now: Date.parse('2026-10-25T22:59:58.500Z')};
	const ledger = await openLedger({store, now: () => clock.now, storeWaitMs: 60_000});
	t.teardown(() => ledger.close());
	const plugin = await startPlugin(join(import.meta.dirname, '../plugins/budgets'), {
		config: {window: 'day', limitUsd: {'key:key_1': 1}, timeZone: 'Europe/Berlin'},
		now: () => clock.now,
	});
	t.teardown(plugin.close);
	const reserve = async (maxCostMicroUsd: number) => {
		const verdict = await plugin.ask('pre-request', {
			operation: 'chat',
			principal: {tenant: 'acme', accounts: ['key:key_1']},
			model: 'fast',
			deployments: [],
			estimate: {maxCostMicroUsd},
		});
		return ledger.reserve(verdict?.reserve as Reservation[]);
	};
	t.is((await reserve(1_000_000)).short, undefined);
	const midnight = Date.parse('2026-10-25T23:00:00Z');
	t.is((await reserve(1)).short?.resetsAt, midnight);
	clock.now = midnight - 1;
	t.is((await reserve(1)).short?.resetsAt, midnight);
	clock.now = midnight;
	t.is((await reserve(1_000_000)).short, undefined);
	t.truthy((await reserve(1)).short);
});

test('a budget that is nearly out takes the cheaper model, and sets aside what that one costs', async t => {
	const gateway = await startGateway(t, withBudgets({limitUsd: {'tenant:default': 22 * costUsd}, degrade: {at: 50, to: {best: 'fast'}}}));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const ask = () => client.chat.completions.create({...call, model: 'best'});
	await ask();
	await ask();
	await ask();
	await ask();
	const error = await t.throwsAsync(ask(), refused);
	t.regex(error!.message, /this may take 0\.000020 USD/, 'that of the cheaper one');
	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({model, outcome, costMicroUsd, annotations}) => [model, outcome, costMicroUsd, annotations?.['budgets.degradedFrom']]),
		[
			['best', 'ok', 200, undefined],
			['best', 'ok', 200, undefined],
			['fast', 'ok', 20, 'best'],
			['fast', 'ok', 20, 'best'],
			['fast', 'denied', undefined, 'best'],
		],
	);
	t.is(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'total').spent, 440);
});

test('a call that may exceed a limit that holds waits until somebody raises the limit', async t => {
	const gateway = await startGateway(t, withBudgets({limitUsd: {'tenant:default': {usd: costUsd, hold: true}}}));
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	const held = client.chat.completions.create(call);
	while (gateway.gateway.holds.size() === 0) await new Promise(resolve => setTimeout(resolve, 10));
	t.is(gateway.upstream.requests.length, 1);
	const until = new Date(Date.now() + 60_000).toISOString();
	await gateway.act('budgets', 'raise', {account: 'tenant:default', byUsd: 1, until});
	await held;
	t.is(gateway.upstream.requests.length, 2);
});

test('what the release before stored of limits is in force, until it is said anew', async t => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-test-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	const store = await openStore(join(folder, 'store.db'));
	await store.kvPut('budgets', {'limit:tenant:default': JSON.stringify({limitUsd: costUsd, window: 'month'}), version: '"1"'});
	await store.close();
	const gateway = await startGateway(t, withBudgets({limitUsd: {'tenant:default': 1}}), {folder});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await client.chat.completions.create(call);
	const error = await t.throwsAsync(client.chat.completions.create(call), refused);
	t.regex(error!.message, /The month limit of tenant:default/);
	await gateway.act('budgets', 'set', {account: 'tenant:default', limitUsd: 2 * costUsd, window: 'month'});
	await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call), refused);
	await gateway.act('budgets', 'reset', {account: 'tenant:default'});
	await client.chat.completions.create(call);
});
