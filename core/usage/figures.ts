import {firstBucket, latencyBoundsMs, outcomes, sums, type UsageGroup} from '../store/usage.ts';

/** What a group came to. Money is whole micro-dollars; `null` where nothing was measured. */
export type Figures = {
	requests: number;
	failed: number;
	denied: number;
	aborted: number;
	costMicroUsd: number;
	/** The parts of these that rest on an estimate. */
	estimatedRequests: number;
	estimatedCostMicroUsd: number;
	inputTokens: number;
	outputTokens: number;
	cacheReadTokens: number;
	cacheWriteTokens: number;
	reasoningTokens: number;
	latencyMeanMs: number | null;
	latencyP50Ms: number | null;
	latencyP95Ms: number | null;
	overheadMeanMs: number | null;
};

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/**
 * The time that `share` of the requests took at most, as far as a histogram knows: within a bucket they are taken to lie evenly, and what
 * took longer than its last bound is said to have taken just that.
 */
const percentile = (counts: readonly number[], share: number): number | null => {
	const total = counts.reduce((sum, count) => sum + count, 0);
	if (total === 0) return null;
	let rest = share * total;
	for (const [index, count] of counts.entries()) {
		const above = latencyBoundsMs[index];
		if (above === undefined) break;
		if (rest > count) {
			rest -= count;
			continue;
		}
		const below = index === 0 ? 0 : latencyBoundsMs[index - 1]!;
		return rounded(below + (above - below) * (rest / count));
	}
	return latencyBoundsMs.at(-1)!;
};

export const figuresOf = ({sums: counted, outcomes: ended}: Pick<UsageGroup, 'sums' | 'outcomes'>): Figures => {
	const sum = (name: (typeof sums)[number]): number => counted[sums.indexOf(name)]!;
	const [failed = 0, denied = 0, aborted = 0] = outcomes.map((_, index) => ended[index]!);
	const buckets = counted.slice(firstBucket);
	const timed = buckets.reduce((all, count) => all + count, 0);
	const mean = (us: number): number | null => (timed === 0 ? null : rounded(us / timed / 1_000));
	return {
		requests: sum('requests'),
		failed,
		denied,
		aborted,
		costMicroUsd: sum('microUsd'),
		estimatedRequests: sum('estimatedRequests'),
		estimatedCostMicroUsd: sum('estimatedMicroUsd'),
		inputTokens: sum('inputTokens'),
		outputTokens: sum('outputTokens'),
		cacheReadTokens: sum('cacheReadTokens'),
		cacheWriteTokens: sum('cacheWriteTokens'),
		reasoningTokens: sum('reasoningTokens'),
		latencyMeanMs: mean(sum('totalUs')),
		latencyP50Ms: percentile(buckets, 0.5),
		latencyP95Ms: percentile(buckets, 0.95),
		overheadMeanMs: mean(sum('overheadUs')),
	};
};

/** How many units of the kind that rows about units are of. */
export const unitsOf = ({sums: counted}: Pick<UsageGroup, 'sums'>): number => counted[sums.indexOf('units')]!;
