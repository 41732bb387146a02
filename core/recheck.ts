import type {Logger} from 'pino';
import {type ErrorCode, GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Hooks} from './hooks.ts';
import type {Question, SecondAnswer} from './questions.ts';

type Options = {
	running: Iterable<Exchange>;
	hooks: Pick<Hooks, 'askAgain' | 'members'>;
	/** `cut` ends what is refused; `finish` only records that it would be. */
	policy: 'finish' | 'cut';
	log: Logger;
	now?: () => number;
};

export type Recheck = {
	/** A plugin's kv has changed, here or in another process: what it was asked of running exchanges is asked again, within about 100 ms. */
	changed(plugin: string): void;
	close(): void;
};

/** Changes that come together are answered for together. */
const gatherMs = 100;
/** How late the end of a credential may be noticed. */
const endsEveryMs = 250;
/** Then others have their turn. */
const asksPerTurn = 100;
/** A plugin that fails is asked again; the last failure refuses. */
const mostFailures = 3;

/** Why an exchange would be refused now. */
export type Refusal = {code: ErrorCode; message: string; rule?: string | undefined};

/** What stands against an exchange that runs, if anything does. */
export const refusalOf = (exchange: Exchange, {member, hook}: Question, answer: SecondAnswer): Refusal | undefined => {
	if (answer.kind === 'verdict') {
		const {verdict} = answer;
		if (verdict.verdict === 'deny') return {code: verdict.code, message: verdict.message, rule: verdict.rule};
		const {deployment} = exchange;
		if (verdict.verdict === 'route' && deployment !== undefined && !verdict.plan.includes(deployment))
			return {code: 'provider_not_granted', message: 'Who answers this may not any more.'};
		if (verdict.verdict === 'identify' && verdict.principal.id === exchange.principal?.id) exchange.endsAt = verdict.principal.expiresAt;
		return undefined;
	}
	const identified = hook === 'pre-auth' && exchange.identifiedBy === member.plugin.name;
	if (answer.kind === 'silent') return identified ? {code: 'unauthenticated', message: 'This key is not known here any more.'} : undefined;
	if (member.onFailure === 'allow') return undefined;
	return {code: 'plugin_failed', message: `The plugin ${member.plugin.name} could not answer, so this was ended.`};
};

/** Asks plugins again about exchanges that still run, when what they were told may have changed. */
export const openRecheck = ({running, hooks, policy, log, now = Date.now}: Options): Recheck => {
	const rechecking = new Set(
		hooks.members
			.filter(({plugin}) => Object.values(plugin.manifest.hooks).some(entry => entry?.recheck === true))
			.map(({plugin}) => plugin.name),
	);
	const due = new Set<string>();
	const failures = new Map<string, number>();
	let gathering: NodeJS.Timeout | undefined;
	let sweeping: Promise<void> = Promise.resolve();
	let isEnding = false;
	let closed = false;

	const refuse = (exchange: Exchange, {member, hook}: Question, {code, message, rule}: Refusal): void => {
		const plugin = member.plugin.name;
		exchange.questions = undefined;
		exchange.endsAt = undefined;
		const cut = policy === 'cut' ? exchange.cut : undefined;
		exchange.rulings.push({plugin, hook, verdict: 'deny', code, ...(rule !== undefined && {rule}), ...(!cut && {mode: 'observe'})});
		exchange.annotations[`${plugin}.recheck`] = code;
		exchange.revoked = new GatewayError(code, message, {plugin, ...(rule !== undefined && {rule})});
		cut?.(exchange.revoked);
	};

	/** The same thing is asked once for all who ask it: a key with a thousand streams is one question. */
	const openMemory = () => {
		const answers = new Map<string, Promise<SecondAnswer>>();
		return (question: Question): Promise<SecondAnswer> => {
			const name = JSON.stringify([question.member.plugin.name, question.hook, ...question.values.map(value => value ?? null)]);
			const known = answers.get(name);
			if (known) return known;
			const asked = hooks.askAgain(question);
			answers.set(name, asked);
			return asked;
		};
	};

	const later = (plugin: string): void => {
		due.add(plugin);
		gathering ??= setTimeout(gathered, gatherMs);
	};

	/** Whether it has failed so often that its failure counts as a refusal. */
	const failed = (plugin: string, reason: string): boolean => {
		const count = (failures.get(plugin) ?? 0) + 1;
		failures.set(plugin, count);
		log.warn({plugin, reason, count}, 'a plugin could not answer for running exchanges');
		return count >= mostFailures;
	};

	/** Asks about each exchange what `concerns` picks of its questions. */
	const sweep = async (exchanges: Iterable<Exchange>, concerns: (question: Question) => boolean): Promise<void> => {
		const ask = openMemory();
		/** Whether the failure of a plugin in this sweep is its last. */
		const broken = new Map<string, boolean>();
		const answered = new Set<string>();
		let asks = 0;
		for (const exchange of exchanges) {
			for (const question of exchange.questions ?? []) {
				const {name} = question.member.plugin;
				if (closed || exchange.closed || exchange.questions === undefined) break;
				if (!concerns(question)) continue;
				const {reached} = question.turn;
				// Its first answer is still to come, and may be older than the change.
				if (reached === undefined) later(name);
				if (reached === undefined || question.place > reached) continue;
				const answer = await ask(question);
				if (++asks % asksPerTurn === 0) await new Promise(setImmediate);
				if (answer.kind !== 'failed') answered.add(name);
				else if (!broken.has(name)) broken.set(name, failed(name, answer.reason));
				if (answer.kind === 'failed' && !broken.get(name)) {
					later(name);
					continue;
				}
				const refusal = refusalOf(exchange, question, answer);
				if (refusal && !exchange.closed) refuse(exchange, question, refusal);
			}
		}
		for (const name of answered) if (!broken.has(name)) failures.delete(name);
	};

	const next = (work: () => Promise<void>): void => {
		sweeping = sweeping.then(work).catch((error: unknown) => {
			isEnding = false;
			log.error({err: error}, 'running exchanges could not be asked about again');
		});
	};

	const gathered = (): void => {
		gathering = undefined;
		const plugins = new Set(due);
		due.clear();
		next(() => sweep([...running], ({member}) => plugins.has(member.plugin.name)));
	};

	/** The end of a credential is asked about, not taken for granted: it may have been moved meanwhile. */
	const ended = (): void => {
		if (isEnding) return;
		const at = now();
		const over: Exchange[] = [];
		for (const exchange of running) if (exchange.endsAt !== undefined && exchange.endsAt <= at) over.push(exchange);
		if (over.length === 0) return;
		isEnding = true;
		next(async () => {
			await sweep(over, ({hook}) => hook === 'pre-auth');
			isEnding = false;
		});
	};
	const clock = setInterval(ended, endsEveryMs).unref();

	return {
		changed(plugin) {
			if (!closed && rechecking.has(plugin)) later(plugin);
		},
		close() {
			closed = true;
			clearTimeout(gathering);
			clearInterval(clock);
		},
	};
};
