import type {Entry, Feed, LogRow, Reading} from '../feed.ts';
import type {Connection, Statement} from './connection.ts';

const prunedTo = "coalesce((SELECT value FROM meta WHERE name = 'changes_pruned_to'), 0)";

/** In this order: what is pruned between the two is then read, or known to be missing. */
export const readLog = async (connection: Connection, after: number): Promise<Reading> => {
	const rows = await connection.all<LogRow>('SELECT seq, writer, ref, body FROM changes WHERE seq > ? ORDER BY seq', after);
	const [pruned] = await connection.all<{seq: number}>(`SELECT CAST(${prunedTo} AS INTEGER) AS seq`);
	return {rows, prunedTo: pruned!.seq};
};

export const lastSeq = async (connection: Connection): Promise<number> => {
	const [row] = await connection.all<{seq: number}>(
		`SELECT max(coalesce((SELECT max(seq) FROM changes), 0), CAST(${prunedTo} AS INTEGER)) AS seq`,
	);
	return row!.seq;
};

export const append = (entries: readonly Entry[]): Statement => ({
	sql: `INSERT INTO changes (at, writer, ref, body) SELECT ?, value ->> 'writer', value ->> 'ref', value ->> 'body' FROM json_each(?)`,
	values: [Date.now(), JSON.stringify(entries)],
});

/** Drops what was appended before `at`, and everything older. */
export const prune = (at: number): Statement[] => [
	{
		sql: `INSERT INTO meta SELECT 'changes_pruned_to', max(seq) FROM changes WHERE at < ? HAVING max(seq) IS NOT NULL
			ON CONFLICT DO UPDATE SET value = excluded.value`,
		values: [at],
	},
	{sql: `DELETE FROM changes WHERE seq <= CAST(${prunedTo} AS INTEGER)`, values: []},
];

const everyMs = 100;

/**
 * Looks for what other processes appended; `PRAGMA data_version` is free as long as they did nothing. On a connection of its own,
 * since the store's may be waiting for a lock. What fails is tried again the next time. Answers how to stop.
 */
export const watchLog = (connect: () => Promise<Connection>, feed: Feed): (() => Promise<void>) => {
	let connection: Connection | undefined;
	let timer: NodeJS.Timeout | undefined;
	let seen: number | undefined;
	let stopped = false;

	const look = async (): Promise<void> => {
		connection ??= await connect();
		const [row] = await connection.all<{data_version: number}>('PRAGMA data_version');
		if (row!.data_version === seen) return;
		feed.take(await readLog(connection, feed.last()));
		seen = row!.data_version;
	};
	let looking = Promise.resolve();
	const later = (): void => {
		if (stopped) return;
		timer = setTimeout(() => {
			looking = look()
				.catch(() => undefined)
				.finally(later);
		}, everyMs);
		timer.unref();
	};
	later();

	return async () => {
		stopped = true;
		clearTimeout(timer);
		await looking;
		await connection?.close();
	};
};
