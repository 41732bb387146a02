import {createCipheriv, createDecipheriv, hash, randomBytes} from 'node:crypto';
import {exactly} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {RpcError, rpcCodes} from './rpc.ts';

/** What a client carries from one round to the next without being able to read or change it. */
export type Seal = {
	/** `bound` is whose it is and what it belongs to: with anything else it does not open. */
	close(content: JsonObject, bound: unknown): string;
	/** Throws RpcError -32602 for what was not sealed here, is bound to something else, or is too old. */
	open(sealed: string, bound: unknown): JsonObject;
};

const nonceBytes = 12;
const tagBytes = 16;
const longestMs = 900_000;
/** Told apart by it from states that other parts of the gateway seal. */
const mark = 'round.';

/** AES-256-GCM under a key made from `secret`; every process with the same secret opens what another one sealed. */
export const openSeal = (secret: Buffer, now = Date.now): Seal => {
	const key = hash('sha256', Buffer.concat([secret, Buffer.from('requestState')]), 'buffer');
	const aad = (bound: unknown): Buffer => Buffer.from(JSON.stringify(bound));
	const invalid = () => new RpcError(rpcCodes.invalidParams, 'requestState is not one of this request, or is too old.', {status: 400});
	return {
		close(content, bound) {
			const nonce = randomBytes(nonceBytes);
			const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(bound));
			const text = Buffer.concat([cipher.update(JSON.stringify({...content, at: now()})), cipher.final()]);
			return mark + Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
		},
		open(sealed, bound) {
			const bytes = Buffer.from(sealed.slice(mark.length), 'base64url');
			if (!sealed.startsWith(mark) || bytes.length < nonceBytes + tagBytes) throw invalid();
			if (bytes.toString('base64url') !== sealed.slice(mark.length)) throw invalid();
			let content: unknown;
			try {
				const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {authTagLength: tagBytes})
					.setAAD(aad(bound))
					.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
				content = exactly(Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString());
			} catch {
				throw invalid();
			}
			if (!isObject(content) || typeof content.at !== 'number' || now() - content.at > longestMs) throw invalid();
			return content;
		},
	};
};
