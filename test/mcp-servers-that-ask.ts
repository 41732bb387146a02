import {Client as ClientV2, StreamableHTTPClientTransport as TransportV2} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
	CreateMessageRequestSchema,
	ElicitRequestSchema,
	ListRootsRequestSchema,
	LoggingMessageNotificationSchema,
	ResourceUpdatedNotificationSchema,
	ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startUpstream} from './conformance/upstream.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const asks: ('elicitation' | 'sampling' | 'roots')[] = ['elicitation', 'sampling', 'roots'];
const offered = {elicitation: {}, sampling: {}, roots: {}};

/** A gateway before a server with sessions and one without, both of which may ask. */
const start = async (t: ExecutionContext, config: GatewayConfigInput = {}, may = asks): Promise<TestGateway> => {
	const [sessions, none] = [await startUpstream('legacy'), await startUpstream('modern')];
	t.teardown(() => Promise.all([sessions.close(), none.close()]).then(() => undefined));
	return startGateway(t, {servers: {sessions: {url: sessions.url, asks: may}, none: {url: none.url, asks: may}}, ...config});
};

const headersOf = (key: string) => ({requestInit: {headers: {authorization: `Bearer ${key}`}}});

/** The SDK's client for sessions, which answers whatever it is asked. */
const obliging = async (t: ExecutionContext, url: string, key: string): Promise<Client> => {
	const client = new Client({name: 'test', version: '1'}, {capabilities: offered});
	client.setRequestHandler(ElicitRequestSchema, async () => ({action: 'accept', content: {name: 'Ada', color: 'blue', ok: true}}));
	client.setRequestHandler(CreateMessageRequestSchema, async () => ({
		role: 'assistant',
		model: 'm',
		content: {type: 'text', text: 'Paris'},
	}));
	client.setRequestHandler(ListRootsRequestSchema, async () => ({roots: [{uri: 'file:///work'}]}));
	// Its own types differ under exactOptionalPropertyTypes.
	await client.connect(new StreamableHTTPClientTransport(new URL(url), headersOf(key)) as Parameters<Client['connect']>[0]);
	t.teardown(() => client.close());
	return client;
};

/** The same of the SDK that knows rounds, and goes through them by itself. */
const obligingV2 = async (t: ExecutionContext, url: string, key: string): Promise<ClientV2> => {
	const client = new ClientV2({name: 'test', version: '1'}, {capabilities: offered, versionNegotiation: {mode: {pin: '2026-07-28'}}});
	client.setRequestHandler('elicitation/create', async () => ({action: 'accept', content: {name: 'Ada', color: 'blue', ok: true}}));
	client.setRequestHandler('sampling/createMessage', async () => ({role: 'assistant', model: 'm', content: {type: 'text', text: 'Paris'}}));
	client.setRequestHandler('roots/list', async () => ({roots: [{uri: 'file:///work'}]}));
	await client.connect(new TransportV2(new URL(url), headersOf(key)));
	t.teardown(() => client.close());
	return client;
};

const tools = ['elicitation', 'sampling', 'list_roots', 'multi_round', 'multiple_inputs'].map(name => `test_input_required_result_${name}`);

for (const server of ['sessions', 'none'])
	test(`clients of both eras answer what a server asks: ${server}`, async t => {
		const gateway = await start(t);
		const key = await gateway.key();
		const url = `${gateway.url}/mcp/${server}`;
		for (const client of [await obliging(t, url, key), await obligingV2(t, url, key)])
			for (const name of tools) {
				const {content} = (await client.callTool({name, arguments: {}})) as {content: {text: string}[]};
				t.regex(content[0]!.text, /^(Thank you\.|That was all\.|state-ok)$/, name);
			}
		const records = (await gateway.journal()).filter(({operation}) => /^(elicitation|sampling|roots)/.test(String(operation)));
		t.true(records.length >= 10, 'each question is a record of its own');
		t.true(records.every(record => record.server === server && record.outcome === 'ok'));
	});

test('a server that was not allowed to ask is not answered, and a client that offers nothing is not asked', async t => {
	const gateway = await start(t, {}, []);
	const key = await gateway.key();
	for (const server of ['sessions', 'none']) {
		const client = await obliging(t, `${gateway.url}/mcp/${server}`, key);
		let asked = 0;
		client.setRequestHandler(ElicitRequestSchema, async () => {
			asked += 1;
			return {action: 'cancel'};
		});
		const called = await client.callTool({name: 'test_input_required_result_elicitation', arguments: {}}).catch((thrown: Error) => thrown);
		t.true(called instanceof Error ? /asks/.test(called.message) : called.isError === true, server);
		t.is(asked, 0);
	}
	const open = await start(t);
	const wire = wireTo(`${open.url}/mcp/none`, await open.key());
	const {status, body} = await wire.call('test_input_required_result_sampling');
	t.is(status, 400);
	t.like(body.error, {code: -32021, data: {requiredCapabilities: {sampling: {}}}});
});

