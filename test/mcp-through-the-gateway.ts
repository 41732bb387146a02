import {Client as ClientV2, StreamableHTTPClientTransport as TransportV2} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {everythingOverStdio, filesOverStdio} from './helpers/mcp-servers.ts';

const start = (t: ExecutionContext) =>
	startGateway(t, {servers: {everything: everythingOverStdio(), files: filesOverStdio(t, {'a.txt': 'hello from a file'})}});

const legacy = async (t: ExecutionContext, {url}: TestGateway, key: string, path: string): Promise<Client> => {
	const client = new Client({name: 'test', version: '1'});
	const transport = new StreamableHTTPClientTransport(new URL(`${url}${path}`), {requestInit: {headers: {authorization: `Bearer ${key}`}}});
	await client.connect(transport as never);
	t.teardown(() => client.close());
	return client;
};

const stateless = async (t: ExecutionContext, {url}: TestGateway, key: string, path: string): Promise<ClientV2> => {
	const client = new ClientV2({name: 'test', version: '1'}, {versionNegotiation: {mode: 'auto'}});
	await client.connect(new TransportV2(new URL(`${url}${path}`), {requestInit: {headers: {authorization: `Bearer ${key}`}}}));
	t.teardown(() => client.close());
	return client;
};

test('a client of either era lists and calls the tools of a server over stdio', async t => {
	const gateway = await start(t);
	const key = await gateway.key();
	const v1 = await legacy(t, gateway, key, '/mcp/everything');
	const {tools} = await v1.listTools();
	t.true(tools.some(({name}) => name === 'echo'));
	t.like(await v1.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{type: 'text', text: 'Echo: hi'}]});

	const v2 = await stateless(t, gateway, key, '/mcp/everything');
	t.deepEqual(
		(await v2.listTools()).tools.map(({name}) => name),
		tools.map(({name}) => name),
	);
	t.like(await v2.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{type: 'text', text: 'Echo: hi'}]});
});
