import type {IncomingMessage, ServerResponse} from 'node:http';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {ReplyParts} from '../llm/reply.ts';
import type {Waiting} from '../upstream/reply.ts';
import {errorBody, RpcError, type RpcId, rpcCodes} from './rpc.ts';
import type {Session} from './session.ts';

/** The wire of one HTTP request, and who is on it. */
export type Visit = {
	gateway: Gateway;
	exchange: Exchange;
	req: IncomingMessage;
	res: ServerResponse;
	door: string | undefined;
	waiting: Waiting;
	/** Why it is ended from outside, when it is; and what is done in the place of ending when its client leaves. */
	ended: {by?: GatewayError; onLeft?: (() => void) | undefined};
};

const plain = {'content-type': 'application/json'};

/** A message as an HTTP reply. */
export const reply = (body: unknown, status = 200, headers: Record<string, string> = {}): ReplyParts => ({
	status,
	headers: {...plain, ...headers},
	body: JSON.stringify(body),
});

/** What breaks the protocol, refused before it was anything. */
export const protocolError = (exchange: Exchange, error: RpcError, id: RpcId | null): ReplyParts => {
	exchange.outcome = 'denied';
	exchange.status = error.status;
	exchange.annotations['mcp.error'] = error.code;
	return reply(errorBody(error, exchange.id, id), error.status);
};

/** What nobody waits to hear an answer to. */
export const accepted = (exchange: Exchange): ReplyParts => {
	exchange.outcome = 'ok';
	exchange.status = 202;
	return {status: 202, headers: {}, body: ''};
};

/** The server whose door a path is; undefined for any other path. */
export const doorIn = (path: string): string | undefined =>
	/^\/mcp\/([a-z][a-z0-9-]{0,31})\/?(?:(?<=\/)(?:sse|messages))?$/.exec(path)?.[1];

/** `/mcp` is the common door, `/mcp/<server>` that of one server; anything else is nothing. */
export const doorOf = (path: string): string | undefined => {
	const [, door] = /^\/mcp(?:\/([a-z][a-z0-9-]{0,31}))?\/?$/.exec(path) ?? ['', doorIn(path) ?? null];
	if (door === null) throw new GatewayError('not_found', 'There is nothing at this path; MCP is served at /mcp and /mcp/<server>.');
	return door;
};

/** What a session is bound to beside its principal. */
export const placeOf = (door: string | undefined): string => door ?? '';

/** The session of a request that has to have one. */
export const sessionOf = ({gateway, exchange, req, door}: Visit): Session => {
	const id = req.headers['mcp-session-id'];
	if (typeof id !== 'string')
		throw new RpcError(rpcCodes.invalidRequest, 'The header Mcp-Session-Id is missing: begin with initialize.', {status: 400});
	const session = gateway.mcp.sessions.of(id, exchange.principal!, placeOf(door));
	if (!session) throw new RpcError(rpcCodes.invalidRequest, 'There is no such session: begin with initialize.', {status: 404});
	return session;
};
