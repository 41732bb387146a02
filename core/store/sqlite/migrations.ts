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
	`CREATE TABLE usage (series TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL,
		"value" TEXT NOT NULL, "tenant" TEXT NOT NULL, "team" TEXT NOT NULL, "user" TEXT NOT NULL, "key" TEXT NOT NULL,
		"model" TEXT NOT NULL, "provider" TEXT NOT NULL, "deployment" TEXT NOT NULL, "operation" TEXT NOT NULL,
		"outcome" TEXT NOT NULL, "code" TEXT NOT NULL, "plugin" TEXT NOT NULL,
		"requests" INTEGER NOT NULL, "estimatedRequests" INTEGER NOT NULL, "microUsd" INTEGER NOT NULL,
		"estimatedMicroUsd" INTEGER NOT NULL, "inputTokens" INTEGER NOT NULL, "outputTokens" INTEGER NOT NULL,
		"cacheReadTokens" INTEGER NOT NULL, "cacheWriteTokens" INTEGER NOT NULL, "reasoningTokens" INTEGER NOT NULL,
		"units" INTEGER NOT NULL, "totalUs" INTEGER NOT NULL, "overheadUs" INTEGER NOT NULL, "took0" INTEGER NOT NULL,
		"took1" INTEGER NOT NULL, "took2" INTEGER NOT NULL, "took3" INTEGER NOT NULL, "took4" INTEGER NOT NULL,
		"took5" INTEGER NOT NULL, "took6" INTEGER NOT NULL, "took7" INTEGER NOT NULL, "took8" INTEGER NOT NULL,
		"took9" INTEGER NOT NULL, "took10" INTEGER NOT NULL, "took11" INTEGER NOT NULL, "took12" INTEGER NOT NULL,
		"took13" INTEGER NOT NULL, "took14" INTEGER NOT NULL, "took15" INTEGER NOT NULL,
		PRIMARY KEY (series, at, id)) STRICT, WITHOUT ROWID;
	CREATE INDEX usage_by_key ON usage ("key", series, at) WHERE "key" <> '';
	CREATE INDEX usage_by_tenant ON usage ("tenant", series, at);`,
	`ALTER TABLE usage ADD COLUMN "server" TEXT NOT NULL DEFAULT '';
	ALTER TABLE usage ADD COLUMN "tool" TEXT NOT NULL DEFAULT '';`,
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
