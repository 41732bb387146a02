import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {records} from '../core/journal/read.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startUpstream} from './conformance/upstream.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {openWorld, startReplica} from './helpers/replicas.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

test('two processes on one store share a session: an answer given to one reaches the other, and an end at one is an end at both', async t => {
	const upstream = await startUpstream('legacy');
	t.teardown(upstream.close);
	const folder = await temporaryFolder(t);
	const config: GatewayConfigInput = {servers: {s: {url: upstream.url, asks: ['elicitation']}}, plugins: [], anonymous: true};
	const one = await startGateway(t, {...config, journal: {folder: `${folder}/one`}}, {folder});
	const two = await startGateway(t, {...config, journal: {folder: `${folder}/two`}, store: `${folder}/store.db`}, {folder});
	const [here, there] = [`${one.url}/mcp/s`, `${two.url}/mcp/s`];
	const headers = {'content-type': 'application/json', accept: 'application/json, text/event-stream'};
	const hello = {protocolVersion: '2025-11-25', capabilities: {elicitation: {}}, clientInfo: {name: 'test', version: '1'}};
	const post = (url: string, body: object, session?: string) =>
		fetch(url, {
			method: 'POST',
			headers: session === undefined ? headers : {...headers, 'mcp-session-id': session},
			body: JSON.stringify({jsonrpc: '2.0', ...body}),
		});
	const session = (await post(here, {id: 1, method: 'initialize', params: hello})).headers.get('mcp-session-id') ?? '';

	const called = await post(
		here,
		{id: 2, method: 'tools/call', params: {name: 'test_input_required_result_elicitation', arguments: {}}},
		session,
	);
	const reader = called.body!.pipeThrough(new TextDecoderStream()).getReader();
	let heard = '';
	const until = async (pattern: RegExp): Promise<string> => {
		for (;;) {
			const found = pattern.exec(heard)?.[1];
			if (found !== undefined) return found;
			const {value, done} = await reader.read();
			if (done) throw new Error(`it ended: ${heard}`);
			heard += value;
		}
	};
	const id = await until(/"id":"([^"]+)","method":"elicitation\/create"/);
	t.is((await post(there, {id, result: {action: 'accept', content: {name: 'Ada'}}}, session)).status, 202);
	t.is(await until(/"text":"(Thank you\.)"/), 'Thank you.');

	const ended = await fetch(there, {method: 'DELETE', headers: {'mcp-session-id': session}});
	t.is(ended.status, 200);
	const status = async () => (await post(here, {id: 3, method: 'ping'}, session)).status;
	for (let tries = 0; tries < 50 && (await status()) !== 404; tries++) await new Promise(resolve => setTimeout(resolve, 40));
	t.is(await status(), 404);
});

type Wire = ReturnType<typeof wireTo>;

const twoProcesses = async (t: ExecutionContext) => {
	const upstream = await startUpstream('legacy');
	t.teardown(upstream.close);
	const folder = await temporaryFolder(t);
	const config: GatewayConfigInput = {servers: {s: {url: upstream.url, asks: ['elicitation']}}, plugins: [], anonymous: true};
	const one = await startGateway(t, {...config, journal: {folder: `${folder}/one`}}, {folder});
	const two = await startGateway(t, {...config, journal: {folder: `${folder}/two`}, store: `${folder}/store.db`}, {folder});
	return {folder, one, two};
};

/** The SDK's client, whose streams that are taken up again go where a balancer sends them. */
const balancedClient = async (t: ExecutionContext, url: string, balance: (to: string) => string): Promise<Client> => {
	const balanced: typeof fetch = (input, init) =>
		fetch(new Headers(init?.headers).has('last-event-id') ? balance(String(input)) : input, init);
	const client = new Client({name: 'test', version: '1'});
	const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp/s`), {fetch: balanced});
	// Its own types differ under exactOptionalPropertyTypes.
	await client.connect(transport as Parameters<Client['connect']>[0]);
	t.teardown(() => client.close());
	return client;
};

test('a client that comes back to another process for the rest of an answer is sent on until it finds it', async t => {
	const {one, two} = await twoProcesses(t);
	let tries = 0;
	const client = await balancedClient(t, one.url, to => (++tries <= 3 ? to.replace(one.url, two.url) : to));
	t.regex(JSON.stringify(await client.callTool({name: 'test_reconnection', arguments: {}})), /has answered/);
	t.is(tries, 4);
});

test('a client whose answer is nowhere is told so, long before it would give up, and its session goes on', async t => {
	const {folder, one, two} = await twoProcesses(t);
	const client = await balancedClient(t, one.url, to => to.replace(one.url, two.url));
	const begun = Date.now();
	const thrown = await t.throwsAsync(client.callTool({name: 'test_reconnection', arguments: {}}));
	t.regex(thrown.message, /in another process of the gateway, or gone/);
	t.like(thrown, {code: -32010, data: {code: 'not_found'}});
	t.true(Date.now() - begun < 40_000, 'it would have waited for a minute');
	t.true((await client.listTools()).tools.length > 0);
	await two.gateway.journal.flushed();
	const failed: StoredRecord[] = [];
	for await (const record of records(`${folder}/two`)) if (record.outcome === 'failed') failed.push(record);
	t.like(failed, {0: {operation: 'stream', error: {code: 'not_found'}}});
});

test.serial('two workers: an answer that broke off is found by the client that comes back for it', async t => {
	t.timeout(120_000);
	const upstream = await startUpstream('legacy');
	t.teardown(upstream.close);
	const world = await openWorld(t, {workers: 2, servers: {s: {url: upstream.url}}});
	const gateway = await startReplica(t, world.place().config);
	const headers = {authorization: `Bearer ${gateway.key}`};
	const client = new Client({name: 'test', version: '1'});
	const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/s`), {requestInit: {headers}});
	await client.connect(transport as Parameters<Client['connect']>[0]);
	t.teardown(() => client.close());
	const answers = await Promise.all(Array.from({length: 6}, () => client.callTool({name: 'test_reconnection', arguments: {}})));
	for (const answer of answers) t.regex(JSON.stringify(answer), /has answered/);
});

test('what waits for its client in one process is told apart from it in another, and the call begins anew', async t => {
	const {one, two} = await twoProcesses(t);
	const [here, there] = [one, two].map(({url}) => wireTo(`${url}/mcp/s`, 'nobody')) as [Wire, Wire];
	const _meta = {'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {elicitation: {}}};
	const call = {_meta, name: 'test_input_required_result_elicitation', arguments: {}};
	const {requestState, inputRequests} = (await here.ask('tools/call', call)).body.result as {requestState: string; inputRequests: object};
	const inputResponses = Object.fromEntries(Object.keys(inputRequests).map(key => [key, {action: 'accept', content: {name: 'Ada'}}]));
	const {status, body} = await there.ask('tools/call', {...call, requestState, inputResponses});
	t.is(status, 400);
	t.like(body.error, {code: -32602});
	t.regex(body.error!.message, /call again without it/);
	t.is(wordsOf(await here.ask('tools/call', {...call, requestState, inputResponses})), 'Thank you.');
	t.is((await there.ask('tools/call', call)).body.result?.resultType, 'input_required');
});
