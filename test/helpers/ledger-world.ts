import type {StoredRecord} from '../../core/journal/journal.ts';
import type {OpenedLedger} from '../../core/ledger/open.ts';
import {openLedger} from '../../core/ledger/open.ts';
import type {Change, LedgerRow, LedgerTotal, Store} from '../../core/store/store.ts';
import type {JournalRecord} from '../../schemas/record.ts';
import type {Random} from './seeded-random.ts';

/** A process that was killed gets no answers any more. */
const never = new Promise<never>(() => {});

type Row = LedgerRow;
type Listener = {process: string; hear: (change: Change) => void};

/** A disk and a clock that outlive the processes using them, and what those tell each other. */
export const ledgerDisk = (random: Random, startAt: number) => {
	const rows = new Map<string, Row>();
	const listeners = new Set<Listener>();
	const state = {at: startAt, ticks: 0, failing: 0, losing: 0};
	return {
		rows,
		listeners,
		state,
		meta: new Map<string, string>(),
		once: new Set<string>(),
		seen: new Map<string, number>(),
		pause: async (most = 12): Promise<void> => {
			for (let turns = random.below(most); turns > 0; turns -= 1) await undefined;
		},
		put: (process: string, changed: readonly Omit<Row, 'process'>[]): void => {
			for (const row of changed) rows.set(`${process} ${row.key}`, {...row, process});
		},
		others: (process: string, keys: readonly string[]): Map<string, LedgerTotal> => {
			const totals = new Map<string, LedgerTotal>();
			for (const row of rows.values()) {
				if (row.process === process || !keys.includes(row.key)) continue;
				const {settled, granted} = totals.get(row.key) ?? {settled: 0, granted: 0};
				totals.set(row.key, {settled: settled + row.settled, granted: granted + row.granted});
			}
			return totals;
		},
		/** What all processes were granted of a key. */
		granted: (key: string): number => {
			let sum = 0;
			for (const row of rows.values()) if (row.key === key) sum += row.granted;
			return sum;
		},
		now: () => state.at,
		/** The clock moves on, or is set back. */
		wait: (ms: number) => {
			state.at += ms;
		},
		/** From now on this share of the store's writes fails. */
		fail: (share: number) => {
			state.failing = share;
		},
		/** From now on this share of the journal's writes fails. */
		lose: (share: number) => {
			state.losing = share;
		},
	};
};
export type LedgerDisk = ReturnType<typeof ledgerDisk>;

type Options = {disk?: LedgerDisk; process?: string; onStoreDown?: 'deny' | 'allow'};

/**
 * One process, its journal's file, and its successors. Answers come after a random number of microtasks and in order; a kill leaves of
 * what was under way as much as `random` likes, from the front.
 */
export const ledgerWorld = (
	random: Random,
	startAt: number,
	{disk = ledgerDisk(random, startAt), process: name = '', onStoreDown}: Options = {},
) => {
	const file: StoredRecord[] = [];
	let tail: StoredRecord[] = [];
	let written: Promise<void> | undefined;
	let alive = {};
	let ledger: OpenedLedger | undefined;
	let waiting: (() => void)[] = [];
	let listening: Listener[] = [];
	const {pause, state} = disk;

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
				const failed = mayFail && random.chance(state.failing);
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
		const own = () => [...disk.rows.values()].filter(row => row.process === name);
		return {
			process: name,
			kvAll: async () => [],
			kvPut: async () => {},
			ledgerOwn: () => inOrder(own),
			ledgerPut: changed => inOrder(() => disk.put(name, changed), true),
			ledgerLease: (keys, decide) =>
				inOrder(() => {
					if (random.chance(0.05)) decide(disk.others(name, keys));
					const changed = decide(disk.others(name, keys));
					disk.put(name, changed);
					return changed.map(row => ({...row, process: name}));
				}, true),
			ledgerTotals: keys => inOrder(() => disk.others('nobody', keys)),
			ledgerPrune: before =>
				inOrder(() => {
					for (const [key, {expiresAt = Number.POSITIVE_INFINITY}] of disk.rows) if (expiresAt < before) disk.rows.delete(key);
				}),
			once: key =>
				inOrder(() => {
					const first = !disk.once.has(key);
					disk.once.add(key);
					return first;
				}, true),
			announce: change =>
				inOrder(() => {
					for (const {process: other, hear} of disk.listeners) if (other !== name) void pause(40).then(() => hear(change));
				}, true),
			onChange: hear => {
				const listener = {process: name, hear: (change: Change) => void (alive === process && hear(change))};
				disk.listeners.add(listener);
				listening.push(listener);
				return () => void disk.listeners.delete(listener);
			},
			beat: () => inOrder(() => void disk.seen.set(name, Date.now() + state.ticks)),
			processes: () => inOrder(() => [...disk.seen].map(([process, seenAt]) => ({process, seenAt}))),
			metaGet: name => inOrder(() => disk.meta.get(name)),
			metaPut: (name, value) => inOrder(() => void disk.meta.set(name, value), true),
			metaPutIfAbsent: async () => '',
			close: async () => {},
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
		if (random.chance(state.losing)) throw new Error('the journal could not be written');
		file.push(...lines);
	};

	return {
		...disk,
		process: name,
		file,
		append,
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
				onStoreDown,
				now: disk.now,
				ticks: () => state.ticks,
				storeWaitMs: 1e9,
			});
			return ledger;
		},
		kill: () => {
			alive = {};
			for (const listener of listening) disk.listeners.delete(listener);
			listening = [];
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
