import {hkdfSync, randomBytes} from 'node:crypto';
import {existsSync, linkSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {CompactEncrypt, compactDecrypt, errors} from 'jose';
import {GatewayError} from '../errors.ts';
import type {JsonObject} from '../llm/json.ts';

/** What only this gateway can read: encrypted and authenticated (JWE, RFC 7516: AES-256-GCM), bound to what it was sealed for. */
export type Seal = {
	close(purpose: string, value: object): Promise<string>;
	/** What was sealed for this very purpose; undefined for anything else, and for what another key sealed. */
	open(purpose: string, sealed: string): Promise<JsonObject | undefined>;
};

const keyBytes = 32;
const shortestSecret = 32;
const longestSealed = 50_000;

/** A new file appears whole or not at all, and never in place of another. */
const keyIn = (file: string): Buffer => {
	if (!existsSync(file)) {
		const draft = `${file}.${process.pid}`;
		writeFileSync(draft, randomBytes(keyBytes).toString('base64url'), {mode: 0o600});
		try {
			linkSync(draft, file);
		} catch (error) {
			if (!existsSync(file)) throw error; // Otherwise another process of this gateway was first: its key is as good.
		} finally {
			rmSync(draft);
		}
	}
	const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url');
	if (key.length === keyBytes) return key;
	throw new GatewayError('internal', `${file} holds no sealing key: bring it back, or take it away and let users connect again.`);
};

/** The key of the config, or one in a file beside a SQLite store, made on its first use. Throws `internal` where it is none. */
export const sealingKey = ({sealingKey: secret, store}: {sealingKey?: string; store: string}): Buffer => {
	if (secret === undefined) return keyIn(join(dirname(store), 'sealing.key'));
	if (secret.length < shortestSecret) throw new GatewayError('internal', 'sealingKey is shorter than 32 characters.');
	return Buffer.from(hkdfSync('sha256', secret, '', 'sallyport sealing', keyBytes));
};

export const openSeal = (key: Buffer): Seal => ({
	close: (purpose, value) =>
		new CompactEncrypt(Buffer.from(JSON.stringify(value))).setProtectedHeader({alg: 'dir', enc: 'A256GCM', kid: purpose}).encrypt(key),

	async open(purpose, sealed) {
		if (sealed.length > longestSealed) return undefined;
		try {
			const only = {keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM']};
			const {plaintext, protectedHeader} = await compactDecrypt(sealed, key, only);
			return protectedHeader.kid === purpose ? (JSON.parse(Buffer.from(plaintext).toString()) as JsonObject) : undefined;
		} catch (thrown) {
			// Whatever else is wrong is a mistake of ours.
			if (thrown instanceof errors.JOSEError) return undefined;
			throw thrown;
		}
	},
});
