import type {RequestFacts} from './dialects/dialect.ts';
import {microUsd, type Price, type Rates, withLongCacheWrites} from './prices.ts';

/** What an answer is reserved at when neither the request nor the price names a maximum. */
export const defaultMaxOutputTokens = 16_384;

export type Estimate = {
	inputTokens: number;
	maxOutputTokens: number;
	/** Missing when no price is known. */
	maxCostMicroUsd?: number;
};

type Asked = Pick<RequestFacts, 'maxOutputTokens' | 'answers' | 'extraInputTokens' | 'extraOutputTokens' | 'free' | 'longCacheWrites'>;

const inputRate = ({input, cacheRead, cacheWrite}: Rates): number => Math.max(input, cacheRead, cacheWrite);

/** The request may stay below a threshold that its bound exceeds, so each rate it could get is tried. */
const mostPicoUsd = (price: Price, inputTokens: number, outputTokens: number): number => {
	const reachable = [price.rates, ...price.above.filter(step => inputTokens > step.inputTokens).map(step => step.rates)];
	return Math.max(...reachable.map(rates => inputTokens * inputRate(rates) + outputTokens * rates.output));
};

/**
 * The most an exchange can use and cost. A token is at least one byte, so the body's bytes bound the input, with an
 * allowance for media that count for more than their bytes; the output is the request's maximum, else the price's, else
 * `defaultMaxOutputTokens` for each answer.
 */
export const estimate = (bodyBytes: number, facts: Asked, price: Price | undefined): Estimate => {
	const inputTokens = bodyBytes + facts.extraInputTokens;
	const named = facts.maxOutputTokens ?? (price?.maxOutputTokens ?? defaultMaxOutputTokens) * facts.answers;
	const maxOutputTokens = named + facts.extraOutputTokens;
	if (facts.free) return {inputTokens, maxOutputTokens, maxCostMicroUsd: 0};
	if (price === undefined) return {inputTokens, maxOutputTokens};
	const charged = facts.longCacheWrites ? withLongCacheWrites(price) : price;
	return {inputTokens, maxOutputTokens, maxCostMicroUsd: microUsd(mostPicoUsd(charged, inputTokens, maxOutputTokens))};
};
