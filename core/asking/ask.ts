import {hash} from 'node:crypto';
import type {Json, ModelAnswer} from '../../plugin-sdk/host.ts';
import {GatewayError} from '../errors.ts';
import {type Exchange, openExchange} from '../exchange.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import type {Carry, Hooks} from '../hooks.ts';
import {afterResponse} from '../llm/after.ts';
import {type Asked, carryRequest, readyToEstimate, requestFields, understand} from '../llm/asked.ts';
import {attempt, operations} from '../llm/call.ts';
import {answerItself} from '../llm/own-answer.ts';
import {type ReplyParts, wholeReply} from '../llm/reply.ts';
import type {Question} from '../sandbox/question.ts';
import {restingProviders} from '../upstream/deployments.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {type AskingCall, openAskingCalls} from './calls.ts';
import {openPlaces} from './places.ts';

/** Most questions of one plugin in one call of a hook. */
const mostInCall = 16;
/** Of all plugins together; "one" is the principal that a question is asked for. */
const limits = {most: 256, mostForOne: 64, mostWaiting: 1_000, mostWaitingForOne: 250};
const mostAnswerMb = 1;

export type Asking = {
	named(hooks: Hooks): Hooks;
	/** Puts what `plugin`, which may ask `granted`, asks; while the gateway stops too, for what still runs. Rejects with GatewayError. */
	ask(plugin: string, granted: readonly string[], question: Question): Promise<ModelAnswer>;
	/** From here on questions can be put; `hearers` are who is asked about them. */
	begin(gateway: Gateway, hearers: Hooks): void;
};

type Place = {call: AskingCall; plugin: string};

const notThere = (plugin: string): GatewayError =>
	new GatewayError('denied', `${plugin} may ask a model only while it answers pre-request, on-tool-call or post-response`);

/** An exchange of its own, in the name of whoever the plugin was asked about. */
const partOf = ({call, plugin}: Place, {operation, model}: Question): Exchange => {
	const {id, ip, principal, identifiedBy, session, tags} = call.exchange;
	const {dialect, path} = operations[operation];
	const part = openExchange({method: 'POST', path: `/v1${path}`, ip, surface: dialect.name});
	Object.assign(part, {principal, identifiedBy, session, tags: [...tags], operation, model} satisfies Partial<Exchange>);
	part.causedBy = {exchange: id, plugin};
	return part;
};

/** Another model would answer in another way, and nobody could say any more whose opinion it was. */
const carryQuestion =
	(carry: Carry<'pre-request'>): Carry<'pre-request'> =>
	(verdict, member) => {
		if (verdict.verdict === 'respond' || verdict.verdict === 'allow') return carry(verdict, member);
		throw new GatewayError('denied', 'A rule would change the question, or have another model answer it.', {plugin: member.plugin.name});
	};

/** Waits that overlap are one wait of the exchange that they are for. */
const openWait = ({exchange, underWay}: AskingCall, end: (error: GatewayError) => void): (() => void) => {
	const begun = performance.now();
	const isFirst = underWay.size === 0;
	underWay.add(end);
	return () => {
		underWay.delete(end);
		if (isFirst) exchange.upstreamMs += performance.now() - begun;
	};
};

export const openAsking = (): Asking => {
	const calls = openAskingCalls(({underWay}) => {
		for (const end of underWay) end(new GatewayError('client_closed', 'The plugin that asked has answered without it.'));
	});
	const rests = restingProviders();
	const places = openPlaces(limits);
	let gateway: Gateway | undefined;

	const count = ({call, plugin}: Place): void => {
		const asked = call.asked.get(plugin) ?? 0;
		if (asked >= mostInCall)
			throw new GatewayError(
				'rate_limited',
				`${plugin} has asked ${mostInCall} questions in this call already, and that is as many as it may`,
			);
		call.asked.set(plugin, asked + 1);
	};

	const replyTo = async (own: Gateway, exchange: Exchange, asked: Asked, timeoutMs: number): Promise<ReplyParts> => {
		const {hooks, catalogue} = own;
		if (asked.facts.stream) throw new GatewayError('invalid_request', '"stream" must be left out: a plugin gets its answer whole.');
		const loading = readyToEstimate(asked, hooks, exchange);
		if (loading) await loading;
		const fields = requestFields(asked, exchange, {});
		await hooks.ask('pre-request', exchange, fields, carryQuestion(carryRequest(asked, exchange, catalogue)));
		if (asked.answer) return answerItself(own, exchange, asked, asked.answer) as Promise<ReplyParts>;
		const answered = await attempt(own, rests, asked, {exchange, headers: {}, timeoutMs, waiting: exchange.waiting!});
		return wholeReply(own, exchange, asked, answered);
	};

	const put = async (own: Gateway, place: Place, question: Question): Promise<ModelAnswer> => {
		const {operation, model, body, timeoutMs} = question;
		const {dialect} = operations[operation];
		const exchange = partOf(place, question);
		const waiting: Waiting = {left: false};
		let cutBy: GatewayError | undefined;
		const cut = (error: GatewayError): void => {
			cutBy ??= error;
			leave(waiting);
		};
		exchange.waiting = waiting;
		exchange.cut = cut;
		const late = () => cut(new GatewayError('upstream_timeout', `${model} has not answered in time.`));
		const timer = setTimeout(late, timeoutMs);
		const over = openWait(place.call, cut);
		own.running.add(exchange);
		try {
			const bytes = Buffer.from(JSON.stringify({...body, model}));
			if (own.config.journal.payloads !== 'none') exchange.request = {sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length};
			const asked = understand(bytes, {operation, dialect, catalogue: own.catalogue});
			const {status, body: said} = await replyTo(own, exchange, asked, timeoutMs);
			if (exchange.request) exchange.response = {sha256: hash('sha256', said, 'hex'), bytes: Buffer.byteLength(said)};
			return {status, body: JSON.parse(said.toString()) as Json};
		} catch (thrown) {
			failWith(own, exchange, cutBy ?? thrown);
			await afterResponse(own, exchange);
			throw exchange.error;
		} finally {
			clearTimeout(timer);
			over();
			await finish(own, exchange).finally(() => own.running.delete(exchange));
		}
	};

	return {
		named: calls.named,
		async ask(plugin, granted, question) {
			const {model, asking, timeoutMs} = question;
			if (!granted.includes(model)) {
				const line = `grants: {models: ['${model}']}`;
				throw new GatewayError('denied', `${plugin} may not ask ${model}; add ${line} to its entry in gateway.config.ts`);
			}
			const call = asking === undefined ? undefined : calls.find(asking);
			const principal = call?.exchange.principal;
			if (!gateway || !call || !principal) throw notThere(plugin);
			count({call, plugin});
			const begun = performance.now();
			const giveBack = await places.take(`${principal.tenant} ${principal.id}`, timeoutMs);
			try {
				if (calls.find(asking!) !== call) throw notThere(plugin);
				const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - begun)));
				return await put(gateway, {call, plugin}, {...question, timeoutMs: leftMs});
			} finally {
				giveBack();
			}
		},
		begin(whole, hearers) {
			const {limits} = whole.config;
			gateway = {
				...whole,
				hooks: hearers,
				config: {...whole.config, limits: {...limits, replyMb: Math.min(limits.replyMb, mostAnswerMb)}},
				get stopping() {
					return whole.stopping;
				},
			};
		},
	};
};
