import {mkdir, open} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import sqlite3 from 'sqlite3';
import {GatewayError} from '../errors.ts';
import type {LedgerRow, Store} from './store.ts';

type Statement = {sql: string; values: (string | number)[]};
type Waiting = {statements: Statement[]; done: () => void; failed: (error: unknown) => void};

/** How long one call waits for another process that holds the file. */
const busyMs = 2_000;

/** Only ever add to this list, and only additions: the release before this one runs on what it leaves. */
const steps = [
	`CREATE TABLE kv (plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (plugin, key)) STRICT, WITHOUT ROWID;
	CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, settled INTEGER NOT NULL, granted INTEGER NOT NULL, seq INTEGER NOT NULL,
		expiresAt INTEGER) STRICT, WITHOUT ROWID;
	CREATE INDEX ledger_by_end ON ledger (expiresAt) WHERE expiresAt IS NOT NULL;`,
];

const reasons: Readonly<Record<string, string>> = {
	SQLITE_BUSY: 'is locked by another process',
	SQLITE_LOCKED: 'is locked',
	SQLITE_READONLY: 'is read-only',
	SQLITE_PERM: 'may not be opened',
	SQLITE_CANTOPEN: 'cannot be opened',
	SQLITE_NOTADB: 'is not an SQLite database',
	SQLITE_CORRUPT: 'is damaged',
	SQLITE_FULL: 'has no space left on its disk',
	SQLITE_IOERR: 'cannot be read or written',
	SQLITE_MISUSE: 'is closed',
	EACCES: 'may not be opened',
	EPERM: 'may not be opened',
	EROFS: 'is read-only',
	ENOTDIR: 'lies under something that is not a folder',
	EEXIST: 'lies under something that is not a folder',
	EISDIR: 'is a folder',
	ENOENT: 'lies in a folder that cannot be made',
	ENOSPC: 'has no space left on its disk',
};

