import {hash} from 'node:crypto';
import type {StoredRecord} from './journal.ts';

/** The `prev` of a chain's first record. */
export const noHash = '0'.repeat(64);

/** Bytes of `,"hash":"<64 hex digits>"}`, the end of every line. */
const sealBytes = 75;

const head = (seq: number, at: string, prev: string): string => `{"v":1,"seq":${seq},"at":"${at}","prev":"${prev}",`;

/** The line of a record whose fields are `json` (one JSON object, not empty), without its newline, and the hash that ends it. */
export const seal = (seq: number, at: string, prev: string, json: string): {line: string; hash: string} => {
	const hashed = head(seq, at, prev) + json.slice(1, -1);
	const digest = hash('sha256', hashed);
	return {line: `${hashed},"hash":"${digest}"}`, hash: digest};
};

/** The hash a line should end with: SHA-256 of its bytes before `,"hash":"…"}`. */
export const hashOf = (line: Buffer): string => hash('sha256', line.subarray(0, Math.max(0, line.length - sealBytes)));

const isStored = (value: unknown): value is StoredRecord =>
	typeof value === 'object' &&
	value !== null &&
	'v' in value &&
	value.v === 1 &&
	'seq' in value &&
	Number.isSafeInteger(value.seq) &&
	'at' in value &&
	typeof value.at === 'string' &&
	'prev' in value &&
	typeof value.prev === 'string' &&
	'kind' in value &&
	typeof value.kind === 'string' &&
	'hash' in value &&
	typeof value.hash === 'string' &&
	/^[0-9a-f]{64}$/.test(value.hash);

/** The record of a line, given without its newline; throws when the line has not the form of one. Its hash is not checked. */
export const parseLine = (line: Buffer): StoredRecord => {
	const text = line.toString('utf8');
	const value: unknown = JSON.parse(text);
	// Where the fields stand matters: a second "seq" further on would say one thing to a parser and another to the eye.
	if (isStored(value) && text.startsWith(head(value.seq, value.at, value.prev)) && text.endsWith(`,"hash":"${value.hash}"}`)) return value;
	throw new SyntaxError('not a line of a journal');
};

/** The sequence number a line begins with, or undefined when it is not a record; a few dozen leading bytes are enough. */
export const seqOf = (line: Buffer): number | undefined => {
	const [, digits] = /^\{"v":1,"seq":(\d{1,16}),/.exec(line.toString('latin1', 0, 40)) ?? [];
	return digits === undefined ? undefined : Number(digits);
};
