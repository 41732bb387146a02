import {once} from 'node:events';
import {createServer, type RequestListener} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import type {Told} from './helpers/asker.ts';
import {askingGateway, saying} from './helpers/asker.ts';
import {until} from './helpers/local-upstream.ts';
import {modelRecords} from './helpers/sdks.ts';

const hello = {model: 'local/guard', body: saying('hello')};

const outcomes = (told: readonly Told[]) => told.map(({value, error}) => value?.status ?? error?.code);

/** A gateway whose judge is answered for by `listener`. */
const judgedBy = async (t: ExecutionContext, listener: RequestListener) => {
	const server = createServer(listener);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
	return askingGateway(t, {
		models: ['judge/one'],
		config: {providers: {judge: {speaks: 'openai', baseUrl, key: 'sk-judge-0123456789abcdef'}}, models: {fast: ['judge/one']}},
	});
};
const judged = {model: 'judge/one', body: saying('hello')};

test('a model that was not granted is not asked, and the line to add is named', async t => {
	const gateway = await askingGateway(t);
	const told = await gateway.ask({
		ask: [
			{...hello, model: 'local/echo'},
			{...hello, model: 'fast'},
			{...hello, body: {...hello.body, model: 'echo'}},
		],
	});
	t.deepEqual(outcomes(told), ['denied', 'denied', 200]);
	t.regex(told[0]!.error!.message, /grants: \{models: \['local\/echo'\]\}/);
	const {requests} = gateway.upstream;
	t.is(requests.length, 1);
	t.like(JSON.parse(String(requests[0]!.body)), {model: 'guard'}, 'a model in the body is not the one that is asked');
});

test('a question is asked in the call at hand: what was lent to an earlier one asks nobody', async t => {
	const gateway = await askingGateway(t);
	t.deepEqual(outcomes(await gateway.ask({ask: [hello]})), [200]);
	const told = await gateway.ask({late: true, ask: [hello, {...hello, asking: 'test'}]});
	t.deepEqual(outcomes(told), ['denied', 'denied']);
	const [invented] = await gateway.ask({ask: [{...hello, asking: 'a call of somebody else'}]});
	t.is(invented?.value?.status, 200, 'the name is the host’s to say');
});

test('one call of a hook has sixteen questions, and a stream, a long question and a wrong one are refused', async t => {
	const gateway = await askingGateway(t);
	const many = await gateway.ask({ask: Array.from({length: 18}, () => hello)});
	t.deepEqual(outcomes(many), [...Array(16).fill(200), 'rate_limited', 'rate_limited']);
	const wrong = [
		{...hello, body: {...hello.body, stream: true}},
		{...hello, body: saying('x'.repeat(1_000_001))},
		{...hello, body: {messages: 'hello'}},
		{...hello, operation: 'models' as never},
		{...hello, timeoutMs: 0},
		{...hello, more: 1},
	];
	t.deepEqual(
		outcomes(await gateway.ask({ask: wrong})),
		wrong.map(() => 'invalid_request'),
	);
	t.is(gateway.upstream.requests.length, 16);
});

test('sixty-four are under way for one caller, and the others wait for them', async t => {
	let most = 0;
	let now = 0;
	const waiting: (() => void)[] = [];
	const gateway = await judgedBy(t, (_, res) => {
		most = Math.max(most, ++now);
		waiting.push(() => {
			now--;
			res.writeHead(200, {'content-type': 'application/json'}).end('{}');
		});
	});
	const errand = {together: true, ask: Array.from({length: 16}, () => judged)};
	const told = Promise.all(Array.from({length: 5}, () => gateway.ask(errand)));
	await until(() => waiting.length === 64);
	t.is(waiting.length, 64);
	for (let answered = 0; answered < 80; answered++) {
		await until(() => waiting.length > 0);
		waiting.shift()!();
	}
	t.deepEqual(outcomes((await told).flat()), Array(80).fill(200));
	t.is(most, 64);
});

test('a model that is slow, broken, huge or leads elsewhere is a failure that the plugin is told of, without a word of it', async t => {
	const answers: RequestListener[] = [
		(_, res) => void res.writeHead(302, {location: 'http://127.0.0.1:1/'}).end(),
		(_, res) => void res.writeHead(200, {'content-type': 'application/json'}).end('not JSON: SECRET'),
		(_, res) => void res.writeHead(200, {'content-type': 'application/json'}).end(`{"a":"${'x'.repeat(2_000_000)}"}`),
		(_, res) => void res.writeHead(401).end('{"error":{"message":"SECRET sk-judge-0123456789abcdef"}}'),
		(_, res) => void res.writeHead(500).end('SECRET'),
		(_, res) => void res.writeHead(200, {'content-type': 'application/json'}).end('{"echo":"sk-judge-0123456789abcdef"}'),
		(_, res) => res.destroy(),
		(_, res) => void res.writeHead(404, {'content-type': 'application/json'}).end('{"error":{"message":"no such model"}}'),
		() => undefined,
	];
	let at = 0;
	const gateway = await judgedBy(t, (req, res) => answers[at++]!(req, res));
	const told = await gateway.ask({ask: answers.map(() => ({...judged, timeoutMs: 1_500}))});
	t.deepEqual(outcomes(told), [
		...['upstream_malformed', 'upstream_malformed', 'upstream_too_large', 'upstream_refused', 'upstream_failed'],
		...['upstream_malformed', 'upstream_failed', 404, 'upstream_timeout'],
	]);
	t.false(JSON.stringify(told).includes('SECRET'));
	t.false(JSON.stringify(told).includes('sk-judge'));
	t.is((await modelRecords(gateway)).filter(({causedBy}) => causedBy !== undefined).length, answers.length, 'each on the record');
});

test('a question that the plugin does not wait for ends with its call, in the upstream too', async t => {
	let aborted = false;
	const gateway = await judgedBy(t, (req, res) => {
		let body = '';
		req.on('data', (chunk: Buffer) => {
			body += chunk.toString();
		});
		req.on('end', () => {
			if (JSON.parse(body).max_tokens !== 7) return void res.writeHead(200, {'content-type': 'application/json'}).end('{"choices":[]}');
			return void res.on('close', () => {
				aborted = true;
			});
		});
	});
	const slow = {...judged, body: {...saying('forget me'), max_tokens: 7}};
	t.deepEqual(outcomes(await gateway.ask({race: true, ask: [slow, judged]})), [200]);
	await until(() => aborted);
	t.true(aborted);
	t.like(
		(await modelRecords(gateway)).find(({outcome}) => outcome === 'aborted'),
		{error: {code: 'client_closed'}},
	);
});
