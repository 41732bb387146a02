import type {Dispatcher} from 'undici';
import {asGatewayError, GatewayError} from '../errors.ts';
import {upstreamError} from './failures.ts';

export type ReplyHeaders = Record<string, string | string[] | undefined>;

/** Takes a body as it comes. `end` or `fail` is called once, after the last `data`; what `data` throws ends the reply as `fail`. */
export type Sink = {data(chunk: Buffer): void; end(): void; fail(error: GatewayError): void};

/** The head of an upstream's answer, and its body still to come. Take the body once: `collect`, `read`, `drop` or `abort`. */
export type Reply = {
	readonly status: number;
	/** Names in lower case. */
	readonly headers: ReplyHeaders;
	/** The whole body, uncopied when it came in one piece. Rejects with `upstream_too_large`, `upstream_timeout` or `upstream_failed`. */
	collect(maxBytes: number): Promise<Buffer>;
	/** Hands over every byte in order, the first ones perhaps before this returns. */
	read(sink: Sink): void;
	/** Nothing reaches the sink until `resume`; the upstream is slowed down. */
	pause(): void;
	resume(): void;
	/** Lets a body nobody wants run out, so that its connection can be used again; a long one is cut. */
	drop(): void;
	/** Closes the connection at once. The sink gets `fail`, a `collect` rejects: `client_closed` unless another reason is given. */
	abort(reason?: GatewayError): void;
};

/** Whoever waits for an answer. One slot, since an exchange has one attempt under way. */
export type Waiting = {left: boolean; onLeft?: (() => void) | undefined};

/** The client went away: the attempt under way ends at once with `client_closed`, and no other begins. */
export const leave = (waiting: Waiting): void => {
	if (waiting.left) return;
	waiting.left = true;
	waiting.onLeft?.();
};

/** `who` answers, as a message begins that speaks of it: `Provider "acme"`. */
export type Limits = {who: string; timeoutMs: number; idleMs: number};

/** Bytes taken from the socket before anybody asked for them. */
const mostHeld = 65_536;
const mostDropped = 65_536;
const dropMs = 1_000;

const clientClosed = (): GatewayError => new GatewayError('client_closed', 'The client left before the answer.');

const joined = (chunks: Buffer[], bytes: number): Buffer => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));

/** Collects for one waiting promise; refuses at the byte that is too much. */
const gathering = (maxBytes: number, resolve: (body: Buffer) => void, reject: (error: GatewayError) => void): Sink => {
	const chunks: Buffer[] = [];
	let bytes = 0;
	return {
		data: chunk => {
			bytes += chunk.length;
			if (bytes > maxBytes) throw new GatewayError('upstream_too_large', `The answer is larger than ${maxBytes} bytes.`);
			chunks.push(chunk);
		},
		end: () => resolve(joined(chunks, bytes)),
		fail: reject,
	};
};

const dropping = (): Sink => {
	let bytes = 0;
	return {
		data: chunk => {
			bytes += chunk.length;
			if (bytes > mostDropped) throw clientClosed();
		},
		end: () => {},
		fail: () => {},
	};
};

