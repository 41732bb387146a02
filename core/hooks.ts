import type {Scope} from '../schemas/config.ts';
import {hooks as declared, type HookAnswer, type HookName} from '../schemas/hooks.ts';
import type {Ruling} from '../schemas/record.ts';
import type {Effects} from '../schemas/verdict.ts';
import type {CarryOut} from './effects.ts';
import {type ErrorCode, GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Admitted, Answer, Run, Tier} from './plugins/tier.ts';
import type {Value} from './sandbox/isolate.ts';

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

/** What the engine itself looks at; the rest belongs to effects and to whoever asked. */
type Verdict = Effects & {
	verdict: string;
	code?: ErrorCode;
	message?: string;
	rule?: string;
	retryAfterMs?: number;
	clear?: number;
	approval?: {reason: string};
};

/** What becomes of a verdict that is neither allow nor deny; `'end'` asks nobody else. */
export type Carry<Name extends HookName> = (verdict: HookAnswer<Name>, member: Member) => 'end' | undefined;

export type WindowVerdict = Extract<HookAnswer<'post-response'>, {verdict: 'allow' | 'rewrite'}>;

type Step = {run: Run; tier: Tier; members: Member[]};

export type Hooks = {
	/**
	 * Asks the plugins of `name` that are in scope. A waterfall throws GatewayError on deny, hold and failure; an observe
	 * hook never throws.
	 */
	ask<Name extends HookName>(name: Name, exchange: Exchange, fields: Fields, carry: Carry<Name>): Promise<void>;
	/** Whether any plugin in scope listens: what only serves a hook need not be done when nobody does. */
	listens(name: HookName, exchange: Exchange): boolean;
	/** Whether any plugin that would be asked reads `path`. */
	reads(name: HookName, path: string, exchange: Exchange): boolean;
	/** The members that read `window` of a running stream, in the order replies pass them. */
	windows(exchange: Exchange): Member[];
	/** Asks one of `windows` about a piece of a running stream; at once where its tier answers at once. */
	askWindow(exchange: Exchange, member: Member, fields: Fields): WindowVerdict | undefined | Promise<WindowVerdict | undefined>;
	members: readonly Member[];
};

type Options = {
	members: readonly Member[];
	carryOut: CarryOut;
	onFailed: (exchange: Exchange, plugin: string, hook: HookName, reason: string) => void;
};

const listOf = (names: string | string[]): string[] => (typeof names === 'string' ? [names] : names);
const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** Whether an exchange is in scope. At pre-auth only the surface is known, so only that can keep a plugin out. */
const inScope = (when: Scope, {surface, operation, model, principal, tags}: Exchange, hook: HookName): boolean => {
	const known: Record<keyof Scope, string | readonly string[] | undefined> = {
		surface,
		operation,
		model,
		tenant: principal?.tenant,
		team: principal?.team,
		key: principal?.key,
		tag: tags,
		server: undefined,
		tool: undefined,
	};
	for (const [key, patterns] of Object.entries(when) as [keyof Scope, string | string[]][]) {
		if (hook === 'pre-auth' && key !== 'surface') continue;
		const names = known[key];
		const have = names === undefined ? [] : listOf(names as string | string[]);
		if (!have.some(name => listOf(patterns).some(pattern => fits(pattern, name)))) return false;
	}
	return true;
};

const readsWindow = ({plugin}: Member): boolean => plugin.manifest.hooks['post-response']!.reads.includes('window');

const remembered = 2_000;

