import {createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify} from 'node:crypto';
import {existsSync, linkSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as z from 'zod';
import {GatewayError} from '../errors.ts';

export type Place = {chain: string; segment: number; seq: number; at: string; prev: string};

/** The `event` of a checkpoint record. */
export const checkpointEvent = z.strictObject({
	chain: z.string(),
	segment: z.int().min(1),
	/** SPKI, DER, base64: the body of `journal.pub`. */
	publicKey: z.string(),
	/** Ed25519, base64. */
	signature: z.string(),
});
export type CheckpointEvent = z.output<typeof checkpointEvent>;

export type SigningKey = {
	/** SPKI in PEM. */
	publicKey: string;
	sign(place: Place): CheckpointEvent;
};

/** What a checkpoint signs: these lines in UTF-8, each with its newline. `seq`, `at` and `prev` are the checkpoint record's own. */
const signed = ({chain, segment, seq, at, prev}: Place): Buffer =>
	Buffer.from(`sallyport journal checkpoint v1\n${chain}\n${segment}\n${seq}\n${at}\n${prev}\n`);

const pem = (key: KeyObject): string => key.export({type: 'spki', format: 'pem'}).toString();
const base64 = (key: KeyObject): string => key.export({type: 'spki', format: 'der'}).toString('base64');

/** A new key file appears whole or not at all, and never in place of another. */
const createKey = (path: string): void => {
	const {privateKey} = generateKeyPairSync('ed25519');
	const draft = `${path}.${process.pid}`;
	writeFileSync(draft, privateKey.export({type: 'pkcs8', format: 'pem'}), {mode: 0o600});
	try {
		linkSync(draft, path);
	} catch (error) {
		if (!existsSync(path)) throw error; // Otherwise another process of this gateway was first: its key is as good.
	} finally {
		rmSync(draft);
	}
};

/** The key pair of a folder, made on its first use; refuses when the folder has a public key that another private key belongs to. */
export const signingKey = (folder: string, keyFile: string): SigningKey => {
	const publicFile = join(folder, 'journal.pub');
	if (!existsSync(keyFile)) {
		if (existsSync(publicFile)) {
			throw new GatewayError(
				'journal_unavailable',
				`${keyFile} is gone, and ${publicFile} belongs to it: bring the key back, or move the folder away to start a new chain.`,
			);
		}
		createKey(keyFile);
	}
	const privateKey = createPrivateKey(readFileSync(keyFile));
	const publicKey = createPublicKey(privateKey);
	if (!existsSync(publicFile)) writeFileSync(publicFile, pem(publicKey));
	if (!createPublicKey(readFileSync(publicFile)).equals(publicKey)) {
		throw new GatewayError(
			'journal_unavailable',
			`${publicFile} does not belong to ${keyFile}: bring the key back that signed this folder.`,
		);
	}
	const shown = base64(publicKey);
	return {
		publicKey: pem(publicKey),
		sign: place => ({
			chain: place.chain,
			segment: place.segment,
			publicKey: shown,
			signature: sign(null, signed(place), privateKey).toString('base64'),
		}),
	};
};

/** A public key in PEM; throws when it is none. */
export const publicKeyOf = (text: string | Buffer): KeyObject => createPublicKey(text);

export const sameKey = (event: CheckpointEvent, key: KeyObject): boolean => event.publicKey === base64(key);

export const signatureHolds = (event: CheckpointEvent, place: Place, key: KeyObject): boolean =>
	verify(null, signed(place), key, Buffer.from(event.signature, 'base64'));
