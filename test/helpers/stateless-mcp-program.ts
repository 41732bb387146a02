import {McpServer} from '@modelcontextprotocol/server';
import {serveStdio} from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

/** A server over stdio that speaks 2026-07-28 alone. */
serveStdio(
	() => {
		const server = new McpServer({name: 'stateless', version: '1'}, {capabilities: {}});
		server.registerTool('echo', {inputSchema: z.object({message: z.string()})}, ({message}) => ({
			content: [{type: 'text', text: `stateless ${message}`}],
		}));
		return server;
	},
	{legacy: 'reject'},
);
