import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';

/** An exchange that waits for somebody's decision: it costs a timer and a place in a list, and nobody is asked anything meanwhile. */
export type Hold = {
	/** Keys of the plugin's kv that begin so are what it waits for. Answers whether they are others than before: look at them first. */
	watch(keys: string): boolean;
	/**
	 * Resolves when something it waits for has changed since the last call, or with `over` when its time is. Rejects when its exchange is
	 * ended: `client_closed`, or what it was cut with.
	 */
	next(): Promise<'changed' | 'over'>;
	end(): void;
};

export type Holds = {
	/** Undefined where as many wait as may, and where the gateway is stopping. */
	open(exchange: Exchange, plugin: string, ms: number): Hold | undefined;
	/** A plugin's kv has changed, here or in another process. */
	changed(plugin: string, entries: Readonly<Record<string, unknown>>): void;
	/** How many wait. */
	size(): number;
	/** The time of all of them is over, and nobody waits from now on. */
	close(): void;
};

type Place = {plugin: string; keys: string | undefined; changed(): void; over(): void};

/** Where exchanges wait, `most` at a time. */
export const openHolds = (most: number): Holds => {
	const places = new Set<Place>();
	let closed = false;

	return {
		open(exchange, plugin, ms) {
			if (closed || places.size >= most) return undefined;
			const {waiting, cut} = exchange;
			const left = waiting?.onLeft;
			const seen = {changed: false, over: false};
			let ended: GatewayError | undefined;
			let waiter: (() => void) | undefined;
			const wake = (): void => waiter?.();
			const place: Place = {
				plugin,
				keys: undefined,
				changed() {
					seen.changed = true;
					wake();
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
					return 'changed';
				},
				end() {
					clearTimeout(timer);
					places.delete(place);
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
