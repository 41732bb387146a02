import * as z from 'zod';
import type {Channel} from '../../schemas/verdict.ts';
import {channel} from '../../schemas/verdict.ts';
import {question} from '../explain/question.ts';
import type {Catalogue} from '../llm/catalogue.ts';
import type {DialectOperation} from '../llm/dialects/dialect.ts';
import type {JsonObject} from '../llm/json.ts';

const {key, principal, operation, session} = question.shape;

const mostChars = 1_000_000;

/** What an operator has guards look at: a text as it would stand in one channel, the body of a request, or a call of a tool. */
export const trial = z
	.strictObject({
		text: z.string().min(1).max(mostChars).optional(),
		/** Where `text` would come from. */
		channel: channel.optional(),
		/** As a client would send it. */
		body: z.record(z.string(), z.json()).optional(),
		/** Over MCP. */
		tool: z
			.strictObject({
				server: z.string().min(1).max(100).optional(),
				name: z.string().min(1).max(200),
				arguments: z.record(z.string(), z.json()).default({}),
			})
			.optional(),
		/** What `text` or `body` is asked of; the first model of the config, and what it speaks, where they are left out. */
		model: z.string().min(1).max(300).optional(),
		operation,
		/** Whose exchange it would be, for guards that are there for some; somebody without a team or a name, where both are left out. */
		key,
		principal,
		session,
	})
	.refine(({text, body, tool}) => [text, body, tool].filter(part => part !== undefined).length === 1, {
		path: ['text'],
		error: 'say one of text, body and tool',
	})
	.refine(({text, channel}) => channel === undefined || text !== undefined, {path: ['channel'], error: 'goes with text'})
	.refine(({key, principal}) => key === undefined || principal === undefined, {path: ['key'], error: 'say key or principal'});
export type Trial = z.output<typeof trial>;

/** Which way it goes: what is asked of a model, a tool or, for what comes back, of nobody. */
export type Way =
	| {to: 'model'; operation: DialectOperation; body: JsonObject; place?: 'user' | 'system'}
	| {to: 'tool'; server?: string | undefined; name: string; arguments: JsonObject; place?: 'arguments'}
	| {to: 'client'; operation: 'chat' | 'tools/call' | 'tools/list'; channel: Channel; text: string};

/** Anthropic's API demands one. */
const usualMaxTokens = 1_024;

const bodyWith = (text: string, place: 'user' | 'system', model: string, operation: DialectOperation): JsonObject => {
	if (operation === 'embeddings') return {model, input: text};
	const greeting = {role: 'user', content: 'Hello.'};
	const max = operation === 'messages' ? {max_tokens: usualMaxTokens} : {};
	if (place === 'user') return {model, ...max, messages: [{role: 'user', content: text}]};
	return operation === 'chat'
		? {model, messages: [{role: 'system', content: text}, greeting]}
		: {model, ...max, system: text, messages: [greeting]};
};

const modelIn = ({model, body}: Trial, {models}: Catalogue): string =>
	model ?? (typeof body?.model === 'string' ? body.model : (models[0] ?? ''));

export const wayOf = (said: Trial, catalogue: Catalogue): Way => {
	const {text, channel = 'user', body, tool} = said;
	if (tool) return {to: 'tool', ...tool, arguments: structuredClone(tool.arguments)};
	const model = modelIn(said, catalogue);
	const operation = said.operation ?? (catalogue.plan(model)[0]?.speaks === 'anthropic' ? 'messages' : 'chat');
	if (text === undefined) return {to: 'model', operation, body: {...body, model}};
	switch (channel) {
		case 'user':
		case 'system':
			return {to: 'model', operation, body: bodyWith(text, channel, model, operation), place: channel};
		case 'tool-arguments':
			return {to: 'tool', name: 'try', arguments: {text}, place: 'arguments'};
		case 'tool-result':
			return {to: 'client', operation: 'tools/call', channel, text};
		case 'tool-description':
			return {to: 'client', operation: 'tools/list', channel, text};
		case 'assistant':
			return {to: 'client', operation: 'chat', channel, text};
	}
};
