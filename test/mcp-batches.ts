import type {ServerResponse} from 'node:http';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer, type Says} from './helpers/hostile-mcp-server.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const version = '2025-03-26';

const start = async (t: ExecutionContext, says: Says) => {
	const server = await hostileServer(t, says);
	const gateway = await startGateway(t, {servers: {one: {url: server.url, asks: ['roots']}}});
	const url = `${gateway.url}/mcp/one`;
	const key = await gateway.key();
	const wire = wireTo(url, key);
	const params = {protocolVersion: version, capabilities: {roots: {}}, clientInfo: {name: 'test', version: '1'}};
	const {session} = await wire.send({jsonrpc: '2.0', id: 0, method: 'initialize', params});
	return {server, url, key, wire, session: {'mcp-session-id': session!}};
};

const called = (id: number, args: object = {}) => ({jsonrpc: '2.0', id, method: 'tools/call', params: {name: 'act', arguments: args}});
const said = (id: unknown, text: string) => JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text}]}});

test('what a client answers and notifies in a batch is taken as what it says alone', async t => {
	let call: {id: number; res: ServerResponse} | undefined;
	const {server, url, key, wire, session} = await start(t, {
		raw({id, method, ...more}, res) {
			if (method === 'tools/call') {
				call = {id: id!, res};
				res.writeHead(200, {'content-type': 'text/event-stream'});
				res.write(`data: ${JSON.stringify({jsonrpc: '2.0', id: 'q', method: 'roots/list', params: {}})}\n\n`);
				return true;
			}
			if (method !== undefined) return false;
			res.writeHead(202).end();
			call?.res.end(`data: ${said(call.id, `heard ${JSON.stringify(more)}`)}\n\n`);
			return true;
		},
	});
	const response = await fetch(url, {
		method: 'POST',
		headers: {...session, authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream'},
		body: JSON.stringify(called(1)),
	});
	let text = '';
	let isAnswered = false;
	for await (const chunk of response.body!) {
		text += new TextDecoder().decode(chunk as Uint8Array);
		const [, question] = /^data: (.*roots\/list.*)$/m.exec(text) ?? [];
		if (question === undefined || isAnswered) continue;
		isAnswered = true;
		const answer = {jsonrpc: '2.0', id: (JSON.parse(question) as {id: string}).id, result: {roots: [{uri: 'file:///home/ada'}]}};
		t.is((await wire.send([{jsonrpc: '2.0', method: 'notifications/roots/list_changed'}, answer], session)).status, 202);
	}
	t.regex(text, /heard .*file:\/\/\/home\/ada/);
	t.true(server.seen.some(({rpc}) => rpc.method === 'notifications/roots/list_changed'));
});

test('who takes back one call of a batch gets the others', async t => {
	let began = (): void => undefined;
	const first = new Promise<void>(resolve => {
		began = resolve;
	});
	const {wire, session, server} = await start(t, {
		raw({method, params}, _) {
			const isFirst = method === 'tools/call' && (params!.arguments as {n: number}).n === 1;
			if (isFirst) began();
			return isFirst;
		},
	});
	const both = wire.send([called(1, {n: 1}), called(2, {n: 2}), called(3, {n: 3})], session);
	await first;
	await wire.send([{jsonrpc: '2.0', method: 'notifications/cancelled', params: {requestId: 1}}], session);
	const {body, ...head} = await both;
	t.deepEqual(
		[body].flat().map(own => [own.id, own.error?.data?.code ?? wordsOf({...head, body: own})]),
		[
			[1, 'client_closed'],
			[2, 'did act'],
			[3, 'did act'],
		],
	);
	t.true(server.seen.some(({rpc}) => rpc.method === 'notifications/cancelled'));
});

test('the calls of a batch whose client leaves end with it, and no other begins', async t => {
	let began = (): void => undefined;
	const first = new Promise<void>(resolve => {
		began = resolve;
	});
	let over = (): void => undefined;
	const ended = new Promise<void>(resolve => {
		over = resolve;
	});
	const {url, key, session, server} = await start(t, {
		raw({method}, res) {
			if (method !== 'tools/call') return false;
			res.once('close', over);
			began();
			return true;
		},
	});
	const leaving = new AbortController();
	const both = fetch(url, {
		method: 'POST',
		headers: {...session, authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify([called(1), called(2)]),
		signal: leaving.signal,
	});
	await first;
	leaving.abort();
	await t.throwsAsync(both);
	await ended;
	await new Promise(resolve => setTimeout(resolve, 200));
	t.is(server.seen.filter(({rpc}) => rpc.method === 'tools/call').length, 1);
});

test('what is no JSON is no batch', async t => {
	const {wire, session} = await start(t, {});
	const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
	for (const body of [`[${ping}],"x":[${ping}]`, `[${ping}],"x":1`, `[${ping}`, `[${ping}]]`, '[1]', `[[${ping}]]`])
		t.is((await wire.send(body, session)).status, 400, body);
	t.is((await wire.send(` [${ping}]`, session)).status, 200);
});
