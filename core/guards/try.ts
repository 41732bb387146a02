import {type Caller, mayReach} from '../../plugin-sdk/index.ts';
import type {Principal} from '../../schemas/principal.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import {type Exchange, openExchange} from '../exchange.ts';
import {admitted, identifyById} from '../explain/identify.ts';
import {principalOf} from '../explain/question.ts';
import type {Rehearsal} from '../explain/rehearsal.ts';
import type {Gateway} from '../gateway.ts';
import {beforeReply} from '../llm/after.ts';
import {carryRequest, requestFields, understand} from '../llm/asked.ts';
import {operations} from '../llm/call.ts';
import type {JsonObject} from '../llm/json.ts';
import {askRequest, askToolCall} from '../mcp/guard.ts';
import {nothingOffered} from '../mcp/offer.ts';
import type {Turn} from '../mcp/turn.ts';
import {type Looked, type Report, reportOf} from './report.ts';
import {type Trial, type Way, wayOf} from './trial.ts';

/** What is left of it when all guards have let it pass. */
type Left = {text?: string; body?: JsonObject; arguments?: JsonObject; answer?: unknown};

/** What the guards would do, and what would go on. */
export type Tried = Report & Left & {allowed: boolean};

const principalFor = async ({house}: Rehearsal, {key, principal}: Trial, caller: Caller): Promise<Principal> => {
	if (key !== undefined) return admitted(await identifyById(house, key, caller));
	const found = principalOf(principal ?? {tenant: caller.tenant ?? 'default'});
	if (!mayReach(caller, found.tenant)) throw new GatewayError('denied', `This admin is for the tenant ${caller.tenant} alone.`);
	return found;
};

const exchangeFor = (way: Way, principal: Principal, session: string | undefined): Exchange => {
	const isModel = way.to === 'model' || (way.to === 'client' && way.operation === 'chat');
	const exchange = openExchange({method: 'POST', path: isModel ? '/v1' : '/mcp', ip: '', surface: isModel ? 'openai' : 'mcp'});
	exchange.principal = principal;
	exchange.tags = [...principal.tags];
	exchange.operation = way.to === 'tool' ? 'tools/call' : way.operation;
	if (session !== undefined) exchange.session = session;
	return exchange;
};

/** Everything that stands in the way of one trial, in the order of a real exchange. Throws what a guard refuses. */
type Walk = {hooks: readonly Looked[]; go: () => Promise<Left>};

const toModel = (way: Extract<Way, {to: 'model'}>, {catalogue, hooks}: Gateway, exchange: Exchange): Walk => {
	const {operation, place} = way;
	const {dialect} = operations[operation];
	const asked = understand(Buffer.from(JSON.stringify(way.body)), {operation, dialect, catalogue});
	exchange.surface = dialect.name;
	exchange.model = asked.facts.model;
	exchange.stream = asked.facts.stream;
	const left = (): Left => {
		if (asked.answer) return {answer: asked.answer};
		if (place === undefined) return {body: asked.json};
		const {system, input, messages} = asked.json as {system?: string; input?: string; messages?: [{content: string}]};
		const text = (place === 'system' ? system : input) ?? messages?.[0].content;
		return text === undefined ? {body: asked.json} : {text};
	};
	return {
		hooks: ['pre-request'],
		async go() {
			await hooks.ask('pre-request', exchange, requestFields(asked, exchange, {}), carryRequest(asked, exchange, catalogue));
			return left();
		},
	};
};

const toTool = (way: Extract<Way, {to: 'tool'}>, gateway: Gateway, exchange: Exchange): Walk => {
	const {name, server, place} = way;
	exchange.server = server ?? 'try';
	exchange.tool = name;
	const turn: Turn = {
		gateway,
		exchange,
		headers: {},
		door: server,
		era: 'stateless',
		owner: '',
		id: 1,
		method: 'tools/call',
		params: {name, arguments: way.arguments},
		waiting: {left: false},
		offer: nothingOffered,
	};
	return {
		hooks: ['pre-request', 'on-tool-call'],
		async go() {
			const answer = (await askRequest(turn)) ?? (await askToolCall(turn, name, undefined));
			if (answer) return {answer};
			const args = turn.params.arguments as JsonObject;
			return place ? {text: String(args.text)} : {arguments: args};
		},
	};
};

const toClient = ({channel, ...way}: Extract<Way, {to: 'client'}>, gateway: Gateway, exchange: Exchange): Walk => ({
	hooks: ['post-response'],
	async go() {
		let {text} = way;
		exchange.outcome = 'ok';
		await beforeReply(gateway, exchange, {text: () => [text], channels: () => [channel]}, patch => {
			text = patch.text?.['0'] ?? text;
		});
		return {text};
	},
});

const walkFor = (way: Way, gateway: Gateway, exchange: Exchange): Walk => {
	if (way.to === 'model') return toModel(way, gateway, exchange);
	return way.to === 'tool' ? toTool(way, gateway, exchange) : toClient(way, gateway, exchange);
};

/**
 * Shows guards what they would be shown, and sends nothing anywhere: what verdicts ask for is not carried out. Rejects with GatewayError
 * where the trial itself makes no sense; what a guard refuses is an answer.
 */
export const tryGuards = (gateway: Gateway, trial: Trial, caller: Caller): Promise<Tried> =>
	gateway.rehearse(async rehearsal => {
		const hooks = rehearsal.guards;
		const way = wayOf(trial, gateway.catalogue);
		const exchange = exchangeFor(way, await principalFor(rehearsal, trial, caller), trial.session);
		const walk = walkFor(way, {...gateway, hooks}, exchange);
		const [ended] = await Promise.allSettled([walk.go()]);
		const refused = ended.status === 'rejected' ? asGatewayError(ended.reason) : undefined;
		const report = reportOf({rehearsal, exchange, quarantined: gateway.house.quarantined}, walk.hooks, refused);
		return {allowed: !refused, ...report, ...(ended.status === 'fulfilled' && ended.value)};
	});
