import type {Reservation} from '../schemas/verdict.ts';
import type {Exchange} from './exchange.ts';
import type {Ledger} from './ledger/ledger.ts';

type Unit = 'requests' | 'tokens' | 'microUsd';
type State = {limit: number; remaining: number; resetMs: number | undefined};

const second = 1_000;
const msOf: Readonly<Record<string, number>> = {s: second, m: 60 * second, h: 3_600 * second, d: 86_400 * second};

/** As OpenAI writes it: `250ms`, `1s`, `6m0s`, `1h0m0s`. Rounded up: nobody should come too early. */
export const durationOf = (ms: number): string => {
	if (ms < second) return `${Math.ceil(ms)}ms`;
	const seconds = Math.ceil(ms / second);
	const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60)];
	if (hours > 0) return `${hours}h${minutes % 60}m${seconds % 60}s`;
	return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
};

const rolling = /^rolling:(\d+)([smhd])$/;

/** A rolling window is as it was when all of its length has passed, since something has been used just now. */
const lengthOf = (window: Reservation['window']): number | undefined => {
	if (!window.startsWith('rolling:')) return undefined;
	const [, count, unit = ''] = rolling.exec(window) ?? [];
	return count === undefined ? undefined : Number(count) * msOf[unit]!;
};

const stateOf = ({account, unit, window, timeZone}: Reservation, limit: number, {balance}: Pick<Ledger, 'balance'>, now: number): State => {
	const {spent, reserved, resetsAt} = balance(account, unit, window, timeZone);
	const resetMs = resetsAt === undefined ? lengthOf(window) : Math.max(0, resetsAt - now);
	return {limit, remaining: Math.max(0, limit - spent - reserved), resetMs};
};

/** For each unit, the limit with the least room left; of those with as little, the one that stays so for longest. */
const tightest = ({limits}: Exchange, ledger: Pick<Ledger, 'balance'>, now: number): Partial<Record<Unit, State>> => {
	const states: Partial<Record<Unit, State>> = {};
	for (const {reserve} of limits) {
		for (const reservation of reserve) {
			const {unit, limit, soft} = reservation;
			if (limit === null || soft || (unit !== 'requests' && unit !== 'tokens' && unit !== 'microUsd')) continue;
			const state = stateOf(reservation, limit, ledger, now);
			const known = states[unit];
			const isTighter =
				!known ||
				state.remaining < known.remaining ||
				(state.remaining === known.remaining && (state.resetMs ?? Number.POSITIVE_INFINITY) > (known.resetMs ?? Number.POSITIVE_INFINITY));
			if (isTighter) states[unit] = state;
		}
	}
	return states;
};

const tell = (headers: Record<string, string>, unit: Unit, {limit, remaining, resetMs}: State): void => {
	headers[`x-ratelimit-limit-${unit}`] = String(limit);
	headers[`x-ratelimit-remaining-${unit}`] = String(remaining);
	if (resetMs !== undefined) headers[`x-ratelimit-reset-${unit}`] = durationOf(resetMs);
};

/**
 * What is left of the limits that an exchange had to keep to, as the ledger has it by now: `x-ratelimit-*` as OpenAI's clients read it, and
 * `x-sallyport-budget-remaining` in US dollars. Nothing where no plugin reserved anything.
 */
export const limitHeaders = (exchange: Exchange, ledger: Pick<Ledger, 'balance'>, now: number): Record<string, string> => {
	const headers: Record<string, string> = {};
	if (exchange.limits.length === 0) return headers;
	const {requests, tokens, microUsd} = tightest(exchange, ledger, now);
	if (requests) tell(headers, 'requests', requests);
	if (tokens) tell(headers, 'tokens', tokens);
	if (microUsd) headers['x-sallyport-budget-remaining'] = (microUsd.remaining / 1e6).toFixed(6);
	return headers;
};