/** One attempt, from dispatch to the last byte, as undici's handler. Calls `answered` or `failed`, once. */
export const receive = (
	{who, timeoutMs, idleMs}: Limits,
	waiting: Waiting | undefined,
	answered: (reply: Reply) => void,
	failed: (error: GatewayError) => void,
): Dispatcher.DispatchHandler => {
	let controller: Dispatcher.DispatchController | undefined;
	let sink: Sink | undefined;
	let held: Buffer[] = [];
	let heldBytes = 0;
	let begun = false;
	let paused = false;
	let dropped = false;
	/** Nothing more comes from undici; what is held may still have to go out. */
	let over = false;
	let told = false;
	let failure: GatewayError | undefined;

	const late = () => {
		// A client that reads slowly is not an upstream that is silent.
		if (paused && !dropped) timer.refresh();
		else if (begun) fail(new GatewayError('upstream_timeout', `${who} fell silent for ${idleMs} ms in the middle of its answer.`));
		else fail(new GatewayError('upstream_timeout', `${who} sent nothing for ${timeoutMs} ms.`));
	};
	let timer = setTimeout(late, timeoutMs);

	const finish = () => {
		over = true;
		clearTimeout(timer);
		// By now it may be the next attempt's, when this one's body was dropped.
		if (waiting?.onLeft === left) waiting.onLeft = undefined;
	};

	/** Tells how it ended, once there is somebody to tell. */
	const tell = () => {
		if (told || (begun && sink === undefined)) return;
		told = true;
		if (!begun) failed(failure!);
		else if (failure === undefined) sink?.end();
		else sink?.fail(failure);
	};

	/** Ends it from this side: the connection is closed, and what is still held is forgotten. */
	const fail = (error: GatewayError) => {
		if (told) return;
		held = [];
		failure ??= error;
		if (!over) {
			finish();
			controller?.abort(error);
		}
		tell();
	};

	const deliver = (chunk: Buffer) => {
		try {
			sink?.data(chunk);
		} catch (thrown) {
			fail(asGatewayError(thrown));
		}
	};

	const flush = () => {
		while (held.length > 0 && !paused) {
			const chunk = held.shift()!;
			heldBytes -= chunk.length;
			deliver(chunk);
		}
		if (over && held.length === 0 && !paused) tell();
	};

	const take = (next: Sink, silenceMs: number) => {
		sink = next;
		// Taken a second time, to be dropped, it has one that runs.
		clearTimeout(timer);
		if (!over) timer = setTimeout(late, silenceMs);
		flush();
		if (!over && !paused && controller?.paused) reply.resume();
	};

	const collect = (maxBytes: number): Promise<Buffer> => {
		if (over && failure === undefined && heldBytes <= maxBytes) {
			const body = joined(held, heldBytes);
			held = [];
			told = true;
			return Promise.resolve(body);
		}
		return new Promise<Buffer>((resolve, reject) => {
			take(gathering(maxBytes, resolve, reject), idleMs);
			if (Number(reply.headers['content-length']) > maxBytes)
				fail(new GatewayError('upstream_too_large', `The answer is larger than ${maxBytes} bytes.`));
		});
	};

	let reply: Reply;

	const open = (status: number, headers: ReplyHeaders): Reply => ({
		status,
		headers,
		collect,
		read: next => take(next, idleMs),
		pause: () => {
			paused = true;
			controller?.pause();
		},
		resume: () => {
			paused = false;
			if (!over) timer.refresh();
			// undici's parser is not re-entrant, and this may be called from inside a callback of it.
			queueMicrotask(() => {
				if (paused) return;
				flush();
				if (!paused && !over) controller?.resume();
			});
		},
		drop: () => {
			dropped = true;
			take(dropping(), dropMs);
		},
		abort: (reason = clientClosed()) => fail(reason),
	});

	const left = () => fail(clientClosed());
	if (waiting !== undefined) waiting.onLeft = left;

	return {
		onRequestStart: given => {
			// Given up while it waited for a connection. Thrown, since aborting would close a connection that nothing was written to.
			if (over) throw failure ?? clientClosed();
			controller = given;
		},
		onResponseStart: (_, status, headers) => {
			if (over || status < 200) return;
			const coding = headers['content-encoding'];
			if (coding !== undefined && coding !== 'identity') {
				// Nothing here could read it, so no rule could have been applied to it.
				fail(new GatewayError('upstream_malformed', `${who} compressed its answer, although it was asked not to.`));
				return;
			}
			begun = true;
			// Armed again by whoever takes the body; a short answer ends before that.
			clearTimeout(timer);
			reply = open(status, headers);
			answered(reply);
		},
		onResponseData: (_, chunk) => {
			// After a pause the parser comes with empty chunks, for ever if each is answered with a pause.
			if (over || chunk.length === 0) return;
			if (sink !== undefined && !paused && held.length === 0) {
				if (!dropped) timer.refresh();
				deliver(chunk);
				return;
			}
			// undici may hand over a little more after a pause.
			held.push(chunk);
			heldBytes += chunk.length;
			if (heldBytes > mostHeld) controller?.pause();
		},
		onResponseEnd: () => {
			if (over) return;
			finish();
			if (sink !== undefined) flush();
		},
		onResponseError: (_, thrown) => {
			if (over) return;
			finish();
			failure = upstreamError(who, thrown, controller === undefined ? 'not sent' : begun ? 'answering' : 'sent');
			if (!begun) tell();
			else if (sink !== undefined) flush();
		},
	};
};
