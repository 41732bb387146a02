import {type Caller, mayReach} from '../plugin-sdk/index.ts';
import type {Principal} from '../schemas/principal.ts';
import {asGatewayError, type ErrorCode, GatewayError} from './errors.ts';
import {openExchange} from './exchange.ts';
import {openCurtain} from './explain/curtain.ts';
import {admitted, type Identified, identifyById} from './explain/identify.ts';
import {bodyOf, operationOf, principalOf, type Question} from './explain/question.ts';
import type {Rehearsal, Stage} from './explain/rehearsal.ts';
import {detailsOf, type Told, toldBy} from './explain/told.ts';
import type {Gateway} from './gateway.ts';
import {type Asked, carryRequest, estimateOf, requestFields, understand} from './llm/asked.ts';
import {operations} from './llm/call.ts';
import {isObject} from './llm/json.ts';

type Explained = {
	allowed: boolean;
	/** What settled it: a refusal with its code, or the rule that allows it. Without a plugin, it is the gateway itself that refuses. */
	decidedBy?: {plugin?: string; rule?: string; code?: ErrorCode; status?: number; message?: string};
	principal?: Omit<Principal, 'accounts'>;
	operation: string;
	model: string;
	/** Who would be asked, best first. */
	deployments?: string[];
	estimate?: {inputTokens: number; maxOutputTokens: number; maxCostMicroUsd?: number};
	plugins: Told[];
};

/** Answers what would become of a request, without one. Rejects with GatewayError where there is no such key, or too many ask. */
export type Explain = (question: Question, caller: Caller) => Promise<Explained>;

/** Has something happen in a rehearsal, one thing at a time. Rejects with `rate_limited` where too many wait. */
export type Rehearse = <T>(work: (rehearsal: Rehearsal) => Promise<T>) => Promise<T>;

type Explainable = Pick<Gateway, 'catalogue' | 'house'>;

const mostWaiting = 8;

const identifiedAs = ({plugin, verdict}: Identified): Told => {
	const told: Told = {plugin, hook: 'pre-auth', verdict: verdict.verdict};
	if (verdict.verdict !== 'deny') return told;
	return {...told, code: verdict.code, message: verdict.message, ...(verdict.rule !== undefined && {rule: verdict.rule})};
};

const refusedBy = ({plugin, rule, code, status, message}: GatewayError): Explained['decidedBy'] => ({
	...(plugin !== undefined && {plugin}),
	...(rule !== undefined && {rule}),
	code,
	status,
	message,
});

/** The rule that the last plugin which explains itself names. */
const allowedBy = (plugins: readonly Told[]): Explained['decidedBy'] => {
	const told = plugins.findLast(({details}) => isObject(details) && typeof details.decidedBy === 'string');
	return told && {plugin: told.plugin, rule: String((told.details as {decidedBy: string}).decidedBy)};
};

const caught = async (work: () => Promise<unknown>): Promise<GatewayError | undefined> => {
	try {
		await work();
		return undefined;
	} catch (thrown) {
		return asGatewayError(thrown);
	}
};

/** Identification, and then the plugins of pre-request, as far as they would be asked. */
const rehearsed = async (gateway: Explainable, rehearsal: Rehearsal, question: Question, caller: Caller): Promise<Explained> => {
	const {catalogue} = gateway;
	const operation = operationOf(question, catalogue);
	const {model, session} = question;
	const {dialect, path} = operations[operation];
	if (question.principal && !mayReach(caller, question.principal.tenant))
		throw new GatewayError('denied', `This admin is for the tenant ${caller.tenant} alone.`);
	const identified = question.key === undefined ? undefined : await identifyById(rehearsal.house, question.key, caller);
	const exchange = openExchange({method: 'POST', path: `/v1${path}`, ip: '', surface: dialect.name});
	Object.assign(exchange, {operation, model, session} satisfies Partial<typeof exchange>);
	let asked: Asked | undefined;
	const refused = await caught(async () => {
		exchange.principal = identified ? admitted(identified) : principalOf(question.principal!);
		if (!mayReach(caller, exchange.principal.tenant))
			throw new GatewayError('denied', `This admin is for the tenant ${caller.tenant} alone.`);
		exchange.tags = [...exchange.principal.tags];
		asked = understand(bodyOf(question, operation), {operation, dialect, catalogue});
		await rehearsal.hooks.ask('pre-request', exchange, requestFields(asked, exchange, {}), carryRequest(asked, exchange, catalogue));
	});
	const {principal} = exchange;
	const told = asked ? toldBy(rehearsal, {refused, answered: asked.answer !== undefined}) : [];
	const deployments = asked?.plan.map(({name}) => name);
	const estimate = asked && estimateOf(asked);
	for (const one of told) {
		const since = gateway.house.quarantined.get(one.plugin);
		if (since) one.quarantined = since;
		const details = await detailsOf(rehearsal, one.plugin, {principal, operation, model: exchange.model, deployments, estimate}, caller);
		if (details !== undefined) one.details = details;
	}
	const decidedBy = refused ? refusedBy(refused) : allowedBy(told);
	const {accounts, ...shown} = principal ?? {accounts: []};
	return {
		allowed: refused === undefined,
		...(decidedBy && {decidedBy}),
		...('id' in shown && {principal: shown}),
		operation,
		model: exchange.model ?? model,
		...(deployments && {deployments}),
		...(estimate && {estimate}),
		plugins: [...(identified ? [identifiedAs(identified)] : []), ...told],
	};
};

/** Answers one question at a time. To be closed. */
export const openExplain = (gateway: Explainable, stage: Stage): {explain: Explain; rehearse: Rehearse; close(): Promise<void>} => {
	const curtain = openCurtain(stage, gateway.house.residents);
	let waiting = 0;
	const rehearse: Rehearse = async work => {
		if (waiting >= mostWaiting)
			throw new GatewayError('rate_limited', `${mostWaiting} questions are waiting already.`, {retryAfterMs: 1_000});
		waiting++;
		try {
			return await curtain.inside(work);
		} finally {
			waiting--;
		}
	};
	return {
		explain: (question, caller) => rehearse(rehearsal => rehearsed(gateway, rehearsal, question, caller)),
		rehearse,
		close: curtain.close,
	};
};
