import {type HookName, hooks, type Operation} from '../schemas/hooks.ts';
import type {Member} from './hooks.ts';
import {numbered, type Run, type Tier} from './plugins/tier.ts';

/** Consecutive plugins of one tier, which a hook asks in one go. */
export type Step = {run: Run; tier: Tier; members: readonly Member[]};

/** One combination of members, found by going from one to the next: cheaper than a name for each. */
type Branch = {asked?: Branch; passed?: Branch; steps?: readonly Step[]};

/** The hooks at which somebody listens of whom `is` holds. */
export const hooksWith = (
	listeners: Readonly<Record<HookName, readonly Member[]>>,
	is: (member: Member, hook: HookName) => boolean,
): ReadonlySet<HookName> =>
	new Set((Object.keys(listeners) as HookName[]).filter(hook => listeners[hook].some(member => is(member, hook))));

/** The steps of a hook that depend on the operation alone: found once for each. */
export const rememberSteps = () => {
	const known = new Map<HookName, Map<Operation | undefined, readonly Step[]>>();
	return (hook: HookName, operation: Operation | undefined, find: () => readonly Step[]): readonly Step[] => {
		const before = known.get(hook)?.get(operation);
		if (before) return before;
		const steps = find();
		known.set(hook, (known.get(hook) ?? new Map<Operation | undefined, readonly Step[]>()).set(operation, steps));
		return steps;
	};
};

/** The steps of each hook: made once for each combination of members that occurs. */
export const openSteps = () => {
	const roots = Object.fromEntries(Object.keys(hooks).map(name => [name, {}])) as Record<HookName, Branch>;

	const stepOf = (hook: HookName, members: readonly Member[]): Step => {
		const paths: string[] = [];
		const placeOf = (path: string): number => {
			const known = paths.indexOf(path);
			return known >= 0 ? known : paths.push(path) - 1;
		};
		const positions = members.map(({plugin}) =>
			plugin.manifest.hooks[hook]!.reads.map(path => placeOf(path === 'carried' ? `carried@${plugin.name}` : path)),
		);
		const everyone = hooks[hook].kind === 'observe';
		return {
			run: numbered({hook, members: members.map(({plugin}) => plugin), paths, positions, everyone}),
			tier: members[0]!.tier,
			members,
		};
	};

	const made = (hook: HookName, members: readonly Member[]): readonly Step[] => {
		const steps: Step[] = [];
		let together: Member[] = [];
		for (const member of members) {
			if (together.length > 0 && together[0]!.tier !== member.tier) {
				steps.push(stepOf(hook, together));
				together = [];
			}
			together.push(member);
		}
		if (together.length > 0) steps.push(stepOf(hook, together));
		return steps;
	};

	/** The steps of those among `members`, always the same ones for a hook, that take part. */
	const stepsOf = (hook: HookName, members: readonly Member[], takesPart: (member: Member) => boolean): readonly Step[] => {
		let branch = roots[hook];
		for (const member of members) {
			const way = takesPart(member) ? 'asked' : 'passed';
			branch[way] ??= {};
			branch = branch[way];
		}
		branch.steps ??= made(hook, members.filter(takesPart));
		return branch.steps;
	};

	return {stepOf, stepsOf};
};
