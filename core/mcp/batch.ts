import {mcpOperations} from '../../schemas/hooks.ts';
import {identify} from '../auth.ts';
import {openExchange} from '../exchange.ts';
import {failWith, finish} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import type {JsonObject} from '../llm/json.ts';
import type {ReplyParts} from '../llm/reply.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {answered} from './respond.ts';
import {errorBody, type Message, RpcError, readMessage, rpcCodes} from './rpc.ts';
import {takeUnasked} from './unasked.ts';
import {accepted, protocolError, reply, sessionOf, type Visit} from './visit.ts';

const mostInBatch = 100;

type Request = Extract<Message, {kind: 'request'}>;

/** What a request is told that was nobody's, or no session's, any more. */
const refused = async ({gateway, exchange}: Visit, thrown: unknown, {id}: Request): Promise<JsonObject> => {
	if (thrown instanceof RpcError) {
		protocolError(exchange, thrown, id);
		return errorBody(thrown, exchange.id, id);
	}
	const error = failWith(gateway, exchange, thrown);
	await afterResponse(gateway, exchange);
	return errorBody(error, exchange.id, id);
};

/** One request of a batch, as an exchange of its own; whose key has ended since the first of them is told so, on a record of its own too. */
const partOf = async (visit: Visit, message: Request): Promise<JsonObject> => {
	const {gateway, exchange, req} = visit;
	const {method, path, ip, surface} = exchange;
	const part = openExchange({method, path, ip, surface});
	part.annotations['mcp.batch'] = exchange.id;
	// Its own: a client that takes back one of them has not left the others.
	const waiting: Waiting = {left: visit.waiting.left};
	visit.waiting.onLeft = () => leave(waiting);
	part.waiting = waiting;
	const own: Visit = {...visit, exchange: part, waiting};
	gateway.running.add(part);
	try {
		let body: JsonObject;
		try {
			await identify(gateway.hooks, part, req.headers, gateway.config.anonymous === true);
			// It may be somebody else's key by now, or a session that has ended.
			const {owner, offer} = sessionOf(own);
			({body} = await answered(own, {message, era: 'legacy', owner, offer, stream: undefined}));
		} catch (thrown) {
			part.operation = mcpOperations.find(name => name === message.method) ?? 'batch';
			body = await refused(own, thrown, message);
		}
		await finish(gateway, part);
		return body;
	} finally {
		visit.waiting.onLeft = undefined;
		gateway.running.delete(part);
	}
};

/**
 * A batch of 2025-03-26: each request is an exchange of its own, with every hook and a record; so none can hide behind another. What asks
 * nothing is taken before the first of them, since they wait for each other.
 */
export const batch = async (visit: Visit, messages: unknown[]): Promise<ReplyParts> => {
	const {exchange} = visit;
	exchange.operation = 'batch';
	const session = sessionOf(visit);
	const {version} = session;
	if (version !== '2025-03-26' && version !== '2024-11-05')
		throw new RpcError(rpcCodes.invalidRequest, 'This version of the protocol knows no batches.', {status: 400});
	if (messages.length === 0 || messages.length > mostInBatch)
		throw new RpcError(rpcCodes.invalidRequest, `A batch holds 1 to ${mostInBatch} messages.`, {status: 400});
	const read = messages.map(message => readMessage(message as JsonObject));
	if (read.some(message => message.kind === 'request' && message.method === 'initialize'))
		throw new RpcError(rpcCodes.invalidRequest, 'initialize stands alone.', {status: 400});
	for (const message of read) if (message.kind !== 'request') takeUnasked(visit, session, message);
	const bodies: JsonObject[] = [];
	for (const message of read) if (message.kind === 'request') bodies.push(await partOf(visit, message));
	if (bodies.length === 0) return accepted(exchange);
	exchange.outcome = 'ok';
	exchange.status = 200;
	return reply(bodies);
};
