import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import {createServer} from 'node:http';
import {anthropic} from './anthropic.ts';
import {type Dialect, Refusal} from './dialect.ts';
import {type Exchange, openExchange, readBody} from './exchange.ts';
import {stringOf} from './json.ts';
import {openai} from './openai.ts';
import {type Addressed, sendJson} from './reply.ts';
import {type Counts, openRequestLog, type ReceivedRequest} from './request-log.ts';
import {route, type State} from './routes.ts';

export type {Counts, ReceivedRequest} from './request-log.ts';

export type LocalUpstream = {
	/** Without a slash at the end and without `/v1`. */
	url: string;
	/** The last 10,000 requests, oldest first; the same array for as long as the server runs. */
	requests: ReceivedRequest[];
	counts(): Counts;
	/** Empties the log and forgets which `fault-once-…` models have failed. */
	reset(): void;
	close(): Promise<void>;
};

const checkKey = ({headers}: ReceivedRequest): void => {
	const key = stringOf(headers['x-api-key']) || (/^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1] ?? '');
	if (!key) throw new Refusal(401, 'key-missing');
	if (key === 'wrong-key') throw new Refusal(401, 'key-wrong', key);
};

const refuse = ({exchange, dialect, requestId}: Addressed, refusal: Refusal): void =>
	sendJson(exchange, refusal.status, dialect.error(refusal, requestId), {
		[dialect.requestIdHeader]: requestId,
		...(refusal.retryAfterSeconds !== undefined && {'retry-after': String(refusal.retryAfterSeconds)}),
	});

const dialectOf = (path: string, {headers}: ReceivedRequest): Dialect =>
	path.startsWith('/v1/messages') || headers['anthropic-version'] ? anthropic : openai;

const answer = async (exchange: Exchange, path: string, longestMs: number, state: State): Promise<void> => {
	const {request} = exchange;
	const body = await readBody(exchange);
	request.body = body ?? '';
	state.log.received(request);
	if (body === undefined) return;

	const requestId = `req_${randomUUID().replaceAll('-', '')}`;
	const addressed = {exchange, dialect: dialectOf(path, request), requestId, longestMs};
	try {
		checkKey(request);
		await route(addressed, path, state);
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		if (!exchange.gone.aborted) refuse(addressed, error);
	}
};

/** Starts a model provider that speaks OpenAI's and Anthropic's dialects; the model's name chooses how it behaves. */
export const startLocalUpstream = async ({port = 0, host = '127.0.0.1', longestMs = 60_000} = {}): Promise<LocalUpstream> => {
	const log = openRequestLog();
	const state: State = {log, failedOnce: new Set()};
	const reset = () => {
		log.reset();
		state.failedOnce.clear();
	};
	const forget = () => {
		reset();
		return log.counts();
	};
	const inspections: {[asked: string]: () => unknown} = {
		'GET /_requests': () => log.requests,
		'DELETE /_requests': forget,
		'GET /_counts': log.counts,
	};

	const server = createServer({keepAliveTimeout: 65_000}, (req, res) => {
		const path = (req.url ?? '').split('?', 1)[0] ?? '';
		const inspect = inspections[`${req.method} ${path}`];
		if (inspect) {
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify(inspect()));
			return;
		}
		const exchange = openExchange(req, res, log);
		answer(exchange, path, longestMs, state).catch((error: unknown) => {
			console.error('a mistake in the local upstream, not a fault that was asked for:', error);
			exchange.cut();
		});
	});
	server.listen(port, host);
	await once(server, 'listening');

	const address = server.address();
	if (typeof address !== 'object' || address === null) throw new Error(`no address for ${host}:${port}`);
	return {
		url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
		requests: log.requests,
		counts: log.counts,
		reset,
		async close() {
			const closed = once(server, 'close');
			server.close();
			server.closeAllConnections();
			await closed;
		},
	};
};
