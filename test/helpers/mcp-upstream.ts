import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

type Rpc = {jsonrpc: '2.0'; id?: number; method: string; params: Record<string, unknown>};

export type Seen = {method: string; headers: IncomingMessage['headers']; rpc: Rpc | undefined; raw: string};

export type HostileUpstream = {url: string; seen: Seen[]};

/** What it does with a call of a tool, in the place of an answer. */
export type Mischief = (rpc: Rpc, res: ServerResponse, req: IncomingMessage) => void;

const json = (res: ServerResponse, body: unknown, headers: Record<string, string> = {}) =>
	res.writeHead(200, {'content-type': 'application/json', ...headers}).end(typeof body === 'string' ? body : JSON.stringify(body));

/**
 * An MCP server with sessions that is not to be trusted: it says hello, lists `tools`, and does with a call what `mischief` does. It keeps
 * everything that it was told.
 */
export const hostileUpstream = async (
	t: ExecutionContext,
	mischief: Mischief,
	tools: unknown = [{name: 'act', inputSchema: {type: 'object'}}],
): Promise<HostileUpstream> => {
	const seen: Seen[] = [];
	const server = createServer(async (req, res) => {
		const raw = await text(req);
		const rpc = raw === '' ? undefined : (JSON.parse(raw) as Rpc);
		seen.push({method: req.method!, headers: req.headers, rpc, raw});
		if (!rpc || rpc.id === undefined) return res.writeHead(202).end();
		const {id, method} = rpc;
		if (method === 'initialize') {
			const result = {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 'hostile', version: '1'}};
			return json(res, {jsonrpc: '2.0', id, result}, {'mcp-session-id': 'theirs'});
		}
		if (method === 'tools/list') return json(res, typeof tools === 'function' ? tools(rpc) : {jsonrpc: '2.0', id, result: {tools}});
		if (method === 'tools/call') return mischief(rpc, res, req);
		return json(res, {jsonrpc: '2.0', id, error: {code: -32601, message: 'no'}});
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen};
};
