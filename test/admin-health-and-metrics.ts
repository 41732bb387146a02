import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {rawConnection, repliesIn} from './helpers/raw-http.ts';
import {eventually, openaiClient, user} from './helpers/sdks.ts';

test('a gateway that runs is alive and ready, without a key and without a record', async t => {
	const gateway = await startGateway(t);
	const before = (await gateway.journal()).length;
	for (const [path, status] of [
		['/healthz', 'ok'],
		['/readyz', 'ready'],
	]) {
		const response = await fetch(`${gateway.url}${path}`);
		t.is(response.status, 200);
		t.deepEqual(await response.json(), {status});
	}
	t.is((await gateway.journal()).length, before);
});

test('a gateway that is told to stop is not ready any more, still lives, and takes nothing new while it finishes what runs', async t => {
	const gateway = await startGateway(t, {models: {slow: ['local/words-20-every-50']}});
	const key = await gateway.key();
	const stream = await openaiClient(gateway, {apiKey: key}).chat.completions.create({model: 'slow', messages: user('hi'), stream: true});
	// Connections that are in the middle of a request when the gateway is told to stop.
	const asking = await Promise.all(
		['GET /readyz', 'GET /healthz', 'GET /v1/models'].map(async start => {
			const connection = await rawConnection(gateway.url);
			connection.socket.write(`${start} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${key}\r\n`);
			return connection;
		}),
	);
	await new Promise(resolve => setTimeout(resolve, 50));
	const stopping = gateway.stop();
	for (const {socket} of asking) socket.write('\r\n');
	const [ready, alive, models] = await Promise.all(asking.map(({text}) => eventually(() => repliesIn(text())[0])));
	t.like(ready, {status: 503, body: '{"status":"stopping"}'});
	t.like(alive, {status: 200});
	t.is(models?.status, 503);
	t.regex(models?.body ?? '', /shutting_down/);
	let words = '';
	for await (const chunk of stream) words += chunk.choices[0]?.delta.content ?? '';
	t.true(words.endsWith('word20'));
	await stopping;
	await t.throwsAsync(fetch(`${gateway.url}/readyz`));
	for (const {socket} of asking) socket.destroy();
});

/** The label sets of a metric, in the text format. */
const labelsOf = (text: string, metric: string): string[] =>
	text
		.split('\n')
		.filter(line => line.startsWith(`${metric}{`))
		.map(line => line.slice(line.indexOf('{'), line.indexOf('}') + 1));

test('what is counted has labels from the config alone: a client cannot add any', async t => {
	const gateway = await startGateway(t, {
		models: {fast: ['local/echo'], broken: ['local/fault-500']},
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: {'*': 1}}}],
	});
	const key = await gateway.key();
	const metrics = async () => {
		const response = await fetch(`${gateway.url}/metrics`);
		t.regex(response.headers.get('content-type') ?? '', /^text\/plain; version=/);
		return response.text();
	};
	const client = openaiClient(gateway, {apiKey: key});
	await client.chat.completions.create({model: 'fast', messages: user('hi')});
	await t.throwsAsync(client.chat.completions.create({model: 'broken', messages: user('hi')}));
	await client.chat.completions.create({model: 'local/first', messages: user('hi')});
	await t.throwsAsync(client.chat.completions.create({model: 'nowhere', messages: user('hi')}));
	await t.throwsAsync(openaiClient(gateway, {apiKey: 'vk_unknown'}).models.list());
	await fetch(`${gateway.url}/nothing/0`);
	await fetch(`${gateway.url}/nothing`, {method: 'DELETE'});
	const lines = (text: string) => text.split('\n').filter(line => /^sallyport_(?:exchange|token|cost|plugin|overhead)/.test(line)).length;
	const first = await metrics();

	for (let count = 0; count < 40; count++) {
		const wild = `m-${count}"\n}`;
		await client.chat.completions.create({model: `local/m-${count}`, messages: user('hi')});
		await t.throwsAsync(client.chat.completions.create({model: wild, messages: user('hi')}));
		await t.throwsAsync(openaiClient(gateway, {apiKey: `vk_${count}`}).models.list());
		await fetch(`${gateway.url}/nothing/${count}`, {headers: {'x-sallyport-tags': `t${count}`, 'x-sallyport-session': `s${count}`}});
		await fetch(`${gateway.url}/nothing`, {method: 'DELETE'});
	}
	const second = await metrics();
	t.is(lines(second), lines(first), 'the same series');
	t.false(/m-\d|vk_|nothing|nowhere/.test(second));

	const exchanges = labelsOf(second, 'sallyport_exchanges_total');
	t.true(exchanges.includes('{operation="chat",model="fast",outcome="ok",status="200"}'), exchanges.join('\n'));
	t.true(exchanges.includes('{operation="chat",model="local/*",outcome="ok",status="200"}'), exchanges.join('\n'));
	t.true(labelsOf(second, 'sallyport_tokens_total').some(labels => labels.includes('model="fast"')));
	t.regex(second, /^sallyport_cost_usd_total\{model="fast"\} \d/m);
	t.regex(second, /^sallyport_exchanges_running 0$/m);
});
