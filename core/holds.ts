import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import {keysOf} from './scope.ts';

/** An exchange that waits for somebody's decision: it costs a timer and a place in a list, and nobody is asked anything meanwhile. */
export type Hold = {
	/** Keys of the plugin's kv that begin so are what it waits for. Answers whether they are others than before: look at them first. */
	watch(keys: string): boolean;
	/**
	 * Resolves when something it waits for has changed since the last call, once in 100 ms however much has, or with `over` when its time is.
	 * Rejects when its exchange is ended: `client_closed`, or what it was cut with.
	 */
	next(): Promise<'changed' | 'over'>;
	end(): void;
};

export type Holds = {
	/** Undefined where as many wait as may, and where the gateway is stopping. Throws `rate_limited` where as many of the same key wait as may. */
	open(exchange: Exchange, plugin: string, ms: number): Hold | undefined;
	/** A plugin's kv has changed, here or in another process. */
	changed(plugin: string, entries: Readonly<Record<string, unknown>>): void;
	/** How many wait. */
	size(): number;
	/** The time of all of them is over, and nobody waits from now on. */
	close(): void;
};

type Place = {plugin: string; keys: string | undefined; changed(): void; over(): void};

const retryAfterMs = 1_000;
/** What changes so soon after a change is asked about with what else does. */
const gatherMs = 100;

/** Whose share a place is of: a key's and those that it was minted from, or that of a principal without one. */
const sharersOf = ({principal}: Exchange): readonly string[] =>
	[...new Set(keysOf(principal) ?? [`of ${principal?.id ?? ''}`])].map(name => `${principal?.tenant ?? ''}\n${name}`);

/** Where exchanges wait, `held` at a time, of which `heldPerKey` may be of one key. */
export const openHolds = ({held: most, heldPerKey}: {held: number; heldPerKey: number}): Holds => {
	const places = new Set<Place>();
	const shares = new Map<string, number>();
	let closed = false;

	const share = (sharers: readonly string[], by: 1 | -1): void => {
		for (const name of sharers) {
			const now = (shares.get(name) ?? 0) + by;
			if (now === 0) shares.delete(name);
			else shares.set(name, now);
		}
	};

	return {
		open(exchange, plugin, ms) {
			if (closed || places.size >= most) return undefined;
			const sharers = sharersOf(exchange);
			if (sharers.some(name => (shares.get(name) ?? 0) >= heldPerKey))
				throw new GatewayError('rate_limited', `${heldPerKey} requests of this key wait for approvals already (limits.heldPerKey).`, {
					plugin,
					retryAfterMs,
				});
			const {waiting, cut} = exchange;
			const left = waiting?.onLeft;
			const seen = {changed: false, over: false};
			let ended: GatewayError | undefined;
			let waiter: (() => void) | undefined;
			let toldMs = Number.NEGATIVE_INFINITY;
			let gathering: NodeJS.Timeout | undefined;
			const wake = (): void => waiter?.();
			const tell = (): void => {
				gathering = undefined;
				seen.changed = true;
				wake();
			};
			const place: Place = {
				plugin,
				keys: undefined,
				changed() {
					const ms = toldMs + gatherMs - performance.now();
					if (ms <= 0) tell();
					else gathering ??= setTimeout(tell, ms);
				},
				over() {
					seen.over = true;
					wake();
				},
			};
			const endBy = (error: GatewayError): void => {
				ended ??= error;
				wake();
			};
			const onLeft = (): void => {
				left?.();
				endBy(new GatewayError('client_closed', 'The client left while this waited for an approval.'));
			};
			const onCut = (error: GatewayError): void => {
				endBy(error);
				cut?.(error);
			};
			if (waiting?.left) onLeft();
			if (waiting) waiting.onLeft = onLeft;
			exchange.cut = onCut;
			const timer = setTimeout(place.over, ms);
			places.add(place);
			share(sharers, 1);

			return {
				watch(keys) {
					const isOther = place.keys !== keys;
					place.keys = keys;
					return isOther;
				},
				async next() {
					if (!ended && !seen.changed && !seen.over) {
						await new Promise<void>(resolve => {
							waiter = resolve;
						});
						waiter = undefined;
					}
					if (ended) throw ended;
					if (!seen.changed) return 'over';
					seen.changed = false;
					toldMs = performance.now();
					return 'changed';
				},
				end() {
					clearTimeout(timer);
					clearTimeout(gathering);
					if (places.delete(place)) share(sharers, -1);
					if (waiting?.onLeft === onLeft) waiting.onLeft = left;
					if (exchange.cut !== onCut) return;
					if (cut) exchange.cut = cut;
					else delete exchange.cut;
				},
			};
		},
		changed(plugin, entries) {
			if (places.size === 0) return;
			const names = Object.keys(entries);
			for (const place of places) {
				const {keys} = place;
				if (place.plugin === plugin && keys !== undefined && names.some(name => name.startsWith(keys))) place.changed();
			}
		},
		size: () => places.size,
		close() {
			closed = true;
			for (const place of places) place.over();
		},
	};
};
