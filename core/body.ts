import type {IncomingMessage} from 'node:http';
import {GatewayError} from './errors.ts';

type Limits = {maxBytes: number; withinMs: number};

/** A credential or a length said twice is read differently by different parsers, so it is not read at all. */
const onlyOnce = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'content-type', 'content-length', 'content-encoding', 'host', 'transfer-encoding']);

/** Throws `bad_http` when a header that decides something stands there twice. */
export const refuseRepeatedHeaders = ({rawHeaders}: IncomingMessage): void => {
	let seen = '';
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]!.toLowerCase();
		if (!onlyOnce.has(name)) continue;
		if (seen.includes(`|${name}|`)) throw new GatewayError('bad_http', `The header ${name} is there more than once.`);
		seen += `|${name}|`;
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

/** The whole body of a request. Throws `body_too_large`, `request_timeout`, `unsupported_media_type` or `client_closed`. */
export const readBody = async (req: IncomingMessage, {maxBytes, withinMs}: Limits): Promise<Buffer> => {
	refuseForm(req, maxBytes);
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		const timer = setTimeout(() => fail(new GatewayError('request_timeout', `The body did not arrive within ${withinMs} ms.`)), withinMs);
		const stop = () => {
			clearTimeout(timer);
			req.off('data', take).off('end', end).off('close', left).off('error', left);
		};
		const fail = (error: GatewayError) => {
			stop();
			letGo(req);
			reject(error);
		};
		const take = (chunk: Buffer) => {
			bytes += chunk.length;
			if (bytes > maxBytes) return fail(tooLarge(maxBytes));
			chunks.push(chunk);
		};
		const end = () => {
			stop();
			resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
		};
		const left = () => {
			stop();
			reject(new GatewayError('client_closed', 'The client left before its request was read.'));
		};
		req.on('data', take).on('end', end).on('close', left).on('error', left);
	});
};

const lingerMs = 2_000;

/** Reads on for a moment, so that a client in the middle of sending can still read why it was refused; then hangs up. */
const letGo = (req: IncomingMessage): void => {
	req.on('error', () => undefined).resume();
	const timer = setTimeout(() => req.socket.destroy(), lingerMs);
	req.once('end', () => clearTimeout(timer));
};
