import type {IncomingMessage} from 'node:http';
import {GatewayError} from './errors.ts';
import type {Waiting} from './upstream/reply.ts';

type Reading = {
	maxBytes: number;
	withinMs: number;
	/** Ends the reading when the client leaves, or when somebody says that it did. */
	waiting?: Waiting;
};

/** A credential or a length said twice is read differently by different parsers, so it is not read at all. */
const onlyOnce = new Map(
	['authorization', 'x-api-key', 'x-goog-api-key', 'content-type', 'content-length', 'content-encoding', 'host', 'transfer-encoding'].map(
		(name, index) => [name, 1 << index],
	),
);

/** Throws `bad_http` when a header that decides something stands there twice, or the one that must be there does not (RFC 9112, section 3.2). */
export const refuseBadHead = ({rawHeaders, headers, httpVersion}: IncomingMessage): void => {
	if (headers.host === undefined && httpVersion === '1.1') throw new GatewayError('bad_http', 'The header host is missing.');
	const coding = headers['transfer-encoding'];
	if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) {
		throw new GatewayError('bad_http', 'A body may be chunked, in HTTP/1.1; no other transfer-encoding is read.');
	}
	let seen = 0;
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]!.toLowerCase();
		const bit = onlyOnce.get(name);
		if (bit === undefined) continue;
		if (seen & bit) throw new GatewayError('bad_http', `The header ${name} is there more than once.`);
		seen |= bit;
	}
};

const refuseForm = ({headers}: IncomingMessage, maxBytes: number): void => {
	const type = headers['content-type'];
	if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) {
		throw new GatewayError('unsupported_media_type', `This cannot be read as "${type.slice(0, 60)}"; send application/json.`);
	}
	const encoding = headers['content-encoding'];
	if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
		throw new GatewayError('unsupported_media_type', 'A compressed body cannot be checked; send it uncompressed.');
	}
	if (Number(headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
};

const tooLarge = (maxBytes: number): GatewayError => new GatewayError('body_too_large', `The body is larger than ${maxBytes} bytes.`);

const clientClosed = () => new GatewayError('client_closed', 'The client left before its request was read.');

/** The whole body of a request. Throws `body_too_large`, `request_timeout`, `unsupported_media_type` or `client_closed`. */
export const readBody = async (req: IncomingMessage, {maxBytes, withinMs, waiting}: Reading): Promise<Buffer> => {
	refuseForm(req, maxBytes);
	if (req.destroyed || waiting?.left) throw clientClosed();
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		let over = false;
		const timer = setTimeout(() => fail(new GatewayError('request_timeout', `The body did not arrive within ${withinMs} ms.`)), withinMs);
		const stop = () => {
			over = true;
			clearTimeout(timer);
			if (waiting) waiting.onLeft = undefined;
		};
		const fail = (error: GatewayError) => {
			if (over) return;
			stop();
			reject(error);
		};
		const take = (chunk: Buffer) => {
			if (over) return;
			bytes += chunk.length;
			if (bytes > maxBytes) return fail(tooLarge(maxBytes));
			chunks.push(chunk);
		};
		const end = () => {
			if (over) return;
			stop();
			resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
		};
		const left = () => {
			if (!over) fail(clientClosed());
		};
		if (waiting) waiting.onLeft = left;
		// They stay, since taking them off costs more than all they do: a request ends once.
		req.on('data', take).on('end', end).on('close', left).on('error', left);
	});
};

const lingerMs = 2_000;

/** What is left of a request that was answered early is read for a moment, so that its client can read why; then its connection is closed. */
export const letGo = (req: IncomingMessage): void => {
	if (req.complete) return;
	req.on('error', () => undefined).resume();
	const timer = setTimeout(() => req.socket.destroy(), lingerMs);
	req.once('close', () => clearTimeout(timer));
};
