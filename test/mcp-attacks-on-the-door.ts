import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {type Said, wireTo} from './helpers/mcp-wire.ts';
import {rawExchange} from './helpers/raw-http.ts';

const text = (said: string) => ({content: [{type: 'text', text: said}]});

const namesIn = ({body}: Said) => (body.result?.tools as {name: string}[] | undefined)?.map(({name}) => name);

const start = async (t: ExecutionContext) => {
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify({jsonrpc: '2.0', id, result: text(`did ${String(params.name)}`)}));
		},
		[
			{name: 'act', inputSchema: {type: 'object'}},
			{name: 'forbidden', inputSchema: {type: 'object'}},
		],
	);
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url, bearer: 'the-gateways-own-secret'}, other: {url: upstream.url}},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'tenant:default': {models: ['*'], servers: ['one'], tools: ['one/act']}}}},
		],
	});
	const key = await gateway.key();
	const calls = () => upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call').map(({rpc}) => rpc!.params.name);
	return {gateway, upstream, key, calls, wire: wireTo(`${gateway.url}/mcp/one`, key)};
};

test.serial('a bad key is a 401 on every path, by every method, in every era', async t => {
	const {gateway, upstream} = await start(t);
	for (const path of ['/mcp', '/mcp/one', '/mcp/nobody', '/mcp/one/more', '/mcp/one%2fmore']) {
		const bad = wireTo(gateway.url + path, 'vk_bogus');
		for (const method of ['POST', 'GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'])
			t.is((await bad.send({}, {}, method)).status, 401, `${method} ${path}`);
		t.is((await bad.ask('server/discover')).status, 401);
		t.is((await bad.send({jsonrpc: '2.0', id: 1, method: 'initialize', params: {}})).status, 401);
		t.is((await bad.send([{jsonrpc: '2.0', id: 1, method: 'ping'}])).status, 401);
		const none = await fetch(gateway.url + path, {method: 'POST', body: '{}'});
		t.is(none.status, 401);
		t.truthy(none.headers.get('www-authenticate'));
	}
	t.deepEqual(upstream.seen, []);
});

test.serial('the caller’s key never reaches a server, and the gateway’s own never reaches the caller', async t => {
	const {gateway, upstream, key, wire} = await start(t);
	const {body} = await wire.call('act', {a: 1});
	t.deepEqual(body.result?.content, text('did act').content);
	const session = await wire.begin();
	await wire.send(
		{jsonrpc: '2.0', id: 2, method: 'tools/call', params: {name: 'act'}},
		{'mcp-session-id': session, cookie: `k=${key}`, 'x-api-key': key},
	);
	const told = JSON.stringify(upstream.seen);
	t.false(told.includes(key));
	t.false(told.includes(session));
	t.true(upstream.seen.every(({headers}) => headers.authorization === 'Bearer the-gateways-own-secret'));
	t.false(gateway.logged().includes('the-gateways-own-secret'));
});

test.serial(
	'a session is nobody else’s: not of another key, not at another door, not by another spelling, not when it has ended',
	async t => {
		const {gateway, wire} = await start(t);
		const session = await wire.begin();
		const ping = {jsonrpc: '2.0', id: 1, method: 'ping'};
		t.is((await wire.send(ping, {'mcp-session-id': session})).status, 200);
		const other = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
		t.is((await other.send(ping, {'mcp-session-id': session})).status, 404);
		t.is((await other.send(undefined, {'mcp-session-id': session}, 'DELETE')).status, 404);
		t.is((await other.send(undefined, {'mcp-session-id': session}, 'GET')).status, 404);
		const altered = session.slice(0, 9) + (session[9] === 'A' ? 'B' : 'A') + session.slice(10);
		for (const id of [`${session}A`, `${session}=`, altered, session.slice(0, -2), 'x', '']) {
			t.true([400, 404].includes((await wire.send(ping, {'mcp-session-id': id})).status), id);
		}
		t.is((await wire.send(ping)).status, 400);
		t.is((await wire.send(undefined, {'mcp-session-id': session}, 'DELETE')).status, 200);
		t.is((await wire.send(ping, {'mcp-session-id': session})).status, 404);
	},
);

