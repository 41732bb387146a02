import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Client as StatelessClient, StreamableHTTPClientTransport as StatelessTransport} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {CreateMessageRequestSchema} from '@modelcontextprotocol/sdk/types.js';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {everythingOverHttp, legacyClient, statelessClient} from './helpers/mcp-servers.ts';
import {type OldMischief, oldUpstream, sayOn} from './helpers/mcp-sse-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const clients = {'with sessions': legacyClient, stateless: statelessClient};

for (const [era, connect] of Object.entries(clients))
	for (const transport of ['sse', undefined] as const)
		test.serial(
			`a client ${era} uses the reference server of the HTTP+SSE transport, ${transport ? 'as the config says' : 'which is found out'}`,
			async t => {
				const url = await everythingOverHttp(t, 'sse');
				const gateway = await startGateway(t, {servers: {old: {url, ...(transport && {transport})}}});
				const client = await connect(t, `${gateway.url}/mcp/old`, await gateway.key());
				const {tools} = await client.listTools();
				t.true(tools.some(({name}) => name === 'echo'));
				t.like(await client.callTool({name: 'echo', arguments: {message: 'hello'}}), {content: [{text: 'Echo: hello'}]});
				t.true((await client.listPrompts()).prompts.length > 0);
				const {resources} = await client.listResources();
				t.is((await client.readResource({uri: resources[0]!.uri})).contents.length, 1);
				const steps: number[] = [];
				const onprogress = ({progress}: {progress: number}) => void steps.push(progress);
				const slow = {name: 'trigger-long-running-operation', arguments: {duration: 0.3, steps: 3}};
				// The third is that of the one client, and the second of the other.
				if (client instanceof Client) await client.callTool(slow, undefined, {onprogress});
				else await client.callTool(slow, {onprogress});
				t.deepEqual(steps, [1, 2, 3]);
				const many = await Promise.all(
					Array.from({length: 20}, (_, n) =>
						client.callTool({name: 'get-sum', arguments: {a: n, b: 1}}).then(({content}) => JSON.stringify(content)),
					),
				);
				t.true(many.every((words, n) => words.includes(`${n + 1}`)));
				const calls = (await gateway.journal()).filter(({operation, kind}) => operation === 'tools/call' && kind === 'exchange');
				t.is(calls.length, 22);
				t.true(calls.every(({server, outcome}) => server === 'old' && outcome === 'ok'));
			},
		);

const written = {model: 'mine', role: 'assistant', content: {type: 'text', text: 'a haiku'}} as const;
const me = {name: 'test', version: '1'};

test.serial('such a server asks a client of either era for words of its model', async t => {
	const url = await everythingOverHttp(t, 'sse');
	const gateway = await startGateway(t, {servers: {old: {url, asks: ['sampling']}}});
	const door = new URL(`${gateway.url}/mcp/old`);
	const requestInit = {headers: {authorization: `Bearer ${await gateway.key()}`}};
	const asked = {name: 'trigger-sampling-request', arguments: {prompt: 'Write.'}};

	const withSessions = new Client(me, {capabilities: {sampling: {}}});
	withSessions.setRequestHandler(CreateMessageRequestSchema, async () => written);
	await withSessions.connect(new StreamableHTTPClientTransport(door, {requestInit}) as Parameters<Client['connect']>[0]);
	t.teardown(() => withSessions.close());
	t.regex(JSON.stringify(await withSessions.callTool(asked)), /a haiku/);

	const stateless = new StatelessClient(me, {capabilities: {sampling: {}}, versionNegotiation: {mode: 'auto'}});
	stateless.setRequestHandler('sampling/createMessage', async () => written);
	await stateless.connect(new StatelessTransport(door, {requestInit}));
	t.teardown(() => stateless.close());
	t.regex(JSON.stringify(await stateless.callTool(asked)), /a haiku/);
});

const secret = 'the-gateways-own-secret';

const before = async (t: ExecutionContext, mischief: OldMischief, transport: 'sse' | undefined = 'sse') => {
	const upstream = await oldUpstream(t, mischief);
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url, bearer: secret, timeoutMs: 600, ...(transport && {transport})}},
		limits: {replyMb: 0.2},
	});
	const key = await gateway.key();
	return {gateway, upstream, key, wire: wireTo(`${gateway.url}/mcp/one`, key)};
};

