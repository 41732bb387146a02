import {createHash} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import {asGatewayError, GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {guardHeaders} from '../findings.ts';
import {failWith, finish, type Gateway} from '../gateway.ts';
import {keepReply} from '../payload.ts';
import {limitHeaders} from '../rate-headers.ts';
import type {Answered} from '../upstream/deployments.ts';
import {pass} from '../upstream/pass.ts';
import {isLastEvent, sseTap} from '../upstream/sse.ts';
import {afterResponse} from './after.ts';
import type {Asked} from './asked.ts';
import type {Deployment} from './catalogue.ts';
import {clientHeaders} from './client-headers.ts';
import type {Dialect, StreamUsage} from './dialects/dialect.ts';
import {isObject} from './json.ts';
import {keepStream} from './kept-stream.ts';
import {openGrowth} from './outgrow.ts';
import {parseJson} from './parse.ts';
import {heard, type Piece} from './pieces.ts';
import {refuseKey} from './provider-key.ts';
import {countUsage, type Known} from './spend.ts';
import {openProduced} from './usage-produced.ts';
import {countingUnits} from './usage-units.ts';
import {openWatch} from './watch.ts';

/** What marks the events that are looked at in a stream nobody watches. */
const marks = {openai: ['usage":{', 'usage": {', '[DONE]'], anthropic: ['usage":{', 'usage": {', 'message_stop']} as const;

/** How long an upstream may keep its connection open after the last event. */
const lingerMs = 1_000;

/** Bytes go on as they came; only usage and the last event are looked for. Answers whether the last event is among them. */
const openTap = (dialect: Dialect, usage: StreamUsage) => {
	let ended = false;
	const tap = sseTap(marks[dialect.name], event => {
		if (isLastEvent(event)) {
			ended = true;
			return;
		}
		const json = jsonOf(event.data);
		if (json) usage.see(json);
	});
	return {
		see(chunk: Buffer): boolean {
			tap.push(chunk);
			return ended;
		},
		/** The upstream has ended: its last event may lack the blank line behind it. */
		end(): string {
			const event = ended ? undefined : tap.end();
			ended ||= event !== undefined && isLastEvent(event);
			return '';
		},
		ended: () => ended,
	};
};

const jsonOf = (data: string) => {
	try {
		const json: unknown = parseJson(data);
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
	const usage = countingUnits(dialect.streamUsage(), deployment.price);
	const produced = openProduced(deployment.bound);
	const digest = gateway.config.journal.payloads === 'none' ? undefined : createHash('sha256');
	const growth = openGrowth(gateway, exchange, asked, deployment, {produced, usage, cut: error => reply.abort(error)});
	exchange.runsTools = asked.facts.runsTools ?? false;
	const watch = openWatch(gateway, exchange, asked, usage);
	const tap = openTap(dialect, usage);
	const kept = keepStream(gateway, exchange, dialect);
	const look = refuseKey(deployment);
	let sentBytes = 0;
	let linger: NodeJS.Timeout | undefined;
	/** What this gateway itself has against the answer: an upstream that ended meanwhile does not undo it. */
	let refused: GatewayError | undefined;

	const hasEnded = (): boolean => (watch ?? tap).ended();

	const sent = <Piece extends Buffer | string>(piece: Piece): Piece => {
		digest?.update(piece);
		kept?.see(piece);
		sentBytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
		return piece;
	};

	const refuse = (thrown: unknown): never => {
		refused ??= asGatewayError(thrown);
		throw refused;
	};

	/** Does `work` with a chunk that has just come; what it throws ends the answer. */
	const taken = <Out>(chunk: Buffer, work: () => Out): Out => {
		produced.see(chunk);
		try {
			look(chunk);
			const out = work();
			growth?.see(chunk);
			return out;
		} catch (thrown) {
			return refuse(thrown);
		}
	};

	/** After its last event an upstream has nothing to say, and cannot break any more what it said; before, a missing end is a break. */
	const broken = (failure: GatewayError | undefined): GatewayError | undefined => {
		if (refused) return refused;
		if (hasEnded()) return failure?.code === 'client_closed' ? failure : undefined;
		return failure ?? new GatewayError('upstream_failed', `${deployment.name} broke off its answer.`);
	};

	const beforeEnd = async (failure: GatewayError | undefined): Promise<string | undefined> => {
		clearTimeout(linger);
		watch?.stop();
		let error: GatewayError | undefined;
		let closing = '';
		try {
			if (!failure && !refused) closing = await (watch ?? tap).end();
			error = broken(failure);
			if (!error && watch) closing += await watch.close();
		} catch (thrown) {
			error = asGatewayError(thrown);
		}
		exchange.upstreamMs = performance.now() - exchange.startedMs - ownMs;
		const cut = error !== undefined && !hasEnded();
		const known = (): Known => {
			const sure = usage.sure();
			const doubt = cut ? 'cut' : sure.inputTokens + sure.outputTokens > 0 ? 'absurd' : 'missing';
			const outputTokens = Math.max(sure.outputTokens, growth?.surely() ?? 0);
			return {produced: produced.tokens(), input: usage.input(), sure: {...sure, outputTokens}, doubt};
		};
		countUsage(exchange, asked, deployment, cut ? undefined : usage.usage(), {known, units: usage.units()});
		if (error) {
			failWith(gateway, exchange, error);
			closing = error.code === 'client_closed' ? '' : dialect.errorEvent(error, exchange.id);
		}
		exchange.outcome ??= 'ok';
		exchange.status ??= 200;
		sent(closing);
		if (kept) keepReply(gateway, exchange, kept.words);
		if (digest) exchange.response = {sha256: digest.digest('hex'), bytes: sentBytes};
		await afterResponse(gateway, exchange, {text: watch?.text, channels: watch?.channels});
		await finish(gateway, exchange);
		return closing;
	};

	const rewrite = (chunk: Buffer): Piece => {
		const out = taken(chunk, () => watch!.push(chunk));
		if (hasEnded()) linger ??= setTimeout(() => reply.abort(new GatewayError('upstream_timeout', 'The last event had come.')), lingerMs);
		return handedOn(out);
	};

	const handedOn = (piece: Piece): Piece => (piece instanceof Promise ? heard(piece.then(sent, refuse)) : sent(piece));

	const onOpen = (put: (piece: Piece) => void): void => watch?.onFlush(piece => put(handedOn(piece)));

	const onChunk = (chunk: Buffer): boolean =>
		taken(chunk, () => {
			sent(chunk);
			return tap.see(chunk);
		});

	const ownMs = performance.now() - exchange.startedMs - exchange.upstreamMs;
	const cut = (error: GatewayError): void => reply.abort(error);
	exchange.cut = cut;
	res.writeHead(200, {
		...clientHeaders(reply.headers, exchange, watch?.isGuarded === true),
		'content-type': 'text/event-stream; charset=utf-8',
		'cache-control': 'no-cache',
		'x-accel-buffering': 'no',
		'x-sallyport-exchange': exchange.id,
		...limitHeaders(exchange, gateway.ledger, Date.now()),
		...guardHeaders(exchange),
		...(gateway.stopping && {connection: 'close'}),
	});
	res.flushHeaders();
	const {error} = await pass(reply, res, {beforeEnd, ...(watch ? {rewrite, onOpen} : {onChunk})});
	if (error?.code === 'journal_unavailable') gateway.log.error({exchange: exchange.id, err: error}, 'the record could not be written');
	return undefined;
};