/** What a statement is to blame for itself; anything else would happen to every other one too. */
const ownFault = new Set(['SQLITE_ERROR', 'SQLITE_CONSTRAINT', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG', 'SQLITE_RANGE']);

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

const unavailable = (error: unknown, name = 'The store'): GatewayError => {
	if (error instanceof GatewayError) return error;
	return new GatewayError('store_unavailable', `${name} ${reasons[codeOf(error)] ?? 'failed'}.`, {cause: error});
};

/** The driver calls back; this is all of it that we use. */
const connect = async (file: string) => {
	const database = await new Promise<sqlite3.Database>((done, failed) => {
		const opened: sqlite3.Database = new sqlite3.Database(file, sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE, error =>
			error ? failed(error) : done(opened),
		);
	});
	database.configure('busyTimeout', busyMs);
	const settle = (done: () => void, failed: (error: Error) => void) => (error: Error | null) => (error ? failed(error) : done());
	return {
		exec: (sql: string) => new Promise<void>((done, failed) => database.exec(sql, settle(done, failed))),
		run: ({sql, values}: Statement) => new Promise<void>((done, failed) => database.run(sql, values, settle(done, failed))),
		all: <Row>(sql: string, values: string[] = []) =>
			new Promise<Row[]>((done, failed) => database.all<Row>(sql, values, (error, rows) => (error ? failed(error) : done(rows)))),
		close: () => new Promise<void>((done, failed) => database.close(settle(done, failed))),
	};
};
type Connection = Awaited<ReturnType<typeof connect>>;

const transaction = async <T>(connection: Connection, work: () => Promise<T>): Promise<T> => {
	await connection.exec('BEGIN IMMEDIATE');
	try {
		const answer = await work();
		await connection.exec('COMMIT');
		return answer;
	} catch (error) {
		// A full disk rolls back by itself, and then ROLLBACK fails too: the first error is the one that says why.
		await connection.exec('ROLLBACK').catch(() => undefined);
		throw error;
	}
};

const migrate = async (connection: Connection): Promise<void> => {
	await connection.exec('CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID');
	await transaction(connection, async () => {
		const [row] = await connection.all<{value: string}>("SELECT value FROM meta WHERE name = 'schema_version'");
		const version = Number(row?.value ?? 0);
		if (version >= steps.length) return;
		for (const step of steps.slice(version)) await connection.exec(step);
		await connection.run({
			sql: "INSERT INTO meta VALUES ('schema_version', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
			values: [String(steps.length)],
		});
	});
};

const openFile = async (file: string): Promise<Connection> => {
	await mkdir(dirname(file), {recursive: true});
	// Made before the driver does, because it would make it readable by everyone; its -wal and -shm take the same mode.
	await (await open(file, 'a', 0o600)).close();
	const connection = await connect(file);
	try {
		// FULL: a lease that was granted before a power cut must not be granted twice after it.
		await connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
		await migrate(connection);
		return connection;
	} catch (error) {
		await connection.close();
		throw error;
	}
};

/**
 * Opens (and makes, with its folder, mode 0600) the SQLite file at `path`. What waits while a transaction runs shares
 * the next one; each call is all or nothing all the same. Every failure is `store_unavailable`.
 */
export const openSqlite = async (path: string): Promise<Store> => {
	const file = resolve(path);
	const connection = await openFile(file).catch(error => {
		throw unavailable(error, `The store ${file}`);
	});
	let waiting: Waiting[] = [];
	let closed: Promise<void> | undefined;
	let line: Promise<unknown> = Promise.resolve();

	/** One at a time: two transactions on one connection would become one. */
	const inLine = <T>(work: () => Promise<T>): Promise<T> => {
		const turn = line.then(work);
		line = turn.catch(() => undefined);
		return turn;
	};

	const commit = (group: readonly Waiting[]) =>
		transaction(connection, async () => {
			for (const {statements} of group) for (const statement of statements) await connection.run(statement);
		});

	const alone = (one: Waiting) => commit([one]).then(one.done, error => one.failed(unavailable(error)));

	const writeAll = async () => {
		const group = waiting;
		waiting = [];
		try {
			await commit(group);
			for (const {done} of group) done();
		} catch (error) {
			if (group.length === 1 || !ownFault.has(codeOf(error))) {
				for (const {failed} of group) failed(unavailable(error));
				return;
			}
			// One of them is to blame; on its own, each gets its own answer.
			for (const one of group) await alone(one);
		}
	};

	const write = (statements: Statement[]): Promise<void> =>
		new Promise((done, failed) => {
			if (closed) return failed(new GatewayError('store_unavailable', 'The store is closed.'));
			waiting.push({statements, done, failed});
			if (waiting.length === 1) void inLine(writeAll);
		});

	const read = async <Row>(sql: string, values?: string[]): Promise<Row[]> => {
		if (closed) throw new GatewayError('store_unavailable', 'The store is closed.');
		return inLine(() => connection.all<Row>(sql, values)).catch(error => {
			throw unavailable(error);
		});
	};

	return {
		kvAll: () => read('SELECT plugin, key, value FROM kv ORDER BY plugin, key'),
		kvPut: (plugin, entries) =>
			write(
				Object.entries(entries).map(([key, value]) =>
					value === null
						? {sql: 'DELETE FROM kv WHERE plugin = ? AND key = ?', values: [plugin, key]}
						: {sql: 'INSERT INTO kv VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', values: [plugin, key, value]},
				),
			),
		ledgerAll: async () => {
			const rows = await read<Omit<LedgerRow, 'expiresAt'> & {expiresAt: number | null}>('SELECT * FROM ledger ORDER BY key');
			return rows.map(({expiresAt, ...row}) => (expiresAt === null ? row : {...row, expiresAt}));
		},
		// All rows travel as one JSON text: a write costs one statement, however many rows it has.
		ledgerPut: rows =>
			write([
				{
					sql: `INSERT INTO ledger SELECT value ->> 'key', value ->> 'settled', value ->> 'granted', value ->> 'seq', value ->> 'expiresAt'
						FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET settled = excluded.settled, granted = excluded.granted,
						seq = excluded.seq, expiresAt = excluded.expiresAt`,
					values: [JSON.stringify(rows)],
				},
			]),
		ledgerPrune: at => write([{sql: 'DELETE FROM ledger WHERE expiresAt < ?', values: [at]}]),
		metaGet: async name => (await read<{value: string}>('SELECT value FROM meta WHERE name = ?', [name]))[0]?.value,
		metaPut: (name, value) =>
			write([{sql: 'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', values: [name, value]}]),
		close: () => {
			closed ??= inLine(() => connection.close()).catch(error => {
				throw unavailable(error);
			});
			return closed;
		},
	};
};
