import {mkdir, open} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {type Entry, openFeed} from '../feed.ts';
import {type KvWrite, latestOf} from '../latest.ts';
import {openLine} from '../line.ts';
import type {Change, LedgerRow, LedgerTotal, OwnRow, Store} from '../store.ts';
import type {UsageStore} from '../usage.ts';
import {type Connection, connect, isOwnFault, type Statement, transaction, unavailable} from './connection.ts';
import {append, lastSeq, prune, readLog, watchLog} from './log.ts';
import {migrate} from './migrations.ts';
import {openUsage} from './usage.ts';

type Write = {statements: Statement[]; kv?: KvWrite; entry?: Entry};
export type SqliteOptions = {
	process: string;
	inherits?: boolean;
	changesKeptMs: number;
	/** The file grows no further than so many pages, as if its disk was full then. */
	mostPages?: number;
};

const openFile = async (file: string, {process, inherits, mostPages}: SqliteOptions): Promise<{connection: Connection; last: number}> => {
	await mkdir(dirname(file), {recursive: true});
	// Made before the driver does, because it would make it readable by everyone; its -wal and -shm take the same mode.
	await (await open(file, 'a', 0o600)).close();
	const connection = await connect(file);
	try {
		// FULL: a lease that was granted before a power cut must not be granted twice after it.
		await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
		await migrate(connection);
		if (mostPages !== undefined) await connection.exec(`PRAGMA max_page_count = ${Math.floor(mostPages)}`);
		if (inherits) await connection.run({sql: "UPDATE OR IGNORE leases SET process = ? WHERE process = ''", values: [process]});
		return {connection, last: await lastSeq(connection)};
	} catch (error) {
		await connection.close();
		throw error;
	}
};

type StoredRow = Omit<LedgerRow, 'expiresAt'> & {expiresAt: number | null};
const rowOf = ({expiresAt, ...row}: StoredRow): LedgerRow => (expiresAt === null ? row : {...row, expiresAt});

const totalsOf = (rows: readonly ({key: string} & LedgerTotal)[]) => new Map(rows.map(({key, ...total}) => [key, total]));

type KvRow = {plugin: string; key: string; value: string};
const entriesPerPage = 5_000;

/** In pages: the driver holds a page as its own copy, and what it took for all of 200,000 entries at once (110 MB) it does not give back. */
const everyEntry = async ({all}: Connection): Promise<KvRow[]> => {
	const rows: KvRow[] = [];
	let page: KvRow[];
	do {
		const {plugin, key} = rows.at(-1) ?? {plugin: '', key: ''};
		page = await all<KvRow>(
			`SELECT plugin, key, value FROM kv WHERE (plugin, key) > (?, ?) ORDER BY plugin, key LIMIT ${entriesPerPage}`,
			plugin,
			key,
		);
		for (const row of page) rows.push(row);
	} while (page.length === entriesPerPage);
	return rows;
};

const putKv = (writes: readonly KvWrite[]): Statement[] => {
	const {kept, gone} = latestOf(writes);
	const statements: Statement[] = [];
	if (gone.length > 0) {
		const named = "SELECT value ->> 'plugin', value ->> 'key' FROM json_each(?)";
		statements.push({sql: `DELETE FROM kv WHERE (plugin, key) IN (${named})`, values: [JSON.stringify(gone)]});
	}
	if (kept.length > 0) {
		const rows = "SELECT value ->> 'plugin', value ->> 'key', value ->> 'value' FROM json_each(?) WHERE true";
		statements.push({
			sql: `INSERT INTO kv ${rows} ON CONFLICT DO UPDATE SET value = excluded.value`,
			values: [JSON.stringify(kept)],
		});
	}
	return statements;
};

/** All rows travel as one JSON text: a write costs one statement, however many rows it has. */
const putRows = (process: string, rows: readonly OwnRow[]): Statement => ({
	sql: `INSERT INTO leases SELECT value ->> 'key', ?, value ->> 'settled', value ->> 'granted', value ->> 'seq', value ->> 'expiresAt'
		FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET settled = excluded.settled, granted = excluded.granted,
		seq = excluded.seq, expiresAt = excluded.expiresAt`,
	values: [process, JSON.stringify(rows)],
});

