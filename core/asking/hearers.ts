import type {CarryOut} from '../effects.ts';
import {type Hooks, type Member, openHooks} from '../hooks.ts';

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
	const counts = openHooks({...rest, members: counting, carryOut: withoutPlaces(carryOut)});
	const audits = openHooks({...rest, members: silent, carryOut});
	return {
		...counts,
		ask: (name, ...asked) => (name === 'on-audit' ? audits : counts).ask(name, ...asked),
		listens: (name, exchange) => (name === 'on-audit' ? audits : counts).listens(name, exchange),
	};
};
