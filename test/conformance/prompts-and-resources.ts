import {type McpServer, ResourceTemplate} from '@modelcontextprotocol/server';
import * as z from 'zod';
import {picture} from './plain-tools.ts';

const said = (text: string) => ({role: 'user' as const, content: {type: 'text' as const, text}});

/** The prompts and resources of the official runner. */
export const addPromptsAndResources = (server: McpServer, era: 'legacy' | 'modern'): void => {
	server.registerPrompt('test_simple_prompt', {description: 'A prompt without arguments.'}, () => ({
		messages: [said('This is a simple prompt for testing.')],
	}));
	server.registerPrompt(
		'test_prompt_with_arguments',
		{description: 'A prompt with two arguments.', argsSchema: z.object({arg1: z.string(), arg2: z.string()})},
		({arg1, arg2}) => ({messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)]}),
	);
	server.registerPrompt(
		'test_prompt_with_embedded_resource',
		{description: 'A prompt that holds a resource.', argsSchema: z.object({resourceUri: z.string()})},
		({resourceUri: uri}) => ({
			messages: [
				{
					role: 'user' as const,
					content: {
						type: 'resource' as const,
						resource: {uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.'},
					},
				},
				said('Please process the embedded resource above.'),
			],
		}),
	);
	server.registerPrompt('test_prompt_with_image', {description: 'A prompt that holds a picture.'}, () => ({
		messages: [
			{role: 'user' as const, content: {type: 'image' as const, data: picture, mimeType: 'image/png'}},
			said('Please analyze the image above.'),
		],
	}));

	const text = (name: string, uri: string, content: string): void => {
		server.registerResource(name, uri, {mimeType: 'text/plain', description: name}, () => ({
			contents: [{uri, mimeType: 'text/plain', text: content}],
		}));
	};
	text('static-text', 'test://static-text', 'This is the content of the static text resource.');
	text('watched-resource', 'test://watched-resource', 'Watched resource content');
	server.registerResource('static-binary', 'test://static-binary', {mimeType: 'image/png'}, ({href: uri}) => ({
		contents: [{uri, mimeType: 'image/png', blob: picture}],
	}));
	server.registerResource(
		'template',
		new ResourceTemplate('test://template/{id}/data', {list: undefined}),
		{mimeType: 'application/json'},
		({href: uri}, {id}) => ({
			contents: [{uri, mimeType: 'application/json', text: JSON.stringify({id, templateTest: true, data: `Data for ID: ${String(id)}`})}],
		}),
	);

	const {server: raw} = server;
	raw.setRequestHandler('completion/complete', () => ({completion: {values: ['paris', 'park', 'party'], total: 150, hasMore: false}}));
	// The other era has subscriptions/listen, and no methods for it.
	if (era === 'modern') return;
	raw.setRequestHandler('resources/subscribe', async ({params: {uri}}) => {
		setTimeout(() => void raw.sendResourceUpdated({uri}).catch(() => undefined), 20).unref();
		return {};
	});
	raw.setRequestHandler('resources/unsubscribe', async () => ({}));
};
