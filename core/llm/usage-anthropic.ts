import type {Parts, Usage} from '../../schemas/usage.ts';
import {isObject, type JsonObject, objectsOf} from './json.ts';
import {optionalTokens, type Sure, tiersOf, tokens} from './usage-figures.ts';
import {filled, usageFrom} from './usage-parts.ts';

const objectAt = (holder: JsonObject, name: string): JsonObject => (isObject(holder[name]) ? holder[name] : {});

/**
 * What was written to the cache, by how long it lasts. Later figures of a stream report the sum alone: what they add is
 * of the kind that was written before.
 */
const writesOf = (usage: JsonObject): Parts | undefined => {
	const split = objectAt(usage, 'cache_creation');
	const short = optionalTokens(split.ephemeral_5m_input_tokens);
	const long = optionalTokens(split.ephemeral_1h_input_tokens);
	if (short === undefined || long === undefined) return undefined;
	const total = tokens(usage.cache_creation_input_tokens ?? short + long);
	if (total === undefined || total < short + long) return undefined;
	const rest = total - short - long;
	return long > 0 ? {cacheWrite: short, cacheWrite1h: long + rest} : {cacheWrite: short + rest, cacheWrite1h: 0};
};

/** `input_tokens` leaves out what was read from and written to the cache. */
const inputOf = (usage: JsonObject): Parts | undefined => {
	const input = tokens(usage.input_tokens);
	const cacheRead = optionalTokens(usage.cache_read_input_tokens);
	const writes = writesOf(usage);
	return input === undefined || cacheRead === undefined || !writes ? undefined : {input, cacheRead, ...writes};
};

const outputOf = (usage: JsonObject): Parts | undefined => {
	const detail = objectAt(usage, 'output_tokens_details');
	const total = tokens(usage.output_tokens);
	const reasoning = optionalTokens(detail.thinking_tokens ?? detail.reasoning_tokens);
	return total === undefined || reasoning === undefined || reasoning > total ? undefined : {output: total - reasoning, reasoning};
};

const together = (one: Parts, other: Parts): Parts => {
	const sums: Parts = {...one};
	for (const [name, tokens] of Object.entries(other) as [keyof Parts, number][]) sums[name] = (sums[name] ?? 0) + tokens;
	return sums;
};

/** `iterations` of these types are not in the totals of `usage`. */
const apart: ReadonlySet<unknown> = new Set(['compaction', 'advisor_message']);

type Beside = {parts: Parts; otherModelTokens: number};

/**
 * What a request used beside its answer: the summary of a conversation that grew too long, at the same prices, and
 * answers of other models, at prices of their own. Undefined when a figure cannot be true.
 */
const besideOf = (usage: JsonObject): Beside | undefined => {
	let beside: Parts = {};
	let otherModelTokens = 0;
	for (const [, iteration] of objectsOf(usage.iterations)) {
		if (!apart.has(iteration.type) && iteration.type !== 'fallback_message') continue;
		const input = inputOf(iteration);
		const output = outputOf(iteration);
		if (!input || !output) return undefined;
		const used = {...input, ...output};
		if (iteration.type === 'compaction') beside = together(beside, used);
		else otherModelTokens += Object.values(used).reduce((sum, tokens) => sum + tokens, 0);
	}
	return {parts: beside, otherModelTokens};
};

const countsOf = (usage: JsonObject, otherModelTokens: number): Record<string, number> => {
	const used = objectAt(usage, 'server_tool_use');
	const counts = {webSearches: tokens(used.web_search_requests) ?? 0, webFetches: tokens(used.web_fetch_requests) ?? 0, otherModelTokens};
	return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
};

/** Where the request was, or is to be, answered, if that has a price. */
export const geoOf = ({inference_geo: geo}: JsonObject): unknown =>
	typeof geo === 'string' && geo !== 'global' && geo !== 'not_available' ? `geo-${geo}` : undefined;

/** What `usage` of a message reports; undefined when it reports nothing, or nothing that can be true. */
export const readAnthropicUsage = (usage: unknown): Usage | undefined => {
	if (!isObject(usage)) return undefined;
	const input = inputOf(usage);
	const output = outputOf(usage);
	const beside = besideOf(usage);
	if (!input || !output || !beside) return undefined;
	const parts = filled(together({...input, ...output}, beside.parts));
	// A 0 says that the provider told the kinds apart: countUsage need not ask what the request wanted.
	if (parts.cacheWrite !== undefined && isObject(usage.cache_creation)) parts.cacheWrite1h ??= 0;
	return usageFrom(parts, 'reported', {
		counts: countsOf(usage, beside.otherModelTokens),
		tiers: tiersOf(usage.service_tier === 'priority' ? undefined : usage.service_tier, usage.speed, geoOf(usage)),
	});
};

/** The input that has been reported, in parts, whether or not the output has. */
export const anthropicInput = (usage: unknown): Parts | undefined => {
	const input = isObject(usage) ? inputOf(usage) : undefined;
	return input && filled(input);
};

/** The totals of a report, each by itself, 0 where there is none that can be true. */
export const sureOfAnthropic = (usage: unknown): Sure => {
	if (!isObject(usage)) return {inputTokens: 0, outputTokens: 0};
	const split = objectAt(usage, 'cache_creation');
	const sure = (value: unknown): number => tokens(value) ?? 0;
	const written = Math.max(
		sure(usage.cache_creation_input_tokens),
		sure(split.ephemeral_5m_input_tokens) + sure(split.ephemeral_1h_input_tokens),
	);
	return {inputTokens: sure(usage.input_tokens) + sure(usage.cache_read_input_tokens) + written, outputTokens: sure(usage.output_tokens)};
};
