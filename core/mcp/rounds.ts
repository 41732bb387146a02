import {randomUUID} from 'node:crypto';
import {setTimeout as after} from 'node:timers/promises';
import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {judged, mostRounds, questionOf} from './asks.ts';
import {digestOf} from './catalogue.ts';
import type {Asking} from './link.ts';
import {capabilitiesOf, covers, nothingOffered, offerOf} from './offer.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';
import {isDeclined, pagesAsked, pagesError, pagesRequired} from './url-required.ts';

const inputRequired = 'input_required';
const paceMs = 500;
const mostQuestions = mostRounds * 2;

/** What no complete result has to say. */
const complete = ({inputRequests: _, requestState: __, ...result}: JsonObject): JsonObject => result;

const tooMany = (server: string): GatewayError =>
	new GatewayError('upstream_failed', `The MCP server "${server}" asks for more than ${mostRounds} times.`);

/** Each is an exchange with a record: what a server may ask at once is bounded before the first of them. */
const questionsIn = (server: string, {inputRequests}: JsonObject): [string, JsonObject][] => {
	const asked = inputRequests ?? {};
	if (!isObject(asked)) throw new GatewayError('upstream_malformed', `The MCP server "${server}" asks in a form that is not that of MCP.`);
	const questions = Object.entries(asked);
	if (questions.length > mostQuestions)
		throw new GatewayError('upstream_failed', `The MCP server "${server}" asks more than ${mostQuestions} things at once.`);
	return questions.map(([key, question]) => [key, isObject(question) ? question : {}]);
};

/** A session's client is asked on the stream of its own request. */
const putTo = (turn: Turn, channel: Channel, method: unknown, params: unknown): Promise<JsonObject> => {
	const question = questionOf(turn, channel, method, params);
	return judged(turn, channel, question, left => {
		if (!turn.put) throw new RpcError(rpcCodes.unknownMethod, 'This client takes no questions here: it accepts no text/event-stream.');
		// Of the stateless era's pages none has an id, and those of sessions have to.
		const named = left.mode === 'url' && left.elicitationId === undefined ? {...left, elicitationId: randomUUID()} : left;
		return turn.put(question.method, named);
	});
};

/** Both know sessions: questions go through as they come. */
const pushed = (turn: Turn, channel: Channel): Asking['onAsk'] => {
	let questions = 0;
	return async (method, params) => {
		if (++questions > mostQuestions) throw new RpcError(rpcCodes.internal, 'This asks too often.');
		return putTo(turn, channel, method, params);
	};
};

type Sending = (params: JsonObject, asking?: Partial<Asking>) => Promise<JsonObject>;

/** The server wants to be asked again with the answers; the client of a session is asked for them meanwhile. */
const asked = async (turn: Turn, channel: Channel, params: JsonObject, send: Sending): Promise<JsonObject> => {
	let result = await send(params);
	for (let round = 0; result.resultType === inputRequired; round++) {
		if (round >= mostRounds) throw tooMany(channel.server);
		const questions = questionsIn(channel.server, result);
		const answers = await Promise.all(
			questions.map(async ([key, {method, params: said}]) => [key, await putTo(turn, channel, method, said)] as const),
		);
		if (questions.length === 0) await after(paceMs);
		const {requestState} = result;
		result = await send({
			...params,
			...(answers.length > 0 && {inputResponses: Object.fromEntries(answers)}),
			...(requestState !== undefined && {requestState}),
		});
	}
	return complete(result);
};

/** Neither knows sessions: rounds go through, and what the server wants to be told again is sealed. */
const relayed = async (
	turn: Turn,
	channel: Channel,
	{requestState, ...params}: JsonObject,
	bound: string,
	send: Sending,
): Promise<JsonObject> => {
	const {seal} = turn.gateway.mcp;
	const {round = 0, state} = typeof requestState === 'string' ? seal.open(requestState, bound) : ({} as JsonObject);
	const result = await send({...params, ...(state !== undefined && {requestState: state})});
	if (result.resultType !== inputRequired) return complete(result);
	if (Number(round) >= mostRounds) throw tooMany(channel.server);
	const inputRequests = Object.fromEntries(
		await Promise.all(
			questionsIn(channel.server, result).map(async ([key, {method, params: said}]) => {
				const question = questionOf(turn, channel, method, said);
				return [key, {method: question.method, params: await judged(turn, channel, question)}] as const;
			}),
		),
	);
	const sealed = seal.close(
		{...approvedBy(turn), round: Number(round) + 1, ...(result.requestState !== undefined && {state: result.requestState})},
		bound,
	);
	return {...result, ...(result.inputRequests !== undefined && {inputRequests}), requestState: sealed};
};

/** The server asks while it works; a client without sessions gets its questions as a result, and the work waits. */
const parked = async (turn: Turn, channel: Channel, given: JsonObject, bound: string, send: Sending): Promise<JsonObject> => {
	const {seal, parked: calls} = turn.gateway.mcp;
	const {requestState, inputResponses, ...params} = given;
	const responses = isObject(inputResponses) ? inputResponses : {};
	let call: ReturnType<typeof calls.find>;
	if (typeof requestState === 'string') {
		const {call: id, round} = seal.open(requestState, bound);
		call = calls.find(id, bound, round);
	} else call = calls.begin(turn, channel, bound, responses, asking => send(params, asking));
	const result = await calls.next(call, turn, responses);
	if (result) return complete(result);
	const inputRequests = Object.fromEntries([...call.open].map(([key, {method, params: said}]) => [key, {method, params: said}]));
	return {
		resultType: inputRequired,
		inputRequests,
		requestState: seal.close({...approvedBy(turn), call: call.id, round: call.round}, bound),
	};
};

