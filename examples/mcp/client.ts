import assert from 'node:assert/strict';
import {Client as StatelessClient, StreamableHTTPClientTransport as StatelessTransport} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {runExample, startGateway} from '../start-gateway.ts';

type Place = {url: string; key: string};

const me = {name: 'example', version: '1.0.0'};
const authorized = (key: string) => ({requestInit: {headers: {authorization: `Bearer ${key}`}}});

/** An agent that knows sessions. */
const withSessions = async ({url, key}: Place): Promise<Client> => {
	const client = new Client(me);
	// Its own types differ under exactOptionalPropertyTypes.
	await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp/files`), authorized(key)) as Parameters<Client['connect']>[0]);
	return client;
};

/** An agent that prefers the protocol without them. */
const withoutSessions = async ({url, key}: Place): Promise<StatelessClient> => {
	const client = new StatelessClient(me, {versionNegotiation: {mode: 'auto'}});
	await client.connect(new StatelessTransport(new URL(`${url}/mcp/files`), authorized(key)));
	return client;
};

/** Agents of both kinds read what they may of a folder, and nothing else. */
export const readFiles = async (place: Place): Promise<void> => {
	for (const client of [await withSessions(place), await withoutSessions(place)]) {
		const {tools} = await client.listTools();
		assert.deepEqual(tools.map(({name}) => name).sort(), ['list_directory', 'read_text_file']);

		const read = (path: string) => client.callTool({name: 'read_text_file', arguments: {path}});
		const {content} = await read('reports/monday.txt');
		assert.deepEqual(content, [{type: 'text', text: 'The heron has landed. Questions to [EMAIL].\n'}]);

		for (const path of ['private.txt', 'reports/../private.txt', '/etc/passwd'])
			await assert.rejects(read(path), /outside of what is granted/);
		await assert.rejects(client.callTool({name: 'write_file', arguments: {path: 'reports/x', content: ''}}), /not granted/);
		await client.close();
	}
};

if (import.meta.main) await runExample(startGateway(import.meta.url), readFiles);
