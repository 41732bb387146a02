import {hash} from 'node:crypto';
import {mcpOperations, type Operation} from '../../schemas/hooks.ts';
import {asGatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import {numberIn} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {leave} from '../upstream/reply.ts';
import {answerTo, isKnown} from './answering.ts';
import {canonical} from './catalogue.ts';
import {isWanted, levelIn} from './levels.ts';
import type {Offer} from './offer.ts';
import {pendingAnswer} from './pending.ts';
import {errorBody, type Message, RpcError} from './rpc.ts';
import type {Stream} from './stream.ts';
import type {Turn} from './turn.ts';
import {metaKeys} from './versions.ts';
import type {Visit} from './visit.ts';
import {isGuarded} from './words.ts';

const isOperation = (method: string): method is Operation => (mcpOperations as readonly string[]).includes(method);

const progressTokenOf = ({_meta}: JsonObject): unknown => {
	const token = (_meta as JsonObject | undefined)?.progressToken;
	return typeof token === 'string' || numberIn(token) !== undefined ? token : undefined;
};

/** Words that no plugin has looked at do not go on: of progress, the numbers are left where somebody guards words. Nothing without a number. */
const progressFor = (gateway: Gateway, exchange: Exchange, params: JsonObject, progressToken: unknown): JsonObject | undefined => {
	const {progress, total, message} = params;
	if (numberIn(progress) === undefined) return undefined;
	return {
		progressToken,
		progress,
		...(numberIn(total) !== undefined && {total}),
		...(typeof message === 'string' && !isGuarded(gateway, exchange) && {message}),
	};
};

/** A log line goes on where nobody guards words, and its client wants it. */
const logFor = ({level, logger, data}: JsonObject): JsonObject => ({level, data, ...(typeof logger === 'string' && {logger})});

const levelOf = ({gateway}: Visit, {message, era, owner}: Asked): string | undefined => {
	if (era === 'legacy') return gateway.mcp.shared.get('level', owner);
	const {_meta} = message.params;
	const level = isObject(_meta) ? _meta[metaKeys.logLevel] : undefined;
	return level === undefined ? undefined : levelIn(level);
};

const nameOf = (owner: string, id: unknown): string => `${owner}\n${canonical(id)}`;

/** Ends a request under way, as if its client had left; nothing happens where there is none. */
export const cancel = ({mcp}: Gateway, owner: string, id: unknown): void => {
	const waiting = mcp.running.get(nameOf(owner, id));
	if (waiting) leave(waiting);
};

type Asked = {
	message: Extract<Message, {kind: 'request'}>;
	era: Turn['era'];
	owner: string;
	offer: Offer;
	stream: Stream | undefined;
};

/** One request, from the hooks before it to the body of its reply; an error is a body too. */
export const answered = async (visit: Visit, asked: Asked): Promise<{body: JsonObject; status: number}> => {
	const {gateway, exchange, req, door, waiting, ended} = visit;
	const {message, era, owner, offer, stream} = asked;
	const {id, method, params} = message;
	exchange.owner = owner;
	const questions: (() => void)[] = [];
	const logLevel = levelOf(visit, asked);
	const isLogging = stream && (era === 'legacy' || logLevel !== undefined);
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
		offer,
		logLevel,
		put:
			stream &&
			((method, params) => {
				const {answer, over} = gateway.mcp.push.ask(stream, owner, {method, params});
				questions.push(over);
				return answer;
			}),
		onLog: isLogging
			? line => {
					// Asked when there is one: which operation this is, and so who guards it, is not known above.
					if (isWanted(line, logLevel) && !isGuarded(gateway, exchange))
						stream.send({method: 'notifications/message', params: logFor(line)});
				}
			: undefined,
		onPolled: stream && era === 'legacy' ? stream.part : undefined,
		onProgress:
			token === undefined || !stream
				? undefined
				: told => {
						const params = progressFor(gateway, exchange, told, token);
						if (params) stream.send({method: 'notifications/progress', params});
					},
	};
	const name = nameOf(owner, id);
	gateway.mcp.running.set(name, waiting);
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
		// An error of the protocol has a status of its own, and so has OAuth's; what a rule refuses is an answer to the request.
		const status = error instanceof RpcError || error.code === 'insufficient_scope' ? error.status : 200;
		const pending = error instanceof RpcError ? undefined : pendingAnswer(turn, error);
		return {body: pending ? {jsonrpc: '2.0', id, result: pending} : errorBody(error, exchange.id, id), status};
	} finally {
		gateway.mcp.running.delete(name);
		for (const over of questions) over();
	}
};

/** A reply that began as a stream ends as one, when its record is written. */
export const endStream = async ({gateway, exchange}: Visit, stream: Stream, body: JsonObject): Promise<void> => {
	const text = JSON.stringify(body);
	exchange.stream = true;
	if (gateway.config.journal.payloads !== 'none') exchange.response = {sha256: hash('sha256', text, 'hex'), bytes: Buffer.byteLength(text)};
	await finish(gateway, exchange).then(
		() => stream.end(text),
		thrown => stream.end(JSON.stringify(errorBody(asGatewayError(thrown), exchange.id))),
	);
};