const asking = {
	_meta: {'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': offered},
};

test('requestState is of no use to another key, at another door, for another call, changed, or a second time', async t => {
	const gateway = await start(t);
	const [ada, bob] = [await gateway.key(), await gateway.key()];
	for (const server of ['sessions', 'none']) {
		const other = server === 'none' ? 'sessions' : 'none';
		const name = 'test_input_required_result_request_state';
		const wire = wireTo(`${gateway.url}/mcp/${server}`, ada);
		const first = await wire.ask('tools/call', {...asking, name, arguments: {}});
		const {resultType, requestState, inputRequests} = first.body.result as {
			resultType: string;
			requestState: string;
			inputRequests: Record<string, unknown>;
		};
		t.is(resultType, 'input_required');
		const [question = ''] = Object.keys(inputRequests);
		const inputResponses = {[question]: {action: 'accept', content: {ok: true}}};
		const again = {...asking, name, arguments: {}, requestState, inputResponses};
		for (const said of [
			await wireTo(`${gateway.url}/mcp/${server}`, bob).ask('tools/call', again),
			await wireTo(`${gateway.url}/mcp/${other}`, ada).ask('tools/call', again),
			await wire.ask('tools/call', {...again, name: 'test_input_required_result_tampered_state'}),
			await wire.ask('tools/call', {...again, arguments: {more: 1}}),
			await wire.ask('tools/call', {...again, requestState: `${requestState}A`}),
			await wire.ask('tools/call', {...again, requestState: requestState.slice(0, -2)}),
		])
			t.is(said.body.error?.code, -32602);
		t.is(wordsOf(await wire.ask('tools/call', again)), 'state-ok');
		// A server without sessions answers the same twice; one with sessions has answered already.
		if (server === 'sessions') t.is((await wire.ask('tools/call', again)).body.error?.code, -32602);
	}
});

/** Asks for `params` in the middle of a call, and answers with what it was told. */
const asks1 = (t: ExecutionContext, params: Record<string, unknown>) => {
	const told: unknown[] = [];
	return {
		told,
		started: hostileUpstream(t, (rpc, res) => {
			res.writeHead(200, {'content-type': 'text/event-stream'});
			res.write(`data: ${JSON.stringify({jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params})}\n\n`);
			setTimeout(() => {
				const result = {content: [{type: 'text', text: 'done'}]};
				res.end(`data: ${JSON.stringify({jsonrpc: '2.0', id: rpc.id, result})}\n\n`);
			}, 300);
		}),
	};
};

const forms = {
	'a password': {message: 'Log in', requestedSchema: {type: 'object', properties: {userPassword: {type: 'string'}}}},
	'an API key by its title': {
		message: 'Go on',
		requestedSchema: {type: 'object', properties: {x: {type: 'string', title: 'Your API key'}}},
	},
	'a page that runs code': {mode: 'url', url: 'javascript:alert(1)', message: 'Go there', elicitationId: '1'},
};

for (const [what, params] of Object.entries(forms))
	test(`a form that asks for ${what} does not reach the client`, async t => {
		const upstream = await asks1(t, params).started;
		const gateway = await startGateway(t, {servers: {bad: {url: upstream.url, asks: ['elicitation', 'elicitation-url']}}});
		const client = await obliging(t, `${gateway.url}/mcp/bad`, await gateway.key());
		let asked = 0;
		client.setRequestHandler(ElicitRequestSchema, async () => {
			asked += 1;
			return {action: 'accept', content: {}};
		});
		await client.callTool({name: 'act', arguments: {}});
		t.is(asked, 0);
		const answer = upstream.seen.find(({rpc}) => (rpc?.id as unknown) === 'q')?.rpc;
		t.truthy((answer as {error?: unknown} | undefined)?.error);
	});

test('the words of a question and of its answer pass the same rules as others', async t => {
	const gateway = await start(t, {
		plugins: [{use: 'virtual-keys'}, {use: 'word-list', config: {words: ['favorite', 'paris'], action: 'deny'}}],
	});
	const key = await gateway.key();
	for (const server of ['sessions', 'none']) {
		const client = await obliging(t, `${gateway.url}/mcp/${server}`, key);
		const [question, answer] = await Promise.all(
			['multi_round', 'sampling'].map(name =>
				client.callTool({name: `test_input_required_result_${name}`, arguments: {}}).catch((thrown: Error) => thrown),
			),
		);
		for (const said of [question!, answer!]) t.true(said instanceof Error || said.isError === true, server);
	}
});

