import {GatewayError} from '../errors.ts';
import {failWith, finish} from '../gateway.ts';
import {errorBody, RpcError, rpcCodes} from './rpc.ts';
import {beginEvents, eventOf, openStream} from './stream.ts';
import type {Visit} from './visit.ts';

/** So often a client is sent on to another process, on a new connection each time: among a few, one of them is the right one. */
const mostTries = 10;
const againMs = 150;

/** How often a client that shows this id was sent on already, and the id that it began with. */
const triesIn = (lastId: string): {id: string; tries: number} => {
	const [id = '', tries = '0'] = lastId.split('!');
	return {id, tries: Number.parseInt(tries, 10) || 0};
};

/**
 * For a client that waits for an answer which is not in this process: where others may have it, it is asked to come again, over another
 * connection; and in the end it is told so, since it would wait until its patience ends.
 */
const elsewhere = async ({gateway, exchange, res}: Visit, {id, tries}: ReturnType<typeof triesIn>): Promise<void> => {
	const request = gateway.mcp.replays.requestElsewhere(id);
	if (request === undefined)
		throw new RpcError(rpcCodes.invalidRequest, 'There is nothing to take up again after that event.', {status: 404});
	if (tries < mostTries) {
		await finish(gateway, exchange);
		res.setHeader('connection', 'close');
		beginEvents(res, exchange.id);
		res.end(`id: ${id}!${tries + 1}\nretry: ${againMs}\ndata: \n\n`);
		return;
	}
	const message = 'The rest of this answer is in another process of the gateway, or gone. What was asked may have been done.';
	const error = failWith(gateway, exchange, new GatewayError('not_found', message));
	exchange.outcome = 'failed';
	await finish(gateway, exchange);
	openStream(res, exchange.id).end(JSON.stringify(errorBody(error, exchange.id, request)));
};

/** The rest of a stream that broke off (`Last-Event-ID`). Throws RpcError -32600 with status 404 where there is none of this session's, and nobody can say what it answered. */
export const resume = async (visit: Visit, owner: string, lastId: string): Promise<void> => {
	const {gateway, exchange, res, waiting} = visit;
	let end = (): void => undefined;
	const ended = new Promise<void>(resolve => {
		end = resolve;
	});
	const begin = (): void => {
		if (!res.headersSent) beginEvents(res, exchange.id);
	};
	const place = triesIn(lastId);
	const stop = gateway.mcp.replays.follow(owner, place.id, {
		message(text, id) {
			begin();
			if (!res.destroyed) res.write(eventOf(text, id));
		},
		end: () => end(),
	});
	if (!stop) return elsewhere(visit, place);
	begin();
	waiting.onLeft = end;
	gateway.mcp.streams.add(waiting);
	await ended;
	gateway.mcp.streams.delete(waiting);
	stop();
	await finish(gateway, exchange).catch(thrown => gateway.log.error({err: thrown}, 'the record could not be written'));
	res.end();
};
