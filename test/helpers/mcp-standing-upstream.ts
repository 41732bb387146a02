import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

type Rpc = {id?: number; method: string; params?: Record<string, unknown>};

/** An MCP server with sessions and a stream for each, on which it says what a test has it say. */
export const standingUpstream = async (t: ExecutionContext) => {
	const streams = new Set<ServerResponse>();
	const asked: Rpc[] = [];
	let gets = 0;
	let sessions = 1;
	const failing: number[] = [];
	const server = createServer(async (req, res) => {
		const theirs = req.headers['mcp-session-id'];
		if (theirs !== undefined && theirs !== `theirs-${sessions}`) return void res.writeHead(404).end();
		if (req.method === 'GET') {
			gets += 1;
			const status = failing.shift();
			if (status !== undefined) return void res.writeHead(status).end();
			res.writeHead(200, {'content-type': 'text/event-stream'}).flushHeaders();
			streams.add(res);
			res.once('close', () => streams.delete(res));
			return;
		}
		if (req.method !== 'POST') return void res.writeHead(200).end();
		const rpc = JSON.parse(await text(req)) as Rpc;
		asked.push(rpc);
		const {id, method} = rpc;
		if (id === undefined) return void res.writeHead(202).end();
		const say = (result: object, headers: Record<string, string> = {}) =>
			void res.writeHead(200, {'content-type': 'application/json', ...headers}).end(JSON.stringify({jsonrpc: '2.0', id, result}));
		const capabilities = {tools: {listChanged: true}, resources: {subscribe: true}, logging: {}};
		if (method === 'initialize')
			return say(
				{protocolVersion: '2025-11-25', capabilities, serverInfo: {name: 'standing', version: '1'}},
				{'mcp-session-id': `theirs-${sessions}`},
			);
		return say(method === 'tools/list' ? {tools: [{name: 'act', inputSchema: {type: 'object'}}]} : {});
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	/** Says it on each stream; false where a gateway does not keep up. */
	const say = (message: object): boolean => {
		const event = `data: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`;
		return [...streams].every(stream => stream.write(event));
	};
	/** As a restart does: it ends its streams, and knows no session any more. */
	const forget = (): void => {
		sessions += 1;
		for (const stream of streams) stream.destroy();
	};
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, streams, asked, gets: () => gets, say, forget, failing};
};

/** What a client hears on its own stream, as it comes. */
export const listenOn = async (t: ExecutionContext, url: string, key: string, headers: Record<string, string>) => {
	const leaving = new AbortController();
	t.teardown(() => leaving.abort());
	const response = await fetch(url, {
		headers: {authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers},
		signal: leaving.signal,
	});
	const heard = {status: response.status, headers: response.headers, text: '', isOver: false};
	const read = async (): Promise<void> => {
		const decoder = new TextDecoder();
		for await (const chunk of response.body!) heard.text += decoder.decode(chunk as Uint8Array, {stream: true});
	};
	read()
		.catch(() => undefined)
		.finally(() => {
			heard.isOver = true;
		});
	return heard;
};