/** What a session's server logs is for its client to say; it is told when that changes. */
const levelled = async (channel: Channel, level: string, asking: Asking): Promise<void> => {
	const {capabilities} = await channel.link.facts(asking);
	if (channel.level === level || !channel.isOwn || !isObject(capabilities.logging)) return;
	channel.level = level;
	await channel.link.request('logging/setLevel', {level}, {asker: asking.asker, timeoutMs: asking.timeoutMs});
};

/** A server refuses a request for what its client does not offer: said again of the client's own hop, where it could offer it. */
const lacked = (turn: Turn, {server, may}: Channel, thrown: unknown): unknown => {
	if (!(thrown instanceof RpcError) || !thrown.isTheirs || thrown.code !== rpcCodes.missingCapability) return thrown;
	const needed = offerOf(isObject(thrown.data) ? thrown.data.requiredCapabilities : undefined);
	if (needed === nothingOffered) return thrown;
	const requiredCapabilities = capabilitiesOf(needed);
	const names = Object.keys(requiredCapabilities).join(', ');
	if (!covers(may, needed))
		return new GatewayError('denied', `The MCP server "${server}" needs ${names} of its callers; see servers.${server}.asks.`);
	if (turn.era === 'legacy') return new GatewayError('upstream_failed', `The MCP server "${server}" needs a client that offers ${names}.`);
	return new RpcError(rpcCodes.missingCapability, `This needs a client that offers ${names}.`, {data: {requiredCapabilities}, status: 400});
};

/** What a `requestState` belongs to. */
const boundTo = ({exchange, door}: Turn, method: string, said: unknown): string => {
	const {tenant, id, key} = exchange.principal!;
	return JSON.stringify([tenant, id, key ?? null, door ?? null, method, digestOf(said)]);
};

/** Which approval let the call pass that a request goes on with, and its round: `<approval>/<round>`. Throws -32602 as Seal.open does. */
export const continued = (turn: Turn, method: string, said: unknown): string | undefined => {
	const {requestState} = turn.params;
	if (typeof requestState !== 'string') return undefined;
	const {approval, round} = turn.gateway.mcp.seal.open(requestState, boundTo(turn, method, said));
	return typeof approval === 'string' ? `${approval}/${String(round)}` : undefined;
};

/** Goes into each state, so that a call that was approved is approved in its next round. */
const approvedBy = ({exchange}: Turn): JsonObject => (exchange.approval ? {approval: exchange.approval.id} : {});

/** A stateless client that was sent to pages comes back and asks anew: its server was told nothing of it, and knows by itself who has been there. */
const visited = (turn: Turn, params: JsonObject, bound: string): {own: JsonObject; round: number} => {
	const {requestState, inputResponses, ...own} = params;
	if (typeof requestState !== 'string') return {own: params, round: 0};
	const {visiting, round} = turn.gateway.mcp.seal.open(requestState, bound);
	if (visiting !== true) return {own: params, round: 0};
	if (isDeclined(inputResponses)) throw new RpcError(rpcCodes.internal, 'A page has to be visited before this can be done, and was not.');
	return {own, round: Number(round)};
};

/** Requests that a server may need its client for (2026-07-28). */
const mayAsk = new Set(['tools/call', 'prompts/get', 'resources/read']);

/**
 * Sends a request to its server and carries between the eras what the server asks meanwhile. `said` is what the client asked, in its own
 * words: a `requestState` belongs to its principal, door, method and that. Rejects as Link.request does, or with what forbids a question.
 */
export const call = async (
	turn: Turn,
	channel: Channel,
	method: string,
	params: JsonObject,
	asking: Asking,
	said: unknown,
): Promise<JsonObject> => {
	const {facts, request} = channel.link;
	const {era} = await facts(asking);
	const {inputResponses: _, requestState: __, ...plain} = params;
	const capabilities = capabilitiesOf(turn.offer & channel.may);
	if (era === 'legacy' && asking.logLevel !== undefined) await levelled(channel, asking.logLevel, asking);
	const send: Sending = (own, more) =>
		request(method, own, {...asking, capabilities, ...more}).catch(thrown => {
			throw lacked(turn, channel, thrown);
		});
	const isAsking = turn.era === 'stateless' && mayAsk.has(method);
	const bound = isAsking ? boundTo(turn, method, said) : '';
	const {own, round} = isAsking ? visited(turn, params, bound) : {own: plain, round: 0};
	try {
		if (isAsking) return await (era === 'stateless' ? relayed : parked)(turn, channel, own, bound, send);
		if (turn.era === 'stateless') return complete(await send(plain));
		return await (era === 'legacy' ? send(plain, {onAsk: pushed(turn, channel)}) : asked(turn, channel, plain, send));
	} catch (thrown) {
		const pages = await pagesRequired(turn, channel, thrown);
		if (!pages) throw thrown;
		if (turn.era === 'legacy') throw pagesError(pages);
		if (!isAsking || round >= mostRounds) throw tooMany(channel.server);
		const {seal} = turn.gateway.mcp;
		const requestState = seal.close({...approvedBy(turn), visiting: true, round: round + 1}, bound);
		return {resultType: inputRequired, inputRequests: pagesAsked(pages), requestState};
	}
};
