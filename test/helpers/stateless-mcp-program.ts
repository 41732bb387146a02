import {McpServer} from '@modelcontextprotocol/server';
import {serveStdio} from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

/** A server over stdio that speaks 2026-07-28 alone. */
serveStdio(
	() => {
		const server = new McpServer({name: 'stateless', version: '1'}, {capabilities: {resources: {subscribe: true}}});
		server.registerTool('echo', {inputSchema: z.object({message: z.string()})}, ({message}) => ({
			content: [{type: 'text', text: `stateless ${message}`}],
		}));
		server.registerTool('change', {inputSchema: z.object({uri: z.string()})}, async ({uri}) => {
			await server.server.sendResourceUpdated({uri});
			return {content: []};
		});
		server.registerTool('end', {inputSchema: z.object({})}, () => process.exit(1));
		return server;
	},
	{legacy: 'reject'},
);
