import * as z from 'zod';
import {allow, type Json, type Operation} from '../../plugin-sdk/index.ts';
import {type Lent, openBook, type Rule, type Standing, toldAt} from './book.ts';
import {notifyAt, scope, timeZone} from './names.ts';

/** A trillion is as many as the ledger takes. */
const count = z.int().min(0).max(1e12);

/** What may be said of a limit, beside how high it is. */
export const manner = {
	/** Told, and never refused. */
	soft: z.literal(true).optional(),
	notifyAt: notifyAt.optional(),
	timeZone: timeZone.optional(),
};

export const most = count.nullable();
const limit = z.union([count, z.strictObject({limit: most, ...manner})]);
type Limit = z.output<typeof limit>;

/** Limits by account and name, `tokens/day`; `*` is for each account that is not named, for itself. */
export const limitsOf = (name: z.ZodType<string, string>) =>
	z.strictObject({
		limits: z.record(scope, z.record(name, limit)).default({}),
		/** UTC when left out. */
		timeZone: timeZone.optional(),
		/** For every limit that says nothing else. */
		notifyAt: notifyAt.default([]),
	});
type Config = {limits: Record<string, Record<string, Limit>>; timeZone?: string | undefined; notifyAt: number[]};

type CountUnit = 'requests' | 'tokens' | 'inputTokens' | 'outputTokens' | 'toolCalls' | 'slots';
type Place = {unit: CountUnit; window: string};

/** `tokens` and `day` of `tokens/day`. */
export const placeOf = (name: string): Place => {
	if (name === 'concurrency') return {unit: 'slots', window: 'now'};
	const [unit = '', window = ''] = name.split('/');
	return {unit: unit as CountUnit, window};
};

const ruleOf = (limit: Limit, {notifyAt}: Config): Rule => ({notifyAt, ...(typeof limit === 'number' ? {limit} : limit)});

/** The book of a plugin that counts; its actions store what its config says. */
export const openCounts = <C extends Config>() =>
	openBook<Rule, C>({
		configured: config =>
			Object.fromEntries(
				Object.entries(config.limits).map(([scope, rules]) => [
					scope,
					Object.fromEntries(Object.entries(rules).map(([name, limit]) => [name, ruleOf(limit, config)])),
				]),
			),
		read: (row: Json, config) => ruleOf(row as Limit, config),
	});

type Estimate = {inputTokens: number; maxOutputTokens: number};

/** The most that a call can take of what it takes anything of. */
type Amounts = Partial<Record<CountUnit, number>>;

/** Of a call of a model. */
export const ofModel = (operation: Operation, {inputTokens, maxOutputTokens}: Estimate): Amounts => {
	// Counting tokens uses none.
	const [input, output] = operation === 'count_tokens' ? [0, 0] : [inputTokens, maxOutputTokens];
	return {requests: 1, slots: 1, tokens: input + output, inputTokens: input, outputTokens: output};
};

/** Of a call of a tool, and of any other request to an MCP server: none of them takes a token. */
export const ofTool: Amounts = {requests: 1, slots: 1, toolCalls: 1};
export const ofServer: Amounts = {requests: 1, slots: 1};

const unfilled = ({account: scope, name, rule}: Standing<Rule>, {config}: Lent<Config>, account: (scope: string) => string) => {
	const {unit, window} = placeOf(name);
	const {limit, soft, timeZone = config.timeZone} = rule;
	return {account: account(scope), unit, amount: 0, limit, window: window as 'day', timeZone, soft, notifyAt: toldAt(rule)};
};

/** The same limits come again and again: what is reserved under them is made once, and only its amounts are new. */
const made = new WeakMap<readonly Standing<Rule>[], ReturnType<typeof unfilled>[]>();

/**
 * The most that a call can take of each of these limits, to be handed on at once; `account` says what the ledger calls one. Limits of what
 * it takes nothing of have no say.
 */
export const reservations = (
	standing: readonly Standing<Rule>[],
	most: Amounts,
	lent: Lent<Config>,
	account: (scope: string) => string,
) => {
	const reserve = made.get(standing) ?? standing.map(one => unfilled(one, lent, account));
	made.set(standing, reserve);
	return reserve.flatMap(one => {
		const amount = most[one.unit];
		if (amount === undefined) return [];
		one.amount = amount;
		return [one];
	});
};

/** One try at a deployment, as the core tells of it. */
type Attempt = {status?: number; error?: string};
type Ended = {outcome: string; usage?: {inputTokens: number; outputTokens: number} | undefined; attempts: readonly unknown[]};

const nothing = {requests: 0, tokens: 0, inputTokens: 0, outputTokens: 0, toolCalls: 0};

/** A provider that is down, or limits us, has given no answer; of an MCP server a result is one, and an error of its own. */
const isAnswer = ({status, error}: Attempt): boolean =>
	status === undefined ? error === undefined || error === 'rpc_error' : status < 500 && status !== 429;
/** Nobody counts tokens for a request that was not sent, or for an error. */
const isFree = ({status, error}: Attempt): boolean => error === 'upstream_unreachable' || (status !== undefined && status >= 300);

/**
 * What a call has used in the end. One that got no answer, or was refused on its way, gives everything back; one whose client left does
 * not. Where nobody knows how many tokens were used, what was set aside stays used.
 */
export const settled = ({outcome, usage, attempts: tries}: Ended) => {
	const attempts = tries as readonly Attempt[];
	const isGivenBack = outcome !== 'ok' && outcome !== 'aborted' && !attempts.some(isAnswer);
	if (isGivenBack) return allow({settle: nothing});
	if (usage) {
		const {inputTokens, outputTokens} = usage;
		return allow({settle: {requests: 1, tokens: inputTokens + outputTokens, inputTokens, outputTokens}});
	}
	return allow({settle: attempts.every(isFree) ? {...nothing, requests: 1} : {requests: 1}});
};
