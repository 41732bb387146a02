import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

type Rpc = {id?: number; method: string};

export type Polling = {
	/** What it does when it is asked for the rest of an answer. */
	rest?: (id: number, res: ServerResponse, req: IncomingMessage) => void;
	onCall?: (req: IncomingMessage) => void;
	/** How soon it wants to be asked. */
	retryMs?: number;
	/** What is not taken is a 401. */
	takes?: (authorization: string | undefined) => boolean;
};

const answered = (id: number, res: ServerResponse): void => {
	const said = {jsonrpc: '2.0', id, result: {content: [{type: 'text', text: 'done'}]}};
	res.writeHead(200, {'content-type': 'text/event-stream'}).end(`id: end\ndata: ${JSON.stringify(said)}\n\n`);
};

/** An MCP server with sessions that ends the stream of a call before it answers, and answers who comes back for the rest (2025-11-25). */
export const pollingServer = async (t: ExecutionContext, {rest = answered, onCall, retryMs = 20, takes = () => true}: Polling = {}) => {
	const seen: string[] = [];
	const server = createServer(async (req, res) => {
		const body = await text(req);
		const rpc = body === '' ? undefined : (JSON.parse(body) as Rpc);
		const lastId = req.headers['last-event-id'];
		if (!takes(req.headers.authorization)) return res.writeHead(401, {'www-authenticate': 'Bearer error="invalid_token"'}).end();
		seen.push(rpc?.method ?? `${req.method}${lastId === undefined ? '' : ' the rest'}`);
		if (typeof lastId === 'string') return rest(Number(lastId.split('-')[1]), res, req);
		if (!rpc) return res.writeHead(405).end();
		const {id, method} = rpc;
		if (id === undefined) return res.writeHead(202).end();
		const say = (result: object, headers: Record<string, string> = {}) =>
			res.writeHead(200, {'content-type': 'application/json', ...headers}).end(JSON.stringify({jsonrpc: '2.0', id, result}));
		if (method === 'initialize') {
			const hello = {protocolVersion: '2025-11-25', capabilities: {tools: {}}, serverInfo: {name: 'polling', version: '1'}};
			return say(hello, {'mcp-session-id': 'theirs'});
		}
		if (method === 'tools/list') return say({tools: [{name: 'act', inputSchema: {type: 'object'}}]});
		if (method !== 'tools/call') return res.writeHead(400).end();
		onCall?.(req);
		return res.writeHead(200, {'content-type': 'text/event-stream'}).end(`id: part-${id}\nretry: ${retryMs}\ndata: \n\n`);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	/** What it was asked with a token that it takes, by method. */
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen};
};
