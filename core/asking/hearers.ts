import type {CarryOut} from '../effects.ts';
import {type Hooks, type Member, openHooks} from '../hooks.ts';
import type {Run, Tier} from '../plugins/tier.ts';

type Options = Omit<Parameters<typeof openHooks>[0], 'steady' | 'holds'>;

const saying: ReadonlySet<string> = new Set([
	...['text[]', 'channels[]', 'messages', 'tools', 'window', 'result', 'requestDigest'],
	...['tool.arguments', 'tool.definition'],
]);

const asksModels = ({plugin}: Member): boolean => plugin.manifest.capabilities.includes('models');

const readsWhatIsSaid = ({plugin}: Member): boolean =>
	Object.values(plugin.manifest.hooks).some(({reads}) => reads.some(path => saying.has(path) || path.startsWith('params.')));

const readsWhatItCost = ({plugin}: Member): boolean =>
	plugin.manifest.hooks['post-response']?.reads.some(path => path === 'usage' || path === 'costMicroUsd') === true;

/** Tiers know a run by its number: those of other hooks begin where the first never come. */
const numberedFrom = (first: number) => {
	const tiers = new Map<Tier, Tier>();
	const runs = new WeakMap<Run, Run>();
	const other = (run: Run): Run => {
		const known = runs.get(run) ?? {...run, id: run.id + first};
		runs.set(run, known);
		return known;
	};
	return (member: Member): Member => {
		const {tier} = member;
		const own = tiers.get(tier) ?? {...tier, ask: (run, from, values) => tier.ask(other(run), from, values)};
		tiers.set(tier, own);
		return {...member, tier: own};
	};
};

/** Whoever waits for the answer holds a place already: with a second one for the question, one place would never be enough. */
const withoutPlaces =
	(carryOut: CarryOut): CarryOut =>
	(exchange, plugin, verdict) =>
		carryOut(exchange, plugin, verdict.reserve ? {...verdict, reserve: verdict.reserve.filter(({unit}) => unit !== 'slots')} : verdict);

/**
 * Who is asked about what a plugin asks a model: those that count, which read what an exchange has used or cost, nothing of what is said,
 * and ask no model themselves; and at on-audit everybody else who asks none. So no question leads to another.
 */
export const hearersOf = ({members, carryOut, ...rest}: Options): Hooks => {
	const silent = members.filter(member => !asksModels(member));
	const counting = silent.filter(member => readsWhatItCost(member) && !readsWhatIsSaid(member));
	const counts = openHooks({...rest, members: counting.map(numberedFrom(1_000_000)), carryOut: withoutPlaces(carryOut)});
	const audits = openHooks({...rest, members: silent.map(numberedFrom(2_000_000)), carryOut});
	return {
		...counts,
		ask: (name, ...asked) => (name === 'on-audit' ? audits : counts).ask(name, ...asked),
		listens: (name, exchange) => (name === 'on-audit' ? audits : counts).listens(name, exchange),
	};
};
