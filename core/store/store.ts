/**
 * What one process has of a key of the ledger: `settled` counts every record of its own journal up to and including `seq`;
 * `granted`, never less than what it has spent or reserved, is what other processes must leave to it.
 */
export type LedgerRow = {key: string; process: string; settled: number; granted: number; seq: number; expiresAt?: number};

/** A row of this process, which need not say whose it is. */
export type OwnRow = Omit<LedgerRow, 'process'> & {process?: string};

/** What several processes together have of a key. */
export type LedgerTotal = {settled: number; granted: number};

export type Recall = {kind: 'recall'; keys: string[]};

export type Change =
	| {kind: 'kv'; plugin: string; entries: Record<string, string | null>}
	/** Another process lacks room: what is granted on these keys and not in use should be given back. Never this process's own. */
	| Recall
	/** This process was away for longer than changes are kept: what is remembered may be old, `kvAll` says what is. */
	| {kind: 'anew'};

/**
 * The interface every storage engine implements; nothing outside `core/store/` imports a driver. Everything rejects with
 * `store_unavailable`, and then usually nothing is written; but a connection that breaks during a commit leaves it open which.
 */
export type Store = {
	/** Whose rows `ledgerPut` and `ledgerLease` write: the same after a restart, and of no other process. */
	readonly process: string;

	/** Every entry of every plugin's namespace. When it resolves, `onChange` has told of every change that is in it. */
	kvAll(): Promise<{plugin: string; key: string; value: string}[]>;
	/** Durable when it resolves, and told to `onChange` here by then; `null` deletes; all or nothing. */
	kvPut(plugin: string, entries: Record<string, string | null>): Promise<void>;

	/** The rows of this process, in the order of their keys. */
	ledgerOwn(): Promise<LedgerRow[]>;
	/** Writes whole rows of this process; durable when it resolves; all or nothing. To raise what is granted is for `ledgerLease`. */
	ledgerPut(rows: readonly OwnRow[]): Promise<void>;
	/**
	 * In one transaction, which no other lease of any of these keys can overlap: reads what the other processes have of each key
	 * (those without any are missing), lets `decide` say the rows of this process to write, and writes them. Answers what it wrote,
	 * durable. `decide` may be asked again when the transaction has to be; a GatewayError it throws is what this rejects with, and nothing is written.
	 */
	ledgerLease(keys: readonly string[], decide: (others: Map<string, LedgerTotal>) => readonly OwnRow[]): Promise<LedgerRow[]>;
	/** What all processes together, this one too, have of each of these keys; keys that nobody has are missing. */
	ledgerTotals(keys: readonly string[]): Promise<Map<string, LedgerTotal>>;
	/** Drops what ended before `at` (milliseconds): rows of every process, names of `once`, and processes that were not seen since. */
	ledgerPrune(at: number): Promise<void>;

	/** True for one caller at most among all processes, until `expiresAt` (milliseconds) is pruned or for ever; for exactly one when no call fails. */
	once(name: string, expiresAt?: number): Promise<boolean>;
	announce(change: Recall): Promise<void>;
	/**
	 * Every change of plugins' namespaces, this process's own too (the very object that `kvPut` was given), and the recalls of other
	 * processes; in the one order in which they were made durable, complete, and of other processes within 250 ms. After the
	 * connection was cut it goes on where it stopped. A listener must not throw. Answers how to stop.
	 */
	onChange(listener: (change: Change) => void): () => void;

	/** This process is alive. */
	beat(): Promise<void>;
	/** Every process that called `beat` (until `ledgerPrune` drops it), and when it last did, by the clock of this machine (milliseconds). */
	processes(): Promise<{process: string; seenAt: number}[]>;

	metaGet(name: string): Promise<string | undefined>;
	metaPut(name: string, value: string): Promise<void>;
	/** Answers the value that stands: this one, or the one that stood before. */
	metaPutIfAbsent(name: string, value: string): Promise<string>;
	/** Waits for what was asked before; what is asked after is refused. */
	close(): Promise<void>;
};
