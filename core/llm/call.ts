import {hash} from 'node:crypto';
import type {IncomingHttpHeaders, IncomingMessage, ServerResponse} from 'node:http';
import {identify} from '../auth.ts';
import {readBody} from '../body.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {failWith, type Gateway, recordOpened} from '../gateway.ts';
import {keepRequest} from '../payload.ts';
import {type Answered, firstToAnswer, type Rests} from '../upstream/deployments.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {afterResponse} from './after.ts';
import {type Asked, carryRequest, encoded, letGoOfWords, readyToEstimate, requestFields, understand} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {anthropic} from './dialects/anthropic.ts';
import type {DialectOperation} from './dialects/dialect.ts';
import {openai} from './dialects/openai.ts';
import {isObject} from './json.ts';
import {answerItself} from './own-answer.ts';
import {type ReplyParts, wholeReply} from './reply.ts';
import {setModel, spliceField} from './splice.ts';
import {streamedReply} from './stream.ts';

export const operations = {
	chat: {dialect: openai, path: '/chat/completions'},
	embeddings: {dialect: openai, path: '/embeddings'},
	messages: {dialect: anthropic, path: '/messages'},
	count_tokens: {dialect: anthropic, path: '/messages/count_tokens'},
	moderations: {dialect: openai, path: '/moderations'},
} as const satisfies Record<DialectOperation, {dialect: unknown; path: string}>;

/** The wire of one exchange. */
export type Wire = {req: IncomingMessage; res: ServerResponse; exchange: Exchange};

/** Client headers that mean something to a provider; every other one stays here. */
const forwarded = ['content-type', 'accept', 'anthropic-version', 'anthropic-beta', 'openai-beta', 'traceparent', 'tracestate'] as const;

/**
 * One model call, from its body to its reply: pre-auth, body, pre-request, attempts, post-response. Answers the reply to
 * send, or undefined when it was streamed and has ended.
 */
export const modelCall = async (
	gateway: Gateway,
	rests: Rests,
	operation: DialectOperation,
	{req, res, exchange}: Wire,
): Promise<ReplyParts | undefined> => {
	const {hooks, catalogue, config} = gateway;
	const {dialect} = operations[operation];
	exchange.operation = operation;
	const waiting: Waiting = {left: false};
	exchange.waiting = waiting;
	let cutBy: GatewayError | undefined;
	const cut = (error: GatewayError): void => {
		cutBy ??= error;
		leave(waiting);
	};
	exchange.cut = cut;
	res.once('close', () => leave(waiting));
	let answered: Answered<Deployment> | undefined;
	try {
		await identify(hooks, exchange, req.headers, config.anonymous === true);
		const bytes = await readBody(req, {maxBytes: config.limits.bodyMb * 1_048_576, withinMs: config.limits.bodyMs, waiting});
		exchange.request = config.journal.payloads === 'none' ? undefined : {sha256: hash('sha256', bytes, 'hex'), bytes: bytes.length};
		const asked = understand(bytes, {operation, dialect, catalogue});
		exchange.model = asked.facts.model;
		exchange.stream = asked.facts.stream;
		if (hooks.listens('pre-request', exchange)) {
			const loading = readyToEstimate(asked, hooks, exchange);
			if (loading) await loading;
			await hooks.ask('pre-request', exchange, requestFields(asked, exchange, req.headers), carryRequest(asked, exchange, catalogue));
		}
		if (asked.answer) return await answerItself(gateway, exchange, asked, asked.answer);
		keepRequest(gateway, exchange, () => encoded(asked).toString());
		answered = await attempt(gateway, rests, asked, {exchange, headers: req.headers, timeoutMs: timeoutOf(req.headers), waiting});
		const isStream =
			asked.facts.stream && answered.reply.status < 300 && String(answered.reply.headers['content-type']).startsWith('text/event-stream');
		if (isStream) return await streamedReply(gateway, exchange, asked, answered, res);
		return await wholeReply(gateway, exchange, asked, answered);
	} catch (thrown) {
		// What nobody will take any more must not go on in the upstream.
		answered?.reply.abort();
		failWith(gateway, exchange, cutBy ?? (waiting.left ? gone(thrown) : thrown));
		await afterResponse(gateway, exchange);
		throw exchange.error;
	}
};

const gone = (cause: unknown): GatewayError => new GatewayError('client_closed', 'The client left before the answer.', {cause});

/** The body for one deployment: its own name for the model, and usage asked for, or the money could not be counted. */
const bodyFor = (asked: Asked, deployment: Deployment): Buffer => {
	const {facts, json, operation} = asked;
	let body = encoded(asked);
	if (facts.model !== deployment.model) body = setModel(body, deployment.model);
	if (operation !== 'chat' || !facts.stream || json.stream_options !== undefined) return body;
	return spliceField(body, 'stream_options', '{"include_usage":true}');
};

/** Streams report their usage only when asked; the client sees it only when it asked itself. */
const askForUsage = (asked: Asked): void => {
	const {operation, facts, json} = asked;
	if (operation !== 'chat' || !facts.stream) return;
	const {stream_options: options} = json;
	if (isObject(options) && options.include_usage === true) return;
	asked.hidesUsage = true;
	// A missing field is spliced into the bytes; any other edit is written anew.
	if (options === undefined) return;
	json.stream_options = {...(isObject(options) && options), include_usage: true};
	asked.edited = true;
	asked.encoded = undefined;
};

type Sent = {exchange: Exchange; headers: IncomingHttpHeaders; timeoutMs: number | undefined; waiting: Waiting};

/** Leaves evidence, and sends a request that all rules have let pass to those who may serve it, until one answers. */
export const attempt = async (
	gateway: Gateway,
	rests: Rests,
	asked: Asked,
	{exchange, headers: given, timeoutMs, waiting}: Sent,
): Promise<Answered<Deployment>> => {
	askForUsage(asked);
	letGoOfWords(asked);
	const headers: Record<string, string | undefined> = {};
	for (const name of forwarded) {
		const value = given[name];
		if (typeof value === 'string') headers[name] = value;
	}
	headers['content-type'] ??= 'application/json';
	const idempotencyKey = given['idempotency-key'];
	// Two tenants behind one provider key may choose the same one.
	if (typeof idempotencyKey === 'string')
		headers['idempotency-key'] = hash('sha256', `${exchange.principal?.id}\n${idempotencyKey}`, 'hex');
	const {path} = operations[asked.operation];
	await recordOpened(gateway, exchange);
	const begun = performance.now();
	try {
		const answered = await firstToAnswer(
			asked.plan,
			deployment => deployment.upstream.send({path, method: 'POST', headers, body: bodyFor(asked, deployment)}, {waiting, timeoutMs}),
			{exchangeId: exchange.id, record: entry => exchange.attempts.push(entry), rests},
		);
		exchange.deployment = answered.deployment.name;
		return answered;
	} finally {
		exchange.upstreamMs += performance.now() - begun;
	}
};

const longestTimeoutMs = 3_600_000;

const timeoutOf = ({'x-sallyport-timeout-ms': header}: IncomingHttpHeaders): number | undefined => {
	if (header === undefined) return undefined;
	const ms = Number(header);
	if (Number.isInteger(ms) && ms > 0 && ms <= longestTimeoutMs) return ms;
	throw new GatewayError('invalid_request', 'x-sallyport-timeout-ms is a whole number of milliseconds up to an hour.', {
		param: 'x-sallyport-timeout-ms',
	});
};
