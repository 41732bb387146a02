import type {Channel} from '../../schemas/verdict.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';
import type {BodyText} from './text.ts';

type Marks = Map<object, Channel>;

/** What a part of a message is, where it is something else than the message: only of what a user or a model wrote, or a tool could name its own words so. */
const partOf = (part: JsonObject, channel: Channel): Channel => {
	const {type} = part;
	const isResult = typeof type === 'string' && (type === 'tool_result' || type.endsWith('_tool_result'));
	return isResult && (channel === 'user' || channel === 'assistant') ? 'tool-result' : channel;
};

const isCall = (part: JsonObject, key: string): boolean =>
	key === 'tool_calls' || key === 'function_call' || (key === 'input' && String(part.type).endsWith('tool_use'));

const mark = (marks: Marks, value: unknown, channel: Channel): void => {
	if (Array.isArray(value)) {
		marks.set(value, channel);
		for (const item of value) mark(marks, item, channel);
		return;
	}
	if (!isObject(value)) return;
	const own = partOf(value, channel);
	marks.set(value, own);
	for (const key in value) mark(marks, value[key], own === 'assistant' && isCall(value, key) ? 'tool-arguments' : own);
};

const roles: Readonly<Record<string, Channel>> = {
	system: 'system',
	developer: 'system',
	assistant: 'assistant',
	tool: 'tool-result',
	function: 'tool-result',
};

const channelOfRole = (role: unknown): Channel => (typeof role === 'string' && Object.hasOwn(roles, role) ? roles[role]! : 'user');

/** JSON in a string comes from where the string does. */
const markNested = (marks: Marks, {nested = [], within}: BodyText, otherwise: Channel): void => {
	for (const {holder, json} of nested) mark(marks, json, marks.get(holder) ?? otherwise);
	for (const {holder, values} of within) mark(marks, values, marks.get(holder) ?? otherwise);
};

/** Where each text of a request came from, by the roles its client gives; what stands outside of all messages is the user's. */
export const requestChannels = (json: JsonObject, found: BodyText): Channel[] => {
	const {holders, places} = found;
	const marks: Marks = new Map();
	for (const [, message] of objectsOf(json.messages)) mark(marks, message, channelOfRole(message.role));
	mark(marks, json.system, 'system');
	for (const field of ['tools', 'functions']) mark(marks, json[field], 'tool-description');
	markNested(marks, found, 'user');
	return holders.map((holder, index) => (holder === json && places[index] === 'system' ? 'system' : (marks.get(holder) ?? 'user')));
};

/** The same for a model's answer; `system` is what its provider says of it: ids and names. */
export const replyChannels = (json: JsonObject, found: BodyText): Channel[] => {
	const marks: Marks = new Map();
	mark(marks, json, 'assistant');
	markNested(marks, found, 'assistant');
	const {holders, labelsFrom = holders.length} = found;
	return holders.map((holder, index) => (index >= labelsFrom ? 'system' : (marks.get(holder) ?? 'assistant')));
};

/** Of a part of a stream, by the name that its dialect has for it. */
export const channelOfDelta = (name: string): Channel => {
	if (/^\d+\.tool_result\./.test(name)) return 'tool-result';
	return /\.(?:tool_calls|function_call)\.|\.(?:partial_json|input)(?:\.|$)/.test(name) ? 'tool-arguments' : 'assistant';
};

/** Whether a part of a stream is what the model says to whoever asked: no thoughts, no arguments of tools. */
export const isAnswerDelta = (name: string): boolean => /^\d+\.(?:content|text)$/.test(name);

/** Which texts of a model's answer are that, by index. */
export const replyAnswers = ({holders, places, keys, labelsFrom = holders.length}: BodyText): number[] =>
	holders.flatMap((holder, index) => {
		if (index >= labelsFrom || keys.has(index) || Array.isArray(holder)) return [];
		const said = places[index] === 'content' || (places[index] === 'text' && (holder.type === 'text' || holder.type === 'output_text'));
		return said ? [index] : [];
	});