test('a client’s answer is taken from its own session alone', async t => {
	const gateway = await start(t);
	const key = await gateway.key();
	const wire = wireTo(`${gateway.url}/mcp/sessions`, key);
	const other = await wire.begin();
	const client = await obliging(t, `${gateway.url}/mcp/sessions`, key);
	let id: unknown;
	client.setRequestHandler(ElicitRequestSchema, async (_, {requestId}) => {
		id = requestId;
		const forged = {jsonrpc: '2.0', id, result: {action: 'accept', content: {name: 'Mallory'}}};
		t.is((await wire.send(forged, {'mcp-session-id': other})).status, 202);
		return {action: 'accept', content: {username: 'Ada', email: 'ada@example.com'}};
	});
	const {content} = (await client.callTool({name: 'test_elicitation', arguments: {message: 'Who?'}})) as {content: {text: string}[]};
	t.regex(content[0]!.text, /Ada/);
	t.notRegex(content[0]!.text, /Mallory/);
});

test('sessions hear of logs, lists and resources; of logs not where somebody guards words', async t => {
	for (const server of ['sessions', 'none']) {
		const gateway = await start(t);
		const client = await obliging(t, `${gateway.url}/mcp/${server}`, await gateway.key());
		const heard: string[] = [];
		client.setNotificationHandler(LoggingMessageNotificationSchema, ({params}) => void heard.push(String(params.data)));
		const listed = new Promise<void>(resolve => client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()));
		await client.setLoggingLevel('info');
		await client.callTool({name: 'test_tool_with_logging', arguments: {}});
		t.deepEqual(heard, ['Tool execution started', 'Tool processing data', 'Tool execution completed'], server);
		await client.setLoggingLevel('error');
		await client.callTool({name: 'test_tool_with_logging', arguments: {}});
		t.is(heard.length, 3, server);
		await client.callTool({name: 'test_trigger_tool_change', arguments: {}});
		await listed;
		if (server === 'none') continue;
		const updated = new Promise<string>(resolve => {
			client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({params}) => resolve(params.uri));
		});
		await client.subscribeResource({uri: 'test://watched-resource'});
		t.is(await updated, 'test://watched-resource');
	}
	const guarded = await start(t, {plugins: [{use: 'virtual-keys'}, {use: 'word-list', config: {words: ['xyzzy'], action: 'deny'}}]});
	const client = await obliging(t, `${guarded.url}/mcp/sessions`, await guarded.key());
	let lines = 0;
	client.setNotificationHandler(LoggingMessageNotificationSchema, () => void lines++);
	await client.callTool({name: 'test_tool_with_logging', arguments: {}});
	t.is(lines, 0);
});

test('what is not granted cannot be subscribed to, in either era', async t => {
	const gateway = await start(t, {
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'*': {servers: ['sessions'], tools: ['*'], resources: ['sessions/test://static-*']}}}},
		],
	});
	const wire = wireTo(`${gateway.url}/mcp/sessions`, await gateway.key());
	const session = await wire.begin();
	const subscribe = (uri: string) =>
		wire.send({jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: {uri}}, {'mcp-session-id': session});
	t.truthy((await subscribe('test://static-text')).body.result);
	t.truthy((await subscribe('test://watched-resource')).body.error);
	const params = {...asking, notifications: {resourceSubscriptions: ['test://static-text', 'test://watched-resource']}};
	const response = await fetch(`${gateway.url}/mcp/sessions`, {
		method: 'POST',
		headers: {
			authorization: `Bearer ${await gateway.key()}`,
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-protocol-version': '2026-07-28',
			'mcp-method': 'subscriptions/listen',
		},
		body: JSON.stringify({jsonrpc: '2.0', id: 7, method: 'subscriptions/listen', params}),
	});
	const reader = response.body!.getReader();
	const first = new TextDecoder().decode((await reader.read()).value);
	await reader.cancel();
	t.regex(first, /subscriptions\/acknowledged/);
	t.regex(first, /static-text/);
	t.notRegex(first, /watched-resource/);
});

test('a stream that broke off is taken up by its own session alone', async t => {
	const gateway = await start(t);
	const key = await gateway.key();
	const wire = wireTo(`${gateway.url}/mcp/sessions`, key);
	const [own, other] = [await wire.begin(), await wire.begin()];
	const response = await fetch(`${gateway.url}/mcp/sessions`, {
		method: 'POST',
		headers: {
			authorization: `Bearer ${key}`,
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-session-id': own,
		},
		body: JSON.stringify({jsonrpc: '2.0', id: 5, method: 'tools/call', params: {name: 'test_reconnection', arguments: {}}}),
	});
	const begun = await response.text();
	const lastId = /^id: (.+)$/m.exec(begun)?.[1] ?? '';
	t.notRegex(begun, /has answered/);
	const resumed = (session: string, id: string, who = key) =>
		fetch(`${gateway.url}/mcp/sessions`, {
			headers: {authorization: `Bearer ${who}`, accept: 'text/event-stream', 'mcp-session-id': session, 'last-event-id': id},
		});
	t.is((await resumed(other, lastId)).status, 404);
	t.is((await resumed(own, lastId, await gateway.key())).status, 404);
	t.is((await resumed(own, 'nothing.1')).status, 404);
	t.regex(await (await resumed(own, lastId)).text(), /has answered/);
});
