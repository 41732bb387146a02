import type {RecordedFinding} from '../../schemas/record.ts';
import type {Finding, FoundBefore} from '../../schemas/verdict.ts';
import type {Exchange} from '../exchange.ts';
import type {Fields} from '../hooks.ts';

const bySeverity: readonly Finding['severity'][] = ['low', 'medium', 'high', 'critical'];

/** Kinds of findings, not findings: guards have so many names, and not more. */
const mostKinds = 200;

/** Names are a plugin's own words. */
export const mostNames = 50;
export const otherName = 'other';

/** Notes a taint on the exchange alone; answers the name it goes by. */
export const taintAlone = (exchange: Exchange, name: string): string => {
	exchange.taints ??= new Set();
	const known = exchange.taints.size < mostNames || exchange.taints.has(name) ? name : otherName;
	exchange.taints.add(known);
	return known;
};

const none: readonly string[] = [];

/** What the exchange is tainted with by itself, in order. */
export const ownTaints = ({taints}: Exchange): readonly string[] => (taints ? [...taints].sort() : none);

/** Notes a finding for the plugins behind: each kind once, with the highest score and severity of all. What a guard found that only observes is none of theirs. */
export const noteFound = (
	exchange: Exchange,
	{detector, category, severity, score, channel, action, plugin, hook, mode}: RecordedFinding,
): void => {
	if (mode === 'observe') return;
	exchange.found ??= new Map();
	const kind = JSON.stringify([plugin, hook, detector, category, channel, action]);
	const known = exchange.found.get(kind);
	if (!known && exchange.found.size >= mostKinds) return;
	const isWorse = !known || bySeverity.indexOf(severity) > bySeverity.indexOf(known.severity);
	const told: FoundBefore = {
		detector,
		category,
		severity: isWorse ? severity : known.severity,
		score: Math.max(score, known?.score ?? 0),
		channel,
		action,
		plugin,
		hook,
	};
	exchange.found.set(kind, told);
};

/** The fields of an exchange, with those that its guards have brought about: `taints` and `findings`, as they are when they are asked for. */
export const withSaid =
	(exchange: Exchange, fields: Fields, taintsOf: (exchange: Exchange) => readonly string[]): Fields =>
	path => {
		if (path === 'taints') {
			const taints = taintsOf(exchange);
			return taints.length === 0 ? '[]' : JSON.stringify(taints);
		}
		if (path === 'findings') return exchange.found ? JSON.stringify([...exchange.found.values()]) : '[]';
		return fields(path);
	};
