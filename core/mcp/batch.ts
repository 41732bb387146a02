import {identify} from '../auth.ts';
import {openExchange} from '../exchange.ts';
import {finish} from '../gateway.ts';
import type {JsonObject} from '../llm/json.ts';
import type {ReplyParts} from '../llm/reply.ts';
import {answered} from './respond.ts';
import {RpcError, readMessage, rpcCodes} from './rpc.ts';
import {accepted, reply, sessionOf, type Visit} from './visit.ts';

const mostInBatch = 100;

/** A batch of 2025-03-26: each message is an exchange of its own, with every hook and a record; so none can hide behind another. */
export const batch = async (visit: Visit, messages: unknown[]): Promise<ReplyParts> => {
	const {gateway, exchange, req, door} = visit;
	exchange.operation = 'batch';
	const {owner, version, offer} = sessionOf(visit);
	if (version !== '2025-03-26' && version !== '2024-11-05')
		throw new RpcError(rpcCodes.invalidRequest, 'This version of the protocol knows no batches.', {status: 400});
	if (messages.length === 0 || messages.length > mostInBatch)
		throw new RpcError(rpcCodes.invalidRequest, `A batch holds 1 to ${mostInBatch} messages.`, {status: 400});
	const read = messages.map(message => readMessage(message as JsonObject));
	if (read.some(message => message.kind === 'request' && message.method === 'initialize'))
		throw new RpcError(rpcCodes.invalidRequest, 'initialize stands alone.', {status: 400});
	const bodies: JsonObject[] = [];
	for (const message of read) {
		if (message.kind !== 'request') continue;
		const {method, path, ip, surface} = exchange;
		const part = openExchange({method, path, ip, surface});
		part.annotations['mcp.batch'] = exchange.id;
		part.waiting = visit.waiting;
		gateway.running.add(part);
		try {
			await identify(gateway.hooks, part, req.headers, gateway.config.anonymous === true);
			const own: Visit = {...visit, exchange: part, door};
			bodies.push((await answered(own, {message, era: 'legacy', owner, offer, stream: undefined})).body);
			await finish(gateway, part);
		} finally {
			gateway.running.delete(part);
		}
	}
	if (bodies.length === 0) return accepted(exchange);
	exchange.outcome = 'ok';
	exchange.status = 200;
	return reply(bodies);
};
