import type {Scope} from '../schemas/config.ts';
import type {HookAnswer, HookName} from '../schemas/hooks.ts';
import {openAskedAlone} from './asked-alone.ts';
import type {CarryOut} from './effects.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {NoteFindings} from './findings.ts';
import {isEdit, lost, openHeld} from './held.ts';
import type {Holds} from './holds.ts';
import {type Asked, openJudging} from './judging.ts';
import {openListening} from './listening.ts';
import type {Admitted, Answer, Tier} from './plugins/tier.ts';
import {openQuestions, type Question, type SecondAnswer} from './questions.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Steady} from './steady.ts';
import type {Step} from './steps.ts';
import {ownTaints, withSaid} from './taints/said.ts';
import {rememberVerdicts, type Verdict} from './verdicts.ts';
import {type Asking, type Way, wayAt} from './way.ts';

/** A plugin with its place in the config's list. */
export type Member = {
	plugin: Admitted;
	tier: Tier;
	mode: 'enforce' | 'observe';
	when?: Scope;
	onFailure: 'deny' | 'allow';
};

/** Answers a declared path with the value that crosses the wall; `carried@<name>` is asked for by its owner only. */
export type Fields = (path: string) => Value;

/** What becomes of a verdict that is neither allow nor deny; `'end'` asks nobody else. */
export type Carry<Name extends HookName> = (verdict: HookAnswer<Name>, member: Member) => 'end' | undefined;

export type WindowVerdict = Extract<HookAnswer<'post-response'>, {verdict: 'allow' | 'rewrite'}>;

type Pass<Name extends HookName> = Asked & {
	carry: Carry<Name>;
	onEdited?: (() => Promise<'end' | undefined>) | undefined;
	way?: Way | undefined;
};
/** Who changed something that others may see, and whether it has to see that itself. */
type Changed = {member: Member; again: boolean};

export type Hooks = {
	/**
	 * Asks the plugins of `name` that are in scope. A waterfall throws GatewayError on deny and failure, and on a hold that nobody decides
	 * in its time; an observe hook never throws. `onEdited` is waited for where an approver has changed something, before it goes on; `'end'` ends it.
	 */
	ask<Name extends HookName>(
		name: Name,
		exchange: Exchange,
		fields: Fields,
		carry: Carry<Name>,
		onEdited?: Pass<Name>['onEdited'],
	): Promise<void>;
	/** Everybody once more, of what an approver has changed: they may refuse or change it, and nothing else they ask for is carried out. Throws as `ask` does. */
	again<Name extends HookName>(name: Name, exchange: Exchange, fields: Fields, carry: Carry<Name>): Promise<void>;
	/**
	 * Whether a member that looks at the server would not let pass what was asked without one: it denies, holds, answers in its place or fails.
	 * Nothing is carried out or recorded. Never rejects.
	 */
	refusesServer(name: HookName, exchange: Exchange, fields: Fields): Promise<boolean>;
	/** Has those who read `taints` judge once more what was let pass before it was tainted. Throws GatewayError where they refuse it. */
	judgeTainted(name: HookName, exchange: Exchange, fields: Fields): Promise<void>;
	/** Whether any plugin in scope listens, or may yet while the reply streams: what only serves a hook need not be done when nobody does. */
	listens(name: HookName, exchange: Exchange): boolean;
	/** Whether any plugin that would be asked reads `path`. */
	reads(name: HookName, path: string, exchange: Exchange): boolean;
	/** The members that read `window` of a running stream, in the order replies pass them. */
	windows(exchange: Exchange): Member[];
	/** Asks one of `windows` about a piece of a running stream; at once where its tier answers at once. */
	askWindow(exchange: Exchange, member: Member, fields: Fields): WindowVerdict | undefined | Promise<WindowVerdict | undefined>;
	/** Asks a member once more what it was asked of an exchange that still runs. Never rejects; carries nothing out. */
	askAgain(question: Question): Promise<SecondAnswer>;
	members: readonly Member[];
};

type Options = {
	members: readonly Member[];
	carryOut: CarryOut;
	noteFindings: NoteFindings;
	onFailed: (exchange: Exchange, plugin: string, hook: HookName, reason: string) => void;
	/** What was answered before, where a plugin is steady; nothing is remembered without it. */
	steady?: Steady;
	/** Where exchanges wait for a decision; without it a hold refuses at once. */
	holds?: Holds;
	/** What an exchange is tainted with now; what it is by itself when left out. */
	taintsOf?: (exchange: Exchange) => readonly string[];
};

/** Whoever changes the model over and over cannot have reserved for the one that is called. */
const mostModels = 2;

const readsEstimate = ({plugin}: Member): boolean =>
	plugin.manifest.hooks['pre-request']?.reads.some(path => path.startsWith('estimate.')) === true;