test.serial('what two parsers could read differently is refused, and does nothing', async t => {
	const {wire, calls} = await start(t);
	const session = {'mcp-session-id': await wire.begin()};
	for (const body of [
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","name":"forbidden"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"act"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act"},"Params":{"name":"forbidden"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act"},"param\u017f":{"name":"forbidden"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","NAME":"forbidden"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","\\u006eame":"forbidden"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["act"]}',
		'{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"act"}}',
		'{"jsonrpc":"2.0","id":{"a":1},"method":"tools/call","params":{"name":"act"}}',
		'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act"},"result":{}}',
		'\ufeff{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act"}}',
		'[]',
		'nonsense',
	]) {
		const {status, body: said} = await wire.send(body, session);
		t.is(status, 400, body);
		t.truthy(said.error, body);
	}
	t.deepEqual(calls(), []);
});

test.serial('a batch cannot hide a call that is not granted, and exists in one version alone', async t => {
	const {gateway, wire, calls} = await start(t);
	const batch = ['act', 'forbidden'].map((name, id) => ({jsonrpc: '2.0', id, method: 'tools/call', params: {name}}));
	t.is((await wire.send(batch, {'mcp-session-id': await wire.begin('2025-11-25')})).status, 400);
	t.deepEqual(calls(), []);
	const {status, body} = await wire.send(batch, {'mcp-session-id': await wire.begin('2025-03-26')});
	t.is(status, 200);
	const answers = [body].flat() as {id: number; result?: unknown; error?: {data: {code: string}}}[];
	t.deepEqual(
		answers.map(({id}) => id),
		[0, 1],
	);
	t.truthy(answers[0]!.result);
	t.is(answers[1]!.error?.data.code, 'denied');
	t.deepEqual(calls(), ['act']);
	const records = (await gateway.journal()).filter(({operation, kind}) => operation === 'tools/call' && kind === 'exchange');
	t.deepEqual(
		records.map(({outcome}) => outcome),
		['ok', 'denied'],
	);
});

test.serial('headers that say something else than the body are refused, and decide nothing', async t => {
	const {wire, calls} = await start(t);
	const call = (headers: Record<string, string>, name = 'act') => wire.ask('tools/call', {name, arguments: {}}, headers);
	const lies: Record<string, string>[] = [
		{'mcp-name': 'forbidden'},
		{'mcp-method': 'tools/list'},
		{'mcp-protocol-version': '2025-11-25'},
		{'mcp-name': '=?base64?!!?='},
	];
	for (const headers of lies) {
		const {status, body} = await call(headers);
		t.is(status, 400, JSON.stringify(headers));
		t.is(body.error?.code, -32020, JSON.stringify(headers));
	}
	t.is((await call({'mcp-name': '=?base64?YWN0?='})).status, 200);
	t.is((await call({'mcp-name': 'act'}, 'forbidden')).body.error?.code, -32020);
	t.deepEqual(calls(), ['act']);
});

