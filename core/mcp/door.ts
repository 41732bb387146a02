import {hash} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import type Router from '@koa/router';
import {mcpOperations, type Operation} from '../../schemas/hooks.ts';
import {identify} from '../auth.ts';
import {readBody} from '../body.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import {type Exchange, openExchange} from '../exchange.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import {parseBody} from '../llm/body.ts';
import type {JsonObject} from '../llm/json.ts';
import type {ReplyParts} from '../llm/reply.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {answerTo, isKnown} from './answering.ts';
import {refuseStrangers} from './hosts.ts';
import {errorBody, type Message, RpcError, readMessage, rpcCodes} from './rpc.ts';
import type {Session} from './session.ts';
import {checkStateless, isStateless} from './stateless.ts';
import {idleStream, openStream, type Stream} from './stream.ts';
import type {Turn} from './turn.ts';
import {isLegacy, legacyVersions, statelessVersion} from './versions.ts';

/** The wire of one HTTP request, and who is on it. */
type Visit = {
	gateway: Gateway;
	exchange: Exchange;
	req: IncomingMessage;
	res: ServerResponse;
	door: string | undefined;
	waiting: Waiting /** Why it is ended from outside, when it is. */;
	ended: {by?: GatewayError};
};

const plain = {'content-type': 'application/json'};

const reply = (body: unknown, status = 200, headers: Record<string, string> = {}): ReplyParts => ({
	status,
	headers: {...plain, ...headers},
	body: JSON.stringify(body),
});

const accepted = (exchange: Exchange): ReplyParts => {
	exchange.outcome = 'ok';
	exchange.status = 202;
	return {status: 202, headers: {}, body: ''};
};

/** `/mcp` is the common door, `/mcp/<server>` that of one server; anything else is nothing. */
const doorOf = (path: string): string | undefined => {
	const [, door] = /^\/mcp(?:\/([a-z][a-z0-9-]{0,31}))?\/?$/.exec(path) ?? ['', null];
	if (door === null) throw new GatewayError('not_found', 'There is nothing at this path; MCP is served at /mcp and /mcp/<server>.');
	return door;
};

const placeOf = (door: string | undefined): string => door ?? '';

/** The session of a request that has to have one. */
const sessionOf = ({gateway, exchange, req, door}: Visit): Session => {
	const id = req.headers['mcp-session-id'];
	if (typeof id !== 'string')
		throw new RpcError(rpcCodes.invalidRequest, 'The header Mcp-Session-Id is missing: begin with initialize.', {status: 400});
	const session = gateway.mcp.sessions.of(id, exchange.principal!, placeOf(door));
	if (!session) throw new RpcError(rpcCodes.invalidRequest, 'There is no such session: begin with initialize.', {status: 404});
	return session;
};

const isOperation = (method: string): method is Operation => (mcpOperations as readonly string[]).includes(method);

const progressTokenOf = ({_meta}: JsonObject): string | number | undefined => {
	const token = (_meta as JsonObject | undefined)?.progressToken;
	return typeof token === 'string' || typeof token === 'number' ? token : undefined;
};

/** Words that no plugin has looked at do not go on: of progress, the numbers are left where somebody guards words. */
const progressFor = (gateway: Gateway, exchange: Exchange, params: JsonObject, progressToken: string | number): JsonObject => {
	const {progress, total, message} = params;
	const isGuarded = gateway.hooks.reads('post-response', 'text[]', exchange);
	return {
		progressToken,
		progress,
		...(typeof total === 'number' && {total}),
		...(typeof message === 'string' && !isGuarded && {message}),
	};
};

type Asked = {message: Extract<Message, {kind: 'request'}>; era: Turn['era']; owner: string; stream: Stream | undefined};

