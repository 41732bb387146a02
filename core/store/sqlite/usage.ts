import {GatewayError} from '../../errors.ts';
import type {LedgerRow} from '../store.ts';
import {addUp, groupOf, groupsSql, ofKeys, seriesOf, type UsageQuery, type UsageRow, type UsageStore, usageColumns} from '../usage.ts';
import {type Connection, type Statement, transaction, unavailable} from './connection.ts';

type Options = {
	process: string;
	connection: Connection;
	/** Waits for its turn on `connection`. */
	turn: <T>(work: () => Promise<T>) => Promise<T>;
	/** Another connection to the same file. */
	connect: () => Promise<Connection>;
};

const positionName = (process: string): string => `usage_seq:${process}`;

const add = (rows: readonly UsageRow[]): Statement => ({
	sql: `INSERT INTO usage AS old (${usageColumns}) SELECT ${usageColumns.map((_, index) => `value ->> ${index}`)}
		FROM json_each(?) WHERE true ON CONFLICT ${addUp}`,
	values: [JSON.stringify(rows.map(({series, at, id, values, sums}) => [series, at, id, ...values, ...sums]))],
});

const spans = (bound: string): string =>
	`(SELECT value ->> 'period' AS period, value ->> 'series' AS series, value ->> 'from' AS "from", value ->> 'until' AS "until"
	FROM json_each(${bound}))`;

/** Its planner takes an index for a bad one as long as nobody has counted what is in it. */
const tableFor = (query: UsageQuery): string => {
	if (ofKeys(query)) return 'usage AS counted INDEXED BY usage_by_key';
	return query.where.tenant ? 'usage AS counted INDEXED BY usage_by_tenant' : 'usage AS counted';
};

/** The statement that reads a page. */
export const pageOf = (query: UsageQuery): Statement => {
	const values: Statement['values'] = [];
	const bind = (value: string | number): string => `?${values.push(value)}`;
	return {sql: groupsSql(query, {table: tableFor(query), spans: json => spans(bind(json)), bind}), values};
};

/** Roll-ups, and pages about them, which are read on a connection of their own: a long one must not keep a lease waiting. */
export const openUsage = ({process, connection, turn, connect}: Options): UsageStore & {close(): Promise<void>} => {
	let reader: Connection | undefined;
	let reading: Promise<unknown> = Promise.resolve();
	let closed = false;

	/** One at a time, and apart from everything else. */
	const read = <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
		const answer = reading.then(async () => {
			if (closed) throw new GatewayError('store_unavailable', 'The store is closed.');
			try {
				reader ??= await connect();
				return await work(reader);
			} catch (error) {
				throw unavailable(error);
			}
		});
		reading = answer.catch(() => undefined);
		return answer;
	};

	const position = async (): Promise<number> => {
		const [row] = await connection.all<{value: string}>('SELECT value FROM meta WHERE name = ?', positionName(process));
		return Number(row?.value ?? 0);
	};

	return {
		usagePosition: () => turn(position),
		usageAdd: (rows, {after, seq}) =>
			turn(() =>
				transaction(connection, async () => {
					if ((await position()) !== after) return false;
					if (rows.length > 0) await connection.run(add(rows));
					await connection.run({
						sql: 'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
						values: [positionName(process), String(seq)],
					});
					return true;
				}),
			),
		usageQuery: query =>
			read(async own => {
				const {sql, values} = pageOf(query);
				return (await own.all<Record<string, string | number>>(sql, ...values)).map(row => groupOf(query, row));
			}),
		usagePrune: async ({hour, day}) => {
			for (const [grain, before] of [
				['hour', hour],
				['day', day],
			] as const) {
				const sql = 'DELETE FROM usage WHERE series IN (SELECT value FROM json_each(?)) AND at < ?';
				await turn(() => connection.run({sql, values: [JSON.stringify(seriesOf(grain)), before]}));
			}
		},
		ledgerRowsOf: account =>
			read(async own => {
				const sql = 'SELECT * FROM leases WHERE key > ? AND key < ? ORDER BY key, process';
				const rows = await own.all<Omit<LedgerRow, 'expiresAt'> & {expiresAt: number | null}>(sql, `${account}|`, `${account}}`);
				return rows.map(({expiresAt, ...row}) => (expiresAt === null ? row : {...row, expiresAt}));
			}),
		close: async () => {
			closed = true;
			await reading;
			await reader?.close();
		},
	};
};
