import {stat} from 'node:fs/promises';
import type {StoredRecord} from '../journal/journal.ts';
import {parseLine} from '../journal/line.ts';
import {linesOf, type Segment, segmentsOf} from '../journal/segments.ts';

/** One booking of an account, as a record of the journal tells of it. */
export type Entry = {seq: number; at: string; exchange: string; amount: number};

/** What one chain of the journal says of a key of the ledger. */
export type Told = {
	/** In the order of the chain. */
	settled: Entry[];
	/** Set aside by what was opened and has no end there. */
	reserved: Entry[];
};

const dayMs = 86_400_000;

const firstMoment = async ({path}: Segment): Promise<number> => {
	for await (const {bytes, whole} of linesOf(path)) return whole ? Date.parse(parseLine(bytes).at) : Number.POSITIVE_INFINITY;
	return Number.POSITIVE_INFINITY;
};

/** The segments that can hold records since a moment; a day more, for a clock that was set back. */
export const segmentsSince = async (folder: string, chain: string, since: number): Promise<Segment[]> => {
	const segments = await segmentsOf(folder, chain);
	let first = 0;
	for (let index = segments.length - 1; index > 0; index--) {
		if ((await firstMoment(segments[index]!)) >= since - dayMs) continue;
		first = index;
		break;
	}
	return segments.slice(first);
};

export const bytesIn = async (segments: readonly Segment[]): Promise<number> => {
	let bytes = 0;
	for (const {path} of segments) bytes += (await stat(path)).size;
	return bytes;
};

type Bookings = Map<string, Entry>;

/**
 * Reads what these segments say of the account's keys. Parses the lines that name the account and no others; rejects where one is no
 * record. Whether the chain holds together is for `sallyport audit verify` to say.
 */
export const toldOf = async (segments: readonly Segment[], account: string): Promise<Map<string, Told>> => {
	const needle = Buffer.from(JSON.stringify(`${account}|`).slice(1, -1));
	const told = new Map<string, Told>();
	const open = new Map<string, Bookings>();
	const toldFor = (key: string): Told => {
		const known = told.get(key);
		if (known) return known;
		const made: Told = {settled: [], reserved: []};
		told.set(key, made);
		return made;
	};
	const entriesOf = ({bookings = [], seq, at, exchange = ''}: StoredRecord): Bookings => {
		const entries: Bookings = new Map();
		for (const {key, amount} of bookings) {
			if (!key.startsWith(`${account}|`) || key.split('|').length !== account.split('|').length + 3) continue;
			entries.set(key, {seq, at, exchange, amount: amount + (entries.get(key)?.amount ?? 0)});
		}
		return entries;
	};

	for (const {path, name} of segments) {
		let line = 0;
		for await (const {bytes, whole} of linesOf(path)) {
			line += 1;
			if (!whole || !bytes.includes(needle)) continue;
			let record: StoredRecord;
			try {
				record = parseLine(bytes);
			} catch (error) {
				throw new Error(`line ${line} of ${name} is not a record: run "sallyport audit verify"`, {cause: error});
			}
			const {kind, exchange = ''} = record;
			// What was topped up is told once more, and in full.
			if (kind === 'opened') open.set(exchange, entriesOf(record));
			if (kind !== 'exchange') continue;
			open.delete(exchange);
			for (const [key, entry] of entriesOf(record)) toldFor(key).settled.push(entry);
		}
	}
	for (const entries of open.values()) for (const [key, entry] of entries) toldFor(key).reserved.push(entry);
	return told;
};
