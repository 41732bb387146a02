/** An answer over MCP: the status, the session that came with it, and the message. */
export type Said = {status: number; session: string | undefined; headers: Headers; body: Body};
type Body = {id?: unknown; result?: Record<string, unknown>; error?: {code: number; message: string; data?: Record<string, unknown>}};

/** The first words of a result. */
export const wordsOf = ({body}: Said): string => (body.result?.content as {text: string}[] | undefined)?.[0]?.text ?? '';

const parsed = (text: string): Body => {
	const data = /^data: (.+)$/m.exec(text)?.[1] ?? text;
	return data === '' ? {} : (JSON.parse(data) as Body);
};

const version = '2026-07-28';

/** Says to an MCP door exactly what a client of either era might, well-meaning or not. */
export const wireTo = (url: string, key: string) => {
	const send = async (body: unknown, headers: Record<string, string> = {}, method = 'POST'): Promise<Said> => {
		const response = await fetch(url, {
			method,
			headers: {
				authorization: `Bearer ${key}`,
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				...headers,
			},
			...(method === 'POST' && {body: typeof body === 'string' ? body : JSON.stringify(body)}),
		});
		const text = await response.text();
		return {
			status: response.status,
			session: response.headers.get('mcp-session-id') ?? undefined,
			headers: response.headers,
			body: parsed(text),
		};
	};

	/** A session of the legacy era. */
	const begin = async (protocolVersion = '2025-11-25'): Promise<string> => {
		const params = {protocolVersion, capabilities: {}, clientInfo: {name: 'test', version: '1'}};
		const {session, body, status} = await send({jsonrpc: '2.0', id: 0, method: 'initialize', params});
		if (session === undefined) throw new Error(`no session: ${status} ${JSON.stringify(body)}`);
		return session;
	};

	/** A request of the stateless era; `headers` takes the place of what it should say there. */
	const ask = (method: string, params: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Said> => {
		const meta = {'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {}};
		const name = params.name ?? params.uri;
		const own = {'mcp-protocol-version': version, 'mcp-method': method, ...(typeof name === 'string' && {'mcp-name': name})};
		return send({jsonrpc: '2.0', id: 1, method, params: {_meta: meta, ...params}}, {...own, ...headers});
	};

	const call = (name: string, args: Record<string, unknown> = {}): Promise<Said> => ask('tools/call', {name, arguments: args});
	return {send, begin, ask, call};
};
