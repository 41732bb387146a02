import {isDeepStrictEqual} from 'node:util';
import type {HookAnswer, HookName} from '../schemas/hooks.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Carry, Fields, Member} from './hooks.ts';
import type {Asked, openJudging} from './judging.ts';
import type {Answer} from './plugins/tier.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Step} from './steps.ts';
import type {CheckVerdict, Verdict} from './verdicts.ts';
import {type Asking, askedLast, type Way} from './way.ts';

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

/** What a verdict makes of an exchange. */
const madeBy = (verdict: Verdict | undefined): unknown[] => {
	const {patch, plan} = (verdict ?? {}) as {patch?: unknown; plan?: unknown};
	return [verdict?.verdict, patch, plan];
};

const shownThen = ({step, values}: Asking, path: string): Value => values[step.run.paths.indexOf(path)];
const namesIn = (value: Value): readonly string[] => (typeof value === 'string' ? (JSON.parse(value) as string[]) : []);

/** Whoever comes again is asked about anew, and may wait anew. */
const retryAfterMs = 1_000;

/** Members that are asked one by one, outside of a pass; what they ask for is not carried out. */
export const openAskedAlone = ({listeners, isAsked, aloneAt, judge, enforced, checked}: Options) => {
	/** Asks one member, by itself, what it would say now. */
	const askOne = async (member: Member, hook: HookName, fields: Fields, way?: Way): Promise<Answer | undefined> => {
		const step = aloneAt(member, hook);
		const values = step.run.paths.map(fields);
		way?.push({step, from: 0, values, reached: 0});
		const asked = step.tier.ask(step.run, 0, values);
		const [answer]: readonly Answer[] = asked instanceof Promise ? await asked : asked;
		return answer;
	};

	/** What it was asked then; but what it is tainted with by now, and that its own claim is not to be had a second time. */
	const asThen = ({exchange, fields}: Asked, {plugin: {name}}: Member, then: Asking): Fields => {
		const claim = exchange.claims?.get(name);
		return path => {
			if (path === 'taints') return fields(path);
			return path === 'continues' && claim !== undefined ? `${claim}/again` : shownThen(then, path);
		};
	};

	/**
	 * Whether what a member says of a call that it let pass is against it now. That it would make something else of it is not: what goes on was judged
	 * and approved, and a clock, chance or its own memory may be all that differs. But it is where the call has come to be tainted since, and where a
	 * plan that may be taken away has no place any more for whom the call may go to.
	 */
	const isAgainst = ({exchange, fields}: Asked, hook: HookName, member: Member, verdict: Verdict, then?: Asking): boolean => {
		const {name, manifest} = member.plugin;
		const {reads, recheck} = manifest.hooks[hook]!;
		const isCounted = exchange.held.has(name) || (exchange.claims?.has(name) && !reads.includes('continues'));
		if (isCounted || verdict.verdict === 'allow') return false;
		if (!then || !passing.has(verdict.verdict)) return true;
		if (reads.includes('taints') && shownThen(then, 'taints') !== fields('taints'))
			return !isDeepStrictEqual(madeBy(verdict), madeBy(then.said?.get(member)));
		const {plan} = verdict as {plan?: readonly string[]};
		if (!plan || !recheck) return false;
		const shown = new Set(namesIn(shownThen(then, 'deployments')));
		return namesIn(fields('deployments')).some(name => shown.has(name) && !plan.includes(name));
	};

	/** Whether what it would hold now is the very call that it has let pass: it has set something aside for that, which it sees used. */
	const countsItself = async (asked: Asked, hook: HookName, member: Member, then: Asking): Promise<boolean> => {
		if (!asked.exchange.held.has(member.plugin.name)) return false;
		const answer = await askOne(member, hook, asThen(asked, member, then));
		return answer !== undefined && answer.kind !== 'F' && checked(hook, answer.body)?.verdict === 'hold';
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
			{exchange, fields, carry, way}: Asked & {carry: Carry<Name>; way?: Way | undefined},
		): Promise<'end' | undefined> {
			for (const one of members) {
				const then = way && askedLast(way, hook, one);
				const answer = isAsked(one, hook, exchange, fields) ? await askOne(one, hook, fields, way) : undefined;
				const judged = answer && judge({exchange, fields}, hook, one, answer);
				const verdict = judged && enforced(judged, one);
				if (verdict && way) way.at(-1)!.said = new Map([[one, verdict]]);
				if (verdict?.verdict === 'hold' && then && (await countsItself({exchange, fields}, hook, one, then))) continue;
				if (verdict?.verdict === 'hold')
					throw new GatewayError('denied', 'What the call was changed to needs an approval of its own.', {plugin: one.plugin.name});
				if (verdict && carry(verdict as HookAnswer<Name>, one) === 'end') return 'end';
			}
			return undefined;
		},

		/**
		 * Whoever let it pass before it waited at `holder` says so once more, of what it was asked then, and with them whom nothing but a taint has
		 * brought in since. Nothing they ask for is carried out; of who has set something aside for it, or claimed it, a refusal alone counts, since
		 * all else may come of just that. Who asks a model is not asked: that is about the words, which are the same, and would be paid for twice.
		 * Throws GatewayError where one refuses, or is against it as it is.
		 */
		async stillPass(hook: HookName, holder: Member, {way, ...asked}: Asked & {way: Way}): Promise<void> {
			const {exchange, fields} = asked;
			const before = listeners[hook].slice(0, listeners[hook].indexOf(holder)).map(member => ({at: hook, member}));
			const earlier = hook === 'on-tool-call' ? listeners['pre-request'].map(member => ({at: 'pre-request' as const, member})) : [];
			for (const {at, member} of [...earlier, ...before]) {
				const {reads, operationsWhenTainted} = member.plugin.manifest.hooks[at]!;
				const then = askedLast(way, at, member);
				if (member.mode === 'observe' || (then ? reads.includes('asking') : at !== hook || !operationsWhenTainted)) continue;
				if (!isAsked(member, at, exchange, at === hook ? fields : undefined)) continue;
				const answer = await askOne(member, at, then ? asThen(asked, member, then) : fields);
				if (!answer) continue;
				const verdict = answer.kind === 'F' ? undefined : checked(at, answer.body);
				if (!verdict || verdict.verdict === 'deny') {
					const judged = judge(asked, at, member, answer);
					if (judged) enforced(judged, member);
					continue;
				}
				if (!isAgainst(asked, at, member, verdict, then)) continue;
				const message = 'Since this began to wait, a rule has come to say something else of it: ask again.';
				throw new GatewayError('approval_required', message, {plugin: member.plugin.name, rule: verdict.rule, retryAfterMs});
			}
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
