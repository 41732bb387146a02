import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Json, ModelAnswer, ModelQuestion} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';

export type Config = Record<string, unknown>;
export type Answer = string | ((question: ModelQuestion) => string | Promise<string>);

/** What a chat model answers, given its words. */
const chat = (content: string): ModelAnswer => ({status: 200, body: {choices: [{message: {role: 'assistant', content}}]}});

/** The judge, whose model answers so, and all it was asked. */
export const judge = async (t: ExecutionContext, config: Config, answer: Answer, now: () => number = Date.now) => {
	const asked: ModelQuestion[] = [];
	const plugin = await startPlugin(join(import.meta.dirname, '../../plugins/judge'), {
		now,
		config: {model: 'local/guard', band: 'always', ...config},
		async models(question) {
			asked.push(question);
			return chat(typeof answer === 'string' ? answer : await answer(question));
		},
	});
	t.teardown(plugin.close);
	const request = (text: string[], more: Record<string, unknown> = {}) =>
		plugin.ask('pre-request', {text, channels: text.map(() => 'user'), principal: {tenant: 'acme'}, ...more});
	return {plugin, asked, request};
};

export type Message = {role: string; content: string};
export const messagesOf = ({body}: ModelQuestion): Message[] => body.messages as Message[];
/** The name of the fence, which an answer has to repeat. */
export const nameIn = (question: ModelQuestion): string => messagesOf(question).at(-1)!.content.split('\n')[0]!;
export const inJson = (question: ModelQuestion, verdict: Record<string, Json>): string =>
	JSON.stringify({id: nameIn(question), ...verdict});

export const attack: Answer = question => inJson(question, {verdict: 'attack', score: 0.9});

/** The text that the model is shown, which the cases below have it repeat: its words are the answer. */
export const shown = (question: ModelQuestion): string => {
	const {content} = messagesOf(question).at(-1)!;
	return content.includes('\n"') ? String(JSON.parse(content.split('\n')[1]!)) : content;
};
