import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingHttpHeaders} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import type {Notice} from '../schemas/record.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, openaiClient, user} from './helpers/sdks.ts';

type Received = {headers: IncomingHttpHeaders; body: string};

/** A system that takes webhooks, and answers as it is told, then 204. */
const startReceiver = async (t: ExecutionContext, answers: number[] = []) => {
	const received: Received[] = [];
	const server = createServer(async (req, res) => {
		let body = '';
		for await (const piece of req.setEncoding('utf8')) body += piece;
		received.push({headers: req.headers, body});
		res.writeHead(answers.shift() ?? 204).end();
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {received, host, url: `http://${host}/in`};
};

const key = Buffer.alloc(32, 9);
const secret = `whsec_${key.toString('base64')}`;

/** As a receiver checks it, with nothing of ours. */
const isSigned = ({headers, body}: Received): boolean => {
	const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
	const age = Math.abs(Date.now() / 1_000 - Number(headers['webhook-timestamp']));
	return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(content).digest('base64')}` && age < 60;
};

const call = {model: 'fast', max_tokens: 10, messages: user('hi')};
/** One call costs 20 micro-dollars, whatever its words. */
const prices = {'local/*': {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000}};
const models = {fast: ['local/words-50']};

const noticesOf = async (gateway: TestGateway): Promise<Notice[]> => (await gateway.journal()).flatMap(({notices = []}) => notices);

test('a budget tells at 50, 80 and 100 %, once each, on the record and by a signed webhook', async t => {
	const receiver = await startReceiver(t);
	const gateway = await startGateway(t, {
		models,
		prices,
		plugins: [
			{use: 'virtual-keys'},
			{use: 'budgets', config: {window: 'total', limitUsd: {'tenant:default': 0.0001}}},
			{use: 'webhooks', config: {endpoints: [{url: receiver.url}]}, grants: {http: [receiver.host], secrets: {webhook: secret}}},
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (let count = 0; count < 5; count++) await client.chat.completions.create(call);
	await t.throwsAsync(client.chat.completions.create(call));
	const notices = await eventually(async () => {
		const told = await noticesOf(gateway);
		return told.length === 3 && receiver.received.length === 3 ? told : undefined;
	});
	const common = {account: 'tenant:default', unit: 'microUsd', window: 'total', limit: 100} as const;
	t.deepEqual(notices, [
		{...common, percent: 50, used: 60},
		{...common, percent: 80, used: 80},
		{...common, percent: 100, used: 100},
	]);
	t.true(receiver.received.every(isSigned));
	const messages = receiver.received.map(({body}) => JSON.parse(body) as {type: string; data: {percent: number}});
	t.deepEqual(messages.map(({type, data}) => `${type} ${data.percent}`).sort(), [
		'limit.reached 100',
		'limit.reached 50',
		'limit.reached 80',
	]);
	t.is(new Set(receiver.received.map(({headers}) => headers['webhook-id'])).size, 3);
});

test('a soft limit refuses nobody, says on each record that it is passed, and tells once', async t => {
	const gateway = await startGateway(t, {
		models,
		prices,
		plugins: [
			{use: 'virtual-keys'},
			{use: 'budgets', config: {window: 'total', limitUsd: {'tenant:default': {usd: 0.00003, soft: true}}, notifyAt: []}},
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (let count = 0; count < 4; count++) await client.chat.completions.create(call);
	const notices = await eventually(async () => {
		const told = await noticesOf(gateway);
		return told.length > 0 ? told : undefined;
	});
	t.like(notices, {length: 1, 0: {account: 'tenant:default', percent: 100, limit: 30}});
	const records = (await gateway.journal()).filter(({kind, surface}) => kind === 'exchange' && surface === 'openai');
	t.deepEqual(
		records.map(({annotations}) => annotations?.['budgets.overSoftLimit']),
		[undefined, 'tenant:default/total', 'tenant:default/total', 'tenant:default/total'],
	);
	t.is(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'total').spent, 80);
});

test('a receiver that is down gets its message later, and no answer waits for it', async t => {
	const receiver = await startReceiver(t, [500]);
	const gateway = await startGateway(t, {
		models,
		prices,
		plugins: [
			{use: 'virtual-keys'},
			{use: 'rate-limits', config: {limits: {'*': {'requests/day': 0}}}},
			{
				use: 'webhooks',
				config: {endpoints: [{url: receiver.url, outcomes: ['denied']}]},
				grants: {http: [receiver.host], secrets: {webhook: secret}},
			},
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	await t.throwsAsync(client.chat.completions.create(call));
	await eventually(async () => {
		const {messages} = (await gateway.act('webhooks', 'outbox')) as {messages: unknown[]};
		return messages.length === 1 ? true : undefined;
	});
	t.deepEqual(await gateway.act('webhooks', 'flush'), {tried: 1, delivered: 1});
	const [first, second] = receiver.received;
	t.is(first?.headers['webhook-id'], second?.headers['webhook-id']);
	t.true(receiver.received.every(isSigned));
	t.like(JSON.parse(second!.body), {type: 'exchange.denied', data: {outcome: 'denied', status: 429, error: {code: 'rate_limited'}}});
	t.notRegex(gateway.logged(), new RegExp(secret.slice(6)));
});
