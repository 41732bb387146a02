/** What a key of the ledger has come to: `settled` counts every journal record up to and including `seq`. */
export type LedgerRow = {key: string; settled: number; granted: number; seq: number; expiresAt?: number};

/** The interface every storage engine implements; nothing outside `core/store/` imports a driver. */
export type Store = {
	/** Every entry of every plugin's namespace, for the memory that plugins read from. */
	kvAll(): Promise<{plugin: string; key: string; value: string}[]>;
	/** Durable when it resolves; `null` deletes; all or nothing. */
	kvPut(plugin: string, entries: Record<string, string | null>): Promise<void>;
	ledgerAll(): Promise<LedgerRow[]>;
	/** Writes whole rows; durable when it resolves; all or nothing. */
	ledgerPut(rows: readonly LedgerRow[]): Promise<void>;
	/** Drops rows whose window ended before `at` (milliseconds). */
	ledgerPrune(at: number): Promise<void>;
	metaGet(name: string): Promise<string | undefined>;
	metaPut(name: string, value: string): Promise<void>;
	close(): Promise<void>;
};