export const openHooks = ({members, carryOut, noteFindings, onFailed, steady, holds, taintsOf = ownTaints}: Options): Hooks => {
	const {listeners, isAsked, windowsOf, steps, stepOf, listens} = openListening(members, taintsOf);
	const checked = rememberVerdicts();
	const {note, askAgain, aloneAt} = openQuestions({stepOf, checked});
	const {failed, judge, enforced, taken} = openJudging({checked, carryOut, noteFindings, onFailed});
	const decided = openHeld({holds, askAgain});
	const {askOne, passAgain, stillPass, refusesServer, judgeTainted} = openAskedAlone({
		listeners,
		isAsked,
		aloneAt,
		judge,
		enforced,
		checked,
	});

	/** The member's last word, where the first was to wait. */
	const waited = (first: Verdict, {exchange, fields, way = []}: Asked & {way?: Way | undefined}, hook: HookName, member: Member) => {
		const ask = async (lostClaim: string | undefined) => {
			const answer = await askOne(member, hook, path => (path === 'lostClaim' ? lostClaim : fields(path)));
			return answer && taken({exchange, fields}, hook, member, answer);
		};
		const askOthers = () => stillPass(hook, member, {exchange, fields, way});
		return decided({exchange, hook, member, ask, askOthers}, first);
	};

	/** What an approver wrote passes those before `member` too, and before them whatever the caller has it pass. */
	const edited = async <Name extends HookName>(hook: Name, member: Member, pass: Pass<Name>) => {
		if ((await pass.onEdited?.()) === 'end') return 'end';
		return passAgain(hook, listeners[hook].slice(0, listeners[hook].indexOf(member)), pass);
	};

	/** Asks the members of a step from `from` on; whoever said something that those behind it must see ends the pass. */
	const through = async <Name extends HookName>(step: Step, from: number, pass: Pass<Name>): Promise<Changed | 'end' | undefined> => {
		const {run, tier, members: own} = step;
		const {exchange, fields, carry} = pass;
		const values = run.paths.map(fields);
		const turn = note(exchange, step, from, values);
		const remembered = run.hook === 'pre-auth' ? steady?.place(step, from, values) : undefined;
		const known = remembered?.known();
		const asked = known ?? tier.ask(run, from, values);
		const answers = asked instanceof Promise ? await asked : asked;
		const last = answers.at(-1);
		const reached = last && last.kind !== 'A' ? last.place : own.length - 1;
		if (turn) turn.reached = reached;
		const asking: Asking | undefined = pass.way && {step, from, values, reached};
		if (asking) pass.way!.push(asking);
		let changed: Changed | undefined;
		for (const answer of answers) {
			const member = own[answer.place];
			if (!member) throw new GatewayError('plugin_failed', 'A plugin that was not asked has answered, so this was refused.');
			if (answer.kind !== 'A' && !run.everyone) changed = {member, again: false};
			const taking = taken(pass, run.hook, member, answer);
			let verdict = taking instanceof Promise ? await taking : taking;
			if (verdict?.verdict === 'hold' || verdict?.verdict === lost) verdict = await waited(verdict, pass, run.hook, member);
			if (verdict?.principal && !known) remembered?.keep(answers, verdict.principal.expiresAt ?? Number.POSITIVE_INFINITY);
			if (verdict && asking) asking.said = (asking.said ?? new Map<Member, Verdict>()).set(member, verdict);
			const {model} = exchange;
			// `checked` parsed it with the schema of this hook.
			if (verdict && carry(verdict as HookAnswer<Name>, member) === 'end') return 'end';
			if (isEdit(verdict) && (await edited(run.hook as Name, member, pass)) === 'end') return 'end';
			// Its estimate was that of another model: what it reserves has to be of this one.
			if (changed && model !== exchange.model) changed.again = readsEstimate(member);
		}
		return changed;
	};

	/** The first member behind `member` in these steps, or `member` once more. */
	const next = (hook: HookName, list: readonly Step[], {member, again}: Changed): [step: number, place: number] => {
		const order = listeners[hook];
		const index = order.indexOf(member) + (again ? 0 : 1);
		for (const [step, {members: own}] of list.entries()) {
			const place = own.findIndex(candidate => order.indexOf(candidate) >= index);
			if (place >= 0) return [step, place];
		}
		return [list.length, 0];
	};

	return {
		members,
		askAgain,
		refusesServer: (name, exchange, given) => refusesServer(name, exchange, withSaid(exchange, given, taintsOf)),
		async again(name, exchange, given, carry) {
			await passAgain(name, listeners[name], {exchange, fields: withSaid(exchange, given, taintsOf), carry, way: exchange.way});
		},
		judgeTainted: (name, exchange, fields) => judgeTainted(name, exchange, withSaid(exchange, fields, taintsOf)),
		listens,
		reads: (name, path, exchange) => steps(name, exchange).some(({run}) => run.paths.includes(path)),
		windows: windowsOf,

		async ask(name, exchange, given, carry, onEdited) {
			const fields = withSaid(exchange, given, taintsOf);
			const way = wayAt(name, exchange);
			let list = steps(name, exchange, fields);
			let at = 0;
			let from = 0;
			let models = 0;
			while (at < list.length) {
				const came = await through(list[at]!, from, {exchange, fields, carry, onEdited, way});
				if (came === 'end') break;
				if (!came) {
					at++;
					from = 0;
					continue;
				}
				models = came.again ? models + 1 : 0;
				if (models > mostModels) {
					failed(exchange, name, came.member, 'changed the model again and again');
					came.again = false;
				}
				// Another model or tag may have brought others into scope, or taken them out.
				list = steps(name, exchange, fields);
				[at, from] = next(name, list, came);
			}
			if (exchange.way && name === 'on-tool-call') exchange.way = undefined;
		},

		askWindow(exchange, member, given) {
			const fields = withSaid(exchange, given, taintsOf);
			const step = aloneAt(member, 'post-response');
			const finish = ([answer]: readonly Answer[]) =>
				answer &&
				(taken({exchange, fields}, 'post-response', member, answer) as WindowVerdict | undefined | Promise<WindowVerdict | undefined>);
			const asked = step.tier.ask(step.run, 0, step.run.paths.map(fields));
			return asked instanceof Promise ? asked.then(finish) : finish(asked);
		},
	};
};
