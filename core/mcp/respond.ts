import {hash} from 'node:crypto';
import {mcpOperations, type Operation} from '../../schemas/hooks.ts';
import {asGatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import type {JsonObject} from '../llm/json.ts';
import {leave} from '../upstream/reply.ts';
import {answerTo, isKnown} from './answering.ts';
import {pendingAnswer} from './pending.ts';
import {errorBody, type Message, RpcError} from './rpc.ts';
import type {Stream} from './stream.ts';
import type {Turn} from './turn.ts';
import type {Visit} from './visit.ts';

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
export const answered = async (
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
		// An error of the protocol has a status of its own, and so has OAuth's; what a rule refuses is an answer to the request.
		const status = error instanceof RpcError || error.code === 'insufficient_scope' ? error.status : 200;
		const pending = error instanceof RpcError ? undefined : pendingAnswer(turn, error);
		return {body: pending ? {jsonrpc: '2.0', id, result: pending} : errorBody(error, exchange.id, id), status};
	} finally {
		gateway.mcp.running.delete(name);
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
