import type {RecordedFinding} from '../../schemas/record.ts';
import type {ErrorCode, GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Rehearsal} from '../explain/rehearsal.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {reasonOf} from '../verdicts.ts';

/** The hooks that guards look at things from. */
export type Looked = 'pre-request' | 'on-tool-call' | 'post-response';

/** What one guard said at one hook. */
type Said = {
	plugin: string;
	hook: Looked;
	/** A verdict's name, or `failed`; `not asked` where it is out of scope, or another one had ended it. */
	verdict: string;
	code?: string;
	rule?: string;
	message?: string;
	/** It is told and not carried out. */
	mode?: 'observe';
	/** Since when it is kept out after repeated failures. */
	quarantined?: string;
};

export type Report = {
	/** Who refused it, and with what. */
	decidedBy?: {plugin?: string | undefined; rule?: string | undefined; code: ErrorCode; status: number; message: string};
	/** The guards that have really looked at it: nobody else can be said to have checked it. */
	checkedBy: string[];
	guards: Said[];
	/** Without digests, which would say whether a record speaks of this value. */
	findings: Omit<RecordedFinding, 'digest'>[];
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const saidIn = ({kind, body}: NonNullable<Rehearsal['asked'][number]['answer']>): Pick<Said, 'verdict'> & Partial<Said> => {
	if (kind === 'F') return {verdict: 'failed', message: reasonOf(body)};
	const said: unknown = JSON.parse(body);
	const {verdict, code, rule, message, approval}: JsonObject = isObject(said) ? said : {};
	const reason = isObject(approval) ? approval.reason : undefined;
	const words = Object.entries({code: text(code), rule: text(rule), message: text(message ?? reason)});
	return {verdict: text(verdict) ?? 'failed', ...Object.fromEntries(words.filter(([, word]) => word !== undefined))};
};

type From = {rehearsal: Rehearsal; exchange: Exchange; quarantined: ReadonlyMap<string, string>};

/** What every guard that listens at `hooks` has said, in the order they are asked. */
export const reportOf = ({rehearsal, exchange, quarantined}: From, hooks: readonly Looked[], refused: GatewayError | undefined): Report => {
	const isFailed = (name: string, hook: Looked): boolean =>
		exchange.rulings.some(({plugin, hook: at, verdict}) => plugin === name && at === hook && verdict === 'failed');
	const saidAt = (hook: Looked): Said[] => {
		const listeners = rehearsal.guards.members.filter(({plugin}) => plugin.manifest.hooks[hook]);
		return (hook === 'post-response' ? listeners.toReversed() : listeners).map(({plugin: {name}, mode}): Said => {
			const last = rehearsal.asked.findLast(it => it.plugin === name && it.hook === hook);
			const said = last?.answer ? saidIn(last.answer) : {verdict: last ? 'allow' : 'not asked'};
			const since = quarantined.get(name);
			return {
				plugin: name,
				hook,
				...said,
				// Its answer made no sense.
				...(isFailed(name, hook) && {verdict: 'failed'}),
				...(mode === 'observe' && {mode}),
				...(since !== undefined && {quarantined: since}),
			};
		});
	};
	const guards = hooks.flatMap(saidAt);
	// Who is kept out answers here, and would not on the way.
	const looked = guards.filter(({verdict, quarantined: since}) => verdict !== 'failed' && verdict !== 'not asked' && since === undefined);
	return {
		...(refused && {
			decidedBy: {plugin: refused.plugin, rule: refused.rule, code: refused.code, status: refused.status, message: refused.message},
		}),
		checkedBy: [...new Set(looked.map(({plugin}) => plugin))].filter(name => !rehearsal.unheard.has(name)),
		guards,
		findings: [...(exchange.findings?.values() ?? [])].map(({digest, ...finding}) => finding),
	};
};
