import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {listenOn} from './helpers/mcp-standing-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const page = 'https://console.acme.example';

const start = async (t: ExecutionContext) => {
	const server = await hostileServer(t);
	const gateway = await startGateway(t, {
		servers: {one: {url: server.url}},
		mcp: {origins: [page], oauth: {authorizationServers: ['https://login.acme.example'], scopes: []}},
	});
	return {gateway, url: `${gateway.url}/mcp/one`, server};
};

const asking = {
	'access-control-request-method': 'POST',
	'access-control-request-headers': 'authorization,content-type,mcp-method,mcp-param-region,mcp-protocol-version',
};
const ask = (url: string, origin: string | undefined, headers: Record<string, string> = asking) =>
	fetch(url, {method: 'OPTIONS', headers: {...(origin !== undefined && {origin}), ...headers}});

const cors = (headers: Headers): string[] => [...headers.keys()].filter(name => name.startsWith('access-control-'));
const namesIn = (list: string | null): string[] => (list ?? '').split(',').map(name => name.trim().toLowerCase());

test('a page in mcp.origins may send what its browser asks about first, which has no key and reaches nobody', async t => {
	const {gateway, url, server} = await start(t);
	for (const path of ['/mcp', '/mcp/one', '/.well-known/oauth-protected-resource/mcp/one']) {
		const {status, headers} = await ask(gateway.url + path, page);
		t.is(status, 200, path);
		t.is(headers.get('access-control-allow-origin'), page);
		t.is(headers.get('vary'), 'origin');
		t.deepEqual(namesIn(headers.get('access-control-allow-headers')), namesIn(asking['access-control-request-headers']));
		t.true(namesIn(headers.get('access-control-allow-methods')).includes(path.startsWith('/mcp') ? 'post' : 'get'));
		t.is(headers.get('access-control-allow-credentials'), null, 'it has no cookie to send');
	}
	t.is((await ask(url, page, {})).status, 401, 'what no browser asks');
	t.deepEqual(server.seen, []);
});

test('a page in mcp.origins may read what it is answered, refusals and streams too', async t => {
	const {gateway, url} = await start(t);
	const key = await gateway.key();
	const params = {protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {name: 'page', version: '1'}};
	const hello = {jsonrpc: '2.0', id: 0, method: 'initialize', params};
	const said = await wireTo(url, key).send(hello, {origin: page});
	const refused = await wireTo(url, 'vk_bogus').send(hello, {origin: page});
	t.is(refused.status, 401);
	for (const {headers} of [said, refused]) {
		t.is(headers.get('access-control-allow-origin'), page);
		const readable = namesIn(headers.get('access-control-expose-headers'));
		for (const name of ['mcp-session-id', 'www-authenticate']) t.true(readable.includes(name), name);
	}
	const heard = await listenOn(t, url, key, {'mcp-session-id': said.session!, origin: page});
	t.is(heard.headers.get('access-control-allow-origin'), page);
	const metadata = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp/one`, {headers: {origin: page}});
	t.is(metadata.headers.get('access-control-allow-origin'), page);
});

test('no other page is told anything, nor one of this machine', async t => {
	const {gateway, url} = await start(t);
	const key = await gateway.key();
	for (const origin of ['https://evil.example', `${page}.evil.example`, 'https://acme.example', 'null', page.toUpperCase()]) {
		const {status, headers} = await ask(url, origin);
		t.is(status, 403, origin);
		t.deepEqual(cors(headers), [], origin);
	}
	for (const origin of [undefined, 'http://localhost:6274']) {
		const {status, headers} = await ask(url, origin);
		t.is(status, 401, origin);
		t.deepEqual(cors(headers), [], origin);
	}
	t.deepEqual(cors((await wireTo(url, key).ask('tools/list', {}, {origin: 'http://localhost:6274'})).headers), []);
	t.is((await ask(`${gateway.url}/.well-known/oauth-protected-resource/mcp`, undefined)).status, 405);
});
