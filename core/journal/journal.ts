import type {JournalRecord} from '../../schemas/record.ts';

/** A record as it stands in the file. */
export type StoredRecord = JournalRecord & {v: 1; seq: number; at: string; prev: string; hash: string};

export type Journal = {
	/**
	 * The sequence number and the moment (milliseconds since 1970) this record gets, at once, and a promise that resolves when its line is
	 * in the file. Rejects with `journal_unavailable`: then the record is not in the chain, and its number goes to a later one.
	 */
	append(record: JournalRecord): {seq: number; at: number; written: Promise<void>};
	/** Resolves when everything appended so far is in the file. */
	flushed(): Promise<void>;
	/** Flushes, closes the segment with a signed checkpoint, and lets go of the folder. */
	close(): Promise<void>;
};

/** What a crash had left half written, and where it is kept. */
export type Torn = {file: string; bytes: number};

export type OpenedJournal = Journal & {
	readonly chain: string;
	/** The last record in the file: 0 and 64 zeros before the first. */
	readonly lastSeq: number;
	readonly lastHash: string;
	/** The key that checkpoints are signed with: SPKI in PEM, as in `journal.pub`. */
	readonly publicKey: string;
	/** What opening had to mend. */
	readonly recovered: {readonly torn?: Torn};
};
