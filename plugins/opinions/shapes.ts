import type {Json, ModelQuestion} from '../../plugin-sdk/index.ts';
import type {Channel} from './pieces.ts';

/** How sure the model is of each category that it has named, from 0 to 1. A text without any is harmless. */
export type Opinion = Record<string, number>;

/** One way to ask for an opinion. */
export type Shape = {
	question(text: string, channel: Channel): Pick<ModelQuestion, 'operation' | 'body'>;
	/** Undefined when the answer to that question is none. */
	opinionIn(answer: Json): Opinion | undefined;
};

/** What no answer to such a question needs. */
const mostAnswerChars = 4_000;

export const isObject = (value: unknown): value is {[key: string]: Json} =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** What would end a turn, or begin another, in the template of some model: told apart by a space, and readable all the same. */
export const tame = (text: string): string => text.replace(/<(?=[|/<A-Za-z])/g, '< ').replace(/\[(?=\/?INST\])/g, '[ ');

/** The words of an answer in the shape of OpenAI's or Anthropic's API; undefined when there are none, or far too many. */
export const wordsOf = (answer: Json): string | undefined => {
	if (!isObject(answer)) return undefined;
	const {choices, content} = answer;
	const [choice] = Array.isArray(choices) ? choices : [];
	const message = isObject(choice) ? choice.message : undefined;
	const parts = Array.isArray(content) ? content.map(part => (isObject(part) && typeof part.text === 'string' ? part.text : '')) : [];
	const words = isObject(message) ? message.content : parts.join('');
	return typeof words === 'string' && words.trim() !== '' && words.length <= mostAnswerChars ? words.trim() : undefined;
};

export const scoreIn = (value: unknown): number | undefined => (typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined);

/** JSON, or undefined: what a model says need not be any. */
export const jsonIn = (words: string): Json | undefined => {
	try {
		return JSON.parse(words) as Json;
	} catch {
		return undefined;
	}
};

/** The name of a category as findings have it: `self-harm-intent` of `self-harm/intent`; `other` where no such name is left. */
export const categoryOf = (name: string): string => {
	const plain = name
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^[-0-9]+|-+$/g, '');
	return plain === '' || plain.length > 40 || plain.replace(/\D/g, '').length > 6 ? 'other' : plain;
};
