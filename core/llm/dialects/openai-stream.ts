import {isObject, type JsonObject, objectsOf} from '../json.ts';
import type {Delta} from './dialect.ts';
import {except, fragments, pathOf, place, wholes} from './leaves.ts';

/** One event as it travels: OpenAI names none. */
export const event = (json: JsonObject): string => `data: ${JSON.stringify(json)}\n\n`;

const numberOf = (choice: JsonObject, index: number): number =>
	typeof choice.index === 'number' && Number.isSafeInteger(choice.index) && choice.index >= 0 ? choice.index : index;

const besideDelta = except('delta', 'finish_reason');
const besideChoices = except('choices', 'usage');

/** Lists of complete things, not strings that grow. */
const lists = ['annotations', 'citations'] as const;

const deltasOfChoice = (choice: JsonObject, number: number, found: Delta[]): void => {
	choice.logprobs &&= null;
	const {delta} = choice;
	wholes(choice, `${number}.choice`, found, besideDelta);
	if (!isObject(delta)) return;
	const grown: Delta[] = [];
	fragments(delta, `${number}`, grown);
	for (const leaf of grown) {
		const whole = lists.some(name => leaf.channel.startsWith(`${number}.${name}.`));
		found.push(whole ? {...leaf, whole} : leaf);
	}
};

export const deltasOf = (json: JsonObject): Delta[] => {
	const found: Delta[] = [];
	for (const [index, choice] of objectsOf(json.choices)) deltasOfChoice(choice, numberOf(choice, index), found);
	wholes(json, '', found, besideChoices);
	return found;
};

/** A tool call begins: the SDK takes the ones before it in the same answer as complete. */
const endedCalls = (delta: unknown, number: number): string[] => {
	const ended: string[] = [];
	if (!isObject(delta)) return ended;
	for (const [index, item] of objectsOf(delta.tool_calls)) {
		const begins = typeof item.id === 'string' || (isObject(item.function) && typeof item.function.name === 'string');
		for (let earlier = 0; begins && earlier < Math.min(numberOf(item, index), 1_024); earlier += 1)
			ended.push(`${number}.tool_calls.${earlier}.`);
	}
	return ended;
};

export const endsChannels = (json: JsonObject): string[] => {
	const choices = objectsOf(json.choices);
	if (isObject(json.error) || (choices.length === 0 && isObject(json.usage))) return [''];
	return choices.flatMap(([index, choice]) => {
		const number = numberOf(choice, index);
		return typeof choice.finish_reason === 'string' && choice.finish_reason !== '' ? [`${number}.`] : endedCalls(choice.delta, number);
	});
};

/** Nests `text` under `path`; an index becomes an item of a list that says its index, and its type as in `like`, the object it is modelled on. */
const nested = (path: readonly (string | number)[], text: string, like: unknown): unknown => {
	const [key, next, ...rest] = path;
	if (key === undefined) return text;
	const field = isObject(like) ? like[key] : undefined;
	if (typeof next !== 'number') return {[key]: nested(path.slice(1), text, field)};
	const model = objectsOf(field).find(([at, item]) => place(item, at) === next)?.[1];
	const item = nested(rest, text, model);
	const type = typeof model?.type === 'string' && key !== 'tool_calls' ? {type: model.type} : {};
	return {[key]: [isObject(item) ? {index: next, ...type, ...item} : item]};
};

export const deltaEvent = (channel: string, text: string, last: JsonObject): string => {
	const [index, ...path] = pathOf(channel);
	const {usage: _, ...chunk} = last;
	const like = objectsOf(last.choices).find(([at, choice]) => numberOf(choice, at) === index)?.[1].delta;
	return event({...chunk, choices: [{index, delta: nested(path, text, like), logprobs: null, finish_reason: null}]});
};
