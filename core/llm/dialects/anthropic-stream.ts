import {isObject, type JsonObject} from '../json.ts';
import type {Delta} from './dialect.ts';
import {deltaAt, except, fragments, pathOf, results, wholes} from './leaves.ts';

/** One event as it travels: its name is its type, and the SDK reads no event without a name. */
export const event = (json: JsonObject): string => `event: ${String(json.type).replaceAll(/\s/g, ' ')}\ndata: ${JSON.stringify(json)}\n\n`;

/** The field of each delta type that the client adds up. */
const deltaTypes: Readonly<Record<string, string>> = {text: 'text_delta', partial_json: 'input_json_delta', thinking: 'thinking_delta'};

/** What a block may already hold when it starts, and its deltas add to. */
const started = ['text', 'thinking'] as const;
const besideUsage = except('usage');

const numberOf = (json: JsonObject): number => (typeof json.index === 'number' && Number.isSafeInteger(json.index) ? json.index : 0);

const deltasOfStart = (block: unknown, number: number): Delta[] => {
	const found: Delta[] = [];
	if (!isObject(block)) return found;
	if (typeof block.type === 'string' && block.type.endsWith('_tool_result')) {
		results(block, `${number}.tool_result`, found);
		return found;
	}
	for (const name of started) {
		const text = block[name];
		if (typeof text !== 'string' || text === '') continue;
		found.push({channel: `${number}.${name}`, text, whole: false, ...deltaAt([block, name])});
	}
	wholes(block, `${number}.content_block`, found, undefined, started);
	return found;
};

export const deltasOf = (json: JsonObject): Delta[] => {
	const found: Delta[] = [];
	const number = numberOf(json);
	const {type, delta} = json;
	if (type === 'content_block_start') return deltasOfStart(json.content_block, number);
	if (type === 'content_block_delta' && isObject(delta)) {
		if (delta.type === 'citations_delta') wholes(delta, `${number}.citations`, found);
		else fragments(delta, `${number}`, found);
		return found;
	}
	wholes(json, String(type), found, besideUsage);
	return found;
};

export const endsChannels = ({type, index}: JsonObject): string[] => {
	if (type === 'content_block_stop') return [`${typeof index === 'number' ? index : 0}.`];
	return type === 'message_delta' || type === 'message_stop' || type === 'error' ? [''] : [];
};

export const deltaEvent = (channel: string, text: string, last: JsonObject): string => {
	const [index, field = 'text'] = pathOf(channel);
	const seen = isObject(last.delta) ? last.delta.type : undefined;
	return event({type: 'content_block_delta', index, delta: {type: deltaTypes[field] ?? seen ?? `${field}_delta`, [field]: text}});
};
