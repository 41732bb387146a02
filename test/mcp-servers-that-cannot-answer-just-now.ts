import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer, type Says} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const before = async (t: ExecutionContext, says: Says, era: 'legacy' | 'stateless') => {
	const server = await hostileServer(t, says, era);
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
	const anybody = async () => wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const asked = (method: string) => server.seen.filter(({rpc}) => rpc.method === method).length;
	return {server, anybody, asked};
};

for (const [status, code, failures] of [
	[503, 'upstream_failed', 1],
	[503, 'upstream_failed', 2],
	[408, 'upstream_failed', 1],
	[429, 'upstream_rate_limited', 1],
] as const)
	test(`a server without sessions that answered ${status} to what it was asked first, ${failures} times, is asked again with the next request`, async t => {
		let left: number = failures;
		const {anybody} = await before(t, {raw: (_, res) => left-- > 0 && Boolean(res.writeHead(status).end('<h1>Sorry</h1>'))}, 'stateless');
		const first = await anybody();
		t.is((await first.ask('tools/list')).body.error?.data?.code, code);
		for (const wire of [first, await anybody()])
			t.like((await wire.ask('tools/list')).body, {result: {tools: [{name: 'act'}]}}, 'a client without sessions');
		const session = await first.begin();
		const listed = await first.send({jsonrpc: '2.0', id: 1, method: 'tools/list'}, {'mcp-session-id': session});
		t.like(listed.body, {result: {tools: [{name: 'act'}]}}, 'a client with sessions');
	});

test('a server that says hello with sessions is not asked over and over whether it does without, whatever it says to that', async t => {
	const {anybody, asked} = await before(
		t,
		{raw: ({method}, res) => method === 'server/discover' && Boolean(res.writeHead(500).end())},
		'legacy',
	);
	for (let clients = 0; clients < 3; clients++)
		t.like((await (await anybody()).ask('tools/list')).body, {result: {tools: [{name: 'act'}]}});
	t.is(asked('initialize'), 3);
	t.is(asked('server/discover'), 1);
});

test('a server that was replaced by one without sessions is found out by whoever comes next', async t => {
	const later = await hostileServer(t, {}, 'stateless');
	let isReplaced = false;
	const {anybody, asked} = await before(
		t,
		{
			raw(rpc, res, req) {
				if (!isReplaced) return false;
				const headers = Object.entries(req.headers).filter(([name]) => name.startsWith('mcp-')) as [string, string][];
				void fetch(later.url, {method: 'POST', headers: Object.fromEntries(headers), body: JSON.stringify(rpc)}).then(async said => {
					res.writeHead(said.status, {'content-type': 'application/json'}).end(await said.text());
				});
				return true;
			},
		},
		'legacy',
	);
	t.like((await (await anybody()).ask('tools/list')).body, {result: {tools: [{name: 'act'}]}});
	t.is(asked('server/discover'), 1);
	isReplaced = true;
	t.like((await (await anybody()).ask('tools/list')).body, {result: {tools: [{name: 'act'}]}});
	t.truthy(await (await anybody()).begin());
});
