import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test from 'ava';
import {pino} from 'pino';
import {openServers} from '../core/mcp/servers.ts';
import {until} from './helpers/store-engines.ts';

test('a call under way keeps its conversation, however many others begin meanwhile', async t => {
	const held: ServerResponse[] = [];
	let ended = 0;
	const upstream = createServer(async (req, res) => {
		if (req.method === 'DELETE') ended += 1;
		if (req.method !== 'POST') return res.writeHead(405).end();
		const {id, method} = JSON.parse(await text(req)) as {id?: number; method: string};
		const say = (result: object) => {
			res.writeHead(200, {'content-type': 'application/json', 'mcp-session-id': 's1'}).end(JSON.stringify({jsonrpc: '2.0', id, result}));
		};
		if (id === undefined) return res.writeHead(202).end();
		if (method === 'initialize') return say({protocolVersion: '2025-11-25', capabilities: {tools: {}}});
		held.push(res);
		return undefined;
	});
	await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve));
	const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`;
	const options = {log: pino({level: 'silent'}), maxBytes: 1_000_000, credentials: new Map()};
	const servers = openServers({one: {url, timeoutMs: 10_000, connections: 8, asks: [], resultMb: 4}}, options);
	t.teardown(async () => {
		await servers.close();
		upstream.closeAllConnections();
		upstream.close();
	});
	const asker = {principal: {id: 'a', tenant: 'a', tags: [], accounts: []}, token: undefined, origin: () => ''};
	const channelOf = (owner: string) => servers.get('one')!.channel({owner, offer: 0, era: 'legacy'}, asker);

	const own = channelOf('session:0');
	const call = own.link.request('tools/call', {name: 'act'}, {asker, timeoutMs: 10_000});
	await until(t, () => held.length === 1, 'the call');
	for (let session = 1; session <= 4_000; session++) channelOf(`session:${session}`);
	await channelOf('session:4000').link.facts({asker, timeoutMs: 10_000});
	held[0]!.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id: 2, result: {done: true}}));
	t.like(await call.catch((thrown: Error) => ({thrown: thrown.message})), {done: true});
	t.is(ended, 0, 'nobody told its server that it is over');
	t.true(channelOf('session:0') === own);
	for (let session = 5_000; session <= 7_100; session++) channelOf(`session:${session}`);
	t.false(channelOf('session:0') === own, 'what nobody uses makes room');
});
