import {hash} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Middleware} from 'koa';
import {identify} from '../auth.ts';
import {readBody} from '../body.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import {parseExactly} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import type {ReplyParts} from '../llm/reply.ts';
import {challengeOf} from '../refusal.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {batch} from './batch.ts';
import {letRead, preflight} from './cors.ts';
import {refuseStrangers} from './hosts.ts';
import {listen, listenTo} from './listening.ts';
import {noteResource, stepUp} from './oauth/resource.ts';
import {offerOf} from './offer.ts';
import {oldPath, oldTransport} from './old-sse.ts';
import {answered, endStream} from './respond.ts';
import {errorBody, isId, type Message, RpcError, readMessage, rpcCodes} from './rpc.ts';
import {checkStateless, isStateless} from './stateless.ts';
import {openStream} from './stream.ts';
import {takeUnasked} from './unasked.ts';
import {isLegacy, legacyVersions, metaKeys, statelessVersion} from './versions.ts';
import {accepted, doorIn, doorOf, placeOf, protocolError, reply, sessionOf, type Visit} from './visit.ts';

/** What is told in the head of a reply, since clients look there: which scopes are lacking. */
const headOf = ({gateway, exchange, req, door}: Visit): Record<string, string> => {
	const {error} = exchange;
	if (error?.code !== 'insufficient_scope') return {};
	stepUp(gateway.config, exchange, req, door, error.scopes ?? []);
	return challengeOf(exchange, error);
};

const single = async (visit: Visit, message: Message): Promise<ReplyParts | undefined> => {
	const {gateway, exchange, req, res, door} = visit;
	const params = message.kind === 'answer' ? {} : message.params;
	const era = isStateless(params, req.headers) ? 'stateless' : 'legacy';
	const {principal} = exchange;
	const {accept} = req.headers;
	const takesEvents = accept === undefined || /text\/event-stream|\*\/\*/.test(accept);

	if (era === 'stateless') {
		if (message.kind !== 'request') return accepted(exchange);
		checkStateless(message.method, message.params, req.headers);
		const owner = `principal:${JSON.stringify([principal!.tenant, principal!.id, principal!.key ?? null])}`;
		const offer = offerOf((message.params._meta as JsonObject)[metaKeys.capabilities]);
		if (message.method === 'subscriptions/listen') return listenTo(visit, message.id, message.params, {owner, offer, era});
		const stream = openStream(res, exchange.id);
		const {body, status} = await answered(visit, {message, era, owner, offer, stream: takesEvents ? stream : undefined});
		return stream.begun ? endStream(visit, stream, body).then(() => undefined) : reply(body, status, headOf(visit));
	}

	const version = req.headers['mcp-protocol-version'];
	if (version !== undefined && !isLegacy(version)) {
		const data = {supported: [statelessVersion, ...legacyVersions], requested: version};
		throw new RpcError(rpcCodes.unsupportedVersion, 'This version of the protocol is not spoken here.', {data, status: 400});
	}
	if (message.kind === 'request' && message.method === 'initialize') {
		const asked = message.params.protocolVersion;
		const offer = offerOf(message.params.capabilities);
		const session = gateway.mcp.sessions.begin(principal!, placeOf(door), isLegacy(asked) ? asked : legacyVersions[0], offer);
		const {body, status} = await answered(visit, {message, era, owner: session.owner, offer, stream: undefined});
		return reply(body, status, 'result' in body ? {'mcp-session-id': session.id} : headOf(visit));
	}
	const session = sessionOf(visit);
	if (message.kind !== 'request') {
		takeUnasked(visit, session, message);
		return accepted(exchange);
	}
	const {owner, offer, version: spoken} = session;
	const {replays} = gateway.mcp;
	// From then on clients know that they can come back (2025-11-25).
	const keep = spoken === legacyVersions[0] ? () => replays.open(owner, () => leave(visit.waiting), message.id) : undefined;
	const stream = openStream(res, exchange.id, keep);
	const onLeft = (): void => {
		if (!stream.left()) leave(visit.waiting);
	};
	visit.ended.onLeft = onLeft;
	const {body, status} = await answered(visit, {message, era, owner, offer, stream: takesEvents ? stream : undefined});
	if (status === 200 && prefersEvents(accept)) stream.begin();
	return stream.begun ? endStream(visit, stream, body).then(() => undefined) : reply(body, status, headOf(visit));
};

