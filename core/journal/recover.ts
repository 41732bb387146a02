import {appendFile, stat, truncate} from 'node:fs/promises';
import {join} from 'node:path';
import type {StoredRecord, Torn} from './journal.ts';
import {noHash, parseLine} from './line.ts';
import {linesBackwards, type Segment, segmentsOf} from './segments.ts';

/** Where a chain goes on: the segment to write to, its good bytes, and the record before. */
export type Standing = {segment: number; length: number; seq: number; hash: string; torn?: Torn};

const bytesIn = async (path: string): Promise<number> => (await stat(path)).size;

const lastRecord = async (path: string): Promise<{record?: StoredRecord; length: number}> => {
	for await (const {bytes, whole, start} of linesBackwards(path)) {
		if (!whole) continue;
		try {
			return {record: parseLine(bytes), length: start + bytes.length + 1};
		} catch (error) {
			if (!(error instanceof SyntaxError)) throw error;
		}
	}
	return {length: 0};
};

/** Keeps what follows the good bytes as evidence, on the disk, before it is cut off. */
const cutTorn = async (folder: string, {name, path}: Segment, length: number, size: number): Promise<Torn> => {
	const file = name.replace(/jsonl$/, 'torn');
	const parts: Buffer[] = [];
	for await (const {bytes, whole, start} of linesBackwards(path)) {
		if (start < length) break;
		parts.unshift(bytes, Buffer.from(whole ? '\n' : ''));
	}
	await appendFile(join(folder, file), Buffer.concat([...parts, Buffer.from('\n')]), {flush: true, mode: 0o640});
	await truncate(path, length);
	return {file, bytes: size - length};
};

/** Finds a chain's end and cuts off what a crash left half written. A whole line that was tampered with stays, for `verify` to find. */
export const recover = async (folder: string, chain: string): Promise<Standing> => {
	const segments = await segmentsOf(folder, chain);
	const last = segments.at(-1);
	if (last === undefined) return {segment: 1, length: 0, seq: 0, hash: noHash};
	const size = await bytesIn(last.path);
	const {record, length} = await lastRecord(last.path);
	const torn = length < size ? await cutTorn(folder, last, length, size) : undefined;
	if (record?.kind === 'checkpoint') return {segment: last.number + 1, length: 0, seq: record.seq, hash: record.hash, torn};
	if (record !== undefined) return {segment: last.number, length, seq: record.seq, hash: record.hash, torn};
	const before = segments.at(-2);
	if (before === undefined) return {segment: last.number, length: 0, seq: 0, hash: noHash, torn};
	const {record: previous} = await lastRecord(before.path);
	if (previous === undefined)
		throw new Error(`${before.path} holds no record: bring it back, or move the folder away to start a new chain`);
	return {segment: last.number, length: 0, seq: previous.seq, hash: previous.hash, torn};
};
