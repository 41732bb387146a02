import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

type Rpc = {jsonrpc: '2.0'; id?: number; method: string; params: Record<string, unknown>};

export type OldUpstream = {
	url: string;
	seen: {method: string; path: string; headers: IncomingMessage['headers']; rpc: Rpc | undefined}[];
	/** What a tool was called with, in order. */
	done: unknown[];
	/** The streams that stand. */
	streams: Set<ServerResponse>;
};

export type OldMischief = {
	/** What it says first on a stream, in the place of where to send to. */
	first?: (res: ServerResponse) => void;
	/** What it does with a call of a tool, in the place of an answer on the stream. */
	onCall?: (rpc: Rpc, stream: ServerResponse, res: ServerResponse) => void;
};

export const sayOn = (stream: ServerResponse, message: Record<string, unknown>): void => {
	stream.write(`event: message\ndata: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`);
};

/** An MCP server of the HTTP+SSE transport that is not to be trusted. It keeps everything that it was told. */
export const oldUpstream = async (t: ExecutionContext, {first, onCall}: OldMischief): Promise<OldUpstream> => {
	const seen: OldUpstream['seen'] = [];
	const done: unknown[] = [];
	const streams = new Set<ServerResponse>();
	const byId = new Map<string, ServerResponse>();
	const server = createServer(async (req, res) => {
		const raw = await text(req);
		const rpc = raw === '' ? undefined : (JSON.parse(raw) as Rpc);
		seen.push({method: req.method!, path: req.url!, headers: req.headers, rpc});
		if (req.method === 'GET' && req.url === '/sse') {
			res.once('close', () => streams.delete(res));
			if (first) return first(res);
			streams.add(res);
			byId.set(String(seen.length), res);
			res.writeHead(200, {'content-type': 'text/event-stream'}).write(`event: endpoint\ndata: /message?of=${seen.length}\n\n`);
			return undefined;
		}
		const stream = byId.get(/^\/message\?of=(\d+)$/.exec(req.url!)?.[1] ?? '');
		if (req.method !== 'POST' || !stream || !streams.has(stream)) return res.writeHead(404).end('Cannot do that');
		if (rpc?.method === 'tools/call') done.push(rpc.params.arguments);
		if (rpc?.method === 'tools/call' && onCall) return onCall(rpc, stream, res);
		res.writeHead(202).end('Accepted');
		if (rpc?.id === undefined || rpc.method === undefined) return undefined;
		const {id, method, params} = rpc;
		const facts = {protocolVersion: '2024-11-05', capabilities: {tools: {listChanged: true}}, serverInfo: {name: 'old', version: '1'}};
		if (method === 'initialize') sayOn(stream, {id, result: facts});
		else if (method === 'tools/list') sayOn(stream, {id, result: {tools: [{name: 'act', inputSchema: {type: 'object'}}]}});
		else if (method === 'tools/call')
			sayOn(stream, {id, result: {content: [{type: 'text', text: `did ${JSON.stringify(params.arguments)}`}]}});
		else sayOn(stream, {id, error: {code: -32601, message: 'no'}});
		return undefined;
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`, seen, done, streams};
};
