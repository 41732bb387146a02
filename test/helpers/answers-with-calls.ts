import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder} from './config-file.ts';
import {chunkOf, type Event, guardedGateway, sse} from './guarded-streams.ts';
import {writePlugin} from './inline-world.ts';
import {anthropicClient, openaiClient, user} from './sdks.ts';
import type {Random} from './seeded-random.ts';

type Plugins = NonNullable<GatewayConfigInput['plugins']>;

/** Refuses whatever removes files. */
export const noRemoving = async (t: ExecutionContext, message = "'No removing.'") => {
	const use = await writePlugin(freshFolder(t), {
		name: 'no-removing',
		reads: {'on-tool-call': ['tool.name', 'tool.arguments']},
		hooks: `hooks: {'on-tool-call': ({tool}) => {
			if (JSON.stringify(tool.arguments).includes('rm -rf')) return deny({message: ${message}, rule: 'files'});
			if (tool.arguments.input === 'SELECT 1') return rewrite({arguments: {input: 'SELECT 2'}});
		}}`,
	});
	return {use};
};

/** What the client of `no-removing` is told in the place of a call. */
export const refused = (tool: string): string => `The call of the tool "${tool}" was denied by no-removing, rule files: No removing.`;

/** A gateway that has answers go on without the calls that were denied, and the official clients before it. */
export const replacing = async (t: ExecutionContext, plugins: Plugins, more: GatewayConfigInput = {}) => {
	const all = [{use: 'virtual-keys'}, ...plugins];
	const world = await guardedGateway(t, 'mask', {plugins: all, askedTools: {denied: 'replace'}, ...more});
	const {gateway, key: apiKey, script} = world;
	const openai = openaiClient(gateway, {apiKey});
	const anthropic = anthropicClient(gateway, {apiKey});
	const asking = (pieces: readonly string[]) => ({model: 'local/any', messages: user(script({pieces}))});
	const asJson = (json: Event) => user(script({headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(json)]}));
	const limit = {model: 'claude/any', max_tokens: 500};
	return {
		...world,
		/** As the stream helpers of the SDKs add it up. */
		streamed: {
			openai: (pieces: readonly string[]) => openai.chat.completions.stream(asking(pieces)).finalChatCompletion(),
			anthropic: (pieces: readonly string[]) => anthropic.messages.stream({...limit, messages: user(script({pieces}))}).finalMessage(),
		},
		whole: {
			openai: (json: Event) => openai.chat.completions.create({model: 'local/any', messages: asJson(json)}),
			anthropic: (json: Event) => anthropic.messages.create({...limit, messages: asJson(json)}),
		},
		/** The records of its exchanges with models. */
		async records() {
			return (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation !== undefined);
		},
	};
};

const usage = {openai: {prompt_tokens: 3, completion_tokens: 7, total_tokens: 10}, anthropic: {input_tokens: 3, output_tokens: 7}};

/** An answer of OpenAI's API, of any number of choices. */
export const completion = (choices: readonly Event[]): Event => ({
	id: 'chatcmpl-1',
	object: 'chat.completion',
	created: 1_780_000_000,
	model: 'gpt-5-mini',
	choices: choices.map((choice, index) => ({index, logprobs: null, ...choice})),
	usage: usage.openai,
});

/** An answer of Anthropic's API. */
export const message = (content: readonly Event[], stop_reason: string): Event => ({
	id: 'msg_1',
	type: 'message',
	role: 'assistant',
	model: 'claude',
	content,
	stop_reason,
	stop_sequence: null,
	usage: usage.anthropic,
});

type Holder = {name: string; arguments?: string; input?: string};

/** A text, cut into one to three pieces. */
const cut = ({below}: Random, text: string): string[] => {
	const places = [below(text.length + 1), below(text.length + 1)].sort((a, b) => a - b);
	return [text.slice(0, places[0]), text.slice(places[0], places[1]), text.slice(places[1])].filter(piece => piece !== '');
};

const choiceAsChunks = (random: Random, {index, message, finish_reason}: Event): Event[] => {
	const {content, tool_calls: calls, function_call: older} = message as Event;
	const deltas: Event[] = [{role: 'assistant', content: content === null ? null : ''}];
	if (typeof content === 'string') for (const piece of cut(random, content)) deltas.push({content: piece});
	for (const [at, {id, type, ...held}] of ((calls ?? []) as Event[]).entries()) {
		const [kind, holder] = Object.entries(held)[0] as [string, Holder];
		const field = kind === 'custom' ? 'input' : 'arguments';
		deltas.push({tool_calls: [{index: at, id, type, [kind]: {name: holder.name, [field]: ''}}]});
		for (const piece of cut(random, holder[field]!)) deltas.push({tool_calls: [{index: at, [kind]: {[field]: piece}}]});
	}
	if (older) {
		const {name, arguments: args} = older as Holder;
		deltas.push({function_call: {name, arguments: ''}});
		for (const piece of cut(random, args!)) deltas.push({function_call: {arguments: piece}});
	}
	return [...deltas.map(delta => chunkOf({index, delta})), chunkOf({index, delta: {}, finish_reason})];
};

/** The same answer as its API streams it: the pieces of several choices in any order, each of the strings cut anywhere. */
export const asChunks = (random: Random, answer: Event): string[] => {
	const open = (answer.choices as Event[]).map(choice => choiceAsChunks(random, choice));
	const events: Event[] = [];
	while (open.some(chunks => chunks.length > 0)) {
		const chunk = random.pick(open).shift();
		if (chunk) events.push(chunk);
	}
	events.push(chunkOf({}, {choices: [], usage: answer.usage}));
	return [...events.map(event => sse('openai', event)), 'data: [DONE]\n\n'];
};

const blockAsEvents = (random: Random, block: Event, index: number): Event[] => {
	const isText = block.type === 'text';
	const begun = isText ? {...block, text: ''} : {...block, input: {}};
	const pieces = cut(random, isText ? String(block.text) : JSON.stringify(block.input));
	return [
		{type: 'content_block_start', index, content_block: begun},
		...pieces.map(piece => ({
			type: 'content_block_delta',
			index,
			delta: isText ? {type: 'text_delta', text: piece} : {type: 'input_json_delta', partial_json: piece},
		})),
		{type: 'content_block_stop', index},
	];
};

export const asEvents = (random: Random, answer: Event): string[] =>
	[
		{type: 'message_start', message: {...answer, content: [], stop_reason: null}},
		...(answer.content as Event[]).flatMap((block, index) => blockAsEvents(random, block, index)),
		{type: 'message_delta', delta: {stop_reason: answer.stop_reason, stop_sequence: null}, usage: {output_tokens: 7}},
		{type: 'message_stop'},
	].map(event => sse('anthropic', event));
