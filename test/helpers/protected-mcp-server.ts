import {createServer, type IncomingHttpHeaders} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import type {AuthorizationServer} from './authorization-server.ts';

export type ProtectedServer = {
	url: string;
	host: string;
	/** Everything it was ever told. */
	seen: {path: string; headers: IncomingHttpHeaders; body: string}[];
	/** Written over its metadata (RFC 9728); null for none at all. */
	metadata: Record<string, unknown> | null;
	/** Whose tokens it takes. */
	as: AuthorizationServer;
	/** Its metadata is at `/elsewhere` alone. */
	hidden: boolean;
	/** What it says to whoever has no token. */
	challenge: string;
	/** Tokens that it does not take any more. */
	revoked: Set<string>;
	/** A scope that its tool needs. */
	needs: string | undefined;
	/** Its tool says what it was shown. */
	repeats: boolean;
	/** Whose token came with each call, in the session it came in. */
	callers: {sub: string; session: string | undefined}[];
};

type Rpc = {id?: number; method?: string};

/** An MCP server with sessions that takes tokens of `as` for itself and no others; its tool `whoami` says whose token it was. */
export const protectedServer = async (t: ExecutionContext, as: AuthorizationServer): Promise<ProtectedServer> => {
	let sessions = 0;
	const server = createServer(async (req, res) => {
		const body = await text(req);
		self.seen.push({path: req.url!, headers: req.headers, body});
		const answer = (status: number, said: unknown, headers: Record<string, string> = {}): void =>
			void res.writeHead(status, {'content-type': 'application/json', ...headers}).end(JSON.stringify(said));
		if (req.url === (self.hidden ? '/elsewhere' : '/.well-known/oauth-protected-resource/mcp') && self.metadata)
			return answer(200, {resource: self.url, authorization_servers: [as.issuer], ...self.metadata});
		if (req.url !== '/mcp') return answer(404, {});
		const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1];
		const claims = token === undefined ? undefined : await self.as.verify(token, self.url).catch(() => undefined);
		if (!claims || self.revoked.has(token!)) return answer(401, {}, {'www-authenticate': self.challenge});
		const {id, method} = (body === '' ? {} : JSON.parse(body)) as Rpc;
		if (id === undefined) return void res.writeHead(202).end();
		const result = (value: unknown, headers?: Record<string, string>): void => answer(200, {jsonrpc: '2.0', id, result: value}, headers);
		if (method === 'initialize') {
			const hello = {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 'protected', version: '1'}};
			return result(hello, {'mcp-session-id': `session-${++sessions}`});
		}
		if (method === 'tools/list') return result({tools: [{name: 'whoami', inputSchema: {type: 'object'}}]});
		if (method !== 'tools/call') return answer(200, {jsonrpc: '2.0', id, error: {code: -32601, message: 'no'}});
		if (self.needs !== undefined && !String(claims.scope).split(' ').includes(self.needs))
			return answer(403, {}, {'www-authenticate': `Bearer error="insufficient_scope", scope="${self.needs}"`});
		self.callers.push({sub: String(claims.sub), session: req.headers['mcp-session-id'] as string | undefined});
		return result({content: [{type: 'text', text: self.repeats ? token : String(claims.sub)}]});
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	const self: ProtectedServer = {
		url: `http://${host}/mcp`,
		host,
		seen: [],
		metadata: {},
		as,
		hidden: false,
		challenge: 'Bearer error="invalid_token"',
		revoked: new Set(),
		needs: undefined,
		repeats: false,
		callers: [],
	};
	return self;
};
