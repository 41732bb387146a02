import {hooks as declared, type HookName} from '../schemas/hooks.ts';
import type {Channel} from '../schemas/verdict.ts';
import type {Exchange} from './exchange.ts';
import type {Fields, Member} from './hooks.ts';
import {isObject} from './llm/json.ts';
import {hooksWith, openSteps, rememberSteps, type Step} from './steps.ts';
import {openTakingPart} from './taking-part.ts';

const isSet = (config: unknown, path: string): boolean =>
	path.split('.').reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), config) !== undefined;

type Shown = 'everything' | readonly Channel[];

const nothing: Shown = [];

/** Which channels of a stream a plugin is shown as they come. */
export const shownTo = ({plugin: {manifest, config}}: Member, {runsTools}: Exchange): Shown => {
	const {reads, window} = manifest.hooks['post-response']!;
	if (!reads.includes('window')) return nothing;
	if (window?.onlyWith?.some(path => isSet(config, path)) ?? true) return 'everything';
	return window?.always?.filter(channel => channel !== 'tool-result' || runsTools) ?? nothing;
};

const readsWindow = (member: Member, exchange: Exchange): boolean => shownTo(member, exchange).length > 0;

/** Who listens at which hook, in the order of asking, and who of them is asked about an exchange. */
export const openListening = (members: readonly Member[], taintsOf: (exchange: Exchange) => readonly string[]) => {
	const listeners = Object.fromEntries(
		(Object.keys(declared) as HookName[]).map(name => {
			const own = members.filter(({plugin}) => plugin.manifest.hooks[name]);
			return [name, declared[name].runs === 'up' ? own.reverse() : own];
		}),
	) as Record<HookName, Member[]>;
	const {stepsOf, stepOf} = openSteps();
	const takesPart = openTakingPart(taintsOf);
	const isAsked = (member: Member, hook: HookName, exchange: Exchange, fields?: Fields): boolean =>
		!(exchange.windowed && hook === 'post-response' && readsWindow(member, exchange)) && takesPart(member, hook, exchange, fields);

	/** The members that read `window` of a running stream, in the order replies pass them. */
	const windowsOf = (exchange: Exchange): Member[] =>
		listeners['post-response'].filter(member => readsWindow(member, exchange) && takesPart(member, 'post-response', exchange));

	/** Where somebody has a scope, or hears of tainted exchanges alone, and who is asked depends on more than the operation. */
	const scoped = hooksWith(listeners, ({when}) => when !== undefined);
	const tainting = hooksWith(listeners, ({plugin}, hook) => plugin.manifest.hooks[hook]!.operationsWhenTainted !== undefined);
	const usual = rememberSteps();
	const steps = (hook: HookName, exchange: Exchange, fields?: Fields): readonly Step[] => {
		const found = () => stepsOf(hook, listeners[hook], member => isAsked(member, hook, exchange, fields));
		if (scoped.has(hook) || exchange.windowed || (tainting.has(hook) && taintsOf(exchange).length > 0)) return found();
		return usual(hook, exchange.operation, found);
	};

	/** Somebody listens where the exchange is tainted, and whoever watches its stream may yet do that. */
	const mayYetListen = (hook: HookName, exchange: Exchange): boolean =>
		exchange.operation !== undefined &&
		tainting.has(hook) &&
		listeners[hook].some(({plugin}) => plugin.manifest.hooks[hook]!.operationsWhenTainted?.includes(exchange.operation!)) &&
		windowsOf(exchange).length > 0;

	const listens = (hook: HookName, exchange: Exchange): boolean => steps(hook, exchange).length > 0 || mayYetListen(hook, exchange);

	return {listeners, isAsked, windowsOf, steps, stepOf, listens};
};
