import type {Booking} from '../../schemas/record.ts';
import type {Effects} from '../../schemas/verdict.ts';
import {refusal} from '../effects.ts';
import {asGatewayError, type GatewayError} from '../errors.ts';
import {type Exchange, openedRecord} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Outcome} from '../ledger/ledger.ts';
import {type Asked, estimateOf} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import type {StreamUsage} from './dialects/dialect.ts';
import {type Estimate, estimate} from './estimate.ts';
import type {Produced} from './usage-produced.ts';

export type Growth = {
	/** Looks at what has come so far; sets more aside ahead of need, and ends the answer once it has outgrown what there is room for. */
	see(chunk: Buffer): void;
	/** Tokens that an answer of these events has at least. */
	surely(): number;
};

type Watching = {produced: Produced; usage: Pick<StreamUsage, 'sure'>; cut: (error: GatewayError) => void};

/** Events that carry no words: roles, beginnings and ends, pings. */
const wordlessEvents = 16;
/** Words are counted upwards, at most this many times too high: docs/prices.md. */
const mostOvercounted = 4;
/** More is set aside when so little is left of what was. */
const aheadTokens = 64;
const leastStep = 256;

const eventsIn = (chunk: Buffer): number => {
	let events = 0;
	for (let at = chunk.indexOf('\n\n'); at >= 0; at = chunk.indexOf('\n\n', at + 2)) events++;
	return events;
};

type Need = Required<Pick<Estimate, 'inputTokens' | 'maxOutputTokens'>> & {maxCostMicroUsd: number | undefined};

/** What so many tokens of this request can cost, as it was estimated before. */
const needOf = ({facts}: Asked, {price}: Deployment, inputTokens: number, maxOutputTokens: number): Need => {
	const grown = {...facts, maxOutputTokens: Math.max(0, maxOutputTokens - facts.extraOutputTokens)};
	const {maxCostMicroUsd} = estimate(Math.max(0, inputTokens - facts.extraInputTokens), grown, price);
	return {inputTokens, maxOutputTokens, maxCostMicroUsd};
};

const extraOf = (before: Need, after: Need): NonNullable<Effects['settle']> => {
	const inputTokens = after.inputTokens - before.inputTokens;
	const outputTokens = after.maxOutputTokens - before.maxOutputTokens;
	const microUsd = Math.max(0, (after.maxCostMicroUsd ?? 0) - (before.maxCostMicroUsd ?? 0));
	return {inputTokens, outputTokens, tokens: inputTokens + outputTokens, microUsd};
};

/** The bookings, anew, for the plugins that held them, unless they have been settled meanwhile. */
const handBack = ({held}: Exchange, before: ReadonlyMap<string, readonly Booking[]>, bookings: readonly Booking[]): void => {
	let at = 0;
	for (const [plugin, {length}] of before) {
		if (held.has(plugin)) held.set(plugin, bookings.slice(at, at + length));
		at += length;
	}
};

const growing: ReadonlySet<string> = new Set(['microUsd', 'tokens', 'inputTokens', 'outputTokens']);

/**
 * Keeps what is set aside ahead of what a stream has surely produced. Undefined where nothing is set aside: then there is nothing to outgrow.
 */
export const openGrowth = (
	gateway: Gateway,
	exchange: Exchange,
	asked: Asked,
	deployment: Deployment,
	{produced, usage, cut}: Watching,
): Growth | undefined => {
	const isCounted = exchange.limits.some(({reserve}) => reserve.some(({unit}) => growing.has(unit)));
	if (!isCounted || exchange.held.size === 0 || asked.facts.free) return undefined;
	let covered: Need = {maxCostMicroUsd: undefined, ...estimateOf(asked)};
	let events = 0;
	/** Set while more is being asked for, and for good when there is none. */
	let asking = false;
	let refused: GatewayError | undefined;

	const surely = (): number => {
		const words = produced.tokens();
		return Math.max(Math.min(events - wordlessEvents, words), Math.floor(words / mostOvercounted), 0);
	};

	const taken = async (outcome: Outcome, need: Need, before: ReadonlyMap<string, readonly Booking[]>): Promise<void> => {
		if (outcome.short) {
			const {account, unit} = outcome.short;
			const of = exchange.limits.find(({reserve}) => reserve.some(one => one.account === account && one.unit === unit));
			throw refusal(outcome.short, of?.plugin ?? '', {...(of && {orElse: of.orElse})}, Date.now());
		}
		handBack(exchange, before, outcome.held);
		covered = need;
		// What is estimated from here on is bounded by what has been set aside by now.
		asked.estimated = {inputTokens: need.inputTokens, maxOutputTokens: need.maxOutputTokens};
		// A crash from here on has to find what is set aside now.
		await gateway.journal.append(openedRecord(exchange, gateway.house.digest)).written;
	};

	const grow = async (need: Need): Promise<void> => {
		asking = true;
		try {
			const before = new Map(exchange.held);
			const outcome = await gateway.ledger.topUp([...before.values()].flat(), extraOf(covered, need));
			if (!exchange.closed) await taken(outcome, need, before);
			asking = false;
		} catch (thrown) {
			refused = asGatewayError(thrown);
			endIfOutgrown();
		}
	};

	const endIfOutgrown = (): void => {
		if (refused && !exchange.closed && (surely() > covered.maxOutputTokens || usage.sure().inputTokens > covered.inputTokens)) cut(refused);
	};

	return {
		see(chunk) {
			events += eventsIn(chunk);
			if (refused) return endIfOutgrown();
			if (asking) return;
			const output = surely();
			const {inputTokens} = usage.sure();
			const ahead = Math.min(aheadTokens, covered.maxOutputTokens >> 2);
			if (output + ahead <= covered.maxOutputTokens && inputTokens <= covered.inputTokens) return;
			const most = Math.max(covered.maxOutputTokens, output) + Math.max(leastStep, covered.maxOutputTokens >> 1);
			const maxOutputTokens = output + ahead <= covered.maxOutputTokens ? covered.maxOutputTokens : most;
			void grow(needOf(asked, deployment, Math.max(covered.inputTokens, inputTokens), maxOutputTokens));
		},
		surely,
	};
};
