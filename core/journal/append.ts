import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {asGatewayError, GatewayError} from '../errors.ts';
import {type SigningKey, signingKey} from './checkpoint.ts';
import type {OpenedJournal} from './journal.ts';
import {seal} from './line.ts';
import {lockChain} from './lock.ts';
import {recover, type Standing} from './recover.ts';
import {type SegmentFile, segmentFile} from './segment-file.ts';
import {segmentOf} from './segments.ts';

type Options = {
	folder: string;
	/** A segment is closed and signed by the batch that reaches this size. */
	segmentBytes: number;
	/** Letters, digits and underscores; one chain has one writing process. */
	chain?: string;
	/** The private signing key, made on the first start; `journal.key` in the folder when left out. */
	keyFile?: string;
	/** Milliseconds since 1970. */
	now?: () => number;
};

type Batch = {lines: string; records: number; written: Promise<void>; resolve(): void; reject(error: GatewayError): void};

const newBatch = (): Batch => {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	promise.catch(() => {}); // Whoever awaits `written` gets the error; that nobody does must not end the process.
	return {lines: '', records: 0, written: promise, resolve, reject};
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'changed from outside');

const unavailable = (error: unknown): GatewayError =>
	new GatewayError('journal_unavailable', `The journal cannot be written (${codeOf(error)}).`, {cause: error});

/** Opens a chain for this process alone, mends what a crash tore, and goes on where it ended. Rejects with `journal_unavailable`, saying why. */
export const openJournal = async (options: Options): Promise<OpenedJournal> => {
	const {folder, segmentBytes, chain = '0', keyFile = join(folder, 'journal.key'), now = Date.now} = options;
	if (!/^\w{1,32}$/.test(chain)) throw new RangeError(`a chain is named by letters, digits and underscores, not "${chain}"`);
	let release = () => {};
	try {
		mkdirSync(folder, {recursive: true, mode: 0o750});
		release = lockChain(folder, chain);
		const key = signingKey(folder, keyFile);
		return journalOf({folder, chain, segmentBytes, now, key, standing: await recover(folder, chain), release});
	} catch (error) {
		release();
		if (asGatewayError(error).code === 'journal_unavailable') throw error;
		throw new GatewayError('journal_unavailable', `The journal in ${folder} cannot be opened: ${String(error)}`, {cause: error});
	}
};

type Opened = Required<Omit<Options, 'keyFile'>> & {key: SigningKey; standing: Standing; release: () => void};

const journalOf = ({folder, chain, segmentBytes, now, key, standing, release}: Opened): OpenedJournal => {
	let segment = standing.segment;
	let file: SegmentFile = segmentFile(segmentOf(folder, chain, segment).path, standing.length);
	let batch: Batch | undefined;
	let seq = standing.seq;
	let prev = standing.hash;
	/** The end of what is in the file; a failed write goes back to it. */
	let kept = {seq, hash: prev};
	/** Records refused since the last write that worked, for the notice that heads the next batch. */
	let lost = 0;
	let lostTo = '';
	let closed: Promise<void> | undefined;
	let clockMs = Number.NaN;
	let clock = '';

	const timestamp = (): string => {
		const ms = now();
		if (ms !== clockMs) {
			clockMs = ms;
			clock = new Date(ms).toISOString();
		}
		return clock;
	};

	const chainUp = (at: string, json: string): string => {
		const {line, hash} = seal(seq + 1, at, prev, json);
		seq += 1;
		prev = hash;
		return `${line}\n`;
	};

	const checkpoint = (): string => {
		const at = timestamp();
		return chainUp(at, JSON.stringify({kind: 'checkpoint', event: key.sign({chain, segment, seq: seq + 1, at, prev})}));
	};

	const keep = (lines: string, last: boolean) => {
		try {
			file.write(last ? lines + checkpoint() : lines);
		} catch (error) {
			({seq, hash: prev} = kept);
			throw unavailable(error);
		}
		kept = {seq, hash: prev};
		if (!last) return;
		file.close();
		segment += 1;
		file = segmentFile(segmentOf(folder, chain, segment).path, 0);
	};

	// One synchronous write per turn of the event loop, measured against asynchronous ones (docs/journal.md): the page cache
	// takes a batch in a few microseconds, while a trip to the thread pool costs 60, and its failure would have to undo
	// records that were chained meanwhile.
	const flush = () => {
		if (batch === undefined) return;
		const {lines, records, resolve, reject} = batch;
		batch = undefined;
		try {
			keep(lines, file.length + lines.length >= segmentBytes);
			lost = 0;
			resolve();
		} catch (error) {
			const refusal = asGatewayError(error);
			lost += records;
			lostTo = codeOf(refusal.cause);
			reject(refusal);
		}
	};

	const begin = (): Batch => {
		const begun = newBatch();
		if (lost > 0)
			begun.lines = chainUp(timestamp(), JSON.stringify({kind: 'gateway', event: {what: 'records_lost', records: lost, to: lostTo}}));
		setImmediate(flush);
		return begun;
	};

	const end = () => {
		try {
			const {written} = batch ?? {written: Promise.resolve()};
			flush();
			if (file.length > 0) keep('', true);
			return written;
		} finally {
			file.close();
			release();
		}
	};

	return {
		chain,
		publicKey: key.publicKey,
		recovered: standing.torn === undefined ? {} : {torn: standing.torn},
		get lastSeq() {
			return kept.seq;
		},
		get lastHash() {
			return kept.hash;
		},
		append(record) {
			if (record.kind === 'checkpoint') throw new RangeError('only the journal itself writes checkpoints');
			const json = JSON.stringify(record);
			if (closed !== undefined) {
				const written = Promise.reject(new GatewayError('journal_unavailable', 'The journal is closed.'));
				written.catch(() => {}); // As in newBatch().
				return {seq: seq + 1, at: now(), written};
			}
			batch ??= begin();
			batch.lines += chainUp(timestamp(), json);
			batch.records += 1;
			return {seq, at: clockMs, written: batch.written};
		},
		flushed: () => batch?.written ?? Promise.resolve(),
		close() {
			closed ??= (async () => end())();
			return closed;
		},
	};
};
