import type {Behaviour} from './behaviour.ts';
import {type Dialect, type Frame, Refusal} from './dialect.ts';
import {type Exchange, pause, written} from './exchange.ts';
import type {Fields} from './json.ts';

/** An exchange of which we know in which dialect to answer. */
export type Addressed = {
	exchange: Exchange;
	dialect: Dialect;
	requestId: string;
	/** After this long an answer that would never end is cut. */
	longestMs: number;
};

type Reply = Addressed & {behaviour: Behaviour};

const longestDelayMs = 10_000;

/** Sends a whole JSON answer. */
export const sendJson = ({res}: Exchange, status: number, body: unknown, headers: {[name: string]: string} = {}): void => {
	const bytes = Buffer.from(JSON.stringify(body));
	res.writeHead(status, {'content-type': 'application/json', 'content-length': bytes.length, ...headers});
	res.end(bytes);
};

/** Sends an answer that is not streamed, broken as the behaviour asks. */
export const sendWhole = async ({exchange, dialect, behaviour, requestId, longestMs}: Reply, body: Fields): Promise<void> => {
	const {res, gone, cut} = exchange;
	const headers = {[dialect.requestIdHeader]: requestId};
	if (!behaviour.breaks) return sendJson(exchange, 200, body, headers);
	if (behaviour.breaks.how === 'error') {
		return sendJson(exchange, 500, dialect.error(new Refusal(500, 'injected'), requestId), headers);
	}

	const bytes = Buffer.from(JSON.stringify(body));
	const half = bytes.subarray(0, bytes.length >> 1);
	const malformed = behaviour.breaks.how === 'malformed';
	res.writeHead(200, {'content-type': 'application/json', 'content-length': malformed ? half.length : bytes.length, ...headers});
	if (malformed) return void res.end(half);
	await written(res, half);
	if (behaviour.breaks.how === 'stall') await pause(longestMs, gone);
	cut();
};

const delayBetweenChunks = ({exchange, behaviour}: Reply): number => {
	const asked = Number(exchange.req.headers['x-chunk-delay-ms'] ?? behaviour.everyMs);
	return asked >= 0 ? Math.min(asked, longestDelayMs) : 0;
};

const send = async ({exchange, behaviour}: Reply, wire: string): Promise<void> => {
	const step = behaviour.packetBytes;
	if (step === undefined) return written(exchange.res, wire);
	const bytes = Buffer.from(wire);
	for (let from = 0; from < bytes.length && !exchange.gone.aborted; from += step) {
		await written(exchange.res, bytes.subarray(from, from + step));
		await pause(0, exchange.gone);
	}
};

/** Breaks a stream in the middle; answers whether it goes on after that. */
const broke = async (reply: Reply, frame: Frame): Promise<'over' | 'goes on'> => {
	const {exchange, dialect, behaviour, requestId, longestMs} = reply;
	switch (behaviour.breaks?.how) {
		case 'malformed':
			await send(reply, `${frame.wire.slice(0, frame.wire.length >> 1).trimEnd()}\n\n`);
			return 'goes on';
		case 'error':
			exchange.res.end(dialect.errorFrame(new Refusal(500, 'injected'), requestId));
			return 'over';
		case 'stall':
			await pause(longestMs, exchange.gone);
			break;
		default:
			break;
	}
	exchange.cut();
	return 'over';
};

/** Sends a stream, one socket write for each event, for as long as somebody listens. */
export const sendStream = async (reply: Reply, frames: Iterable<Frame>): Promise<void> => {
	const {exchange, dialect, behaviour, requestId, longestMs} = reply;
	const {res, gone} = exchange;
	const delayMs = delayBetweenChunks(reply);
	const endsAt = behaviour.speech.kind === 'endless' ? Date.now() + longestMs : Infinity;
	const breaksAfter = behaviour.breaks?.afterChunks ?? Infinity;
	let chunks = 0;
	let broken = false;

	res.writeHead(200, {
		'content-type': 'text/event-stream; charset=utf-8',
		'cache-control': 'no-cache',
		[dialect.requestIdHeader]: requestId,
	});
	for (const frame of frames) {
		if (gone.aborted) return;
		if (Date.now() >= endsAt) return exchange.cut();
		const answerIsShort = chunks > 0 && chunks < breaksAfter && breaksAfter !== Infinity && !frame.carriesDelta;
		if (!broken && (chunks >= breaksAfter || answerIsShort)) {
			broken = true;
			if ((await broke(reply, frame)) === 'over') return;
		} else {
			await send(reply, frame.wire);
		}
		if (frame.carriesDelta) chunks++;
		await pause(frame.carriesDelta ? delayMs : 0, gone);
	}
	res.end();
};
