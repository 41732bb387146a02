import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {odd, programToTheLetter, serverToTheLetter} from './helpers/mcp-server-to-the-letter.ts';

const stateless = '2026-07-28';

type Asking = {session?: string; name?: string; headers?: Record<string, string>};

/** Says and hears text: whatever reads numbers here would lose them. */
const letters = (url: string, key: string) => {
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
	const ask = async (id: string, method: string, params: string, {session, name, headers = {}}: Asking = {}): Promise<string> => {
		const own: Record<string, string> =
			session === undefined ? {'mcp-protocol-version': stateless, 'mcp-method': method} : {'mcp-session-id': session};
		const meta =
			session === undefined
				? `"io.modelcontextprotocol/protocolVersion":"${stateless}","io.modelcontextprotocol/clientCapabilities":{},`
				: '';
		const body = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{"_meta":{${meta}"own":${odd}},${params}}}`;
		const {status, text} = await post(body, {...own, ...(name !== undefined && session === undefined && {'mcp-name': name}), ...headers});
		return status === 200 ? text : `${status} ${text}`;
	};
	return {post, begin, ask};
};

const start = async (
	t: ExecutionContext,
	server: NonNullable<GatewayConfigInput['servers']>[string],
	plugins: GatewayConfigInput['plugins'] = [],
) => {
	const gateway = await startGateway(t, {servers: {one: server}, plugins: [{use: 'virtual-keys'}, ...plugins]});
	const key = await gateway.key();
	return {gateway, key, ...letters(`${gateway.url}/mcp/one`, key), common: letters(`${gateway.url}/mcp`, key)};
};

const longId = '12345678901234567890';

/** What was asked with `params`, as its server got it. */
const heardIn = (answer: string): string => answer.replaceAll('\\"', '"');

const kinds: Record<string, (t: ExecutionContext) => Promise<NonNullable<GatewayConfigInput['servers']>[string]>> = {
	'streamable HTTP with sessions': async t => ({url: `${(await serverToTheLetter(t)).origin}/mcp`}),
	'streamable HTTP without sessions': async t => ({url: `${(await serverToTheLetter(t, {isStateless: true})).origin}/mcp`}),
	'HTTP+SSE': async t => ({url: `${(await serverToTheLetter(t)).origin}/sse`}),
	stdio: async () => ({stdio: programToTheLetter}),
};

for (const [kind, serverOf] of Object.entries(kinds))
	for (const era of ['a session', 'none'])
		test(`numbers travel as they were written, with a client of ${era} and a server over ${kind}`, async t => {
			const {ask, begin} = await start(t, await serverOf(t));
			const session = era === 'none' ? undefined : await begin();
			const has = (answer: string, ...parts: string[]) => {
				for (const part of parts) t.true(heardIn(answer).includes(part), `${part} is not in ${answer}`);
			};
			const asking = (name: string): Asking => ({name, ...(session !== undefined && {session})});

			const called = await ask(longId, 'tools/call', `"name":"act","arguments":${odd}`, asking('act'));
			has(called, `"id":${longId},`, `"structuredContent":${odd}`, `"arguments":${odd}`, `"own":${odd}`);
			t.is(heardIn(called).split(`"own":${odd}`).length, 3, called);
			has(await ask('1', 'resources/read', '"uri":"file:///a"', asking('file:///a')), `"text":"{`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'prompts/get', `"name":"ask","arguments":${odd}`, asking('ask')), `"arguments":${odd}`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'tools/list', '"more":1', asking('')), `"default":${odd}`);
			has(await ask('1', 'prompts/list', '"more":1', asking('')), `"own":${odd}`);
			has(await ask('1', 'resources/list', '"more":1', asking('')), `"own":${odd}`);
		});
