import test from 'ava';
import {pino} from 'pino';
import {openCatalogue} from '../core/mcp/catalogue.ts';
import {openShelf} from '../core/mcp/shelf.ts';
import {openStdio} from '../core/mcp/stdio.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileProgram} from './helpers/hostile-mcp-program.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const tool = (name: string) => ({name, inputSchema: {type: 'object'}});
const after = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

test('a list that comes page by page has one time for all of it, and takes no other server’s with it', async t => {
	const endless = await hostileServer(t, {
		raw({method, id, params}, res) {
			if (method !== 'tools/list') return false;
			const page = Number(params?.cursor ?? 0);
			const result = {tools: [tool(`act${page}`)], nextCursor: String(page + 1)};
			after(100).then(() => res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, result})));
			return true;
		},
	});
	const good = await hostileServer(t);
	const gateway = await startGateway(t, {servers: {endless: {url: endless.url, timeoutMs: 800}, good: {url: good.url}}});
	const key = await gateway.key();
	const {body} = await wireTo(`${gateway.url}/mcp`, key).ask('tools/list');
	t.like(body.result, {
		tools: [{name: 'good__act'}],
		_meta: {'sallyport/unavailable': [{server: 'endless', error: 'upstream_timeout'}]},
	});
	const own = await wireTo(`${gateway.url}/mcp/endless`, key).ask('tools/list');
	t.is(own.body.error?.data?.code, 'upstream_timeout');
	t.is(own.body.error?.message, 'The list tools of the MCP server "endless" took longer than 800 ms.');
});

test('a program that needs longer to start than a list waits for it goes on, and is in the next one', async t => {
	const program = hostileProgram(t, {hello: 'await new Promise(go => setTimeout(go, 1_500))'});
	const limits = {largest: 1_048_576, maxBytes: 1_048_576, timeoutMs: 60_000};
	const link = openStdio({name: 'slow', ...program.stdio, env: {}, cwd: process.cwd(), log: pino({level: 'silent'}), ...limits});
	t.teardown(link.close);
	const catalogue = openCatalogue('slow', link, openShelf());
	await t.throwsAsync(catalogue.list('tools/list', {asker: undefined, timeoutMs: 300}), {message: /took longer than 300 ms/});
	const entries = await catalogue.list('tools/list', {asker: undefined, timeoutMs: 60_000});
	t.deepEqual(
		entries.map(({name}) => name),
		['act'],
	);
	t.is(program.starts().length, 1);
});
