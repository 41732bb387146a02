import type {Effects, Reservation} from '../../schemas/verdict.ts';
import {type CarryOut, refusal} from '../effects.ts';
import type {Ledger} from '../ledger/ledger.ts';

/** What would be set aside, beside what its account has in its window; amounts as in the ledger: micro-dollars, tokens, requests. */
export type WouldReserve = Pick<Reservation, 'account' | 'unit' | 'amount' | 'limit' | 'window'> & {
	used: number;
	fits: boolean;
	/** It is told and does not refuse. */
	soft?: true;
	resetsAt?: string;
};

/** What a verdict would have the gateway do. */
export type Foreseen = {wouldReserve?: WouldReserve[]; wouldTag?: string[]; wouldPut?: number; wouldAnnotate?: Effects['annotate']};

type Options = {ledger: Pick<Ledger, 'balance'>; foreseen: Map<string, Foreseen>; now: () => number};

/** In the place of effects: notes what they would do, changes nothing but the exchange at hand, and refuses what has no room. */
export const foresee = ({ledger, foreseen, now}: Options): CarryOut => {
	const weighed = ({account, unit, amount, limit, window, timeZone, soft}: Reservation): WouldReserve => {
		const {spent, reserved, resetsAt} = ledger.balance(account, unit, window, timeZone);
		const used = spent + reserved;
		return {
			account,
			unit,
			amount,
			limit,
			window,
			used,
			fits: limit === null || used + amount <= limit,
			...(soft && {soft}),
			...(resetsAt !== undefined && {resetsAt: new Date(resetsAt).toISOString()}),
		};
	};

	return (exchange, plugin, effects) => {
		const {reserve = [], tag, carry, annotate, put} = effects;
		const wouldReserve = reserve.map(weighed);
		foreseen.set(plugin, {
			...(wouldReserve.length > 0 && {wouldReserve}),
			...(tag && {wouldTag: tag}),
			...(put && {wouldPut: Object.keys(put).length}),
			...(annotate && {wouldAnnotate: annotate}),
		});
		const short = wouldReserve.find(({fits, soft}) => !fits && !soft);
		if (short) {
			const {amount: needed, limit, resetsAt, ...rest} = short;
			throw refusal({...rest, limit: limit ?? 0, needed, ...(resetsAt && {resetsAt: Date.parse(resetsAt)})}, plugin, effects, now());
		}
		// The plugins behind read them, and may be in scope because of them.
		if (tag) exchange.tags = [...new Set([...exchange.tags, ...tag])];
		if (carry !== undefined) exchange.carried.set(plugin, carry);
		return undefined;
	};
};
