import type {Report} from './tier.ts';

const strikes = 3;
const withinMs = 60_000;
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

/**
 * Keeps a plugin out that had to be stopped three times within a minute: it is asked again after 10 s, then 20 s, up to
 * five minutes. An error a plugin merely throws does not count, or a crafted request could switch a guard off.
 */
export const openQuarantine = ({report, now}: {report: Report; now: () => number}) => {
	const cells = new Map<string, {stops: number[]; pauseMs: number; until: number}>();
	let held = 0;

	return {
		stopped(plugin: string, reason: string): void {
			const at = now();
			const cell = cells.get(plugin) ?? {stops: [], pauseMs: firstPauseMs, until: 0};
			cell.stops = [...cell.stops.filter(stop => at - stop < withinMs), at];
			cells.set(plugin, cell);
			report({plugin, what: 'stopped', reason});
			if (cell.stops.length < strikes) return;
			cell.stops = [];
			if (cell.until === 0) held++;
			cell.until = at + cell.pauseMs;
			cell.pauseMs = Math.min(cell.pauseMs * 2, longestPauseMs);
			report({plugin, what: 'quarantined', reason});
		},
		/** Whether the plugin must not be entered now. */
		holds(plugin: string): boolean {
			const cell = cells.get(plugin);
			if (!cell || cell.until === 0) return false;
			if (now() < cell.until) return true;
			cell.until = 0;
			held--;
			report({plugin, what: 'back', reason: 'the pause is over'});
			return false;
		},
		/** Whether nobody is kept out. */
		get empty(): boolean {
			return held === 0;
		},
	};
};
