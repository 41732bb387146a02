import type {ServerResponse} from 'node:http';
import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileUpstream, type Mischief} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const say = (res: ServerResponse, body: string, headers: Record<string, string> = {}) =>
	void res.writeHead(200, {'content-type': 'application/json', ...headers}).end(body);

const mischiefs: Record<string, Mischief> = {
	'hangs up': (_, res) => void res.destroy(),
	'breaks off': (_, res) => {
		res.writeHead(200, {'content-type': 'application/json', 'content-length': '1000'}).write('{');
		setTimeout(() => res.destroy(), 20);
	},
	'does not answer': () => undefined,
	'says nothing that is HTTP': (_, res) => void res.socket!.end('nonsense\r\n\r\n'),
	'compresses its answer': (_, res) => say(res, 'xx', {'content-encoding': 'gzip'}),
	'answers with HTML': (_, res) => say(res, '<html>'),
	redirects: (_, res) => void res.writeHead(302, {location: 'http://127.0.0.1:9/'}).end(),
	'refuses the gateway': (_, res) => void res.writeHead(401).end(),
	'limits the gateway': (_, res) => void res.writeHead(429).end(),
	'says too much': ({id}, res) => say(res, JSON.stringify({jsonrpc: '2.0', id, result: {text: 'x'.repeat(100_000)}})),
	'repeats the key of the gateway': ({id}, res) => say(res, JSON.stringify({jsonrpc: '2.0', id, result: {text: 'the-own-secret'}})),
};

test.serial('what goes wrong at an MCP server is told in words about that server, never about a model or a provider', async t => {
	let current: Mischief = () => undefined;
	const upstream = await hostileUpstream(t, (rpc, res, req) => current(rpc, res, req));
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url, bearer: 'the-own-secret', timeoutMs: 400, resultMb: 0.01}, gone: {url: 'http://127.0.0.1:9/mcp'}},
	});
	const key = await gateway.key();
	for (const [what, mischief] of Object.entries(mischiefs)) {
		current = mischief;
		const {error} = (await wireTo(`${gateway.url}/mcp/one`, key).call('act')).body;
		t.truthy(error, what);
		t.notRegex(JSON.stringify(error), /\b(provider|model|deployment|replyMb)\b/i, what);
		t.regex(error!.message, /MCP server "one"/, what);
	}
	const {error} = (await wireTo(`${gateway.url}/mcp/gone`, key).call('act')).body;
	t.regex(error!.message, /^The MCP server "gone" could not be reached\.$/);
	t.notRegex(JSON.stringify(error), /\b(provider|model|deployment)\b/i);
});
