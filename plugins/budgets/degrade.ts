import type {Host} from '../../plugin-sdk/index.ts';
import type {Standing} from '../limits/book.ts';
import type {Config, Degrade, MoneyRule} from './limits.ts';

type Lent = Pick<Host<Config>, 'config' | 'ledger'>;

/** The name itself before the patterns, in their order. */
const cheaperThan = (model: string, {to}: Degrade): string | undefined => {
	if (Object.hasOwn(to, model)) return to[model];
	const pattern = Object.keys(to).find(name => name.endsWith('*') && model.startsWith(name.slice(0, -1)));
	return pattern === undefined ? undefined : to[pattern];
};

/** What is used of a limit by now, spent or set aside, in micro-dollars. */
export const usedOf = ({account, name, rule: {timeZone}}: Standing<MoneyRule>, {config, ledger}: Lent): number => {
	const {spent, reserved} = ledger.balance(account, 'microUsd', name, timeZone ?? config.timeZone);
	return spent + reserved;
};

/** The model to call instead, because a limit that says so is nearly out; nothing where none is, or where the ways lead in a circle. */
export const degraded = (standing: readonly Standing<MoneyRule>[], model: string, lent: Lent): string | undefined => {
	const states = new Map<Standing<MoneyRule>, boolean>();
	const isNearlyOut = (one: Standing<MoneyRule>, limit: number, at: number): boolean => {
		const known = states.get(one) ?? usedOf(one, lent) * 100 >= at * limit;
		states.set(one, known);
		return known;
	};
	const nextOf = (from: string): string | undefined => {
		for (const one of standing) {
			const {degrade, limit} = one.rule;
			const to = degrade && cheaperThan(from, degrade);
			if (to !== undefined && to !== from && limit !== null && limit > 0 && isNearlyOut(one, limit, degrade!.at)) return to;
		}
		return undefined;
	};
	const passed = new Set([model]);
	let last = model;
	for (let next = nextOf(model); next !== undefined; next = nextOf(next)) {
		if (passed.has(next)) return undefined;
		passed.add(next);
		last = next;
	}
	return last === model ? undefined : last;
};
