import {hmacSha256} from './sha256.ts';
import {base64, fromBase64, utf8} from './text.ts';

export type Message = {id: string; body: string};

const keyOf = (secret: string): Uint8Array => {
	const key = secret.startsWith('whsec_') ? fromBase64(secret.slice('whsec_'.length)) : undefined;
	if (key && key.length >= 24) return key;
	throw new Error('a webhook secret is whsec_ and the base64 of at least 24 bytes');
};

/**
 * The headers of https://www.standardwebhooks.com, version 1. `secrets` are one or more with blanks between them: each signs, so that one can be
 * replaced by another while both are known to the receiver. Throws where one is no secret.
 */
export const signed = ({id, body}: Message, secrets: string, atMs: number): Record<string, string> => {
	const timestamp = Math.floor(atMs / 1_000);
	const content = utf8(`${id}.${timestamp}.${body}`);
	const keys = secrets.trim().split(/\s+/).map(keyOf);
	return {
		'content-type': 'application/json',
		'webhook-id': id,
		'webhook-timestamp': String(timestamp),
		'webhook-signature': keys.map(key => `v1,${base64(hmacSha256(key, content))}`).join(' '),
	};
};
