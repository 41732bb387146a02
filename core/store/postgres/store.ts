import {GatewayError} from '../../errors.ts';
import {type Entry, openFeed} from '../feed.ts';
import type {KvWrite} from '../latest.ts';
import {openLine} from '../line.ts';
import type {Change, LedgerRow, LedgerTotal, OwnRow, Store} from '../store.ts';
import type {UsageStore} from '../usage.ts';
import {openPool, type Query} from './connection.ts';
import {isOwnFault, unavailable} from './failures.ts';
import {readLog, watchLog} from './log.ts';
import {migrate} from './migrations.ts';
import {placeOf} from './place.ts';
import {queriesIn} from './queries.ts';
import {fromText, toText} from './text.ts';
import {openUsage} from './usage.ts';

type Options = {process: string; changesKeptMs: number};
type LogWrite = {kv?: KvWrite; entry: Entry};
type KeyTotal = {key: string} & LedgerTotal;
type StoredRow = Omit<LedgerRow, 'process' | 'expiresAt'> & {expires_at: number | null};

const totalsOf = (rows: readonly KeyTotal[]) => new Map(rows.map(({key, ...total}) => [fromText(key), total]));

/** Opens the schema of a PostgreSQL database (and makes it) that any number of processes on any machines may have open. */
export const openPostgres = async (url: string, {process, changesKeptMs}: Options): Promise<Store & UsageStore> => {
	const place = placeOf(url);
	const pool = openPool(place.client);
	const queries = queriesIn(place);
	const begin = async (): Promise<number> => {
		await migrate(pool, place);
		const [row] = await pool.all<{seq: number}>(queries.lastSeq());
		return row!.seq;
	};
	const last = await begin().catch(async error => {
		await pool.close();
		throw unavailable(error, `The store ${place.name}`);
	});
	const feed = openFeed(last);
	let prunedAt = performance.now();
	let stopWatching: (() => Promise<void>) | undefined;
	let closed: Promise<void> | undefined;

	const appendAll = async (group: readonly LogWrite[]): Promise<void> => {
		const reading = await pool.transaction(queries.beginLogged, async client => {
			for (const query of queries.kvPut(group.flatMap(({kv}) => kv ?? []))) await client.query(query);
			await client.query(queries.append(group.map(({entry}) => entry)));
			return feed.heard() ? readLog(client, queries, feed.last()) : undefined;
		});
		if (reading) feed.take(reading);
		if (performance.now() - prunedAt < changesKeptMs / 4) return;
		prunedAt = performance.now();
		// What was asked for is done; if this fails, the next one will say why.
		await pool.all(queries.pruneLog(changesKeptMs)).catch(() => undefined);
	};
	const log = openLine<LogWrite>({commit: appendAll, blames: isOwnFault, unavailable});

	const logged = async (change: Change, kv?: KvWrite): Promise<void> => {
		const entry = feed.enter(change);
		try {
			await log.write({entry, ...(kv && {kv})});
		} finally {
			feed.leave(entry);
		}
	};

	/** Apart from the log's, because those wait for other processes' kv, and a lease must not. */
	const ledger = openLine<readonly Query[]>({
		commit: group =>
			pool.transaction('BEGIN', async client => {
				for (const query of group.flat()) await client.query(query);
			}),
		blames: isOwnFault,
		unavailable,
	});

	const all = async <Row extends object>(query: Query): Promise<Row[]> => {
		if (closed) throw new GatewayError('store_unavailable', 'The store is closed.');
		return pool.all<Row>(query).catch(error => {
			throw unavailable(error);
		});
	};

	const own = async (): Promise<LedgerRow[]> =>
		(await all<StoredRow>(queries.ledgerOwn(process))).map(({key, expires_at, ...row}) => ({
			key: fromText(key),
			process,
			...row,
			...(expires_at !== null && {expiresAt: expires_at}),
		}));

	const withProcess = (rows: readonly OwnRow[]): LedgerRow[] => rows.map(row => ({...row, process}));

	return {
		...openUsage({process, pool, schema: place.schema, isClosed: () => closed !== undefined}),
		process,
		kvAll: () =>
			log.turn(async () => {
				const {rows, reading} = await pool.transaction('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', async client => ({
					rows: (await client.query<{plugin: string; key: string; value: string}>(queries.kvAll())).rows,
					reading: feed.heard() ? await readLog(client, queries, feed.last()) : undefined,
				}));
				if (reading) feed.take(reading);
				return rows.map(({plugin, key, value}) => ({plugin: fromText(plugin), key: fromText(key), value: fromText(value)}));
			}),
		kvPut: (plugin, entries) => logged({kind: 'kv', plugin, entries}, {plugin, entries}),
		ledgerOwn: own,
		ledgerPut: rows => ledger.write([queries.ledgerPut(process, rows)]),
		ledgerLease: (keys, decide) =>
			ledger.turn(() =>
				pool.transaction(queries.beginLease(keys), async client => {
					const others = await client.query<KeyTotal>(queries.ledgerOthers(keys.map(toText), process));
					const rows = withProcess(decide(totalsOf(others.rows)));
					await client.query(queries.ledgerPut(process, rows));
					return rows;
				}),
			),
		ledgerTotals: async keys => totalsOf(await all<KeyTotal>(queries.ledgerTotals(keys.map(toText)))),
		ledgerPrune: at => ledger.write([queries.ledgerPrune(at), queries.oncePrune(at), queries.processesPrune(at)]),
		once: async (name, expiresAt) => (await all(queries.once(toText(name), expiresAt ?? null))).length === 1,
		announce: change => logged(change),
		onChange: listener => {
			const stop = feed.onChange(listener);
			stopWatching ??= watchLog(place, queries, feed);
			return stop;
		},
		beat: async () => void (await all(queries.beat(process))),
		processes: async () => {
			const rows = await all<{process: string; age: number}>(queries.processes());
			return rows.map(row => ({process: row.process, seenAt: Date.now() - row.age}));
		},
		metaGet: async name => {
			const [row] = await all<{value: string}>(queries.metaGet(toText(name)));
			return row && fromText(row.value);
		},
		metaPut: async (name, value) => void (await all(queries.metaPut(toText(name), toText(value)))),
		metaPutIfAbsent: async (name, value) =>
			fromText((await all<{value: string}>(queries.metaPutIfAbsent(toText(name), toText(value))))[0]!.value),
		close: () => {
			closed ??= ledger.close(async () => {
				await log.close(async () => {});
				await stopWatching?.();
				await pool.close();
			});
			return closed;
		},
	};
};
