import {hooks as declared, type HookName} from '../schemas/hooks.ts';
import type {Ruling} from '../schemas/record.ts';
import type {CarryOut} from './effects.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {NoteFindings} from './findings.ts';
import {lost} from './held.ts';
import type {Fields, Member} from './hooks.ts';
import type {Answer} from './plugins/tier.ts';
import {afterwards, type CheckVerdict, reasonOf, type Verdict} from './verdicts.ts';

/** What a member was asked about. */
export type Asked = {exchange: Exchange; fields: Fields};

type Options = {
	checked: CheckVerdict;
	carryOut: CarryOut;
	noteFindings: NoteFindings;
	onFailed: (exchange: Exchange, plugin: string, hook: HookName, reason: string) => void;
};

/** Where a plugin is asked again when it has not got what it claims. */
const claimable: ReadonlySet<HookName> = new Set(['pre-request', 'on-tool-call']);

/** Of one who only looks on at a stream: how much of it it has done with, and what it keeps for itself. Neither changes anything for anybody else. */
const looking = ({carry, clear}: Verdict): Verdict | undefined =>
	clear === undefined ? undefined : {verdict: 'allow', clear, ...(carry !== undefined && {carry})};

/** What becomes of an answer: checked, put on the record, its effects carried out, and what it refuses refused. */
export const openJudging = ({checked, carryOut, noteFindings, onFailed}: Options) => {
	/** A plugin that says the same thing at each window of a stream has said it once. */
	const ruled = (exchange: Exchange, ruling: Ruling): void => {
		const same = (known: Ruling) =>
			known.plugin === ruling.plugin && known.hook === ruling.hook && known.verdict === ruling.verdict && known.rule === ruling.rule;
		if (!exchange.rulings.some(same)) exchange.rulings.push(ruling);
	};

	const failed = (exchange: Exchange, hook: HookName, {plugin, mode, onFailure}: Member, reason: string): undefined => {
		onFailed(exchange, plugin.name, hook, reason);
		ruled(exchange, {plugin: plugin.name, hook, verdict: 'failed', ...(mode === 'observe' && {mode})});
		if (onFailure === 'allow' || mode === 'observe' || declared[hook].kind === 'observe') return undefined;
		throw new GatewayError('plugin_failed', `The plugin ${plugin.name} could not answer, so this was refused.`, {plugin: plugin.name});
	};

	/** The verdict to carry out; undefined when there is none: it failed and may, or only observes. */
	const judge = ({exchange, fields}: Asked, hook: HookName, member: Member, {kind, body}: Answer): Verdict | undefined => {
		if (kind === 'F') return failed(exchange, hook, member, reasonOf(body));
		const verdict = checked(hook, body);
		// Only what lets pass may say that it does: those behind it were asked in the same breath.
		if (!verdict || (kind === 'A' && (verdict.verdict !== 'allow' || verdict.claim !== undefined)))
			return failed(exchange, hook, member, `answered ${hook} with something that is not a verdict`);
		const wrong = verdict.findings && noteFindings({exchange, hook, member, fields}, verdict);
		if (wrong) return failed(exchange, hook, member, wrong);
		const observes = member.mode === 'observe';
		const {code, rule} = verdict;
		if (verdict.verdict !== 'allow') {
			ruled(exchange, {
				plugin: member.plugin.name,
				hook,
				verdict: verdict.verdict,
				...(code && {code}),
				...(rule && {rule}),
				...(observes && {mode: 'observe'}),
			});
		}
		if (observes) return looking(verdict);
		return declared[hook].kind === 'observe' ? afterwards(verdict) : verdict;
	};

	/** Throws what the verdict refuses; otherwise the verdict, unless it simply lets pass. */
	const enforced = (verdict: Verdict, {plugin}: Member): Verdict | undefined => {
		const facts = {plugin: plugin.name, rule: verdict.rule, retryAfterMs: verdict.retryAfterMs, scopes: verdict.scopes};
		if (verdict.verdict === 'deny') throw new GatewayError(verdict.code ?? 'denied', verdict.message!, facts);
		return verdict.verdict === 'allow' && verdict.clear === undefined ? undefined : verdict;
	};

	/** Judged, effects carried out, enforced; a promise only where an effect has to wait. */
	const taken = (asked: Asked, hook: HookName, member: Member, answer: Answer): Verdict | undefined | Promise<Verdict | undefined> => {
		const {exchange} = asked;
		const verdict = judge(asked, hook, member, answer);
		if (!verdict) return undefined;
		// What the ledger or the store cannot make sense of is the plugin's mistake; a refusal of theirs is not.
		const refused = (thrown: unknown): undefined => {
			if (thrown instanceof GatewayError) throw thrown;
			return failed(exchange, hook, member, `asked for what cannot be carried out: ${String(thrown)}`);
		};
		if (verdict.claim && !claimable.has(hook)) return failed(exchange, hook, member, `claimed something at ${hook}`);
		let carrying: ReturnType<CarryOut>;
		try {
			carrying = carryOut(exchange, member.plugin.name, verdict);
		} catch (error) {
			return refused(error);
		}
		if (!carrying) return enforced(verdict, member);
		return carrying.then(came => (came === lost ? {...verdict, verdict: lost} : enforced(verdict, member)), refused);
	};

	return {failed, judge, enforced, taken};
};
