import type {Attempt} from '../../schemas/record.ts';
import {asGatewayError, type ErrorCode, GatewayError} from '../errors.ts';
import type {Reply, ReplyHeaders} from './reply.ts';

/** `provider/model` that can serve a request. */
export type Deployment = {
	/** `provider/model`, as the config writes it. */
	name: string;
	provider: string;
	model: string;
};

export type Answered<D extends Deployment = Deployment> = {
	reply: Reply;
	deployment: D;
	/** As recorded; whoever reads the body adds `error` when that fails. */
	attempt: Attempt;
};

export type Trying = {
	exchangeId: string;
	/** Called once for each attempt, as soon as its head has come or it failed. */
	record(attempt: Attempt): void;
	rests?: Rests;
	/** Milliseconds, never going back. */
	now?: () => number;
};

/** Remembers, in this process and for seconds, which providers could not be reached. */
export type Rests = {
	/** The same deployments; those of a resting provider last, since trying beats refusing. */
	order<D extends Deployment>(plan: readonly D[]): readonly D[];
	reached(provider: string): void;
	missed(provider: string): void;
};

/** A provider rests for `restMs` after `most` attempts in a row that nothing answered. */
export const restingProviders = ({now = performance.now.bind(performance), most = 3, restMs = 5_000} = {}): Rests => {
	const missing = new Map<string, {times: number; until: number}>();
	const isResting = ({provider}: Deployment): boolean => (missing.get(provider)?.until ?? 0) > now();
	return {
		order: plan => (missing.size === 0 || plan.length < 2 ? plan : plan.toSorted((a, b) => Number(isResting(a)) - Number(isResting(b)))),
		reached: provider => missing.delete(provider),
		missed: provider => {
			const times = (missing.get(provider)?.times ?? 0) + 1;
			missing.set(provider, {times, until: times >= most ? now() + restMs : 0});
		},
	};
};

const tryNext: ReadonlySet<ErrorCode> = new Set(['upstream_unreachable', 'upstream_timeout', 'upstream_malformed', 'upstream_failed']);
const unanswered: ReadonlySet<ErrorCode> = new Set(['upstream_unreachable', 'upstream_timeout']);

/** The wait a provider asks for, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, section 10.2.3). */
export const retryAfterMs = (headers: ReplyHeaders, nowMs = Date.now()): number | undefined => {
	const {'retry-after-ms': exact, 'retry-after': rough} = headers;
	if (typeof exact === 'string' && /^\d+(\.\d+)?$/.test(exact)) return Math.ceil(Number(exact));
	if (typeof rough !== 'string') return undefined;
	if (/^\d+(\.\d+)?$/.test(rough)) return Math.ceil(Number(rough) * 1_000);
	const at = Date.parse(rough);
	return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
};

/** What a head alone says is no answer; undefined for one to hand on. The provider's own words are not repeated. */
const refusalOf = ({status, headers}: Reply, {name, provider}: Deployment): GatewayError | undefined => {
	if (status === 429) {
		return new GatewayError('upstream_rate_limited', `${name} is limiting its callers.`, {retryAfterMs: retryAfterMs(headers)});
	}
	if (status >= 500)
		return new GatewayError('upstream_failed', `${name} failed with status ${status}.`, {retryAfterMs: retryAfterMs(headers)});
	if (status === 408) return new GatewayError('upstream_timeout', `${name} gave up waiting.`);
	if (status === 401 || status === 402 || status === 403 || status === 407) {
		return new GatewayError('upstream_refused', `Provider "${provider}" refuses the gateway's key with status ${status}.`);
	}
	// Following a redirect would carry the key and the content somewhere else.
	if (status >= 300 && status < 400) return new GatewayError('upstream_malformed', `${name} redirects, which is not followed.`);
	return undefined;
};

const movesOn = (status: number): boolean => status === 429 || status >= 500 || status === 408;

/**
 * Tries the deployments in order until one answers, and hands that answer on; its body is still to come. The next is tried after an
 * attempt that was not reached, was late, broke off before its first byte, or answered 408, 429 or 5xx. Any other 4xx is an answer, but
 * 401, 402 and 403 are about the operator's key and become `upstream_refused`. When all failed, rejects with the error of the last.
 */
export const firstToAnswer = async <D extends Deployment>(
	plan: readonly D[],
	attempt: (deployment: D, attemptId: string) => Promise<Reply>,
	{exchangeId, record, rests, now = performance.now.bind(performance)}: Trying,
): Promise<Answered<D>> => {
	let last: GatewayError | undefined;
	let number = 0;
	for (const deployment of rests?.order(plan) ?? plan) {
		const id = `${exchangeId}.${++number}`;
		const begun = now();
		const tried = (outcome: {status?: number; error?: ErrorCode}): Attempt => {
			const entry: Attempt = {id, deployment: deployment.name, ...outcome, ms: Math.round((now() - begun) * 10) / 10};
			record(entry);
			return entry;
		};
		let reply: Reply;
		try {
			reply = await attempt(deployment, id);
		} catch (thrown) {
			last = asGatewayError(thrown);
			tried({error: last.code});
			if (unanswered.has(last.code)) rests?.missed(deployment.provider);
			if (!tryNext.has(last.code)) throw last;
			continue;
		}
		rests?.reached(deployment.provider);
		const refusal = refusalOf(reply, deployment);
		const entry = tried({status: reply.status, error: refusal?.code});
		if (refusal === undefined) return {reply, deployment, attempt: entry};
		reply.drop();
		last = refusal;
		if (!movesOn(reply.status)) throw last;
	}
	throw last ?? new GatewayError('upstream_unreachable', 'There is no deployment to try.');
};
