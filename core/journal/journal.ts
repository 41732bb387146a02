import type {JournalRecord} from '../../schemas/record.ts';

/** A record as it stands in the file. */
export type StoredRecord = JournalRecord & {v: 1; seq: number; at: string; prev: string; hash: string};

export type Journal = {
	/** The sequence number this record gets, at once, and a promise that resolves when its line is in the file. Rejects with `journal_unavailable`. */
	append(record: JournalRecord): {seq: number; written: Promise<void>};
	/** Resolves when everything appended so far is in the file. */
	flushed(): Promise<void>;
	/** Flushes, closes the segment with a signed checkpoint, and lets go of the folder. */
	close(): Promise<void>;
};
