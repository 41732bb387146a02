import sqlite3 from 'sqlite3';
import {GatewayError} from '../../errors.ts';

export type Statement = {sql: string; values: (string | number | null)[]};

/** How long one call waits for another process that holds the file. */
const busyMs = 2_000;

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
const ownFaults = new Set(['SQLITE_ERROR', 'SQLITE_CONSTRAINT', 'SQLITE_MISMATCH', 'SQLITE_TOOBIG', 'SQLITE_RANGE']);

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

export const isOwnFault = (error: unknown): boolean => ownFaults.has(codeOf(error));

export const unavailable = (error: unknown, name = 'The store'): GatewayError => {
	if (error instanceof GatewayError) return error;
	return new GatewayError('store_unavailable', `${name} ${reasons[codeOf(error)] ?? 'failed'}.`, {cause: error});
};

/**
 * Waits for a lock here and not in the driver, which would block one of the few threads that files and names are looked up on;
 * enough of them blocked, and whoever holds the lock could not go on to let it go.
 */
const patient = async <T>(work: () => Promise<T>): Promise<T> => {
	const end = performance.now() + busyMs;
	for (;;) {
		try {
			return await work();
		} catch (error) {
			if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() > end) throw error;
			await new Promise(done => setTimeout(done, 1 + Math.random() * 4));
		}
	}
};

/** The driver calls back; this is all of it that we use. */
export const connect = async (file: string) => {
	const database = await new Promise<sqlite3.Database>((done, failed) => {
		const opened: sqlite3.Database = new sqlite3.Database(file, sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE, error =>
			error ? failed(error) : done(opened),
		);
	});
	database.configure('busyTimeout', 0);
	const settle = (done: () => void, failed: (error: Error) => void) => (error: Error | null) => (error ? failed(error) : done());
	return {
		exec: (sql: string) => patient(() => new Promise<void>((done, failed) => database.exec(sql, settle(done, failed)))),
		run: ({sql, values}: Statement) => patient(() => new Promise<void>((done, failed) => database.run(sql, values, settle(done, failed)))),
		all: <Row>(sql: string, ...values: Statement['values']) =>
			patient(
				() => new Promise<Row[]>((done, failed) => database.all<Row>(sql, values, (error, rows) => (error ? failed(error) : done(rows)))),
			),
		close: () => new Promise<void>((done, failed) => database.close(settle(done, failed))),
	};
};
export type Connection = Awaited<ReturnType<typeof connect>>;

/** `BEGIN IMMEDIATE` waits for other writers and excludes them; plain `BEGIN` only sees one state of the file throughout. */
export const transaction = async <T>(
	connection: Connection,
	work: () => Promise<T>,
	begin: 'BEGIN IMMEDIATE' | 'BEGIN' = 'BEGIN IMMEDIATE',
): Promise<T> => {
	await connection.exec(begin);
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
