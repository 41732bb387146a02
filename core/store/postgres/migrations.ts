import type {Pool} from './connection.ts';
import type {Place} from './place.ts';

/** Only ever add to this list, and only additions: the release before this one runs on what it leaves. */
const steps = [
	(schema: string) => `
		CREATE TABLE ${schema}.kv (plugin text COLLATE "C", key text COLLATE "C", value text NOT NULL, PRIMARY KEY (plugin, key));
		CREATE TABLE ${schema}.leases (key text COLLATE "C", process text COLLATE "C", settled bigint NOT NULL, granted bigint NOT NULL,
			seq bigint NOT NULL, expires_at bigint, PRIMARY KEY (key, process)) WITH (fillfactor = 70);
		CREATE INDEX leases_by_end ON ${schema}.leases (expires_at) WHERE expires_at IS NOT NULL;
		CREATE TABLE ${schema}.changes (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL, writer text NOT NULL,
			ref bigint NOT NULL, body text NOT NULL);
		CREATE INDEX changes_by_time ON ${schema}.changes (at);
		CREATE TABLE ${schema}.once (name text COLLATE "C" PRIMARY KEY, expires_at bigint);
		CREATE TABLE ${schema}.processes (process text COLLATE "C" PRIMARY KEY, seen_at bigint NOT NULL);`,
	(schema: string) => `
		CREATE TABLE ${schema}.usage (series text COLLATE "C" NOT NULL, at bigint NOT NULL, id text COLLATE "C" NOT NULL,
			"value" text COLLATE "C" NOT NULL, "tenant" text COLLATE "C" NOT NULL, "team" text COLLATE "C" NOT NULL,
			"user" text COLLATE "C" NOT NULL, "key" text COLLATE "C" NOT NULL, "model" text COLLATE "C" NOT NULL,
			"provider" text COLLATE "C" NOT NULL, "deployment" text COLLATE "C" NOT NULL, "operation" text COLLATE "C" NOT NULL,
			"outcome" text COLLATE "C" NOT NULL, "code" text COLLATE "C" NOT NULL, "plugin" text COLLATE "C" NOT NULL,
			"requests" bigint NOT NULL, "estimatedRequests" bigint NOT NULL, "microUsd" bigint NOT NULL,
			"estimatedMicroUsd" bigint NOT NULL, "inputTokens" bigint NOT NULL, "outputTokens" bigint NOT NULL,
			"cacheReadTokens" bigint NOT NULL, "cacheWriteTokens" bigint NOT NULL, "reasoningTokens" bigint NOT NULL,
			"units" bigint NOT NULL, "totalUs" bigint NOT NULL, "overheadUs" bigint NOT NULL, "took0" bigint NOT NULL,
			"took1" bigint NOT NULL, "took2" bigint NOT NULL, "took3" bigint NOT NULL, "took4" bigint NOT NULL, "took5" bigint NOT NULL,
			"took6" bigint NOT NULL, "took7" bigint NOT NULL, "took8" bigint NOT NULL, "took9" bigint NOT NULL, "took10" bigint NOT NULL,
			"took11" bigint NOT NULL, "took12" bigint NOT NULL, "took13" bigint NOT NULL, "took14" bigint NOT NULL,
			"took15" bigint NOT NULL,
			PRIMARY KEY (series, at, id)) WITH (fillfactor = 80);
		CREATE INDEX usage_by_key ON ${schema}.usage ("key", series, at) WHERE "key" <> '';
		CREATE INDEX usage_by_tenant ON ${schema}.usage ("tenant", series, at);`,
	(schema: string) => `
		ALTER TABLE ${schema}.usage ADD COLUMN "server" text COLLATE "C" NOT NULL DEFAULT '',
			ADD COLUMN "tool" text COLLATE "C" NOT NULL DEFAULT '';`,
];

/** Of the locks of a store's space, the one for migrations; the ledger's are below it. */
const migrationLock = 1_000;

/** Brings the schema up to this release, making it if need be, or leaves one alone that a later release has added to. */
export const migrate = async (pool: Pool, {schema, space}: Place): Promise<void> =>
	pool.transaction(`BEGIN; SELECT pg_advisory_xact_lock(${space}, ${migrationLock})`, async client => {
		// Asked first, since a user who may not create anything may still use what is there.
		const {rows} = await client.query<{there: boolean}>(`SELECT to_regclass('${schema}.meta') IS NOT NULL AS there`);
		if (!rows[0]!.there) {
			const named = await client.query<{there: boolean}>(`SELECT to_regnamespace('${schema}') IS NOT NULL AS there`);
			if (!named.rows[0]!.there) await client.query(`CREATE SCHEMA ${schema}`);
			await client.query(`CREATE TABLE ${schema}.meta (name text COLLATE "C" PRIMARY KEY, value text NOT NULL)`);
		}
		const known = await client.query<{value: string}>(`SELECT value FROM ${schema}.meta WHERE name = 'schema_version'`);
		const version = Number(known.rows[0]?.value ?? 0);
		if (version >= steps.length) return;
		for (const step of steps.slice(version)) await client.query(step(schema));
		await client.query(
			`INSERT INTO ${schema}.meta VALUES ('schema_version', '${steps.length}') ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		);
	});
