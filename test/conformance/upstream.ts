import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {json} from 'node:stream/consumers';
import {
	localhostHostValidation,
	localhostOriginValidation,
	NodeStreamableHTTPServerTransport,
	toNodeHandler,
} from '@modelcontextprotocol/node';
import {createMcpHandler, type EventStore, isInitializeRequest, type JSONRPCMessage, McpServer} from '@modelcontextprotocol/server';
import {addAskingTools, states} from './asking-tools.ts';
import {addPlainTools, type Changes} from './plain-tools.ts';
import {addPromptsAndResources} from './prompts-and-resources.ts';

export type Upstream = {url: string; close(): Promise<void>};

const newServer = (era: 'legacy' | 'modern', changes: Changes): McpServer => {
	const server = new McpServer(
		{name: 'conformance-upstream', version: '1.0.0'},
		{
			capabilities: {
				tools: {listChanged: true},
				prompts: {listChanged: true},
				resources: {listChanged: true, subscribe: true},
				logging: {},
				completions: {},
			},
			requestState: {verify: states.verify},
		},
	);
	addPlainTools(server, changes);
	addAskingTools(server, era);
	addPromptsAndResources(server, era);
	return server;
};

/** Remembers what was sent, so that a client that comes back hears the rest. */
const openEvents = (): EventStore => {
	const events: {id: string; stream: string; message: JSONRPCMessage}[] = [];
	return {
		async storeEvent(stream, message) {
			const id = `${stream}:${events.length}`;
			events.push({id, stream, message});
			return id;
		},
		async getStreamIdForEventId(id) {
			return events.find(event => event.id === id)?.stream;
		},
		async replayEventsAfter(lastId, {send}) {
			const from = events.findIndex(({id}) => id === lastId);
			const {stream} = events[from]!;
			for (const {id, message} of events.slice(from + 1).filter(event => event.stream === stream))
				if (Object.keys(message).length > 0) await send(id, message);
			return stream;
		},
	};
};

/**
 * The server that the official runner expects, by its names of tools, prompts and resources, on loopback. `both`: sessions, and none for
 * who speaks 2026-07-28. `legacy`: sessions alone. `modern`: none at all.
 */
export const startUpstream = async (eras: 'both' | 'legacy' | 'modern'): Promise<Upstream> => {
	const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
	const modern = createMcpHandler(
		() => newServer('modern', {tools: () => modern.notify.toolsChanged(), prompts: () => modern.notify.promptsChanged()}),
		{
			legacy: 'reject',
		},
	);
	const serveModern = toNodeHandler(modern);

	const begin = async (): Promise<NodeStreamableHTTPServerTransport> => {
		const transport: NodeStreamableHTTPServerTransport = new NodeStreamableHTTPServerTransport({
			sessionIdGenerator: randomUUID,
			onsessioninitialized: id => void sessions.set(id, transport),
			onsessionclosed: id => void sessions.delete(id),
			eventStore: openEvents(),
			retryInterval: 50,
		});
		const server: McpServer = newServer('legacy', {
			tools: () => server.sendToolListChanged(),
			prompts: () => server.sendPromptListChanged(),
		});
		// Its own types differ under exactOptionalPropertyTypes.
		await server.connect(transport as Parameters<McpServer['connect']>[0]);
		return transport;
	};

	const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
		if (!localhostHostValidation()(req, res) || !localhostOriginValidation()(req, res)) return;
		const body = req.method === 'POST' ? await json(req).catch(() => undefined) : undefined;
		const version = req.headers['mcp-protocol-version'];
		const isModern = typeof version === 'string' && version >= '2026';
		const id = req.headers['mcp-session-id'];
		const known = typeof id === 'string' ? sessions.get(id) : undefined;
		const isFirst = isInitializeRequest(body) || (eras === 'legacy' && id === undefined);
		if (eras === 'modern' || (eras === 'both' && (isModern || (id === undefined && !isFirst)))) await serveModern(req, res, body);
		else if (known) await known.handleRequest(req, res, body);
		else if (isFirst) await (await begin()).handleRequest(req, res, body);
		else
			res
				.writeHead(404, {'content-type': 'application/json'})
				.end(JSON.stringify({jsonrpc: '2.0', error: {code: -32001, message: 'Session not found'}, id: null}));
	};

	const http = createServer((req, res) => {
		serve(req, res).catch(() => res.destroy());
	});
	http.listen(0, '127.0.0.1');
	await once(http, 'listening');
	return {
		url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
		async close() {
			http.closeAllConnections();
			http.close();
			for (const transport of sessions.values()) await transport.close();
			await modern.close();
		},
	};
};
