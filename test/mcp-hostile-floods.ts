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

/** A letter that is eighteen in the form that keys are compared in. */
const unfolding = '\ufdfa';
/** Far beyond what it takes, and far below what it took. */
const longMs = 4_000;

test.serial('a key that unfolds to many times its length holds nobody up, whoever writes it', async t => {
	const key = unfolding.repeat(1_000_000);
	const server = await hostileServer(t, {
		raw({method, id}, res) {
			if (method !== 'tools/call') return false;
			events(res, [
				{method: 'notifications/x', params: {[key]: 1}},
				{id, result: {content: [{type: 'text', text: 'did it'}]}},
			]);
			return true;
		},
	});
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}, limits: {bodyMb: 8}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const session = {'mcp-session-id': await wire.begin()};
	const timed = async (send: () => Promise<unknown>): Promise<number> => {
		const begun = performance.now();
		await send();
		return performance.now() - begun;
	};
	const said = await timed(() => wire.send({jsonrpc: '2.0', method: 'notifications/x', params: {[key]: 1}}, session));
	t.true(said < longMs, `a client’s: ${said} ms`);
	const heard = await timed(async () => t.is(wordsOf(await wire.call('act')), 'did it'));
	t.true(heard < longMs, `a server’s: ${heard} ms`);
	for (const lookalike of ['ARGUMENTS', 'argumentſ', 'ａrguments', '𝐚rguments'])
		t.is((await wire.send({jsonrpc: '2.0', id: 1, method: 'ping', params: {[lookalike]: {}}}, session)).status, 400, lookalike);
});

test.serial('hundreds of names that unfold cost a call at the common door what plain ones do', async t => {
	const server = await hostileServer(t, {
		tools: Array.from({length: 100}, (_, index) => ({name: `${index}${unfolding.repeat(1_900)}`, inputSchema: {type: 'object'}})),
	});
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key());
	const tools = (await wire.ask('tools/list')).body.result?.tools as {name: string}[];
	t.is(tools.length, 100);
	const begun = performance.now();
	for (let count = 0; count < 200; count++) await wire.call('one__nothing');
	t.is(wordsOf(await wire.call(tools[0]!.name)).slice(0, 5), 'did 0');
	t.true(performance.now() - begun < 2 * longMs, `${performance.now() - begun} ms`);
});
