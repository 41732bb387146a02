import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {startGateway} from './gateway.ts';
import {odd} from './mcp-server-to-the-letter.ts';

const stateless = '2026-07-28';

export type Asking = {session?: string; name?: string; offers?: string; headers?: Record<string, string>};

/** Says and hears text: whatever reads numbers here would lose them. */
export const letters = (url: string, key: string) => {
	const post = async (body: string, headers: Record<string, string> = {}) => {
		const response = await fetch(url, {
			method: 'POST',
			headers: {
				authorization: `Bearer ${key}`,
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
				...headers,
			},
			body,
		});
		return {status: response.status, session: response.headers.get('mcp-session-id') ?? undefined, text: await response.text()};
	};
	const begin = async (version = '2025-11-25'): Promise<string> => {
		const params = `{"protocolVersion":"${version}","capabilities":{"elicitation":{}},"clientInfo":{"name":"c","version":"1"}}`;
		const {session, text} = await post(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":${params}}`);
		if (session === undefined) throw new Error(text);
		return session;
	};
	/** Without a session as a client of the stateless era. */
	const ask = async (
		id: string,
		method: string,
		params: string,
		{session, name, offers = '', headers = {}}: Asking = {},
	): Promise<string> => {
		const own: Record<string, string> =
			session === undefined ? {'mcp-protocol-version': stateless, 'mcp-method': method} : {'mcp-session-id': session};
		const meta =
			session === undefined
				? `"io.modelcontextprotocol/protocolVersion":"${stateless}","io.modelcontextprotocol/clientCapabilities":{${offers}},`
				: '';
		const body = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{"_meta":{${meta}"own":${odd}},${params}}}`;
		const {status, text} = await post(body, {...own, ...(name !== undefined && session === undefined && {'mcp-name': name}), ...headers});
		return status === 200 ? text : `${status} ${text}`;
	};
	return {post, begin, ask};
};

export type Server = NonNullable<GatewayConfigInput['servers']>[string];

/** A gateway before one server, and a client at its door and at the common one. */
export const startLetters = async (t: ExecutionContext, server: Server, plugins: NonNullable<GatewayConfigInput['plugins']> = []) => {
	const gateway = await startGateway(t, {servers: {one: server}, plugins: [{use: 'virtual-keys'}, ...plugins]});
	const key = await gateway.key();
	return {gateway, key, ...letters(`${gateway.url}/mcp/one`, key), common: letters(`${gateway.url}/mcp`, key)};
};

/** What a server says it heard, which stands quoted in its answer. */
export const unquoted = (answer: string): string => answer.replaceAll('\\"', '"');
