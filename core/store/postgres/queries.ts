import type {Entry} from '../feed.ts';
import {type KvWrite, latestOf} from '../latest.ts';
import type {OwnRow} from '../store.ts';
import type {Query} from './connection.ts';
import type {Place} from './place.ts';
import {toText} from './text.ts';

/** Keys of the ledger share this many locks, so that a lease of many keys takes few. */
const ledgerLocks = 256;
const logLock = ledgerLocks;

/** The same in every release, or two of them would not exclude each other. FNV-1a over UTF-16 code units. */
const lockOf = (key: string): number => {
	let hash = 0x811c_9dc5;
	for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x0100_0193);
	return (hash >>> 0) % ledgerLocks;
};

const now = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
const prunedToName = "'changes_pruned_to'";

/** Every statement of the store, for one schema; what has values is prepared once on each connection. */
export const queriesIn = ({schema, space}: Pick<Place, 'schema' | 'space'>) => {
	const prepared =
		(name: string, text: string) =>
		(...values: unknown[]): Query => ({name, text, values});

	const putLeases = prepared(
		'put-leases',
		`INSERT INTO ${schema}.leases SELECT key, $1, settled, granted, seq, expires_at
		FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS row(key, settled, granted, seq, expires_at)
		ON CONFLICT (key, process) DO UPDATE SET settled = excluded.settled, granted = excluded.granted, seq = excluded.seq,
			expires_at = excluded.expires_at`,
	);
	const putKv = prepared(
		'put-kv',
		`INSERT INTO ${schema}.kv SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
		ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value`,
	);
	const dropKv = prepared(
		'drop-kv',
		`DELETE FROM ${schema}.kv USING unnest($1::text[], $2::text[]) AS gone(plugin, key)
		WHERE kv.plugin = gone.plugin AND kv.key = gone.key`,
	);
	const appendToLog = prepared(
		'append',
		`WITH added AS (
			INSERT INTO ${schema}.changes (at, writer, ref, body)
			SELECT ${now}, writer, ref, body FROM unnest($1::text[], $2::bigint[], $3::text[]) WITH ORDINALITY AS entry(writer, ref, body, place)
			ORDER BY place RETURNING seq)
		SELECT pg_notify($4, max(seq)::text) FROM added`,
	);
	const channel = `sallyport_${space}`;

	return {
		channel,
		/** Whoever has it is the only one to append: so the log's numbers become visible in their order, which a sequence alone does not promise. */
		beginLogged: `BEGIN; SELECT pg_advisory_xact_lock(${space}, ${logLock})`,
		/** Excludes every other lease of these keys. In one order for all, and before the first look. */
		beginLease: (keys: readonly string[]): string => {
			const locks = [...new Set(keys.map(lockOf))].sort((a, b) => a - b);
			if (locks.length === 0) return 'BEGIN';
			return `BEGIN; SELECT pg_advisory_xact_lock(${space}, lock) FROM unnest(ARRAY[${locks}]) AS lock`;
		},

		kvAll: prepared('kv-all', `SELECT plugin, key, value FROM ${schema}.kv ORDER BY plugin, key`),
		kvPut: (writes: readonly KvWrite[]): Query[] => {
			const {kept, gone} = latestOf(writes);
			const column = (rows: typeof gone, of: 'plugin' | 'key') => rows.map(row => toText(row[of]));
			return [
				...(gone.length > 0 ? [dropKv(column(gone, 'plugin'), column(gone, 'key'))] : []),
				...(kept.length > 0
					? [
							putKv(
								column(kept, 'plugin'),
								column(kept, 'key'),
								kept.map(({value}) => toText(value)),
							),
						]
					: []),
			];
		},
		append: (entries: readonly Entry[]): Query =>
			appendToLog(
				entries.map(({writer}) => writer),
				entries.map(({ref}) => ref),
				entries.map(({body}) => body),
				channel,
			),
		readLog: prepared(
			'read-log',
			`SELECT pruned_to, seq, writer, ref, body
			FROM (SELECT coalesce(max(value::bigint), 0) AS pruned_to FROM ${schema}.meta WHERE name = ${prunedToName}) AS pruned
			LEFT JOIN ${schema}.changes ON seq > $1 ORDER BY seq LIMIT $2`,
		),
		lastSeq: prepared(
			'last-seq',
			`SELECT greatest((SELECT max(seq) FROM ${schema}.changes),
				(SELECT value::bigint FROM ${schema}.meta WHERE name = ${prunedToName}), 0) AS seq`,
		),
		/** What is older than so many milliseconds. */
		pruneLog: prepared(
			'prune-log',
			`WITH old AS (DELETE FROM ${schema}.changes WHERE seq <= (SELECT max(seq) FROM ${schema}.changes WHERE at < ${now} - $1::bigint) RETURNING seq)
			INSERT INTO ${schema}.meta SELECT ${prunedToName}, max(seq)::text FROM old HAVING max(seq) IS NOT NULL
			ON CONFLICT (name) DO UPDATE SET value = greatest(meta.value::bigint, excluded.value::bigint)::text`,
		),

		ledgerOwn: prepared(
			'ledger-own',
			`SELECT key, settled, granted, seq, expires_at FROM ${schema}.leases WHERE process = $1 ORDER BY key`,
		),
		ledgerOthers: prepared(
			'ledger-others',
			`SELECT key, sum(settled)::bigint AS settled, sum(granted)::bigint AS granted FROM ${schema}.leases
			WHERE key = ANY($1::text[]) AND process <> $2 GROUP BY key`,
		),
		ledgerTotals: prepared(
			'ledger-totals',
			`SELECT key, sum(settled)::bigint AS settled, sum(granted)::bigint AS granted FROM ${schema}.leases
			WHERE key = ANY($1::text[]) GROUP BY key`,
		),
		/** In the order of their keys, so that two writers of the same rows wait for each other instead of blocking each other. */
		ledgerPut: (process: string, rows: readonly OwnRow[]): Query => {
			const sorted = [...new Map(rows.map(row => [row.key, row])).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
			return putLeases(
				process,
				sorted.map(({key}) => toText(key)),
				sorted.map(({settled}) => settled),
				sorted.map(({granted}) => granted),
				sorted.map(({seq}) => seq),
				sorted.map(({expiresAt}) => expiresAt ?? null),
			);
		},
		ledgerPrune: prepared('ledger-prune', `DELETE FROM ${schema}.leases WHERE expires_at < $1`),
		processesPrune: prepared('processes-prune', `DELETE FROM ${schema}.processes WHERE seen_at < $1`),
		oncePrune: prepared('once-prune', `DELETE FROM ${schema}.once WHERE expires_at < $1`),
		once: prepared('once', `INSERT INTO ${schema}.once VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name`),

		beat: prepared(
			'beat',
			`INSERT INTO ${schema}.processes VALUES ($1, ${now}) ON CONFLICT (process) DO UPDATE SET seen_at = excluded.seen_at`,
		),
		/** By its age: this machine's clock need not agree with the server's. */
		processes: prepared('processes', `SELECT process, ${now} - seen_at AS age FROM ${schema}.processes ORDER BY process`),

		metaGet: prepared('meta-get', `SELECT value FROM ${schema}.meta WHERE name = $1`),
		metaPut: prepared('meta-put', `INSERT INTO ${schema}.meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`),
		metaPutIfAbsent: prepared(
			'meta-put-if-absent',
			`INSERT INTO ${schema}.meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = meta.value RETURNING value`,
		),
	};
};

export type Queries = ReturnType<typeof queriesIn>;