/** One request, from the hooks before it to the body of its reply; an error is a body too. */
const answered = async (
	{gateway, exchange, req, door, waiting, ended}: Visit,
	{message, era, owner, stream}: Asked,
): Promise<{body: JsonObject; status: number}> => {
	const {id, method, params} = message;
	const token = progressTokenOf(params);
	const turn: Turn = {
		gateway,
		exchange,
		headers: req.headers,
		door,
		era,
		owner,
		id,
		method,
		params,
		waiting,
		onProgress:
			token === undefined || !stream
				? undefined
				: told => stream.send({method: 'notifications/progress', params: progressFor(gateway, exchange, told, token)}),
	};
	const name = `${owner}\n${JSON.stringify(id)}`;
	gateway.mcp.running.set(name, () => leave(waiting));
	try {
		if (isKnown(turn) && isOperation(method)) exchange.operation = method;
		const result = await answerTo(turn);
		exchange.outcome = 'ok';
		exchange.status = 200;
		return {body: {jsonrpc: '2.0', id, result}, status: 200};
	} catch (thrown) {
		const error = ended.by ?? (thrown instanceof RpcError ? thrown : asGatewayError(thrown));
		if (error instanceof RpcError) {
			exchange.outcome = exchange.opened ? 'failed' : 'denied';
			exchange.status = error.status;
			exchange.annotations['mcp.error'] = error.code;
		} else {
			exchange.outcome = undefined;
			failWith(gateway, exchange, error);
		}
		if (!(error instanceof RpcError && error.isTheirs)) await afterResponse(gateway, exchange);
		// An error of the protocol has a status of its own; what a rule refuses is an answer to the request.
		return {body: errorBody(error, exchange.id, id), status: error instanceof RpcError ? error.status : 200};
	} finally {
		gateway.mcp.running.delete(name);
	}
};

/** A reply that began as a stream ends as one, when its record is written. */
const endStream = async ({gateway, exchange}: Visit, stream: Stream, body: JsonObject): Promise<void> => {
	const text = JSON.stringify(body);
	exchange.stream = true;
	if (gateway.config.journal.payloads !== 'none') exchange.response = {sha256: hash('sha256', text, 'hex'), bytes: Buffer.byteLength(text)};
	await finish(gateway, exchange).then(
		() => stream.end(text),
		thrown => stream.end(JSON.stringify(errorBody(asGatewayError(thrown), exchange.id))),
	);
};

const single = async (visit: Visit, message: Message): Promise<ReplyParts | undefined> => {
	const {gateway, exchange, req, res, door} = visit;
	const params = message.kind === 'answer' ? {} : message.params;
	const era = isStateless(params, req.headers) ? 'stateless' : 'legacy';
	const {principal} = exchange;
	const {accept} = req.headers;
	const takesEvents = accept === undefined || /text\/event-stream|\*\/\*/.test(accept);
	const stream = openStream(res, exchange.id);

	if (era === 'stateless') {
		if (message.kind !== 'request') return accepted(exchange);
		checkStateless(message.method, message.params, req.headers);
		const owner = `principal:${JSON.stringify([principal!.tenant, principal!.id, principal!.key ?? null])}`;
		const {body, status} = await answered(visit, {message, era, owner, stream: takesEvents ? stream : undefined});
		return stream.begun ? endStream(visit, stream, body).then(() => undefined) : reply(body, status);
	}

	const version = req.headers['mcp-protocol-version'];
	if (version !== undefined && !isLegacy(version)) {
		const data = {supported: [statelessVersion, ...legacyVersions], requested: version};
		throw new RpcError(rpcCodes.unsupportedVersion, 'This version of the protocol is not spoken here.', {data, status: 400});
	}
	if (message.kind === 'request' && message.method === 'initialize') {
		const asked = message.params.protocolVersion;
		const session = gateway.mcp.sessions.begin(principal!, placeOf(door), isLegacy(asked) ? asked : legacyVersions[0]);
		const {body, status} = await answered(visit, {message, era, owner: session.owner, stream: undefined});
		return reply(body, status, 'result' in body ? {'mcp-session-id': session.id} : {});
	}
	const {owner} = sessionOf(visit);
	if (message.kind === 'notification') {
		const {method, params} = message;
		if (method === 'notifications/cancelled') gateway.mcp.running.get(`${owner}\n${JSON.stringify(params.requestId)}`)?.();
	}
	if (message.kind !== 'request') return accepted(exchange);
	const {body, status} = await answered(visit, {message, era, owner, stream: takesEvents ? stream : undefined});
	return stream.begun ? endStream(visit, stream, body).then(() => undefined) : reply(body, status);
};

