import type {JournalRecord} from '../../schemas/record.ts';
import {firstBucket, latencyBoundsMs, type sums} from '../store/usage.ts';

type Sum = (typeof sums)[number];

const place: Record<Exclude<Sum, `took${number}`>, number> = {
	requests: 0,
	estimatedRequests: 1,
	microUsd: 2,
	estimatedMicroUsd: 3,
	inputTokens: 4,
	outputTokens: 5,
	cacheReadTokens: 6,
	cacheWriteTokens: 7,
	reasoningTokens: 8,
	units: 9,
	totalUs: 10,
	overheadUs: 11,
};

/** Of what was booked as money: a call is booked on several accounts, on each in full. */
const booked = ({bookings}: JournalRecord): number => {
	let most = 0;
	for (const {key, amount} of bookings ?? []) if (amount > most && /\|microUsd\|[^|]+\|[^|]+$/.test(key)) most = amount;
	return most;
};

/** What a plugin took out of a record is a word where a number was. */
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/**
 * Writes into the first of `amounts` what an exchange adds to every sum it counts in. Its money is what it cost; where nobody knows, as after a
 * crash, what was booked for it, which is an estimate. Answers which
 * bucket of the histogram counts it, among the sums; -1 where nobody knows how long it took.
 */
export const amountsOf = (record: JournalRecord, amounts: number[]): number => {
	for (let index = 0; index < firstBucket; index++) amounts[index] = 0;
	const {costMicroUsd, usage, totalMs, overheadMs} = record;
	const isKnown = typeof costMicroUsd === 'number';
	const microUsd = isKnown ? costMicroUsd : booked(record);
	amounts[place.requests] = 1;
	amounts[place.microUsd] = microUsd;
	const isUsed = typeof usage === 'object';
	if (isUsed) {
		amounts[place.inputTokens] = numberOf(usage.inputTokens);
		amounts[place.outputTokens] = numberOf(usage.outputTokens);
		amounts[place.cacheReadTokens] = numberOf(usage.cacheReadTokens);
		amounts[place.cacheWriteTokens] = numberOf(usage.cacheWriteTokens);
		amounts[place.reasoningTokens] = numberOf(usage.reasoningTokens);
	}
	const isEstimated = isKnown ? isUsed && usage.source === 'estimated' : microUsd > 0;
	if (isEstimated) {
		amounts[place.estimatedRequests] = 1;
		amounts[place.estimatedMicroUsd] = microUsd;
	}
	if (typeof totalMs !== 'number') return -1;
	amounts[place.totalUs] = Math.round(totalMs * 1_000);
	amounts[place.overheadUs] = Math.round(numberOf(overheadMs) * 1_000);
	let bucket = 0;
	while (bucket < latencyBoundsMs.length && totalMs > latencyBoundsMs[bucket]!) bucket++;
	return firstBucket + bucket;
};

/** Where the count of units stands among the sums. */
export const unitsPlace = place.units;
