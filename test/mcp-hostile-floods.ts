import type {ServerResponse} from 'node:http';
import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileProgram} from './helpers/hostile-mcp-program.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {until} from './helpers/store-engines.ts';

const events = (res: ServerResponse, messages: object[]): void => {
	res.writeHead(200, {'content-type': 'text/event-stream'});
	res.end(messages.map(message => `data: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`).join(''));
};

test.serial('a server that asks thousands of times whether somebody is there, and takes no answer, makes no crowd of answers', async t => {
	const taken: ServerResponse[] = [];
	const server = await hostileServer(t, {
		raw({method, id}, res) {
			if (method === undefined) taken.push(res);
			if (method === 'tools/call')
				events(res, [
					...Array.from({length: 3_000}, (_, index) => ({id: `p${index}`, method: 'ping'})),
					{id, result: {content: [{type: 'text', text: 'did it'}]}},
				]);
			return method === undefined || method === 'tools/call';
		},
	});
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	t.is(wordsOf(await wire.call('act')), 'did it');
	t.is((await wire.ask('tools/list')).status, 200);
	await until(t, () => taken.length > 0, 'an answer');
	t.true(taken.length <= 100, `${taken.length} answers`);
	for (const res of taken) res.writeHead(202).end();
});

test.serial('a program that reads nothing is sent no more than it may have unread', async t => {
	const program = hostileProgram(t, {call: 'process.stdin.pause(); await new Promise(() => setInterval(() => undefined, 1_000))'});
	const gateway = await startGateway(t, {
		servers: {one: {stdio: program.stdio, timeoutMs: 300}},
		limits: {replyMb: 0.2},
	});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const codes: unknown[] = [];
	for (let call = 0; call < 8; call++) codes.push((await wire.call('act', {text: 'x'.repeat(200_000)})).body.error?.data?.code);
	t.is(codes[0], 'upstream_timeout');
	t.is(codes.at(-1), 'upstream_unreachable', codes.join());
});

test.serial('what a session hears of is bounded in its length too: every process keeps it for days', async t => {
	const server = await hostileServer(t, {
		capabilities: {resources: {subscribe: true}},
		raw({method, id}, res) {
			if (method !== 'resources/subscribe') return false;
			res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, result: {}}));
			return true;
		},
	});
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const session = await wire.begin();
	const codes: unknown[] = [];
	for (let count = 0; count < 20; count++) {
		const uri = `file:///${count}/${'x'.repeat(3_900)}`;
		const said = await wire.send({jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: {uri}}, {'mcp-session-id': session});
		codes.push(said.body.error?.data?.code);
	}
	t.is(codes[0], undefined);
	t.is(codes.at(-1), 'denied', codes.join());
	t.true(server.seen.filter(({rpc}) => rpc.method === 'resources/subscribe').length < 20, 'what is refused, its server does not hear');
});
