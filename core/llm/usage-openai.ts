import type {Parts, Usage} from '../../schemas/usage.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';
import {optionalTokens, type Sure, tiersOf, tokens} from './usage-figures.ts';
import {filled, usageFrom} from './usage-parts.ts';

const objectAt = (holder: JsonObject, ...names: readonly string[]): JsonObject => {
	for (const name of names) if (isObject(holder[name])) return holder[name];
	return {};
};

/** Undefined when one of them is no number of tokens. */
const allOf = <Name extends string>(figures: Record<Name, number | undefined>): Record<Name, number> | undefined =>
	Object.values(figures).includes(undefined) ? undefined : (figures as Record<Name, number>);

const inputFigures = (usage: JsonObject) => {
	const detail = objectAt(usage, 'prompt_tokens_details', 'input_tokens_details', 'input_token_details');
	const cached = objectAt(detail, 'cached_tokens_details');
	const written = objectAt(detail, 'cache_write_tokens_details');
	return allOf({
		total: tokens(usage.prompt_tokens ?? usage.input_tokens),
		cacheRead: optionalTokens(detail.cached_tokens ?? usage.prompt_cache_hit_tokens),
		cacheReadAudio: optionalTokens(cached.audio_tokens),
		cacheReadImage: optionalTokens(cached.image_tokens),
		cacheWrite: optionalTokens(detail.cache_write_tokens),
		cacheWrite1h: optionalTokens(written.ttl_12h_tokens),
		audio: optionalTokens(detail.audio_tokens),
		image: optionalTokens(detail.image_tokens),
	});
};

/**
 * The input in parts. Where the provider does not say how much of the cached input was sound or pictures, as little as
 * can be is taken to be: what is not cached costs more.
 */
const inputOf = (usage: JsonObject): Parts | undefined => {
	const all = inputFigures(usage);
	if (!all) return undefined;
	const overlap = Math.max(0, all.cacheRead + all.cacheWrite + all.audio + all.image - all.total);
	const cacheReadAudio = Math.min(all.audio, Math.max(all.cacheReadAudio, Math.min(overlap, all.cacheRead)));
	const cacheReadImage = Math.min(all.image, Math.max(all.cacheReadImage, Math.min(overlap, all.cacheRead) - cacheReadAudio));
	const cacheRead = all.cacheRead - cacheReadAudio - cacheReadImage;
	const cacheWrite = all.cacheWrite - all.cacheWrite1h;
	const inputAudio = all.audio - cacheReadAudio;
	const inputImage = all.image - cacheReadImage;
	const input = all.total - all.cacheRead - all.cacheWrite - inputAudio - inputImage;
	if (Math.min(input, cacheRead, cacheWrite) < 0) return undefined;
	return {input, inputAudio, inputImage, cacheRead, cacheReadAudio, cacheReadImage, cacheWrite, cacheWrite1h: all.cacheWrite1h};
};

/**
 * The output in parts; it includes the reasoning. Some providers that speak this format leave reasoning out of
 * `completion_tokens` and only count it in the total, so the total decides.
 */
const outputOf = (usage: JsonObject): Parts | undefined => {
	const detail = objectAt(usage, 'completion_tokens_details', 'output_tokens_details', 'output_token_details');
	const all = allOf({
		said: optionalTokens(usage.completion_tokens ?? usage.output_tokens),
		reasoning: optionalTokens(detail.reasoning_tokens),
		outputAudio: optionalTokens(detail.audio_tokens),
		outputImage: optionalTokens(detail.image_tokens),
	});
	if (!all) return undefined;
	const {said, ...parts} = all;
	const inTotal = (tokens(usage.total_tokens) ?? 0) - (tokens(usage.prompt_tokens ?? usage.input_tokens) ?? 0);
	const output = Math.max(said, inTotal) - parts.reasoning - parts.outputAudio - parts.outputImage;
	return output < 0 ? undefined : {output, ...parts};
};

/** Models that search the web for every answer, which is charged by the call beside the tokens. */
const searching = /-search-(preview|api)/;

export const searchesAlways = (model: string): boolean => searching.test(model);

const itemsOf = (reply: JsonObject, type: string): JsonObject[] =>
	objectsOf(reply.output)
		.map(([, item]) => item)
		.filter(item => item.type === type);

/** Opening a page that was found is not charged. https://platform.openai.com/docs/pricing */
const isSearch = ({action}: JsonObject): boolean => !isObject(action) || action.type === undefined || action.type === 'search';

const countsOf = (reply: JsonObject): Record<string, number> => {
	const used = objectAt(reply, 'tool_usage');
	const drawn = objectAt(used, 'image_gen');
	const listed = itemsOf(reply, 'web_search_call').filter(isSearch).length;
	const always = typeof reply.model === 'string' && searchesAlways(reply.model) ? 1 : 0;
	return filledCounts({
		webSearches: Math.max(tokens(objectAt(used, 'web_search').num_requests) ?? 0, listed, always),
		fileSearches: itemsOf(reply, 'file_search_call').length,
		codeExecutions: new Set(itemsOf(reply, 'code_interpreter_call').map(({container_id: id}) => id)).size,
		// Pictures are drawn by another model, at prices of its own.
		otherModelTokens: (tokens(drawn.input_tokens) ?? 0) + (tokens(drawn.output_tokens) ?? 0),
	});
};

const filledCounts = (counts: Record<string, number>): Record<string, number> =>
	Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

/** What `reply` (a chat completion or its last chunk, a response, embeddings) reports; undefined when it reports nothing, or nothing that can be true. */
export const readOpenaiUsage = (reply: JsonObject): Usage | undefined => {
	const {usage} = reply;
	if (!isObject(usage)) return undefined;
	const input = inputOf(usage);
	const output = outputOf(usage);
	if (!input || !output) return undefined;
	return usageFrom(filled({...input, ...output}), 'reported', {counts: countsOf(reply), tiers: tiersOf(reply.service_tier)});
};

/** The totals of a report, each by itself, 0 where there is none that can be true. */
export const sureOfOpenai = ({usage}: JsonObject): Sure => {
	if (!isObject(usage)) return {inputTokens: 0, outputTokens: 0};
	return {
		inputTokens: tokens(usage.prompt_tokens ?? usage.input_tokens) ?? 0,
		outputTokens: tokens(usage.completion_tokens ?? usage.output_tokens) ?? 0,
	};
};
