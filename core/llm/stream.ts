import {createHash} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import type {Answered} from '../upstream/deployments.ts';
import {pass} from '../upstream/pass.ts';
import {sseTap} from '../upstream/sse.ts';
import {afterResponse} from './after.ts';
import type {Asked} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {clientHeaders} from './client-headers.ts';
import type {Dialect, StreamUsage} from './dialects/dialect.ts';
import {isObject} from './json.ts';
import {countUsage, estimatedUsage} from './spend.ts';
import {openWatch} from './watch.ts';

/** What marks the events that are looked at in a stream nobody watches. */
const marks = {openai: ['usage":{', '[DONE]'], anthropic: ['usage":{', 'message_stop']} as const;

/** A provider that repeats the gateway's own key has answered nothing a client may see. */
const refuseKey = (chunk: Buffer, {key, name}: Deployment): void => {
	if (key !== undefined && key.length >= 8 && chunk.includes(key)) {
		throw new GatewayError('upstream_malformed', `${name} answered with something that must not be passed on.`);
	}
};

/** Bytes go on as they came; only usage and the last event are looked for. Answers whether the last event is among them. */
const openTap = (dialect: Dialect, usage: StreamUsage) => {
	let ended = false;
	const tap = sseTap(marks[dialect.name], ({event, data}) => {
		if (data === '[DONE]' || event === 'message_stop') {
			ended = true;
			return;
		}
		const json = jsonOf(data);
		if (json) usage.see(json);
	});
	return {
		see(chunk: Buffer): boolean {
			tap.push(chunk);
			return ended;
		},
		get ended() {
			return ended;
		},
	};
};

const jsonOf = (data: string) => {
	try {
		const json: unknown = JSON.parse(data);
		return isObject(json) ? json : undefined;
	} catch {
		// The client gets these bytes as they are, and its SDK has its own word for them; no usage can be read here.
		return undefined;
	}
};

/** A reply that streams, from its first byte to its record. Resolves when it has ended, however it ended. */
export const streamedReply = async (
	gateway: Gateway,
	exchange: Exchange,
	asked: Asked,
	{reply, deployment}: Answered<Deployment>,
	res: ServerResponse,
): Promise<undefined> => {
	const {dialect} = asked;
	const usage = dialect.streamUsage();
	const digest = gateway.config.journal.payloads === 'none' ? undefined : createHash('sha256');
	const watch = openWatch(gateway, exchange, asked, usage);
	const tap = watch ? undefined : openTap(dialect, usage);
	let bytes = 0;

	const seen = (piece: Buffer | string): void => {
		digest?.update(piece);
		bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
	};

	/** The stream's own end: a missing one is a stream that broke off, whatever the connection says. */
	const broken = (error: GatewayError | undefined): GatewayError | undefined => {
		if (error || watch?.ended || tap?.ended) return error;
		return new GatewayError('upstream_failed', `${deployment.name} broke off its answer.`);
	};

	const beforeEnd = async (failure: GatewayError | undefined): Promise<string | undefined> => {
		let error = broken(failure);
		let closing = '';
		if (!error && watch) {
			try {
				closing = await watch.close();
			} catch (thrown) {
				error = failWith(gateway, exchange, thrown);
			}
		}
		exchange.upstreamMs = performance.now() - exchange.startedMs - ownMs;
		countUsage(exchange, asked, deployment, error ? undefined : usage.usage(), () => estimatedUsage(asked, bytes, usage.input()));
		if (error) {
			failWith(gateway, exchange, error);
			closing = error.code === 'client_closed' ? '' : dialect.errorEvent(error, exchange.id);
		}
		exchange.outcome ??= 'ok';
		exchange.status ??= 200;
		seen(closing);
		if (digest) exchange.response = {sha256: digest.digest('hex'), bytes};
		await afterResponse(gateway, exchange, {text: watch?.text});
		await finish(gateway, exchange);
		return closing;
	};

	const ownMs = performance.now() - exchange.startedMs - exchange.upstreamMs;
	exchange.cut = error => reply.abort(error);
	res.writeHead(200, {
		...clientHeaders(reply.headers, exchange),
		'content-type': 'text/event-stream; charset=utf-8',
		'cache-control': 'no-cache',
		'x-accel-buffering': 'no',
		'x-sallyport-exchange': exchange.id,
	});
	res.flushHeaders();
	await pass(reply, res, {
		beforeEnd,
		...(watch
			? {
					rewrite(chunk) {
						refuseKey(chunk, deployment);
						const out = watch.push(chunk);
						if (out instanceof Promise) {
							return out.then(piece => {
								seen(piece);
								return piece;
							});
						}
						seen(out);
						return out;
					},
				}
			: {
					onChunk(chunk) {
						refuseKey(chunk, deployment);
						seen(chunk);
						return tap!.see(chunk);
					},
				}),
	});
	return undefined;
};