/** Somebody who must not be asked anything. */
const canary = async (t: ExecutionContext) => {
	const seen: string[] = [];
	const server = createServer((req, res) => {
		seen.push(`${req.method} ${req.url}`);
		res.writeHead(202).end();
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return {seen, host: `127.0.0.1:${(server.address() as AddressInfo).port}`};
};

const endpoints: Record<string, (canary: string) => string> = {
	'another port of loopback': host => `http://${host}/message`,
	'another host without a scheme': host => `//${host}/message`,
	'another host behind backslashes': host => `\\\\${host}\\message`,
	'the metadata of a cloud': () => 'http://169.254.169.254/latest/meta-data',
	code: () => 'javascript:fetch("/")',
	'a file': () => 'file:///etc/passwd',
	'somebody else’s login': host => `http://me:secret@${host}/message`,
	'something that is too long': () => `/message?${'x'.repeat(3_000)}`,
	'no address': () => 'http://[',
};

for (const transport of ['sse', undefined] as const)
	test.serial(`where a server says that messages go elsewhere, none is sent, ${transport ?? 'found out'}`, async t => {
		const {seen, host} = await canary(t);
		for (const [what, endpoint] of Object.entries(endpoints)) {
			const mischief: OldMischief = {
				first: res => {
					res.writeHead(200, {'content-type': 'text/event-stream'}).write(`event: endpoint\ndata: ${endpoint(host)}\n\n`);
				},
			};
			const {wire, upstream} = await before(t, mischief, transport);
			const {body} = await wire.call('act');
			t.is(body.error?.data?.code, 'upstream_malformed', what);
			t.false(JSON.stringify(body).includes(secret));
			t.is(upstream.seen.filter(({path}) => path !== '/sse').length, 0, what);
			t.is(upstream.streams.size, 0);
		}
		t.deepEqual(seen, []);
	});

const beginnings: Record<string, {first: (res: import('node:http').ServerResponse) => void; code: string}> = {
	'redirects its stream': {first: res => void res.writeHead(307, {location: 'http://169.254.169.254/'}).end(), code: 'upstream_malformed'},
	'does not know the gateway': {first: res => void res.writeHead(401).end(), code: 'upstream_refused'},
	'has no stream': {first: res => void res.writeHead(200, {'content-type': 'text/html'}).end('<html>'), code: 'upstream_failed'},
	'never says where to send to': {
		first: res => void res.writeHead(200, {'content-type': 'text/event-stream'}).write(': wait\n\n'),
		code: 'upstream_timeout',
	},
	'says something else first': {
		first: res => sayOn(res.writeHead(200, {'content-type': 'text/event-stream'}), {method: 'notifications/message', params: {}}),
		code: 'upstream_malformed',
	},
	'begins with a megabyte': {
		first: res => void res.writeHead(200, {'content-type': 'text/event-stream'}).write(`data: ${'x'.repeat(1_000_000)}`),
		code: 'upstream_too_large',
	},
};

for (const [what, {first, code}] of Object.entries(beginnings))
	test.serial(`a server of that transport that ${what} is an error that says ${code}`, async t => {
		const {wire, upstream} = await before(t, {first});
		t.is((await wire.call('act')).body.error?.data?.code, code);
		t.true(upstream.seen.every(({method}) => method === 'GET'));
	});

const mischiefs: Record<string, {onCall: NonNullable<OldMischief['onCall']>; code: string}> = {
	'redirects what is sent': {
		onCall: (_, __, res) => void res.writeHead(307, {location: 'http://169.254.169.254/'}).end(),
		code: 'upstream_malformed',
	},
	'answers another id': {
		onCall: (_, stream, res) => {
			res.writeHead(202).end();
			sayOn(stream, {id: 999, result: {}});
		},
		code: 'upstream_timeout',
	},
	'does not answer': {onCall: (_, __, res) => void res.writeHead(202).end(), code: 'upstream_timeout'},
	'does not even take it': {onCall: () => undefined, code: 'upstream_timeout'},
	'refuses it': {onCall: (_, __, res) => void res.writeHead(500).end(), code: 'upstream_failed'},
	'breaks off its stream': {onCall: (_, stream) => void stream.destroy(), code: 'upstream_failed'},
	'ends its stream': {
		onCall: (_, stream, res) => {
			res.writeHead(202).end();
			stream.end();
		},
		code: 'upstream_failed',
	},
	'says what is no message': {onCall: (_, stream) => void stream.write('data: <html>\n\n'), code: 'upstream_malformed'},
	'moves its endpoint': {onCall: (_, stream) => void stream.write('event: endpoint\ndata: /sse\n\n'), code: 'upstream_malformed'},
	'repeats the gateway’s credential': {
		onCall: ({id}, stream) => sayOn(stream, {id, result: {content: [{type: 'text', text: `it is ${secret}`}]}}),
		code: 'upstream_malformed',
	},
	'answers with a megabyte': {
		onCall: ({id}, stream) => sayOn(stream, {id, result: {content: [{type: 'text', text: 'x'.repeat(1_000_000)}]}}),
		code: 'upstream_too_large',
	},
	'says things without an end': {
		onCall: (_, stream) => {
			const timer = setInterval(() => sayOn(stream, {method: 'notifications/message', params: {data: 'x'.repeat(50_000)}}), 2);
			stream.once('close', () => clearInterval(timer));
		},
		code: 'upstream_too_large',
	},
};

for (const [what, {onCall, code}] of Object.entries(mischiefs))
	test.serial(`a server of that transport that ${what} is an error that says ${code}, and is asked again`, async t => {
		const {gateway, wire} = await before(t, {onCall});
		const {body} = await wire.call('act');
		t.is(body.error?.data?.code, code, JSON.stringify(body));
		t.false(JSON.stringify(body).includes(secret));
		const record = (await gateway.journal()).find(({operation, kind}) => operation === 'tools/call' && kind === 'exchange');
		t.like(record, {outcome: 'failed', error: {code}});
		t.like((await wire.ask('tools/list')).body, {result: {tools: [{name: 'act'}]}});
	});

test.serial('a stream that has ended is begun anew, and nothing is sent twice', async t => {
	const {wire, upstream} = await before(t, {});
	t.is(wordsOf(await wire.call('act', {n: 1})), 'did {"n":1}');
	for (const stream of upstream.streams) stream.destroy();
	t.is(wordsOf(await wire.call('act', {n: 2})), 'did {"n":2}');
	t.deepEqual(upstream.done, [{n: 1}, {n: 2}]);
	t.is(upstream.streams.size, 1);
});

test.serial('each session has a stream of its own, with the gateway’s credential and not its key, which ends with it', async t => {
	const {gateway, upstream, key, wire} = await before(t, {});
	const call = (session: string) => {
		const rpc = {jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name: 'act', arguments: {session}}};
		return wire.send(rpc, {'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25'});
	};
	const [one, two] = [await wire.begin(), await wire.begin()];
	for (const session of [one, two, one]) t.is(wordsOf(await call(session)), `did ${JSON.stringify({session})}`);
	t.is(upstream.streams.size, 2);
	t.true(upstream.seen.every(({headers}) => headers.authorization === `Bearer ${secret}`));
	const said = JSON.stringify(upstream.seen);
	t.false(said.includes(key));
	t.false(said.includes('mcp-session-id'));

	const ended = new Promise(resolve => [...upstream.streams][0]!.once('close', resolve));
	await fetch(`${gateway.url}/mcp/one`, {
		method: 'DELETE',
		headers: {authorization: `Bearer ${key}`, 'mcp-session-id': one, 'mcp-protocol-version': '2025-11-25'},
	});
	await ended;
	t.is(upstream.streams.size, 1);
	t.is(wordsOf(await call(two)), `did ${JSON.stringify({session: two})}`);
});

test.serial('a client hears of changes again after the stream broke that they came on', async t => {
	const {gateway, upstream, key} = await before(t, {});
	const client = await legacyClient(t, `${gateway.url}/mcp/one`, key);
	await client.listTools();
	const heard = () =>
		new Promise<void>(resolve => {
			client.fallbackNotificationHandler = async ({method}) => {
				if (method === 'notifications/tools/list_changed') resolve();
			};
		});
	/** A stream may not stand yet. */
	const sayUntil = async (told: Promise<void>) => {
		const timer = setInterval(() => {
			for (const stream of upstream.streams) sayOn(stream, {method: 'notifications/tools/list_changed'});
		}, 50);
		await told;
		clearInterval(timer);
	};
	await sayUntil(heard());
	for (const stream of upstream.streams) stream.destroy();
	await sayUntil(heard());
	t.pass();
});

test.serial('a server that answers its greeting with 404 and has no such stream either is an error, and asked once for it', async t => {
	const {wire, upstream} = await before(t, {first: res => void res.writeHead(404).end()}, undefined);
	t.is((await wire.call('act')).body.error?.data?.code, 'upstream_failed');
	t.is(upstream.seen.filter(({method}) => method === 'GET').length, 1);
});
