import test from 'ava';
import OpenAI from 'openai';
import {startGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

const messages = user('go on');

test('a stream holds its place until it has ended, however it ends; nobody knows when, so no time to wait is named', async t => {
	const gateway = await startGateway(t, {
		models: {endless: ['local/fault-endless'], fast: ['local/echo']},
		plugins: [{use: 'virtual-keys'}, {use: 'rate-limits', config: {limits: {'tenant:default': {concurrency: 2}}}}],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const open = () => client.chat.completions.create({model: 'endless', max_tokens: 10_000, messages, stream: true});
	const [first] = await Promise.all([open(), open()]);
	const error = await t.throwsAsync(client.chat.completions.create({model: 'fast', messages}), {instanceOf: OpenAI.RateLimitError});
	t.is(error?.code, 'rate_limited');
	t.is(error!.headers!.get('retry-after'), null);
	first.controller.abort();
	await eventually(() => (gateway.gateway.ledger.balance('rate:tenant:default', 'slots', 'now').reserved === 1 ? true : undefined));
	await client.chat.completions.create({model: 'fast', messages});
	t.is(gateway.gateway.ledger.balance('rate:tenant:default', 'slots', 'now').reserved, 1);
});

test('of fifty calls at once, as many run as may run at a time', async t => {
	const gateway = await startGateway(t, {
		models: {slow: ['local/fault-slow-400']},
		plugins: [{use: 'virtual-keys'}, {use: 'rate-limits', config: {limits: {'*': {concurrency: 7}}}}],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const ended = await Promise.allSettled(Array.from({length: 50}, () => client.chat.completions.create({model: 'slow', messages})));
	t.is(ended.filter(({status}) => status === 'fulfilled').length, 7);
	t.is(gateway.upstream.requests.length, 7);
	t.is(gateway.gateway.ledger.balance('rate:tenant:default', 'slots', 'now').reserved, 0);
});

test('a session ends at its cap, and nobody spends from that of another by its name', async t => {
	const gateway = await startGateway(t, {
		plugins: [{use: 'virtual-keys'}, {use: 'session-caps', config: {caps: {'*': {requests: 2}}, requireSession: true}}],
	});
	const [one, other] = [await gateway.key(), await gateway.key()];
	const ask = (apiKey: string, session?: string) =>
		openaiClient(gateway, {apiKey, headers: session === undefined ? {} : {'x-sallyport-session': session}}).chat.completions.create({
			model: 'fast',
			messages,
		});
	await ask(one, 'run-1');
	await ask(one, 'run-1');
	const error = await t.throwsAsync(ask(one, 'run-1'), {instanceOf: OpenAI.RateLimitError});
	t.is(error?.code, 'session_limit_exceeded');
	t.is(error!.headers!.get('x-should-retry'), 'false');
	await ask(other, 'run-1');
	await ask(one, 'run-2');
	await t.throwsAsync(ask(one), {instanceOf: OpenAI.BadRequestError});
	t.is(gateway.upstream.requests.length, 4);
});

for (const stream of [false, true])
	test(`tool calls of a session are counted as the model asks for them${stream ? ', in a stream too' : ''}`, async t => {
		const gateway = await startGateway(t, {
			models: {caller: ['local/fault-calls-weather']},
			plugins: [{use: 'virtual-keys'}, {use: 'session-caps', config: {caps: {'*': {toolCalls: 2}}}}],
		});
		const client = openaiClient(gateway, {apiKey: await gateway.key(), headers: {'x-sallyport-session': 'run-1'}});
		const ask = async () => {
			const answer = await client.chat.completions.create({model: 'caller', messages, tools: [weather], stream});
			if (Symbol.asyncIterator in answer) for await (const _ of answer);
		};
		await ask();
		await ask();
		const error = await t.throwsAsync(ask(), {instanceOf: OpenAI.APIError});
		t.is(error?.code, 'session_limit_exceeded');
		const records = await eventually(async () => {
			const all = await modelRecords(gateway);
			return all.length === 3 ? all : undefined;
		});
		t.deepEqual(
			records.map(({bookings = []}) => bookings.filter(({key}) => key.includes('|toolCalls|')).map(({amount}) => amount)),
			[[1], [1], []],
		);
	});
