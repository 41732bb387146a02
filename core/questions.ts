import type {HookAnswer, HookName} from '../schemas/hooks.ts';
import type {Exchange} from './exchange.ts';
import type {Member} from './hooks.ts';
import type {Answer} from './plugins/tier.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Step} from './steps.ts';
import {reasonOf, type rememberVerdicts} from './verdicts.ts';

/** What a plugin with `recheck` was asked of an exchange: enough to ask it once more. */
export type Question = {
	readonly member: Member;
	readonly hook: HookName;
	readonly values: readonly Value[];
	/** The answers have come, this member's too, or the one that ended the search before it was asked. */
	readonly turn: {reached?: number};
	readonly place: number;
};

/** What a member says when it is asked once more; `silent` where it says nothing. Nothing it asks for is carried out. */
export type SecondAnswer =
	| {kind: 'silent'}
	| {kind: 'verdict'; verdict: HookAnswer<'pre-auth'> | HookAnswer<'pre-request'>}
	| {kind: 'failed'; reason: string};

/** A member of a step, and where in the step's values its own stand. */
type Again = {member: Member; place: number; picks: number[]};

type Options = {stepOf: (hook: HookName, members: readonly Member[]) => Step; checked: ReturnType<typeof rememberVerdicts>};

/** Keeps what was asked of running exchanges, and asks it again. */
export const openQuestions = ({stepOf, checked}: Options) => {
	const agains = new WeakMap<Step, readonly Again[]>();
	const alone = new Map<Member, Map<HookName, Step>>();

	/** The step of one member by itself. */
	const aloneAt = (member: Member, hook: HookName): Step => {
		const steps = alone.get(member) ?? new Map<HookName, Step>();
		alone.set(member, steps);
		const step = steps.get(hook) ?? stepOf(hook, [member]);
		steps.set(hook, step);
		return step;
	};

	const againsOf = (step: Step): readonly Again[] => {
		const known = agains.get(step);
		if (known) return known;
		const {run, members} = step;
		const found = members.flatMap((member, place): Again[] => {
			if (member.mode === 'observe' || !member.plugin.manifest.hooks[run.hook]?.recheck) return [];
			return [{member, place, picks: aloneAt(member, run.hook).run.paths.map(path => run.paths.indexOf(path))}];
		});
		agains.set(step, found);
		return found;
	};

	return {
		aloneAt,

		/** Notes what the members from `from` on are asked; who of them really was is known when `turn.reached` is set. */
		note(exchange: Exchange, step: Step, from: number, values: readonly Value[]): Question['turn'] | undefined {
			const all = againsOf(step);
			if (all.length === 0) return undefined;
			const turn: Question['turn'] = {};
			for (const {member, place, picks} of all) {
				if (place < from) continue;
				exchange.questions ??= [];
				exchange.questions.push({member, hook: step.run.hook, values: picks.map(index => values[index]), turn, place});
			}
			return turn;
		},

		/** Never rejects. */
		async askAgain({member, hook, values}: Question): Promise<SecondAnswer> {
			const {run, tier} = aloneAt(member, hook);
			const asked = tier.ask(run, 0, values);
			const [answer]: readonly Answer[] = asked instanceof Promise ? await asked : asked;
			if (!answer) return {kind: 'silent'};
			if (answer.kind === 'F') return {kind: 'failed', reason: reasonOf(answer.body)};
			const verdict = checked(hook, answer.body);
			// `checked` parsed it with the schema of this hook.
			if (verdict) return {kind: 'verdict', verdict: verdict as HookAnswer<'pre-auth'>};
			return {kind: 'failed', reason: `answered ${hook} with something that is not a verdict`};
		},
	};
};
