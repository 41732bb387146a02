import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {SSEClientTransport} from '@modelcontextprotocol/sdk/client/sse.js';
import {ElicitRequestSchema} from '@modelcontextprotocol/sdk/types.js';
import test, {type ExecutionContext} from 'ava';
import {startUpstream} from './conformance/upstream.ts';
import {startGateway} from './helpers/gateway.ts';
import {listenOn} from './helpers/mcp-standing-upstream.ts';
import {until} from './helpers/store-engines.ts';

const start = async (t: ExecutionContext) => {
	const [sessions, none] = [await startUpstream('legacy'), await startUpstream('modern')];
	t.teardown(() => Promise.all([sessions.close(), none.close()]).then(() => undefined));
	const gateway = await startGateway(t, {
		servers: {sessions: {url: sessions.url, asks: ['elicitation']}, none: {url: none.url, asks: ['elicitation']}},
	});
	return {gateway, key: await gateway.key()};
};

const headersOf = (key: string) => ({authorization: `Bearer ${key}`});

/** The SDK's client of the transport that had a stream and an endpoint. */
const oldClient = async (t: ExecutionContext, url: string, key: string): Promise<Client> => {
	const client = new Client({name: 'old', version: '1'}, {capabilities: {elicitation: {}}});
	client.setRequestHandler(ElicitRequestSchema, async () => ({action: 'accept', content: {name: 'Ada'}}));
	const headers = headersOf(key);
	await client.connect(
		new SSEClientTransport(new URL(url), {
			requestInit: {headers},
			eventSourceInit: {fetch: (address, init) => fetch(address, {...init, headers: {...headers, accept: 'text/event-stream'}})},
		}),
	);
	t.teardown(() => client.close());
	return client;
};

for (const server of ['sessions', 'none'])
	test(`a client of the HTTP+SSE transport lists, calls, hears of progress and answers questions: ${server}`, async t => {
		const {gateway, key} = await start(t);
		const client = await oldClient(t, `${gateway.url}/mcp/${server}/sse`, key);
		t.true((await client.listTools()).tools.length > 10);
		t.like(await client.callTool({name: 'test_simple_text', arguments: {}}), {
			content: [{text: 'This is a simple text response for testing.'}],
		});
		const steps: number[] = [];
		await client.callTool({name: 'test_tool_with_progress', arguments: {}}, undefined, {onprogress: ({progress}) => steps.push(progress)});
		t.deepEqual(steps, [0, 50, 100]);
		t.like(await client.callTool({name: 'test_input_required_result_elicitation', arguments: {}}), {content: [{text: 'Thank you.'}]});
		const records = (await gateway.journal()).filter(({operation}) => operation === 'tools/call');
		t.is(records.filter(({kind}) => kind === 'exchange').length, 3);
	});

test('the address that one key was given is nothing to another, at another door, or after its stream has ended', async t => {
	const {gateway, key} = await start(t);
	const controller = new AbortController();
	const open = (who: string) =>
		fetch(`${gateway.url}/mcp/sessions/sse`, {headers: {...headersOf(who), accept: 'text/event-stream'}, signal: controller.signal});
	const response = await open(key);
	const reader = response.body!.getReader();
	const first = new TextDecoder().decode((await reader.read()).value);
	const path = /^data: (.+)$/m.exec(first)?.[1] ?? '';
	t.regex(path, /^\/mcp\/sessions\/messages\?session=[\w-]{32}$/);
	const send = (to: string, who: string) =>
		fetch(gateway.url + to, {
			method: 'POST',
			headers: {...headersOf(who), 'content-type': 'application/json'},
			body: JSON.stringify({jsonrpc: '2.0', id: 1, method: 'ping'}),
		}).then(({status}) => status);
	t.is(await send(path, key), 202);
	t.is(await send(path, await gateway.key()), 404);
	t.is(await send(path.replace('sessions/', 'none/'), key), 404);
	t.is(await send(path, 'vk_bogus'), 401);
	t.is((await open('vk_bogus')).status, 401);
	controller.abort();
	await t.notThrowsAsync(async () => {
		for (let tries = 0; tries < 100 && (await send(path, key)) !== 404; tries++) await new Promise(resolve => setTimeout(resolve, 20));
	});
	t.is(await send(path, key), 404);
});

test('a client that sends nothing before its last request is accepted can answer what a tool asks it, and cancel', async t => {
	const {gateway, key} = await start(t);
	const heard = await listenOn(t, `${gateway.url}/mcp/sessions/sse`, key, {});
	await until(t, () => heard.text.includes('session='), 'the address');
	const path = /^data: (\/mcp\S+)$/m.exec(heard.text)![1]!;
	const send = async (message: object): Promise<void> => {
		const response = await fetch(gateway.url + path, {
			method: 'POST',
			headers: {...headersOf(key), 'content-type': 'application/json'},
			body: JSON.stringify({jsonrpc: '2.0', ...message}),
			signal: AbortSignal.timeout(30_000),
		});
		t.is(response.status, 202);
	};
	const messages = () =>
		[...heard.text.matchAll(/^data: (\{.+\})$/gm)].map(([, json]) => JSON.parse(json!) as {id?: unknown; method?: string; result?: object});
	const params = {protocolVersion: '2024-11-05', capabilities: {elicitation: {}}, clientInfo: {name: 'one by one', version: '1'}};
	await send({id: 1, method: 'initialize', params});
	await until(t, () => messages().some(({id}) => id === 1), 'the greeting');
	await send({method: 'notifications/initialized'});
	const call = {method: 'tools/call', params: {name: 'test_input_required_result_elicitation', arguments: {}}};
	const questions = () => messages().filter(({method}) => method === 'elicitation/create');
	await send({id: 2, ...call});
	await until(t, () => questions().length === 1, 'the question');
	await send({id: questions()[0]!.id, result: {action: 'accept', content: {name: 'Ada'}}});
	await until(t, () => messages().some(({id, result}) => id === 2 && result !== undefined), 'the result');
	await send({id: 3, ...call});
	await until(t, () => questions().length === 2, 'the second question');
	await send({method: 'notifications/cancelled', params: {requestId: 3}});
	await until(t, () => gateway.journal().then(records => records.some(({error}) => error?.code === 'client_closed')), 'the record of it');
});