/** Opens (and makes, with its folder, mode 0600) the SQLite file at `path`, which other processes of this machine may have open too. */
export const openSqlite = async (path: string, options: SqliteOptions): Promise<Store & UsageStore> => {
	const file = resolve(path);
	const {process, changesKeptMs} = options;
	const {connection, last} = await openFile(file, options).catch(error => {
		throw unavailable(error, `The store ${file}`);
	});
	const feed = openFeed(last);
	let prunedAt = Date.now();
	let stopWatching: (() => Promise<void>) | undefined;

	const commit = async (group: readonly Write[]): Promise<void> => {
		const entries = group.flatMap(({entry}) => entry ?? []);
		const isLogged = entries.length > 0;
		const statements = [...group.flatMap(write => write.statements), ...putKv(group.flatMap(({kv}) => kv ?? []))];
		if (isLogged) statements.push(append(entries));
		if (isLogged && Date.now() - prunedAt > changesKeptMs / 4) {
			prunedAt = Date.now();
			statements.push(...prune(prunedAt - changesKeptMs));
		}
		const reading = await transaction(connection, async () => {
			for (const statement of statements) await connection.run(statement);
			return isLogged && feed.heard() ? readLog(connection, feed.last()) : undefined;
		});
		if (reading) feed.take(reading);
	};
	const line = openLine<Write>({commit, blames: isOwnFault, unavailable});
	const write = (...statements: Statement[]) => line.write({statements});
	const all = <Row>(sql: string, ...values: Statement['values']) => line.turn(() => connection.all<Row>(sql, ...values));

	const logged = async (change: Change, kv?: KvWrite): Promise<void> => {
		const entry = feed.enter(change);
		try {
			await line.write({statements: [], entry, ...(kv && {kv})});
		} finally {
			feed.leave(entry);
		}
	};

	const {close: closeUsage, ...usage} = openUsage({process, connection, turn: line.turn, connect: () => connect(file)});

	const own = () => all<StoredRow>('SELECT * FROM leases WHERE process = ? ORDER BY key', process);

	return {
		...usage,
		process,
		kvAll: () =>
			line.turn(async () => {
				const everything = async () => ({
					rows: await everyEntry(connection),
					reading: feed.heard() ? await readLog(connection, feed.last()) : undefined,
				});
				const {rows, reading} = await transaction(connection, everything, 'BEGIN');
				if (reading) feed.take(reading);
				return rows;
			}),
		kvPut: (plugin, entries) => logged({kind: 'kv', plugin, entries}, {plugin, entries}),
		ledgerOwn: async () => (await own()).map(rowOf),
		ledgerPut: rows => write(putRows(process, rows)),
		ledgerLease: (keys, decide) =>
			line.turn(() =>
				transaction(connection, async () => {
					const others = await connection.all<{key: string} & LedgerTotal>(
						`SELECT key, sum(settled) AS settled, sum(granted) AS granted FROM leases
						WHERE key IN (SELECT value FROM json_each(?)) AND process <> ? GROUP BY key`,
						JSON.stringify(keys),
						process,
					);
					const rows = decide(totalsOf(others)).map(row => ({...row, process}));
					await connection.run(putRows(process, rows));
					return rows;
				}),
			),
		ledgerTotals: async keys =>
			totalsOf(
				await all<{key: string} & LedgerTotal>(
					`SELECT key, sum(settled) AS settled, sum(granted) AS granted FROM leases
					WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key`,
					JSON.stringify(keys),
				),
			),
		ledgerPrune: at =>
			write(...['leases', 'ledger', 'once'].map(table => ({sql: `DELETE FROM ${table} WHERE expiresAt < ?`, values: [at]})), {
				sql: 'DELETE FROM processes WHERE seenAt < ?',
				values: [at],
			}),
		once: async (name, expiresAt) =>
			(await all('INSERT INTO once VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING name', name, expiresAt ?? null)).length === 1,
		announce: change => logged(change),
		onChange: listener => {
			const stop = feed.onChange(listener);
			stopWatching ??= watchLog(() => connect(file), feed);
			return stop;
		},
		beat: () =>
			write({sql: 'INSERT INTO processes VALUES (?, ?) ON CONFLICT DO UPDATE SET seenAt = excluded.seenAt', values: [process, Date.now()]}),
		processes: () => all('SELECT process, seenAt FROM processes ORDER BY process'),
		metaGet: async name => (await all<{value: string}>('SELECT value FROM meta WHERE name = ?', name))[0]?.value,
		metaPut: (name, value) =>
			write({sql: 'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', values: [name, value]}),
		metaPutIfAbsent: async (name, value) =>
			(
				await all<{value: string}>('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value RETURNING value', name, value)
			)[0]!.value,
		close: () =>
			line.close(async () => {
				await stopWatching?.();
				await closeUsage();
				await connection.close();
			}),
	};
};
