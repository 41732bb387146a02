import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {until} from './helpers/store-engines.ts';

test('a key with hundreds of slow calls to a server with sessions is limited by itself, and shuts nobody else out', async t => {
	const waiting = new Set<() => void>();
	let isOver = false;
	const slow = await hostileServer(t, {
		raw({method, id}, res) {
			if (method !== 'tools/call' || isOver) return false;
			const content = [{type: 'text', text: 'at last'}];
			waiting.add(
				() => void res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, result: {content}})),
			);
			return true;
		},
	});
	const quick = await hostileServer(t, {});
	const gateway = await startGateway(t, {servers: {slow: {url: slow.url}, quick: {url: quick.url}}});
	const [one, other] = [wireTo(`${gateway.url}/mcp/slow`, await gateway.key()), wireTo(`${gateway.url}/mcp/quick`, await gateway.key())];
	const calls = Array.from({length: 300}, () => one.call('act'));
	let refused = 0;
	for (const call of calls) void call.then(({body}) => (refused += body.error?.data?.code === 'rate_limited' ? 1 : 0));
	await until(t, () => refused === 300 - 256, 'the refusals');
	t.is(wordsOf(await other.call('act')), 'did act');
	isOver = true;
	const release = setInterval(() => {
		for (const answer of waiting) answer();
		waiting.clear();
	}, 20);
	t.teardown(() => clearInterval(release));
	await Promise.all(calls);
	t.is(refused, 300 - 256);
	t.is((await one.call('act')).status, 200);
});