/** Both forms of a reply are taken, and this one is named first. */
const prefersEvents = (accept = ''): boolean => {
	const at = accept.indexOf('text/event-stream');
	return at >= 0 && at < accept.indexOf('application/json');
};

const isArray = (bytes: Buffer): boolean => /^[\s]*\[/.test(bytes.subarray(0, 64).toString('latin1'));

const post = async (visit: Visit): Promise<ReplyParts | undefined> => {
	const {gateway, exchange, req, waiting} = visit;
	const {limits, journal} = gateway.config;
	exchange.operation = 'notifications';
	const bytes = await readBody(req, {maxBytes: limits.bodyMb * 1_048_576, withinMs: limits.bodyMs, waiting});
	if (journal.payloads !== 'none') exchange.request = {sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length};
	if (!isArray(bytes)) {
		const json = parseExactly(bytes);
		try {
			return await single(visit, readMessage(json));
		} catch (thrown) {
			// Whatever is wrong with it, it is that request's error.
			if (thrown instanceof RpcError) return protocolError(exchange, thrown, isId(json.id) ? json.id : null);
			throw thrown;
		}
	}
	const {batch: messages, ...beside} = parseExactly(Buffer.concat([Buffer.from('{"batch":'), bytes, Buffer.from('}')]));
	if (!Array.isArray(messages) || !messages.every(isObject) || Object.keys(beside).length > 0)
		throw new RpcError(rpcCodes.invalidRequest, 'This is no batch of messages.', {status: 400});
	return batch(visit, messages);
};

const end = (visit: Visit): ReplyParts => {
	const {gateway, exchange} = visit;
	exchange.operation = 'end';
	const session = sessionOf(visit);
	gateway.mcp.sessions.end(session);
	gateway.mcp.servers.release(session.owner);
	exchange.outcome = 'ok';
	exchange.status = 200;
	return {status: 200, headers: {}, body: ''};
};

const notTaken = ({exchange}: Visit): ReplyParts => {
	const error = new GatewayError('method_not_allowed', 'MCP is spoken here with POST; GET and DELETE are those of a session.');
	exchange.error = error;
	exchange.outcome = 'denied';
	exchange.status = 405;
	return reply(errorBody(error, exchange.id), 405, {allow: 'POST, GET, DELETE'});
};

const enter = async (gateway: Gateway, exchange: Exchange, req: IncomingMessage, res: ServerResponse): Promise<ReplyParts | undefined> => {
	const waiting: Waiting = {left: false};
	const ended: Visit['ended'] = {};
	exchange.waiting = waiting;
	const cut = (error: GatewayError): void => {
		ended.by ??= error;
		leave(waiting);
	};
	exchange.cut = cut;
	res.once('close', () => (ended.onLeft ? ended.onLeft() : leave(waiting)));
	refuseStrangers(gateway.config, req.headers);
	letRead(gateway.config, req, res);
	const before = preflight(exchange, req, res, 'POST, GET, DELETE');
	if (before) return before;
	noteResource(gateway, exchange, {req}, doorIn(exchange.path));
	await identify(gateway.hooks, exchange, req.headers, gateway.config.anonymous === true);
	const visit: Visit = {gateway, exchange, req, res, door: doorOf(exchange.path), waiting, ended};
	const place = oldPath(exchange.path);
	if (place) return oldTransport(visit, place);
	if (req.method === 'POST') return post(visit);
	// Sessions and their streams are of the legacy era alone.
	if (req.headers['mcp-protocol-version'] === statelessVersion) return notTaken(visit);
	if (req.method === 'GET') return listen(visit);
	return req.method === 'DELETE' ? end(visit) : notTaken(visit);
};

/** `/mcp` and `/mcp/<server>`: whoever has no key is told so on every path, by every method, in every era; a browser asks without one, for its page. */
export const mcpDoor =
	(gateway: Gateway): Middleware =>
	async ({req, res, state}) => {
		const {exchange} = state;
		try {
			state.reply = await enter(gateway, exchange, req, res);
		} catch (thrown) {
			if (!(thrown instanceof RpcError)) throw thrown;
			state.reply = protocolError(exchange, thrown, null);
		}
	};
