import {setTimeout as after} from 'node:timers/promises';
import {fromJsonSchema, type McpServer} from '@modelcontextprotocol/server';
import * as z from 'zod';

/** One red pixel, as a PNG. */
export const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const sound = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

export const words = (text: string) => ({content: [{type: 'text' as const, text}]});

const image = {type: 'image' as const, data: picture, mimeType: 'image/png'};

const schema2020 = {
	$schema: 'https://json-schema.org/draft/2020-12/schema',
	type: 'object',
	$defs: {
		address: {$anchor: 'addressDef', type: 'object', properties: {street: {type: 'string'}, city: {type: 'string'}}},
	},
	properties: {
		name: {type: 'string'},
		address: {$ref: '#/$defs/address'},
		contactMethod: {type: 'string', enum: ['phone', 'email']},
		phone: {type: 'string'},
		email: {type: 'string'},
	},
	allOf: [{anyOf: [{required: ['phone']}, {required: ['email']}]}],
	if: {properties: {contactMethod: {const: 'phone'}}, required: ['contactMethod']},
	// biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
	then: {required: ['phone']},
	else: {required: ['email']},
	additionalProperties: false,
} as const;

const mirrored = {type: 'object', properties: {region: {type: 'string', 'x-mcp-header': 'Region'}}, required: ['region']} as const;

/** What a server tells its sessions when a list of its has changed. */
export type Changes = {tools(): void; prompts(): void};

/** The tools of the official runner that answer by themselves. */
export const addPlainTools = (server: McpServer, changes: Changes): void => {
	const tool = (name: string, result: () => ReturnType<typeof words> | object): void => {
		server.registerTool(name, {description: `The scenario's tool ${name}.`}, () => result() as ReturnType<typeof words>);
	};
	tool('test_simple_text', () => words('This is a simple text response for testing.'));
	tool('test_image_content', () => ({content: [image]}));
	tool('test_audio_content', () => ({content: [{type: 'audio', data: sound, mimeType: 'audio/wav'}]}));
	tool('test_embedded_resource', () => ({
		content: [
			{
				type: 'resource',
				resource: {uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.'},
			},
		],
	}));
	tool('test_multiple_content_types', () => ({
		content: [
			{type: 'text', text: 'Multiple content types test:'},
			image,
			{
				type: 'resource',
				resource: {uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data","value":123}'},
			},
		],
	}));
	tool('test_error_handling', () => {
		throw new Error('This tool intentionally returns an error for testing');
	});
	tool('test_trigger_tool_change', () => {
		changes.tools();
		return words('The list of tools has changed.');
	});
	tool('test_trigger_prompt_change', () => {
		changes.prompts();
		return words('The list of prompts has changed.');
	});

	for (const name of ['test_tool_with_logging', 'test_logging_tool'])
		server.registerTool(name, {description: 'Logs three times.', inputSchema: z.object({})}, async (_, {mcpReq}) => {
			for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
				await mcpReq.log('info', line);
				await after(20);
			}
			return words('It has logged.');
		});

	server.registerTool(
		'test_tool_with_progress',
		{description: 'Tells of its progress three times.', inputSchema: z.object({})},
		async (_, {mcpReq}) => {
			const progressToken = mcpReq._meta?.progressToken;
			for (const progress of [0, 50, 100]) {
				if (progressToken !== undefined)
					await mcpReq.notify({method: 'notifications/progress', params: {progressToken, progress, total: 100}});
				await after(20);
			}
			return words('It is done.');
		},
	);

	server.registerTool(
		'test_reconnection',
		{description: 'Closes its stream in the middle, and answers on the next.', inputSchema: z.object({})},
		async (_, {http}) => {
			http?.closeSSE?.();
			await after(100);
			return words('It was asked again, and has answered.');
		},
	);

	server.registerTool(
		'test_custom_header_tool',
		{
			description: 'Wants an argument repeated in a header.',
			inputSchema: fromJsonSchema<{region: string}>(mirrored),
		},
		({region}) => words(`The region is ${region}.`),
	);

	server.registerTool(
		'json_schema_2020_12_tool',
		{description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(schema2020 as never)},
		() => words('Its schema is what matters.'),
	);
};
