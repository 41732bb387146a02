import type {HookAnswer, HookName} from '../schemas/hooks.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Carry, Fields, Member} from './hooks.ts';
import type {Asked, openJudging} from './judging.ts';
import type {Answer} from './plugins/tier.ts';
import type {Step} from './steps.ts';
import type {CheckVerdict} from './verdicts.ts';

type Options = Pick<ReturnType<typeof openJudging>, 'judge' | 'enforced'> & {
	listeners: Readonly<Record<HookName, Member[]>>;
	isAsked: (member: Member, hook: HookName, exchange: Exchange, fields?: Fields) => boolean;
	aloneAt: (member: Member, hook: HookName) => Step;
	checked: CheckVerdict;
};

/** Whom the server of an exchange can bring into scope, or to another verdict. */
const looksAtServer = ({plugin, when}: Member, hook: HookName): boolean =>
	when?.server !== undefined || plugin.manifest.hooks[hook]!.reads.includes('server');
const passing: ReadonlySet<string> = new Set(['allow', 'rewrite', 'route']);

/** Members that are asked one by one, outside of a pass; what they ask for is not carried out. */
export const openAskedAlone = ({listeners, isAsked, aloneAt, judge, enforced, checked}: Options) => {
	/** Asks one member, by itself, what it would say now. */
	const askOne = async (member: Member, hook: HookName, fields: Fields): Promise<Answer | undefined> => {
		const {run, tier} = aloneAt(member, hook);
		const asked = tier.ask(run, 0, run.paths.map(fields));
		const [answer]: readonly Answer[] = asked instanceof Promise ? await asked : asked;
		return answer;
	};

	return {
		askOne,

		/**
		 * What an approver wrote passes `members` too: they may refuse or change it, and nothing else they ask for is carried out, since it was
		 * for the same call.
		 */
		async passAgain<Name extends HookName>(
			hook: Name,
			members: readonly Member[],
			{exchange, fields, carry}: Asked & {carry: Carry<Name>},
		): Promise<'end' | undefined> {
			for (const one of members) {
				const answer = isAsked(one, hook, exchange, fields) ? await askOne(one, hook, fields) : undefined;
				const judged = answer && judge({exchange, fields}, hook, one, answer);
				const verdict = judged && enforced(judged, one);
				if (verdict?.verdict === 'hold')
					throw new GatewayError('denied', 'What the call was changed to needs an approval of its own.', {plugin: one.plugin.name});
				if (verdict && carry(verdict as HookAnswer<Name>, one) === 'end') return 'end';
			}
			return undefined;
		},

		/**
		 * What was let pass and has come to be tainted since is judged once more by those who look at that: they may refuse it, and nothing else
		 * they ask for is carried out. Throws GatewayError, also where one of them would have it wait.
		 */
		async judgeTainted(hook: HookName, exchange: Exchange, fields: Fields): Promise<void> {
			for (const one of listeners[hook]) {
				if (!one.plugin.manifest.hooks[hook]!.reads.includes('taints') || !isAsked(one, hook, exchange, fields)) continue;
				const answer = await askOne(one, hook, fields);
				const judged = answer && judge({exchange, fields}, hook, one, answer);
				const verdict = judged && enforced(judged, one);
				if (verdict?.verdict !== 'hold') continue;
				const facts = {plugin: one.plugin.name, rule: verdict.rule};
				throw new GatewayError('denied', 'This is tainted by what came with it, and so it cannot wait for an approval.', facts);
			}
		},

		/** Whether a member that looks at the server would not let pass what was asked without one. */
		async refusesServer(hook: HookName, exchange: Exchange, fields: Fields): Promise<boolean> {
			for (const member of listeners[hook]) {
				if (member.mode === 'observe' || !looksAtServer(member, hook) || !isAsked(member, hook, exchange, fields)) continue;
				const answer = await askOne(member, hook, fields);
				if (!answer) continue;
				const verdict = answer.kind === 'F' ? undefined : checked(hook, answer.body);
				if (verdict ? !passing.has(verdict.verdict) : member.onFailure === 'deny') return true;
			}
			return false;
		},
	};
};