test.serial('a stateless request says which version it is of, and is told when it is unknown', async t => {
	const {wire} = await start(t);
	const meta = (version: string) => ({
		_meta: {'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {}},
	});
	const future = await wire.ask('tools/list', meta('2099-01-01'), {'mcp-protocol-version': '2099-01-01'});
	t.is(future.status, 400);
	t.is(future.body.error?.code, -32022);
	t.like(future.body.error?.data, {supported: {0: '2026-07-28'}, requested: '2099-01-01'});
	const bare = await wire.ask('tools/list', {_meta: {'io.modelcontextprotocol/protocolVersion': '2026-07-28'}});
	t.deepEqual([bare.status, bare.body.error?.code, bare.body.id], [400, -32602, 1]);
	for (const method of ['initialize', 'ping', 'logging/setLevel', 'made/up']) {
		const {status, body} = await wire.ask(method);
		t.deepEqual([status, body.error?.code], [404, -32601], method);
	}
	for (const method of ['GET', 'DELETE']) t.is((await wire.send(undefined, {'mcp-protocol-version': '2026-07-28'}, method)).status, 405);
	const {body} = await wire.ask('tools/list');
	t.like(body.result, {resultType: 'complete', ttlMs: 0, cacheScope: 'private'});
});

test.serial('a web page that got here by another name is refused', async t => {
	const {gateway, upstream, key} = await start(t);
	const {host} = new URL(gateway.url);
	const body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}';
	const post = async (own: Record<string, string>) => {
		const headers = {authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': String(body.length), ...own};
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
		const [reply] = await rawExchange(gateway.url, `POST /mcp/one HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
		return reply?.status;
	};
	t.is(await post({host: 'evil.example'}), 403);
	t.is(await post({host: `127.0.0.1.evil.example:${new URL(gateway.url).port}`}), 403);
	t.is(await post({host, origin: 'https://evil.example'}), 403);
	t.is(await post({host, origin: 'null'}), 403);
	t.deepEqual(upstream.seen, []);
	t.is(await post({host}), 200);
	t.is(await post({host, origin: `http://${host}`}), 200);
});

test.serial('what is not granted is neither seen nor called, and not told from what does not exist', async t => {
	const {gateway, key, wire, calls} = await start(t);
	t.deepEqual(namesIn(await wire.ask('tools/list')), ['act']);
	const [hidden, unknown] = [await wire.call('forbidden'), await wire.call('nothing')];
	t.is(hidden.body.error?.data?.code, 'denied');
	t.is(hidden.body.error?.message.replace('forbidden', '…'), unknown.body.error?.message.replace('nothing', '…'));
	const other = wireTo(`${gateway.url}/mcp/other`, key);
	const nobody = wireTo(`${gateway.url}/mcp/nobody`, key);
	t.is((await other.ask('server/discover')).body.error?.data?.code, 'denied');
	t.is((await nobody.ask('server/discover')).body.error?.data?.code, 'denied');
	const all = wireTo(`${gateway.url}/mcp`, key);
	t.deepEqual(namesIn(await all.ask('tools/list')), ['one__act']);
	t.is((await all.call('other__act')).body.error?.data?.code, 'denied');
	t.deepEqual(calls(), []);
});

test('a prompt of a server that is not granted is not told from one that is not there, or down', async t => {
	const upstream = await hostileUpstream(t, (_, res) => res.destroy());
	const gateway = await startGateway(t, {
		servers: {granted: {url: upstream.url}, hidden: {url: upstream.url}, down: {url: 'http://127.0.0.1:9/mcp'}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'tenant:default': {servers: ['granted'], prompts: ['granted/*']}}}}],
	});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key());
	const said = await Promise.all(
		['hidden__greet', 'down__greet', 'nowhere__greet', 'hidden__greet_0123abcd', 'down__greet_0123abcd'].map(async name => {
			const {body} = await wire.ask('prompts/get', {name});
			return [body.error?.code, body.error?.data?.code];
		}),
	);
	for (const each of said) t.deepEqual(each, said[0]);
});

test('a server that is not granted hears nothing of a prompt whose name may be a mark', async t => {
	const hidden = await hostileUpstream(t, (_, res) => res.destroy());
	const granted = await hostileUpstream(t, (_, res) => res.destroy());
	const gateway = await startGateway(t, {
		servers: {granted: {url: granted.url}, hidden: {url: hidden.url}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'tenant:default': {servers: ['granted'], prompts: ['granted/*']}}}}],
	});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key());
	const name = 'hidden__x_deadbeef';
	const ref = {type: 'ref/prompt', name};
	t.truthy((await wire.ask('prompts/get', {name})).body.error);
	t.truthy((await wire.ask('completion/complete', {ref, argument: {name: 'a', value: ''}})).body.error);
	t.deepEqual(hidden.seen, []);
	await wire.ask('prompts/get', {name: 'granted__x_deadbeef'});
	t.true(granted.seen.length > 0);
});
