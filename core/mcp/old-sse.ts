import {randomBytes} from 'node:crypto';
import {readBody} from '../body.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import {finish} from '../gateway.ts';
import {parseExactly} from '../llm/exact.ts';
import type {ReplyParts} from '../llm/reply.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {askToListen, tell} from './listening.ts';
import {nothingOffered, type Offer, offerOf} from './offer.ts';
import {answered, cancel} from './respond.ts';
import {errorBody, RpcError, readMessage, rpcCodes} from './rpc.ts';
import {openStream, type Stream} from './stream.ts';
import {accepted, type Visit} from './visit.ts';

/** A client of 2024-11-05: what it asks comes in requests of its own, and every answer goes out on its one stream. */
export type OldClient = {whose: string; owner: string; offer: Offer; stream: Stream; begun(offer: Offer): void; underWay: Set<Waiting>};

/** The paths of that transport, which an older client is given as its address. */
export const oldPath = (path: string): 'sse' | 'messages' | undefined => {
	const [, place] = /^\/mcp\/[a-z][a-z0-9-]{0,31}\/(sse|messages)$/.exec(path) ?? [];
	return place === 'sse' || place === 'messages' ? place : undefined;
};

const whoseIs = ({exchange, door}: Visit): string => {
	const {tenant, id, key} = exchange.principal!;
	return JSON.stringify([tenant, id, key ?? null, door ?? null]);
};

const mostClients = 2_000;

/** GET: the stream, which says first where to send to. It lives in this process, and ends with its client. */
const begin = async (visit: Visit): Promise<undefined> => {
	const {gateway, exchange, res, door} = visit;
	const {oldClients, servers} = gateway.mcp;
	if (oldClients.size >= mostClients) throw new GatewayError('rate_limited', 'Too many clients of this transport are connected here.');
	await askToListen(visit);
	exchange.stream = true;
	exchange.status = 200;
	exchange.outcome = 'ok';
	const id = randomBytes(24).toString('base64url');
	const stream = openStream(res, exchange.id);
	const owner = `stream:${id}`;
	let begun = (_: Offer): void => undefined;
	const offered = new Promise<Offer>(resolve => {
		begun = resolve;
	});
	const client: OldClient = {whose: whoseIs(visit), owner, offer: nothingOffered, stream, begun, underWay: new Set()};
	oldClients.set(id, client);
	stream.begin();
	res.write(`event: endpoint\ndata: /mcp/${door}/messages?session=${id}\n\n`);
	try {
		await tell(
			visit,
			stream,
			offered.then(offer => ({owner, offer, era: 'legacy'})),
		);
	} finally {
		oldClients.delete(id);
		for (const waiting of client.underWay) leave(waiting);
		servers.release(owner);
	}
	return undefined;
};

/** Requests of one client that are under way at once. */
const mostUnderWay = 100;
/** Who leaves so many bytes of answers unread is asked nothing more of. */
const mostBehind = 16 * 1_048_576;

/** Confirms a request before it is worked on: there are clients that send nothing else until it is. */
const confirm = ({exchange, res, ended}: Visit): void => {
	// It ends with the stream, and not with the request that brought it.
	ended.onLeft = () => undefined;
	res.writeHead(202, {'content-length': '0', 'x-sallyport-exchange': exchange.id}).end();
};

/** POST: one message of such a client's. Its answer goes out on the stream, when its record is written. */
const take = async (visit: Visit): Promise<ReplyParts | undefined> => {
	const {gateway, exchange, req, waiting} = visit;
	const {limits} = gateway.config;
	exchange.operation = 'notifications';
	const id = new URL(req.url ?? '', 'http://localhost').searchParams.get('session') ?? '';
	const client = gateway.mcp.oldClients.get(id);
	if (client?.whose !== whoseIs(visit))
		throw new RpcError(rpcCodes.invalidRequest, 'There is no such session: begin with GET.', {status: 404});
	const bytes = await readBody(req, {maxBytes: limits.bodyMb * 1_048_576, withinMs: limits.bodyMs, waiting});
	const message = readMessage(parseExactly(bytes));
	const {owner, stream, underWay} = client;
	if (message.kind === 'answer') gateway.mcp.push.answered(owner, message.id, message);
	if (message.kind === 'notification' && message.method === 'notifications/cancelled') cancel(gateway, owner, message.params.requestId);
	if (message.kind !== 'request') return accepted(exchange);
	if (message.method === 'initialize') {
		client.offer = offerOf(message.params.capabilities);
		client.begun(client.offer);
	}
	if (underWay.size >= mostUnderWay) throw new GatewayError('rate_limited', `${mostUnderWay} requests of this client are under way.`);
	if (stream.unread() > mostBehind) throw new GatewayError('rate_limited', 'This client does not read its answers.');
	underWay.add(waiting);
	try {
		confirm(visit);
		const {body} = await answered(visit, {message, era: 'legacy', owner, offer: client.offer, stream});
		await finish(gateway, exchange).then(
			() => stream.answer(body),
			thrown => stream.answer(errorBody(asGatewayError(thrown), exchange.id, message.id)),
		);
	} finally {
		underWay.delete(waiting);
	}
	return undefined;
};

/** The HTTP+SSE transport of 2024-11-05. */
export const oldTransport = (visit: Visit, place: 'sse' | 'messages'): Promise<ReplyParts | undefined> => {
	const {method} = visit.req;
	if (place === 'sse' && method === 'GET') return begin(visit);
	if (place === 'messages' && method === 'POST') return take(visit);
	throw new GatewayError('method_not_allowed', 'The transport of 2024-11-05 is GET of …/sse and POST to …/messages.');
};
