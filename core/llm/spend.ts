import type {Parts, Usage} from '../../schemas/usage.ts';
import type {Exchange} from '../exchange.ts';
import {type Asked, estimateOf} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {costMicroUsd} from './prices.ts';
import type {Sure} from './usage-figures.ts';
import {inputOnly, partsOf, usageFrom} from './usage-parts.ts';
import {withUnits} from './usage-units.ts';

/** What is known of an exchange whose usage nobody has reported, or not in figures that can be true. */
export type Known = {
	/** Tokens that came, upwards; missing when that cannot be said. */
	produced?: number;
	/** The input that was reported, though the output was not. */
	input?: Parts;
	/** What was reported in any case. */
	sure?: Sure;
	doubt: NonNullable<Usage['doubt']>;
};

/**
 * Upwards, so that what nobody reported is never too little: what came, at most what may, and never less than what was
 * reported of it.
 */
export const estimatedUsage = (asked: Asked, {produced, input, sure, doubt}: Known): Usage => {
	const {inputTokens, maxOutputTokens} = estimateOf(asked);
	const most = Math.max(inputTokens, sure?.inputTokens ?? 0);
	const unknown: Parts = asked.facts.longCacheWrites ? {cacheWrite1h: most} : {input: most};
	const output = Math.max(Math.min(produced ?? maxOutputTokens, maxOutputTokens), sure?.outputTokens ?? 0);
	return usageFrom({...(input ? inputOnly(input) : unknown), output}, 'estimated', {doubt, tiers: [...asked.facts.tiers]});
};

/** The request asked for cache entries of an hour, and the provider did not say which of them it wrote: all of them were. */
const withLongWrites = (usage: Usage, {facts}: Asked): Usage => {
	const {cacheWrite = 0, cacheWrite1h, ...parts} = partsOf(usage);
	if (!facts.longCacheWrites || cacheWrite === 0 || cacheWrite1h !== undefined) return usage;
	return {...usage, parts: {...parts, cacheWrite1h: cacheWrite}};
};

/** Notes what was used and what it cost; without a report what is known to have been used counts, and says that it is an estimate. */
export const countUsage = (
	exchange: Exchange,
	asked: Asked,
	{price}: Pick<Deployment, 'price'>,
	reported: Usage | undefined,
	{known = () => ({doubt: 'missing'}), units = {}}: {known?: () => Known; units?: Readonly<Record<string, number>>} = {},
): void => {
	if (asked.facts.free) {
		exchange.costMicroUsd = 0;
		return;
	}
	exchange.usage = withUnits(withLongWrites(reported ?? estimatedUsage(asked, known()), asked), units, price);
	exchange.costMicroUsd = price && costMicroUsd(price, exchange.usage);
};
