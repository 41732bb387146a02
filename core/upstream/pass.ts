import type {ServerResponse} from 'node:http';
import {asGatewayError, type GatewayError} from '../errors.ts';
import type {Reply} from './reply.ts';

type Bytes = Buffer | string;

export type Passage = {
	/** Looks at bytes that go on untouched. True: the reply's last event is among them; they and all after them wait for `beforeEnd`. */
	onChunk?: (chunk: Buffer) => boolean | undefined;
	/** What goes on instead of a chunk, possibly later; nothing overtakes it. What it throws cuts the reply. */
	rewrite?: (chunk: Buffer) => Bytes | Promise<Bytes>;
	/** Called once, before the first chunk, with what puts bytes in between two chunks; a piece that rejects cuts the reply. */
	onOpen?: (put: (piece: Bytes | Promise<Bytes>) => void) => void;
	/**
	 * Called once, when the body is over or broken: the reply does not end before it resolves. Resolves with closing bytes, if any: the end
	 * of a rewritten stream, or an error event in the client's dialect. When it rejects, the reply is broken off.
	 */
	beforeEnd?: (error: GatewayError | undefined) => Promise<Bytes | undefined>;
	/** Longest time a client may leave its connection full before it counts as gone. */
	stallMs?: number;
};

/** How much was handed to the client's connection, and what broke the reply, if anything did. */
export type Passed = {bytes: number; error?: GatewayError};

/** After its last event an upstream has nothing to say; some keep the connection open all the same. */
const lingerMs = 1_000;

const start = (reply: Reply, res: ServerResponse, passage: Passage, done: (passed: Passed) => void): void => {
	const {onChunk, rewrite, onOpen, beforeEnd, stallMs = 60_000} = passage;
	/** Chunks of one read of the socket, which cost one write. */
	let batch: Buffer[] = [];
	/** From the last event on. */
	let tail: Buffer[] | undefined;
	let bytes = 0;
	let isFull = false;
	/** The last piece that is not there yet: later ones queue behind it. */
	let working: Promise<void> | undefined;
	let isCut = false;
	let stall: NodeJS.Timeout | undefined;
	let linger: NodeJS.Timeout | undefined;

	const pace = () => {
		if (isFull || working !== undefined) reply.pause();
		else reply.resume();
	};

	const write = (piece: Bytes) => {
		if (piece.length === 0 || res.destroyed) return;
		bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
		if (res.write(piece) || isFull) return;
		isFull = true;
		stall = setTimeout(() => res.destroy(), stallMs);
		pace();
	};

	const cut = (thrown: unknown) => {
		isCut = true;
		reply.abort(asGatewayError(thrown));
	};

	const writeLater = async (piece: Promise<Bytes>, before: Promise<void> | undefined) => {
		try {
			const ready = await piece;
			await before;
			if (!isCut) write(ready);
		} catch (thrown) {
			cut(thrown);
		}
	};

	const put = (piece: Bytes | Promise<Bytes>) => {
		if (!(piece instanceof Promise) && working === undefined) {
			write(piece);
			return;
		}
		const mine = writeLater(Promise.resolve(piece), working).then(() => {
			if (working !== mine) return;
			working = undefined;
			pace();
		});
		working = mine;
		pace();
	};

	const go = (chunk: Buffer) => {
		if (onChunk?.(chunk) && tail === undefined) {
			tail = [];
			linger = setTimeout(() => reply.abort(), lingerMs);
		}
		if (tail !== undefined) tail.push(chunk);
		else if (rewrite === undefined) write(chunk);
		else put(rewrite(chunk));
	};

	const flush = () => {
		if (batch.length === 0) return;
		const chunk = batch.length === 1 ? batch[0]! : Buffer.concat(batch);
		batch = [];
		try {
			go(chunk);
		} catch (thrown) {
			cut(thrown);
		}
	};

	const conclude = async (broken: GatewayError | undefined) => {
		flush();
		clearTimeout(linger);
		while (working !== undefined) await working;
		// What goes wrong after the last event takes nothing from the client, unless it is the client that left.
		let error = tail !== undefined && !res.destroyed ? undefined : broken;
		let closing: Bytes | undefined;
		let isWhole = true;
		try {
			closing = await beforeEnd?.(error);
			isWhole = error === undefined || closing !== undefined;
		} catch (thrown) {
			error ??= asGatewayError(thrown);
			isWhole = false;
		}
		if (!isWhole) res.destroy();
		for (const chunk of tail ?? []) write(chunk);
		if (closing !== undefined) write(closing);
		clearTimeout(stall);
		if (!res.destroyed) res.end();
		done({bytes, error});
	};

	res.on('drain', () => {
		clearTimeout(stall);
		isFull = false;
		pace();
	});
	res.on('close', () => {
		clearTimeout(stall);
		if (!res.writableFinished) reply.abort();
	});

	onOpen?.(put);
	reply.read({
		data: chunk => {
			if (batch.push(chunk) === 1) queueMicrotask(flush);
		},
		end: () => void conclude(undefined),
		fail: error => void conclude(error),
	});
	if (res.destroyed) reply.abort();
};

/**
 * Hands a reply's body to a client whose head is written (or goes out with the first byte), at the pace of the slower of the two. A client
 * that leaves closes the upstream's connection at once. A reply that breaks without closing bytes has its connection closed, so that
 * nobody takes it for whole. Never rejects.
 */
export const pass = (reply: Reply, res: ServerResponse, passage: Passage = {}): Promise<Passed> =>
	new Promise(resolve => start(reply, res, passage, resolve));
