import type {KeyObject} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {checkpointEvent, publicKeyOf, sameKey, signatureHolds} from './checkpoint.ts';
import type {StoredRecord} from './journal.ts';
import {hashOf, noHash, parseLine, seqOf} from './line.ts';
import {linesOf, type Segment, segmentsOf} from './segments.ts';

/** Every way a chain can fail; docs/journal.md says what each one means. */
export type Reason =
	| 'no_segments'
	| 'missing_segment'
	| 'missing_checkpoint'
	| 'missing_public_key'
	| 'torn_line'
	| 'malformed_line'
	| 'edited_line'
	| 'dropped_line'
	| 'reordered_line'
	| 'inserted_line'
	| 'relinked_line'
	| 'line_after_checkpoint'
	| 'wrong_checkpoint'
	| 'wrong_key'
	| 'wrong_signature'
	| 'truncated'
	| 'not_the_expected';

export type Failure = {ok: false; file: string; line: number; seq?: number; reason: Reason};
export type Verified = {
	ok: true;
	records: number;
	segments: number;
	lastSeq: number;
	lastHash: string;
	/** Records after this one are chained but not yet signed: that some of them were cut off, or all rewritten, cannot be seen. */
	signedSeq: number;
};

type Options = {
	chain?: string;
	/** The public key to trust, in PEM; `journal.pub` of the folder when left out, which whoever can write there can replace. */
	publicKey?: string;
	/** A record known from elsewhere: the chain must reach it, and have this hash there. */
	expected?: {seq: number; hash?: string};
};

/** What the lines so far have come to. */
type Walk = {seq: number; hash: string; signedSeq: number; closed: boolean};

class Fault extends Error {
	readonly failure: Failure;
	constructor(failure: Failure) {
		super(failure.reason);
		this.failure = failure;
	}
}

const fault = (segment: Segment, line: number, reason: Reason, seq?: number): Fault =>
	new Fault({ok: false, file: segment.name, line, ...(seq === undefined ? {} : {seq}), reason});

const parsed = (segment: Segment, line: number, bytes: Buffer): StoredRecord => {
	try {
		return parseLine(bytes);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
		throw fault(segment, line, 'malformed_line', seqOf(bytes));
	}
};

const standsLater = async (segments: Segment[], after: number, from: Segment, wanted: number): Promise<boolean> => {
	for (const segment of segments.filter(({number}) => number >= from.number)) {
		let line = 0;
		for await (const {bytes} of linesOf(segment.path)) {
			line += 1;
			if ((segment !== from || line > after) && seqOf(bytes) === wanted) return true;
		}
	}
	return false;
};

const checkSignature = (segment: Segment, line: number, record: StoredRecord, chain: string, key: KeyObject | undefined) => {
	const {seq, at, prev} = record;
	const {data: event} = checkpointEvent.safeParse(record.event);
	if (event === undefined || event.chain !== chain || event.segment !== segment.number) throw fault(segment, line, 'wrong_checkpoint', seq);
	if (key === undefined) throw fault(segment, line, 'missing_public_key', seq);
	if (!sameKey(event, key)) throw fault(segment, line, 'wrong_key', seq);
	if (!signatureHolds(event, {chain, segment: segment.number, seq, at, prev}, key)) throw fault(segment, line, 'wrong_signature', seq);
};

const trusted = async (folder: string, publicKey: string | undefined): Promise<KeyObject | undefined> => {
	if (publicKey !== undefined) return publicKeyOf(publicKey);
	try {
		return publicKeyOf(await readFile(join(folder, 'journal.pub')));
	} catch {
		return undefined; // Said as `missing_public_key` at the first checkpoint.
	}
};

const walkSegment = async (
	segments: Segment[],
	segment: Segment,
	{seq, hash, signedSeq}: Walk,
	{chain, key, expected}: {chain: string; key: KeyObject | undefined; expected: Options['expected']},
): Promise<Walk> => {
	const walk = {seq, hash, signedSeq, closed: false};
	let line = 0;
	for await (const {bytes, whole} of linesOf(segment.path)) {
		line += 1;
		if (!whole) throw fault(segment, line, 'torn_line', seqOf(bytes));
		const record = parsed(segment, line, bytes);
		if (hashOf(bytes) !== record.hash) throw fault(segment, line, 'edited_line', record.seq);
		if (record.seq > walk.seq + 1) {
			const later = await standsLater(segments, line, segment, walk.seq + 1);
			throw fault(segment, line, later ? 'reordered_line' : 'dropped_line', record.seq);
		}
		if (record.seq <= walk.seq) throw fault(segment, line, 'inserted_line', record.seq);
		if (record.prev !== walk.hash) throw fault(segment, line, 'relinked_line', record.seq);
		if (walk.closed) throw fault(segment, line, 'line_after_checkpoint', record.seq);
		if (expected?.hash !== undefined && record.seq === expected.seq && record.hash !== expected.hash)
			throw fault(segment, line, 'not_the_expected', record.seq);
		walk.seq = record.seq;
		walk.hash = record.hash;
		if (record.kind !== 'checkpoint') continue;
		checkSignature(segment, line, record, chain, key);
		walk.closed = true;
		walk.signedSeq = record.seq;
	}
	if (!walk.closed && segment !== segments.at(-1)) throw fault(segment, line, 'missing_checkpoint', walk.seq);
	return walk;
};

const walkChain = async (folder: string, {chain = '0', publicKey, expected}: Options): Promise<Verified> => {
	const segments = await segmentsOf(folder, chain);
	if (segments.length === 0) throw new Fault({ok: false, file: folder, line: 0, reason: 'no_segments'});
	const key = await trusted(folder, publicKey);
	let walk: Walk = {seq: 0, hash: noHash, signedSeq: 0, closed: false};
	for (const [index, segment] of segments.entries()) {
		if (segment.number !== index + 1) throw fault(segment, 0, 'missing_segment', walk.seq + 1);
		walk = await walkSegment(segments, segment, walk, {chain, key, expected});
	}
	if (expected !== undefined && walk.seq < expected.seq) throw fault(segments.at(-1)!, 0, 'truncated', walk.seq);
	return {ok: true, records: walk.seq, segments: segments.length, lastSeq: walk.seq, lastHash: walk.hash, signedSeq: walk.signedSeq};
};

/** Reads a whole chain and answers whether it is as it was written, or the first place where it is not. Rejects only when a file cannot be read. */
export const verify = async (folder: string, options: Options = {}): Promise<Verified | Failure> => {
	try {
		return await walkChain(folder, options);
	} catch (error) {
		if (error instanceof Fault) return error.failure;
		throw error;
	}
};
