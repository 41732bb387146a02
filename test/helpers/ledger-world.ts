import type {StoredRecord} from '../../core/journal/journal.ts';
import type {OpenedLedger} from '../../core/ledger/open.ts';
import {openLedger} from '../../core/ledger/open.ts';
import type {OwnRow, Store} from '../../core/store/store.ts';
import type {JournalRecord} from '../../schemas/record.ts';
import type {Random} from './seeded-random.ts';

/** What the ledger of one process does not ask for. */
const unasked = {
	process: '',
	ledgerOwn: async () => [],
	ledgerLease: async () => [],
	ledgerTotals: async () => new Map(),
	once: async () => true,
	announce: async () => {},
	onChange: () => () => {},
	beat: async () => {},
	processes: async () => [],
	metaPutIfAbsent: async (_: string, value: string) => value,
};

/** A process that was killed gets no answers any more. */
const never = new Promise<never>(() => {});

/**
 * A disk, a clock and a journal's file that outlive the processes using them. Answers come after a random number of
 * microtasks and in order; a kill leaves of what was under way as much as `random` likes, from the front.
 */
export const ledgerWorld = (random: Random, startAt: number) => {
	const rows = new Map<string, OwnRow>();
	const meta = new Map<string, string>();
	const file: StoredRecord[] = [];
	let tail: StoredRecord[] = [];
	let written: Promise<void> | undefined;
	let alive = {};
	let at = startAt;
	let failing = 0;
	let losing = 0;
	let ledger: OpenedLedger | undefined;
	let waiting: (() => void)[] = [];

	const pause = async (): Promise<void> => {
		for (let turns = random.below(12); turns > 0; turns -= 1) await undefined;
	};

	/** One process's view of the disk. */
	const storeFor = (process: object): Store => {
		let line: Promise<unknown> = Promise.resolve();
		const inOrder = <T>(work: () => T, mayFail = false): Promise<T> => {
			if (alive !== process) return never;
			const apply = () => void work();
			waiting.push(apply);
			const turn = line.then(async () => {
				await pause();
				if (alive !== process) return never;
				waiting = waiting.filter(other => other !== apply);
				const failed = mayFail && random.chance(failing);
				// A write that failed may have been done all the same.
				const answer = failed && random.chance(0.5) ? undefined : work();
				await pause();
				if (alive !== process) return never;
				if (failed) throw new Error('the disk failed');
				return answer as T;
			});
			line = turn.catch(() => undefined);
			return turn;
		};
		return {
			kvAll: async () => [],
			kvPut: async () => {},
			ledgerAll: () => inOrder(() => [...rows.values()]),
			ledgerPut: changed =>
				inOrder(() => {
					for (const row of changed) rows.set(row.key, {...row});
				}, true),
			ledgerPrune: before =>
				inOrder(() => {
					for (const {key, expiresAt = Number.POSITIVE_INFINITY} of rows.values()) if (expiresAt < before) rows.delete(key);
				}),
			metaGet: name => inOrder(() => meta.get(name)),
			metaPut: (name, value) => inOrder(() => void meta.set(name, value), true),
			close: async () => {},
			...unasked,
		};
	};

	/** Like the real one: a batch is written or refused as a whole, and a refused record's number goes to a later one. */
	const append = (record: JournalRecord): {seq: number; written: Promise<void>} => {
		const seq = (tail.at(-1) ?? file.at(-1))?.seq ?? 0;
		tail.push({...(JSON.parse(JSON.stringify(record)) as JournalRecord), v: 1, seq: seq + 1, at: '', prev: '', hash: ''});
		if (written === undefined) {
			written = writeTail();
			written.catch(() => {}); // Whoever waits for it gets the error.
		}
		return {seq: seq + 1, written};
	};

	const writeTail = async (): Promise<void> => {
		const process = alive;
		await undefined;
		await pause();
		if (alive !== process) return never;
		written = undefined;
		const lines = tail;
		tail = [];
		if (random.chance(losing)) throw new Error('the journal could not be written');
		file.push(...lines);
	};

	return {
		rows,
		file,
		pause,
		append,
		now: () => at,
		/** The clock moves on, or is set back. */
		wait: (ms: number) => {
			at += ms;
		},
		/** From now on this share of the store's writes fails. */
		fail: (share: number) => {
			failing = share;
		},
		/** From now on this share of the journal's writes fails. */
		lose: (share: number) => {
			losing = share;
		},
		/** Whether the process that was alive at the call still is. */
		witness: () => {
			const process = alive;
			return () => alive === process;
		},
		ledger: (): OpenedLedger => ledger!,
		start: async (): Promise<OpenedLedger> => {
			ledger = await openLedger({
				store: storeFor(alive),
				records: fromSeq => file.filter(({seq}) => seq >= fromSeq),
				flushed: async () => written,
				now: () => at,
			});
			return ledger;
		},
		kill: () => {
			alive = {};
			const survived = random.below(waiting.length + 1);
			for (const apply of waiting.slice(0, survived)) apply();
			waiting = [];
			file.push(...tail.slice(0, random.below(tail.length + 1)));
			tail = [];
			written = undefined;
		},
	};
};

export type LedgerWorld = ReturnType<typeof ledgerWorld>;
