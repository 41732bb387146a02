import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {createMCPClient} from '@ai-sdk/mcp';
import {Client as StatelessClient, StreamableHTTPClientTransport as StatelessTransport} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StdioClientTransport} from '@modelcontextprotocol/sdk/client/stdio.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {MCPServerStreamableHttp} from '@openai/agents';
import {inspector} from './inspector.ts';

type Arguments = Record<string, unknown>;

/** A client that is connected. What is refused rejects. */
export type Connected = {
	/** The names of the tools. */
	list(): Promise<string[]>;
	/** The first words of what a tool answers. */
	call(tool: string, args: Arguments): Promise<string>;
	close(): Promise<void>;
};

/** A kind of client that applications have, pointed at a door of the gateway and with no other setting of its own. */
export type Kind = {
	name: string;
	/** It looks into the list before it calls, and refuses by itself what is not there. */
	looksFirst?: true;
	connect(url: string, key: string): Promise<Connected>;
};

const me = {name: 'example', version: '1.0.0'};
const requestInit = (key: string) => ({headers: {authorization: `Bearer ${key}`}});
const namesOf = (tools: {name: string}[]): string[] => tools.map(({name}) => name);
const firstWords = (content: unknown): string => String((content as {text?: string}[] | undefined)?.[0]?.text);

const used = (client: Client | StatelessClient): Connected => ({
	list: async () => namesOf((await client.listTools()).tools),
	call: async (name, args) => firstWords((await client.callTool({name, arguments: args})).content),
	close: () => client.close(),
});

export const kinds: readonly Kind[] = [
	{
		name: '@modelcontextprotocol/sdk 1.x',
		async connect(url, key) {
			const client = new Client(me);
			const transport = new StreamableHTTPClientTransport(new URL(url), {requestInit: requestInit(key)});
			// Its own types differ under exactOptionalPropertyTypes.
			await client.connect(transport as Parameters<Client['connect']>[0]);
			return used(client);
		},
	},
	{
		name: '@modelcontextprotocol/client 2.x',
		async connect(url, key) {
			const client = new StatelessClient(me, {versionNegotiation: {mode: 'auto'}});
			await client.connect(new StatelessTransport(new URL(url), {requestInit: requestInit(key)}));
			return used(client);
		},
	},
	{
		name: '@ai-sdk/mcp',
		async connect(url, key) {
			const client = await createMCPClient({transport: {type: 'http', url, ...requestInit(key)}});
			return {
				list: async () => Object.keys(await client.tools()),
				call: async (name, args) => firstWords((await client.callTool({name, arguments: args})).content),
				close: () => client.close(),
			};
		},
	},
	{
		name: '@openai/agents',
		async connect(url, key) {
			const server = new MCPServerStreamableHttp({url, name: 'gateway', requestInit: requestInit(key)});
			await server.connect();
			return {
				list: async () => namesOf(await server.listTools()),
				call: async (name, args) => firstWords(await server.callTool(name, args)),
				close: () => server.close(),
			};
		},
	},
	{
		name: 'mcp-remote',
		async connect(url, key) {
			const program = join(dirname(createRequire(import.meta.url).resolve('mcp-remote/package.json')), 'dist', 'proxy.js');
			const flags = ['--allow-http', '--transport', 'http-only', '--header', `Authorization:Bearer ${key}`];
			const client = new Client(me);
			await client.connect(new StdioClientTransport({command: process.execPath, args: [program, url, ...flags], stderr: 'ignore'}));
			return used(client);
		},
	},
	{
		name: 'the inspector',
		looksFirst: true,
		async connect(url, key) {
			const ask = inspector(url, key);
			return {
				list: async () => namesOf((await ask('tools/list')).tools as {name: string}[]),
				call: async (name, args) => {
					const pairs = Object.entries(args).map(([arg, value]) => `${arg}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
					return firstWords((await ask('tools/call', '--tool-name', name, '--tool-arg', ...pairs)).content);
				},
				close: async () => undefined,
			};
		},
	},
];
