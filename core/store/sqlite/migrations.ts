import {type Connection, transaction} from './connection.ts';

/** Only ever add to this list, and only additions: the release before this one runs on what it leaves. */
const steps = [
	`CREATE TABLE kv (plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (plugin, key)) STRICT, WITHOUT ROWID;
	CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, settled INTEGER NOT NULL, granted INTEGER NOT NULL, seq INTEGER NOT NULL,
		expiresAt INTEGER) STRICT, WITHOUT ROWID;
	CREATE INDEX ledger_by_end ON ledger (expiresAt) WHERE expiresAt IS NOT NULL;`,
	// The rows of a release that knew one process only wait under the name '' for the process that has its journal.
	`CREATE TABLE leases (key TEXT NOT NULL, process TEXT NOT NULL, settled INTEGER NOT NULL, granted INTEGER NOT NULL,
		seq INTEGER NOT NULL, expiresAt INTEGER, PRIMARY KEY (key, process)) STRICT, WITHOUT ROWID;
	CREATE INDEX leases_by_end ON leases (expiresAt) WHERE expiresAt IS NOT NULL;
	INSERT INTO leases SELECT key, '', settled, granted, seq, expiresAt FROM ledger;
	CREATE TABLE changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, writer TEXT NOT NULL, ref INTEGER NOT NULL,
		body TEXT NOT NULL) STRICT;
	CREATE INDEX changes_by_time ON changes (at);
	CREATE TABLE once (name TEXT PRIMARY KEY NOT NULL, expiresAt INTEGER) STRICT, WITHOUT ROWID;
	CREATE TABLE processes (process TEXT PRIMARY KEY NOT NULL, seenAt INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** Brings the file up to this release, or leaves one alone that a later release has added to. Several processes may do it at once. */
export const migrate = async (connection: Connection): Promise<void> => {
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
