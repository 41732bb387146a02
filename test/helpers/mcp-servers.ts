import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {Client as ClientV2, StreamableHTTPClientTransport as TransportV2} from '@modelcontextprotocol/client';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {createMcpHandler, McpServer} from '@modelcontextprotocol/server';
import type {ExecutionContext} from 'ava';
import * as z from 'zod';
import {freePort} from './free-port.ts';

const require = createRequire(import.meta.url);
const programOf = (name: string): string => join(dirname(require.resolve(`${name}/package.json`)), 'dist', 'index.js');

const everything = programOf('@modelcontextprotocol/server-everything');
const filesystem = programOf('@modelcontextprotocol/server-filesystem');

/** The reference server, which has one of everything, as a process of the gateway's. */
export const everythingOverStdio = (env: Record<string, string> = {}) => ({
	stdio: {command: process.execPath, args: [everything, 'stdio'], env},
});

/** A filesystem server on a fresh folder that holds `files`. */
export const filesOverStdio = (t: ExecutionContext, files: Record<string, string>) => {
	const folder = folderOf(t, files);
	return {stdio: {command: process.execPath, args: [filesystem, folder]}};
};

/** A fresh folder with these files in it, gone after the test. */
export const folderOf = (t: ExecutionContext, files: Record<string, string>): string => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-files-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), {recursive: true});
		writeFileSync(join(folder, name), text);
	}
	return folder;
};

/** The same server over HTTP, with sessions; gone after the test. */
export const everythingOverHttp = async (t: ExecutionContext, transport: 'streamableHttp' | 'sse' = 'streamableHttp'): Promise<string> => {
	const port = await freePort();
	const child = spawn(process.execPath, [everything, transport], {
		env: {PORT: String(port)},
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	t.teardown(() => void child.kill('SIGKILL'));
	// Some say that they begin before they listen.
	await new Promise<void>(resolve => {
		child.stderr.on('data', line => {
			if (/(running|listening) on port/.test(String(line))) resolve();
		});
	});
	return `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`;
};

const modern = (): McpServer => {
	const server = new McpServer({name: 'modern', version: '1'}, {capabilities: {}, instructions: 'Be kind.'});
	server.registerTool('echo', {inputSchema: z.object({message: z.string()})}, ({message}) => ({
		content: [{type: 'text', text: `modern ${message}`}],
	}));
	server.registerTool('steps', {inputSchema: z.object({})}, async (_, ctx) => {
		const token = ctx.mcpReq._meta?.progressToken;
		if (token !== undefined)
			await ctx.mcpReq.notify({method: 'notifications/progress', params: {progressToken: token, progress: 1, total: 2}});
		return {content: [{type: 'text', text: 'done'}]};
	});
	server.registerPrompt('greet', {argsSchema: z.object({name: z.string()})}, ({name}) => ({
		messages: [{role: 'user', content: {type: 'text', text: `Hello ${name}`}}],
	}));
	server.registerResource('note', 'note://one', {}, async uri => ({contents: [{uri: uri.href, text: 'a note'}]}));
	return server;
};

/** A server of 2026-07-28 that knows no sessions; closed with the test. Answers its URL, and the heads of what it was asked. */
export const modernOverHttp = async (t: ExecutionContext): Promise<{url: string; heads: NodeJS.Dict<string | string[]>[]}> => {
	const handler = createMcpHandler(modern, {legacy: 'reject'});
	const heads: NodeJS.Dict<string | string[]>[] = [];
	const server = createServer(async (req, res) => {
		heads.push(req.headers);
		const chunks: Buffer[] = [];
		for await (const chunk of req) chunks.push(chunk as Buffer);
		const hasBody = req.method === 'POST';
		const request = new Request(`http://127.0.0.1${req.url}`, {
			method: req.method!,
			headers: req.headers as Record<string, string>,
			...(hasBody && {body: Buffer.concat(chunks)}),
		});
		const response = await handler.fetch(request);
		res.writeHead(response.status, Object.fromEntries(response.headers));
		if (response.body) for await (const chunk of response.body) res.write(chunk);
		res.end();
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(async () => {
		server.closeAllConnections();
		server.close();
		await handler.close();
	});
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, heads};
};

const headersOf = (key: string) => ({requestInit: {headers: {authorization: `Bearer ${key}`}}});

/** The SDK's client for servers with sessions. */
export const legacyClient = async (t: ExecutionContext, url: string, key: string): Promise<Client> => {
	const client = new Client({name: 'test', version: '1'});
	// Its own types differ under exactOptionalPropertyTypes.
	await client.connect(new StreamableHTTPClientTransport(new URL(url), headersOf(key)) as Parameters<Client['connect']>[0]);
	t.teardown(() => client.close());
	return client;
};

/** The SDK's client that finds out what a server speaks, and prefers no sessions. */
export const statelessClient = async (t: ExecutionContext, url: string, key: string): Promise<ClientV2> => {
	const client = new ClientV2({name: 'test', version: '1'}, {versionNegotiation: {mode: 'auto'}});
	await client.connect(new TransportV2(new URL(url), headersOf(key)));
	t.teardown(() => client.close());
	return client;
};
