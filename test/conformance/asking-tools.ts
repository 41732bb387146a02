import {
	CLIENT_CAPABILITIES_META_KEY,
	createRequestStateCodec,
	type InputRequests,
	inputRequired,
	inputResponse,
	type McpServer,
	type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import {words} from './plain-tools.ts';

type State = {round: number};

/** Seals what comes back from clients; the same for all servers of this process. */
export const states = createRequestStateCodec<State>({key: 'k'.repeat(32)});

const form = (message: string, properties: Record<string, object>, required: string[] = Object.keys(properties)) =>
	inputRequired.elicit({message, requestedSchema: {type: 'object', properties, required} as never});
const forName = () => form('What is your name?', {name: {type: 'string'}});
const forWords = (text: string, maxTokens: number) =>
	inputRequired.createMessage({messages: [{role: 'user', content: {type: 'text', text}}], maxTokens});

const titled = (...names: string[]) => names.map((title, index) => ({const: `value${index + 1}`, title}));
const options = ['option1', 'option2', 'option3'];

const forms: Record<string, {message: string; properties: Record<string, object>}> = {
	test_elicitation_sep1034_defaults: {
		message: 'Please look at these.',
		properties: {
			name: {type: 'string', default: 'John Doe'},
			age: {type: 'integer', default: 30},
			score: {type: 'number', default: 95.5},
			status: {type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active'},
			verified: {type: 'boolean', default: true},
		},
	},
	test_elicitation_sep1330_enums: {
		message: 'Please choose.',
		properties: {
			untitledSingle: {type: 'string', enum: options},
			titledSingle: {type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option')},
			legacyEnum: {type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three']},
			untitledMulti: {type: 'array', items: {type: 'string', enum: options}},
			titledMulti: {type: 'array', items: {anyOf: titled('First Choice', 'Second Choice', 'Third Choice')}},
		},
	},
};

const has = ({mcpReq}: ServerContext, ...keys: string[]): boolean =>
	keys.every(key => inputResponse(mcpReq.inputResponses, key).kind !== 'missing');

/** The tools and the prompt of the official runner that ask their client for something, in either era by the means of that era. */
export const addAskingTools = (server: McpServer, era: 'legacy' | 'modern'): void => {
	type Answer = ReturnType<typeof words> | ReturnType<typeof inputRequired>;
	const tool = (name: string, run: (ctx: ServerContext) => Answer | Promise<Answer>): void => {
		server.registerTool(name, {description: `The scenario's tool ${name}.`, inputSchema: z.object({})}, (_, ctx) => run(ctx));
	};
	/** Asks until all of it was answered. */
	const asking = (name: string, requests: () => InputRequests, state?: State): void =>
		tool(name, async ctx => {
			const inputRequests = requests();
			if (has(ctx, ...Object.keys(inputRequests))) return words(state ? 'state-ok' : 'Thank you.');
			return inputRequired({inputRequests, ...(state && {requestState: await states.mint(state)})});
		});

	asking('test_input_required_result_elicitation', () => ({user_name: forName()}));
	asking('test_streaming_elicitation', () => ({user_name: forName()}));
	asking('test_input_required_result_sampling', () => ({capital_question: forWords('What is the capital of France?', 100)}));
	asking('test_input_required_result_list_roots', () => ({client_roots: inputRequired.listRoots()}));
	for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state'])
		asking(name, () => ({confirm: form('Please confirm', {ok: {type: 'boolean'}})}), {round: 1});
	asking(
		'test_input_required_result_multiple_inputs',
		() => ({user_name: forName(), greeting: forWords('Generate a greeting', 50), client_roots: inputRequired.listRoots()}),
		{round: 1},
	);
	tool('test_input_required_result_multi_round', async ctx => {
		if (has(ctx, 'step2')) return words('That was all.');
		const [key, question] = has(ctx, 'step1')
			? (['step2', form('Step 2: What is your favorite color?', {color: {type: 'string'}})] as const)
			: (['step1', form('Step 1: What is your name?', {name: {type: 'string'}})] as const);
		return inputRequired({inputRequests: {[key]: question}, requestState: await states.mint({round: key === 'step1' ? 1 : 2})});
	});
	tool('test_input_required_result_capabilities', ctx => {
		const offered =
			era === 'modern'
				? (ctx.mcpReq.envelope as Record<string, Record<string, unknown>> | undefined)?.[CLIENT_CAPABILITIES_META_KEY]
				: server.server.getClientCapabilities();
		const inputRequests: InputRequests = {
			...(offered?.sampling !== undefined && {greeting: forWords('Generate a greeting', 50)}),
			...(offered?.elicitation !== undefined && {user_name: forName()}),
		};
		return has(ctx, 'greeting') || has(ctx, 'user_name') ? words('Thank you.') : inputRequired({inputRequests});
	});

	// A server of the older era may ask without looking at what was offered.
	if (era === 'modern') asking('test_missing_capability', () => ({capital_question: forWords('What is the capital of France?', 100)}));
	else
		tool('test_missing_capability', async ({mcpReq}) => {
			const params = {messages: [{role: 'user', content: {type: 'text', text: 'What is the capital of France?'}}], maxTokens: 100};
			await mcpReq.send({method: 'sampling/createMessage', params});
			return words('It was answered.');
		});

	for (const [name, {message, properties}] of Object.entries(forms)) asking(name, () => ({form: form(message, properties, [])}));
	server.registerTool(
		'test_elicitation',
		{description: 'Asks a person.', inputSchema: z.object({message: z.string()})},
		({message}, ctx): Answer => {
			const asked = {user: form(message, {username: {type: 'string'}, email: {type: 'string'}})};
			return has(ctx, 'user')
				? words(`User response: ${JSON.stringify(ctx.mcpReq.inputResponses)}`)
				: inputRequired({inputRequests: asked});
		},
	);
	server.registerTool(
		'test_sampling',
		{description: 'Asks a model.', inputSchema: z.object({prompt: z.string()})},
		({prompt}, ctx): Answer =>
			has(ctx, 'model')
				? words(`LLM response: ${JSON.stringify(ctx.mcpReq.inputResponses)}`)
				: inputRequired({inputRequests: {model: forWords(prompt, 100)}}),
	);

	server.registerPrompt('test_input_required_result_prompt', {description: 'A prompt that asks first.'}, ctx => {
		const inputRequests = {user_context: form('What context should the prompt use?', {context: {type: 'string'}})};
		if (!has(ctx, 'user_context')) return inputRequired({inputRequests}) as never;
		return {messages: [{role: 'user' as const, content: {type: 'text' as const, text: JSON.stringify(ctx.mcpReq.inputResponses)}}]};
	});
};
