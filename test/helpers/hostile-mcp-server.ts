import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';

type Params = Record<string, unknown>;
type Rpc = {jsonrpc: '2.0'; id?: number; method: string; params?: Params};

/** Who asks, as far as a server can tell: the session that it gave out, and how often it has been asked the same since it began. */
export type Asked = {session: string; times: number; params: Params};
type Answer = unknown | ((asked: Asked) => unknown);

/** What it says, by method; an answer may be made anew each time. An Error is answered as one of JSON-RPC's. */
export type Says = {
	instructions?: string;
	capabilities?: object;
	tools?: Answer;
	prompts?: Answer;
	resources?: Answer;
	call?: Answer;
	read?: Answer;
	prompt?: Answer;
	/** In the place of all of these: the bytes of the answer. */
	raw?: (rpc: Rpc, res: ServerResponse, req: IncomingMessage) => boolean;
};

export type HostileServer = {
	url: string;
	/** Changed by a test while it runs: the next answer is another. */
	says: Says;
	/** Every call of a tool that reached it. */
	calls: Params[];
	/** Everything it was sent. */
	seen: {rpc: Rpc; headers: IncomingMessage['headers']}[];
	/** An address that must never be asked for anything, and whether it was. */
	canary: {url: string; hits: string[]};
};

const stateless = '2026-07-28';
const noMethod = new Error('no such method');

const listening = async (t: ExecutionContext, handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> => {
	const server = createServer(handle);
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/**
 * An MCP server of one era that says and does whatever a test wants, on a wire of its own, so that it can say what no SDK would. It keeps
 * everything it was told, and has a canary.
 */
export const hostileServer = async (
	t: ExecutionContext,
	says: Says | ((canary: string) => Says) = {},
	era: 'legacy' | 'stateless' = 'legacy',
): Promise<HostileServer> => {
	const hits: string[] = [];
	const canary = await listening(t, (req, res) => {
		hits.push(`${req.method} ${req.url}`);
		res.writeHead(200, {'content-type': 'application/json'}).end('{}');
	});
	const seen: HostileServer['seen'] = [];
	const calls: Params[] = [];
	const times = new Map<string, number>();
	let sessions = 0;
	const own: HostileServer = {url: '', says: typeof says === 'function' ? says(canary) : says, calls, seen, canary: {url: canary, hits}};

	const resultOf = (method: string, session: string, params: Params): unknown => {
		const {tools, prompts, resources, call, read, prompt, instructions, capabilities} = own.says;
		const given = (answer: Answer): unknown => {
			const name = `${session} ${method}`;
			const count = (times.get(name) ?? 0) + 1;
			times.set(name, count);
			return typeof answer === 'function' ? (answer as (asked: Asked) => unknown)({session, times: count, params}) : answer;
		};
		const listed = (field: string, entries: unknown): unknown => (entries instanceof Error ? entries : {[field]: entries});
		const offers = capabilities ?? {tools: {listChanged: true}, prompts: {}, resources: {}};
		switch (method) {
			case 'initialize':
				return {protocolVersion: '2025-06-18', capabilities: offers, serverInfo: {name: 'hostile', version: '1'}, instructions};
			case 'server/discover':
				return {supportedVersions: [stateless], capabilities: offers, instructions, resultType: 'complete', ttlMs: 0, cacheScope: 'public'};
			case 'tools/list':
				return listed('tools', given(tools ?? [{name: 'act', inputSchema: {type: 'object'}}]));
			case 'prompts/list':
				return listed('prompts', given(prompts ?? []));
			case 'resources/list':
				return listed('resources', given(resources ?? []));
			case 'resources/templates/list':
				return {resourceTemplates: []};
			case 'tools/call':
				calls.push(params);
				return given(call ?? {content: [{type: 'text', text: `did ${String(params.name)}`}]});
			case 'resources/read':
				return given(read ?? {contents: []});
			case 'prompts/get':
				return given(prompt ?? {messages: []});
			default:
				return noMethod;
		}
	};

	own.url = `${await listening(t, async (req, res) => {
		const body = await text(req);
		if (req.method !== 'POST' || body === '') return res.writeHead(405).end();
		const rpc = JSON.parse(body) as Rpc;
		seen.push({rpc, headers: req.headers});
		const {id, method, params = {}} = rpc;
		if (id === undefined) return res.writeHead(202).end();
		const isOfEra = (method === 'initialize') === (era === 'legacy');
		const isGreeting = method === 'initialize' || method === 'server/discover';
		const session = String(req.headers['mcp-session-id'] ?? (method === 'initialize' ? `s${++sessions}` : ''));
		if (own.says.raw?.(rpc, res, req)) return undefined;
		const result = isGreeting && !isOfEra ? noMethod : resultOf(method, session, params);
		const said =
			result instanceof Error
				? {
						error: {
							code: result === noMethod ? -32601 : -32050,
							message: result.message,
							...(result.cause !== undefined && {data: result.cause}),
						},
					}
				: {result: {...(era === 'stateless' && {resultType: 'complete', ttlMs: 60_000, cacheScope: 'public'}), ...(result as object)}};
		return res
			.writeHead(200, {'content-type': 'application/json', ...(method === 'initialize' && {'mcp-session-id': session})})
			.end(JSON.stringify({jsonrpc: '2.0', id, ...said}));
	})}/mcp`;
	return own;
};
