import {open} from 'node:fs/promises';
import type {StoredRecord} from './journal.ts';
import {parseLine, seqOf} from './line.ts';
import {chainsOf, linesBackwards, linesOf, type Segment, segmentsOf} from './segments.ts';

const firstSeq = async (path: string): Promise<number | undefined> => {
	const file = await open(path);
	try {
		const {buffer, bytesRead} = await file.read(Buffer.alloc(40), 0, 40, 0);
		return seqOf(buffer.subarray(0, bytesRead));
	} finally {
		await file.close();
	}
};

/** From the segment that holds `fromSeq` on: looks at one line each of a few segments. */
const segmentsFrom = async (segments: Segment[], fromSeq: number): Promise<Segment[]> => {
	let low = 0;
	let high = segments.length - 1;
	while (low < high) {
		const middle = Math.ceil((low + high) / 2);
		const first = await firstSeq(segments[middle]!.path);
		if (first !== undefined && first <= fromSeq) low = middle;
		else high = middle - 1;
	}
	return segments.slice(low);
};

/**
 * The records of a chain in order, from `fromSeq` on, checkpoints included. Does not verify the chain, but throws at a line
 * that is no record, naming it; a last line still being written ends it. Memory: one chunk and one line.
 */
export async function* records(
	folder: string,
	{fromSeq = 1, chain = '0'}: {fromSeq?: number; chain?: string} = {},
): AsyncGenerator<StoredRecord> {
	for (const {path, name} of await segmentsFrom(await segmentsOf(folder, chain), fromSeq)) {
		let number = 0;
		for await (const {bytes, whole} of linesOf(path)) {
			number += 1;
			if (!whole) return;
			if ((seqOf(bytes) ?? fromSeq) < fromSeq) continue;
			try {
				yield parseLine(bytes);
			} catch (error) {
				if (!(error instanceof SyntaxError)) throw error;
				throw new Error(`line ${number} of ${name} is not a record: run "sallyport audit verify"`, {cause: error});
			}
		}
	}
}

/** The last `n` records of a chain, oldest first; a last line still being written is left out. */
export const tail = async (folder: string, n: number, {chain = '0'}: {chain?: string} = {}): Promise<StoredRecord[]> => {
	const found: StoredRecord[] = [];
	for (const {path} of (await segmentsOf(folder, chain)).reverse()) {
		for await (const {bytes, whole} of linesBackwards(path)) {
			if (found.length >= n) return found.reverse();
			if (whole) found.push(parseLine(bytes));
		}
	}
	return found.reverse();
};

/** The last `n` records of all chains of a journal, by the clock of their writers, oldest first. */
export const tailOfAll = async (folder: string, n: number): Promise<StoredRecord[]> => {
	const tails = await Promise.all((await chainsOf(folder)).map(chain => tail(folder, n, {chain})));
	return tails
		.flat()
		.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
		.slice(-n);
};
