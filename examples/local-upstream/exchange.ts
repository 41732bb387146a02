import type {IncomingMessage, ServerResponse} from 'node:http';
import {setImmediate, setTimeout} from 'node:timers/promises';
import type {ReceivedRequest, RequestLog} from './request-log.ts';

/** One request and its answer on one socket. */
export type Exchange = {
	req: IncomingMessage;
	res: ServerResponse;
	request: ReceivedRequest;
	/** Aborted once there is nobody left to answer, or nothing left to say. */
	gone: AbortSignal;
	/** Ends the connection without ending the answer; before its first byte, with a reset. */
	cut(): void;
};

/** Opens an exchange and keeps the log's books about how it ends. */
export const openExchange = (req: IncomingMessage, res: ServerResponse, log: RequestLog): Exchange => {
	const request = {method: req.method ?? '', path: req.url ?? '', headers: req.headers, body: '', aborted: false, at: Date.now()};
	const ended = new AbortController();
	let cutByUs = false;
	log.opened();
	res.once('close', () => {
		log.closed();
		if (!res.writableFinished && !cutByUs) log.left(request);
		ended.abort();
	});

	return {
		req,
		res,
		request,
		gone: ended.signal,
		cut() {
			cutByUs = true;
			if (res.headersSent) res.destroy();
			else req.socket.resetAndDestroy();
		},
	};
};

/** Waits, until the exchange has ended at the latest; with 0 just long enough for what was written to leave. */
export const pause = async (ms: number, gone: AbortSignal): Promise<void> => {
	if (ms === 0) return setImmediate();
	try {
		await setTimeout(ms, undefined, {signal: gone});
	} catch (error) {
		if (!gone.aborted) throw error;
	}
};

/** Resolves when the bytes have left this process, or never will. */
export const written = (res: ServerResponse, bytes: string | Buffer): Promise<void> =>
	new Promise(resolve => {
		if (res.destroyed) return resolve();
		const settle = () => {
			res.off('close', settle);
			resolve();
		};
		res.once('close', settle);
		res.write(bytes, settle);
	});

/** Reads the whole body, or says that there is none because the client left. */
export const readBody = async ({req, gone}: Exchange): Promise<string | undefined> => {
	const parts: Buffer[] = [];
	try {
		for await (const part of req) parts.push(part);
	} catch (error) {
		if (req.destroyed || gone.aborted) return undefined;
		throw error;
	}
	return Buffer.concat(parts).toString();
};
