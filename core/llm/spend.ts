import type {Usage} from '../../schemas/usage.ts';
import type {Exchange} from '../exchange.ts';
import {type Asked, estimateOf} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {costMicroUsd, withLongCacheWrites} from './prices.ts';

/** Upwards, so that what nobody reported is never too little: a token has at least one byte of UTF-8. */
export const estimatedUsage = (
	asked: Asked,
	outputBytes: number,
	reportedInput?: Pick<Usage, 'inputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'>,
): Usage => {
	const {inputTokens, maxOutputTokens} = estimateOf(asked);
	const input = reportedInput ?? {inputTokens, cacheReadTokens: 0, cacheWriteTokens: 0};
	return {...input, outputTokens: Math.min(outputBytes, maxOutputTokens), reasoningTokens: 0, source: 'estimated'};
};

/** Notes what was used and what it cost; without a report the whole estimate counts, and says so. */
export const countUsage = (
	exchange: Exchange,
	asked: Asked,
	{price}: Deployment,
	reported: Usage | undefined,
	estimated = () => estimatedUsage(asked, Number.MAX_SAFE_INTEGER),
): void => {
	if (asked.facts.free) {
		exchange.costMicroUsd = 0;
		return;
	}
	exchange.usage = reported ?? estimated();
	const charged = price && asked.facts.longCacheWrites ? withLongCacheWrites(price) : price;
	exchange.costMicroUsd = charged && costMicroUsd(charged, exchange.usage);
};
