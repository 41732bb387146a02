import type {Part} from '../../schemas/usage.ts';
import type {RequestFacts} from './dialects/dialect.ts';
import {microUsd, type Sum, sumOf, timesPico} from './price-sums.ts';
import {factorOf, inTier, type Price, type Rates} from './prices.ts';

/** What an answer is reserved at when neither the request nor the price names a maximum. */
export const defaultMaxOutputTokens = 16_384;

export type Estimate = {
	inputTokens: number;
	maxOutputTokens: number;
	/** Missing when no price is known. */
	maxCostMicroUsd?: number;
};

type Asked = Pick<
	RequestFacts,
	'maxOutputTokens' | 'answers' | 'extraInputTokens' | 'extraOutputTokens' | 'free' | 'longCacheWrites' | 'tiers' | 'counts' | 'sounds'
>;

/** The parts that tokens of a request can turn out to be. */
const partsFor = ({longCacheWrites, sounds}: Asked): {input: Part[]; output: Part[]} => ({
	input: [
		...(['input', 'inputImage', 'cacheRead', 'cacheReadImage', 'cacheWrite'] as const),
		...(longCacheWrites ? (['cacheWrite1h'] as const) : []),
		...(sounds ? (['inputAudio', 'cacheReadAudio'] as const) : []),
	],
	output: ['output', 'reasoning', 'outputImage', ...(sounds ? (['outputAudio'] as const) : [])],
});

/** Undefined when one of them is not known. */
const dearest = (rates: Rates, parts: readonly Part[]): number | undefined => {
	let most = 0;
	for (const part of parts) {
		const rate = rates[part];
		if (rate === undefined) return undefined;
		most = Math.max(most, rate);
	}
	return most;
};

/** The request may be served in the standard tier, though it asked for another. */
const dearestFactor = (price: Price, tiers: readonly string[]): number | undefined => {
	const factor = factorOf(price, tiers);
	return factor === undefined ? undefined : Math.max(1, factor);
};

/** The most of each unit that a request can use. */
const unitsFor = ({units}: Price, counts: Readonly<Record<string, number>>): Record<string, number> => ({
	...('requests' in units && {requests: 1}),
	...Object.fromEntries(Object.entries(units).flatMap(([name, {most}]) => (most === undefined ? [] : [[name, most]]))),
	...counts,
});

const unitCost = (price: Price, counts: Readonly<Record<string, number>>): Sum | undefined => {
	let cost = sumOf();
	for (const [name, count] of Object.entries(unitsFor(price, counts))) {
		const unit = Object.hasOwn(price.units, name) ? price.units[name] : undefined;
		if (unit === undefined) return undefined;
		cost = timesPico(cost, count, unit.rate);
	}
	return cost;
};

/** The request may stay below a threshold that its bound exceeds, so each rate it could get is tried. */
const mostMicroUsd = (price: Price, facts: Asked, inputTokens: number, outputTokens: number): number | undefined => {
	const reachable = [price.rates, ...price.above.filter(step => inputTokens > step.inputTokens).map(step => step.rates)];
	const factor = dearestFactor(price, facts.tiers);
	const units = unitCost(price, facts.counts);
	if (factor === undefined || units === undefined) return undefined;
	const parts = partsFor(facts);
	let most = 0;
	for (const rates of reachable) {
		const input = dearest(rates, parts.input);
		const output = dearest(rates, parts.output);
		if (input === undefined || output === undefined) return undefined;
		const cost = timesPico(timesPico(units, inputTokens, inTier(input, factor)), outputTokens, inTier(output, factor));
		most = Math.max(most, microUsd(cost));
	}
	return most;
};

/**
 * The most an exchange can use and cost. `bodyTokens` bounds what the body is in tokens, to which comes an allowance for
 * what counts beyond it (media, and what a provider adds for tools); the output is the request's maximum, else the
 * price's, else `defaultMaxOutputTokens` for each answer.
 */
export const estimate = (bodyTokens: number, facts: Asked, price: Price | undefined): Estimate => {
	const inputTokens = bodyTokens + facts.extraInputTokens;
	const named = facts.maxOutputTokens ?? (price?.maxOutputTokens ?? defaultMaxOutputTokens) * facts.answers;
	const maxOutputTokens = named + facts.extraOutputTokens;
	if (facts.free) return {inputTokens, maxOutputTokens, maxCostMicroUsd: 0};
	const maxCostMicroUsd = price && mostMicroUsd(price, facts, inputTokens, maxOutputTokens);
	return {inputTokens, maxOutputTokens, ...(maxCostMicroUsd !== undefined && {maxCostMicroUsd})};
};
