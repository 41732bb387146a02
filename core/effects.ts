import type {Booking} from '../schemas/record.ts';
import type {Effects} from '../schemas/verdict.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Ledger, Outcome, Short} from './ledger/ledger.ts';
import type {Kv} from './store/kv.ts';

/**
 * Does what a verdict asks for; a promise only where the ledger has to wait for a larger lease, or the store is to be sure. Resolves with
 * `lost`, and nothing is done, where another exchange has had what it claims. Throws GatewayError when an account is short.
 */
export type CarryOut = (exchange: Exchange, plugin: string, verdict: Asked) => Promise<'lost' | undefined> | undefined;

type Asked = Effects & {verdict?: string};

type Options = {
	ledger: Ledger;
	kv: Kv;
	/** The store's. */
	once: (name: string, expiresAt: number) => Promise<boolean>;
	onLost: (plugin: string, error: unknown) => void;
	now: () => number;
};

const amountOf = (amount: number, unit: Short['unit']): string =>
	unit === 'microUsd' ? `${(amount / 1e6).toFixed(6)} USD` : `${amount} ${unit}`;

/** Who is short, by how much, until when: the caller's own account, so it may know. */
export const refusal = (short: Short, plugin: string, {orElse = 'budget_exceeded'}: Effects, now: number): GatewayError => {
	const {account, unit, window, limit, used, needed, resetsAt} = short;
	const room = Math.max(0, limit - used);
	// No window has room for more than its limit.
	const isHopeless = needed > limit;
	const message = `The ${window} limit of ${account} has ${amountOf(room, unit)} left of ${amountOf(limit, unit)}; this may take ${amountOf(needed, unit)}.`;
	return new GatewayError(orElse, message, {
		plugin,
		rule: `${account}/${window}`,
		...(resetsAt !== undefined && !isHopeless && {retryAfterMs: Math.max(0, resetsAt - now)}),
	});
};

export const openEffects = ({ledger, kv, once, onLost, now}: Options): CarryOut => {
	const held = (exchange: Exchange, plugin: string, outcome: Outcome, effects: Effects): void => {
		if (outcome.short) throw refusal(outcome.short, plugin, effects, now());
		exchange.held.set(plugin, [...(exchange.held.get(plugin) ?? []), ...outcome.held]);
		const {crossed, soft} = outcome;
		if (crossed) exchange.crossed = [...(exchange.crossed ?? []), ...crossed];
		if (soft) exchange.annotations[`${plugin}.overSoftLimit`] = soft.map(({account, window}) => `${account}/${window}`).join(', ');
	};

	/** A promise only where the store has to have it: nobody is told of an approval that a crash could undo. */
	const rest = (
		exchange: Exchange,
		plugin: string,
		{verdict, claim, settle, annotate, tag, put, carry}: Asked,
	): Promise<void> | undefined => {
		if (settle) settleHeld(ledger, exchange, plugin, settle);
		if (annotate) for (const [key, value] of Object.entries(annotate)) exchange.annotations[`${plugin}.${key}`] = value;
		if (tag) exchange.tags = [...new Set([...exchange.tags, ...tag])];
		if (carry !== undefined) exchange.carried.set(plugin, carry);
		if (put) {
			const texts = Object.entries(put).map(([key, json]) => [key, json === null ? null : JSON.stringify(json)] as const);
			if (claim !== undefined || verdict === 'hold') return kv.put(plugin, Object.fromEntries(texts));
			kv.putSoon(plugin, Object.fromEntries(texts)).catch(error => onLost(plugin, error));
		}
		return undefined;
	};

	const done = (): undefined => undefined;

	const all = (exchange: Exchange, plugin: string, effects: Asked): Promise<undefined> | undefined => {
		if (!effects.reserve || effects.reserve.length === 0) return rest(exchange, plugin, effects)?.then(done);
		exchange.limits.push({plugin, reserve: effects.reserve, orElse: effects.orElse ?? 'budget_exceeded'});
		const outcome = ledger.reserve(effects.reserve);
		if (outcome instanceof Promise) {
			return outcome.then(decided => {
				held(exchange, plugin, decided, effects);
				return rest(exchange, plugin, effects)?.then(done);
			});
		}
		held(exchange, plugin, outcome, effects);
		return rest(exchange, plugin, effects)?.then(done);
	};

	const claimed = async (exchange: Exchange, plugin: string, verdict: Asked): Promise<'lost' | undefined> => {
		const {name, until} = verdict.claim!;
		// What is forgotten at once could be had twice.
		if (until <= now()) throw new Error(`the claim ${name} is over`);
		if (!(await once(`claim:${plugin}:${name}`, until))) return 'lost';
		exchange.claims = (exchange.claims ?? new Map<string, string>()).set(plugin, name);
		exchange.approval = {id: name.replace(/\/.*$/s, ''), ...(verdict.verdict === 'rewrite' && {isEdited: true})};
		await all(exchange, plugin, verdict);
		return undefined;
	};

	return (exchange, plugin, verdict) => (verdict.claim ? claimed(exchange, plugin, verdict) : all(exchange, plugin, verdict));
};

/** Ends what `plugin` has set aside for this exchange. */
export const settleHeld = (ledger: Ledger, exchange: Exchange, plugin: string, used: NonNullable<Effects['settle']>): void => {
	const bookings: Booking[] | undefined = exchange.held.get(plugin);
	if (!bookings) return;
	// An amount that the ledger refuses leaves them held: they are booked in full when the exchange ends.
	exchange.settled.push(...ledger.settle(bookings, used));
	exchange.held.delete(plugin);
};