export const openHooks = ({members, carryOut, onFailed}: Options): Hooks => {
	const listeners = Object.fromEntries(
		(Object.keys(declared) as HookName[]).map(name => {
			const own = members.filter(({plugin}) => plugin.manifest.hooks[name]);
			return [name, declared[name].runs === 'up' ? own.reverse() : own];
		}),
	) as Record<HookName, Member[]>;
	const stepsOf = new Map<string, Step[]>();
	const verdicts = new Map<string, Verdict>();
	let runs = 0;

	const stepOf = (hook: HookName, own: Member[]): Step => {
		const paths: string[] = [];
		const placeOf = (path: string): number => {
			const known = paths.indexOf(path);
			return known >= 0 ? known : paths.push(path) - 1;
		};
		const positions = own.map(({plugin}) =>
			plugin.manifest.hooks[hook]!.reads.map(path => placeOf(path === 'carried' ? `carried@${plugin.name}` : path)),
		);
		const everyone = declared[hook].kind === 'observe';
		return {run: {id: runs++, hook, members: own.map(({plugin}) => plugin), paths, positions, everyone}, tier: own[0]!.tier, members: own};
	};

	const takesPart = (member: Member, hook: HookName, exchange: Exchange): boolean => {
		const {operations} = member.plugin.manifest.hooks[hook]!;
		if (operations && !(exchange.operation && operations.includes(exchange.operation))) return false;
		return !member.when || inScope(member.when, exchange, hook);
	};
	const isAsked = (member: Member, hook: HookName, exchange: Exchange): boolean =>
		!(exchange.windowed && hook === 'post-response' && readsWindow(member)) && takesPart(member, hook, exchange);

	/** The runs for the plugins that take part: made once for each combination that occurs. */
	const steps = (hook: HookName, exchange: Exchange): Step[] => {
		let name: string = hook;
		const own = listeners[hook];
		for (const member of own) name += isAsked(member, hook, exchange) ? '1' : '0';
		const known = stepsOf.get(name);
		if (known) return known;
		const made: Step[] = [];
		let together: Member[] = [];
		for (const member of own.filter(candidate => isAsked(candidate, hook, exchange))) {
			if (together.length > 0 && together[0]!.tier !== member.tier) {
				made.push(stepOf(hook, together));
				together = [];
			}
			together.push(member);
		}
		if (together.length > 0) made.push(stepOf(hook, together));
		stepsOf.set(name, made);
		return made;
	};

	/** Checked once for each text: principals and plain verdicts come back letter by letter. */
	const checked = (hook: HookName, body: string): Verdict | undefined => {
		const name = `${hook} ${body}`;
		const known = verdicts.get(name);
		if (known) return known;
		const {success, data} = declared[hook].answer.safeParse(JSON.parse(body));
		if (!success) return undefined;
		if (verdicts.size >= remembered) verdicts.clear();
		if (name.length < 2_000) verdicts.set(name, data as Verdict);
		return data as Verdict;
	};

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
	const judge = (exchange: Exchange, hook: HookName, member: Member, {kind, body}: Answer): Verdict | undefined => {
		if (kind === 'F') return failed(exchange, hook, member, (JSON.parse(body) as {message: string}).message);
		const verdict = checked(hook, body);
		if (!verdict) return failed(exchange, hook, member, `answered ${hook} with something that is not a verdict`);
		const observes = member.mode === 'observe' || declared[hook].kind === 'observe';
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
		return observes && verdict.verdict !== 'redact' ? undefined : verdict;
	};

	/** Throws what the verdict refuses; otherwise the verdict, unless it simply lets pass. */
	const enforced = (verdict: Verdict, {plugin}: Member): Verdict | undefined => {
		const facts = {plugin: plugin.name, rule: verdict.rule, retryAfterMs: verdict.retryAfterMs};
		if (verdict.verdict === 'deny') throw new GatewayError(verdict.code ?? 'denied', verdict.message!, facts);
		if (verdict.verdict === 'hold')
			throw new GatewayError('approval_required', `This needs an approval: ${verdict.approval!.reason}`, facts);
		return verdict.verdict === 'allow' && verdict.clear === undefined ? undefined : verdict;
	};

	/** Judged, effects carried out, enforced; a promise only where an effect has to wait. */
	const taken = (
		exchange: Exchange,
		hook: HookName,
		member: Member,
		answer: Answer,
	): Verdict | undefined | Promise<Verdict | undefined> => {
		const verdict = judge(exchange, hook, member, answer);
		if (!verdict) return undefined;
		const carrying = carryOut(exchange, member.plugin.name, verdict);
		return carrying ? carrying.then(() => enforced(verdict, member)) : enforced(verdict, member);
	};

	const through = async <Name extends HookName>(
		step: Step,
		exchange: Exchange,
		fields: Fields,
		carry: Carry<Name>,
	): Promise<'end' | undefined> => {
		const {run, tier, members: own} = step;
		let from = 0;
		while (from < own.length) {
			const values = run.paths.map(fields);
			const asked = tier.ask(run, from, values);
			const answers = asked instanceof Promise ? await asked : asked;
			from = own.length;
			for (const answer of answers) {
				const member = own[answer.place]!;
				if (answer.kind !== 'A' && !run.everyone) from = answer.place + 1;
				const taking = taken(exchange, run.hook, member, answer);
				const verdict = taking instanceof Promise ? await taking : taking;
				// `checked` parsed it with the schema of this hook.
				if (verdict && carry(verdict as HookAnswer<Name>, member) === 'end') return 'end';
			}
		}
		return undefined;
	};

	const alone = new Map<Member, Step>();

	return {
		members,
		listens: (name, exchange) => steps(name, exchange).length > 0,
		reads: (name, path, exchange) => steps(name, exchange).some(({run}) => run.paths.includes(path)),
		windows: exchange => listeners['post-response'].filter(member => readsWindow(member) && takesPart(member, 'post-response', exchange)),

		async ask(name, exchange, fields, carry) {
			for (const step of steps(name, exchange)) {
				if ((await through(step, exchange, fields, carry)) === 'end') return;
			}
		},

		askWindow(exchange, member, fields) {
			const step = alone.get(member) ?? stepOf('post-response', [member]);
			alone.set(member, step);
			const finish = ([answer]: readonly Answer[]) =>
				answer && (taken(exchange, 'post-response', member, answer) as WindowVerdict | undefined | Promise<WindowVerdict | undefined>);
			const asked = step.tier.ask(step.run, 0, step.run.paths.map(fields));
			return asked instanceof Promise ? asked.then(finish) : finish(asked);
		},
	};
};