const mostInBatch = 100;

/** A batch of 2025-03-26: each message is an exchange of its own, with every hook and a record; so none can hide behind another. */
const batch = async (visit: Visit, messages: unknown[]): Promise<ReplyParts> => {
	const {gateway, exchange, req, door} = visit;
	exchange.operation = 'batch';
	const {owner, version} = sessionOf(visit);
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
		gateway.running.add(part);
		try {
			await identify(gateway.hooks, part, req.headers, gateway.config.anonymous === true);
			const own: Visit = {...visit, exchange: part, door};
			bodies.push((await answered(own, {message, era: 'legacy', owner, stream: undefined})).body);
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

const isArray = (bytes: Buffer): boolean => /^[\s]*\[/.test(bytes.subarray(0, 64).toString('latin1'));

const post = async (visit: Visit): Promise<ReplyParts | undefined> => {
	const {gateway, exchange, req, waiting} = visit;
	const {limits, journal} = gateway.config;
	exchange.operation = 'notifications';
	const bytes = await readBody(req, {maxBytes: limits.bodyMb * 1_048_576, withinMs: limits.bodyMs, waiting});
	if (journal.payloads !== 'none') exchange.request = {sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length};
	if (!isArray(bytes)) return single(visit, readMessage(parseBody(bytes).json));
	const {json} = parseBody(Buffer.concat([Buffer.from('{"batch":'), bytes, Buffer.from('}')]));
	const {batch: messages} = json;
	if (!Array.isArray(messages) || !messages.every(message => typeof message === 'object' && message !== null && !Array.isArray(message)))
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

const listen = async (visit: Visit): Promise<undefined> => {
	const {gateway, exchange, res, door, waiting} = visit;
	exchange.operation = 'stream';
	const {owner} = sessionOf(visit);
	exchange.stream = true;
	exchange.server = door;
	exchange.status = 200;
	exchange.outcome = 'ok';
	const stream = openStream(res, exchange.id);
	const names = door === undefined ? gateway.mcp.servers.names : [door];
	const stops = names.map(name =>
		gateway.mcp.servers
			.get(name)
			?.channel(owner)
			.link.onNotice(method => {
				// Which of them has changed is not said: what a key may see of it is decided when it asks.
				if (/^notifications\/(tools|prompts|resources)\/list_changed$/.test(method)) stream.send({method});
			}),
	);
	gateway.mcp.streams.add(waiting);
	await idleStream(stream, waiting);
	gateway.mcp.streams.delete(waiting);
	for (const stop of stops) stop?.();
	await finish(gateway, exchange).catch(thrown => gateway.log.error({err: thrown}, 'the record could not be written'));
	stream.close();
	return undefined;
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
	exchange.cut = error => {
		ended.by ??= error;
		leave(waiting);
	};
	res.once('close', () => leave(waiting));
	refuseStrangers(gateway.config, req.headers);
	await identify(gateway.hooks, exchange, req.headers, gateway.config.anonymous === true);
	const visit: Visit = {gateway, exchange, req, res, door: doorOf(exchange.path), waiting, ended};
	if (req.method === 'POST') return post(visit);
	// Sessions and their streams are of the legacy era alone.
	if (req.headers['mcp-protocol-version'] === statelessVersion) return notTaken(visit);
	if (req.method === 'GET') return listen(visit);
	return req.method === 'DELETE' ? end(visit) : notTaken(visit);
};

/** `/mcp` and `/mcp/<server>`: whoever has no key is told so on every path, by every method, in every era. */
export const mcpDoors = (gateway: Gateway, router: Router): void => {
	router.all(['/mcp', '/mcp/*rest'], async ({req, res, state}) => {
		const {exchange} = state;
		try {
			state.reply = await enter(gateway, exchange, req, res);
		} catch (thrown) {
			if (!(thrown instanceof RpcError)) throw thrown;
			exchange.outcome = 'denied';
			exchange.status = thrown.status;
			exchange.annotations['mcp.error'] = thrown.code;
			state.reply = reply(errorBody(thrown, exchange.id), thrown.status);
		}
	});
};
