import type {Child} from './child.ts';

const tickMs = 10;

/** `passedMs` since the last tick, of which the process worked for `busyMs`; `nth` counts from 1. */
export type Tick = {now: number; passedMs: number; busyMs: number; nth: number};

/** Looks at a process every 10 ms for as long as somebody waits for it. */
export const tick = (child: Child, onTick: (tick: Tick) => void): NodeJS.Timeout => {
	let last = performance.now();
	let lastBusyMs = child.busyMs();
	let nth = 0;
	return setInterval(() => {
		const now = performance.now();
		const busyMs = child.busyMs();
		// When we were late ourselves, its answer may be waiting for us; without a processor, it is not to blame.
		const passedMs = Math.min(now - last, 2 * tickMs);
		const known = busyMs !== undefined && lastBusyMs !== undefined;
		onTick({now, passedMs, busyMs: known ? busyMs - lastBusyMs! : passedMs, nth: ++nth});
		last = now;
		lastBusyMs = busyMs;
	}, tickMs);
};
