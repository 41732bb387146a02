import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {createMCPClient} from '@ai-sdk/mcp';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StdioClientTransport} from '@modelcontextprotocol/sdk/client/stdio.js';
import {MCPServerStreamableHttp} from '@openai/agents';
import type {ExecutionContext} from 'ava';
import {legacyClient, statelessClient} from './mcp-servers.ts';

const require = createRequire(import.meta.url);

type Arguments = Record<string, unknown>;
/** A client that applications have, as they have it: calls a tool, and answers the first words of the result. */
export type Application = {
	name: string;
	call(t: ExecutionContext, url: string, key: string, tool: string, args: Arguments): Promise<string>;
};

const firstWords = (content: unknown): string => String((content as {text?: string}[] | undefined)?.[0]?.text);

/** Every kind of client that this gateway is tried with, none of them with a setting of its own. */
export const applications: readonly Application[] = [
	{
		name: '@modelcontextprotocol/sdk 1.x',
		async call(t, url, key, name, args) {
			return firstWords((await (await legacyClient(t, url, key)).callTool({name, arguments: args})).content);
		},
	},
	{
		name: '@modelcontextprotocol/client 2.x',
		async call(t, url, key, name, args) {
			return firstWords((await (await statelessClient(t, url, key)).callTool({name, arguments: args})).content);
		},
	},
	{
		name: '@ai-sdk/mcp',
		async call(t, url, key, name, args) {
			const client = await createMCPClient({transport: {type: 'http', url, headers: {authorization: `Bearer ${key}`}}});
			t.teardown(() => client.close());
			const tool = (await client.tools())[name]!;
			const result = (await tool.execute(args, {toolCallId: 'call_1', messages: []} as never)) as {content: unknown};
			return firstWords(result.content);
		},
	},
	{
		name: '@openai/agents',
		async call(t, url, key, name, args) {
			const server = new MCPServerStreamableHttp({url, name: 'one', requestInit: {headers: {authorization: `Bearer ${key}`}}});
			await server.connect();
			t.teardown(() => server.close());
			return firstWords(await server.callTool(name, args));
		},
	},
	{
		name: 'mcp-remote',
		async call(t, url, key, name, args) {
			const program = join(dirname(require.resolve('mcp-remote/package.json')), 'dist', 'proxy.js');
			const client = new Client({name: 'test', version: '1'});
			t.teardown(() => client.close());
			const flags = ['--allow-http', '--transport', 'http-only', '--header', `Authorization:Bearer ${key}`];
			await client.connect(new StdioClientTransport({command: process.execPath, args: [program, url, ...flags], stderr: 'ignore'}));
			return firstWords((await client.callTool({name, arguments: args})).content);
		},
	},
];
