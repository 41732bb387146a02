import {GatewayError} from '../../errors.ts';
import type {LedgerRow} from '../store.ts';
import {addUp, dimensions, groupOf, groupsSql, seriesOf, sums, type UsageRow, type UsageStore, usageColumns} from '../usage.ts';
import type {Pool} from './connection.ts';
import {unavailable} from './failures.ts';
import {fromText, toText} from './text.ts';

type Options = {process: string; pool: Pool; schema: string; isClosed: () => boolean};
type StoredRow = Omit<LedgerRow, 'expiresAt'> & {expires_at: number | null};

const types = ['text', 'bigint', 'text', ...dimensions.map(() => 'text'), ...sums.map(() => 'bigint')];

/** In one order for everybody, so that two that add to the same rows wait for each other instead of blocking each other. */
const inOrder = (rows: readonly UsageRow[]): UsageRow[] => {
	const place = ({series, at, id}: UsageRow): string => `${series} ${at} ${id}`;
	return rows
		.map(row => [place(row), row] as const)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([, row]) => row);
};

/** Roll-ups, and pages about them, of which one at a time is read: they must not take every connection. */
export const openUsage = ({process, pool, schema, isClosed}: Options): UsageStore => {
	let reading: Promise<unknown> = Promise.resolve();

	const positionName = toText(`usage_seq:${process}`);
	const columns = usageColumns.map((name, index) => `(row ->> ${index})::${types[index]} AS ${name}`);
	const add = `INSERT INTO ${schema}.usage AS old (${usageColumns}) SELECT ${columns} FROM json_array_elements($1::json) AS row
		ON CONFLICT (series, at, id) ${addUp}`;
	const spans = (bound: string): string =>
		`(SELECT * FROM json_to_recordset(${bound}::json) AS asked (period int, series text, "from" bigint, "until" bigint))`;

	const safely = async <T>(work: () => Promise<T>): Promise<T> => {
		if (isClosed()) throw new GatewayError('store_unavailable', 'The store is closed.');
		return work().catch(error => {
			throw unavailable(error);
		});
	};
	const alone = <T>(work: () => Promise<T>): Promise<T> => {
		const answer = reading.then(() => safely(work));
		reading = answer.catch(() => undefined);
		return answer;
	};

	return {
		usagePosition: () =>
			safely(async () => {
				const text = `SELECT value FROM ${schema}.meta WHERE name = $1`;
				const [row] = await pool.all<{value: string}>({name: 'usage-position', text, values: [positionName]});
				return Number(row?.value ?? 0);
			}),
		usageAdd: (rows, {after, seq}) =>
			safely(() =>
				pool.transaction('BEGIN', async client => {
					const moved = await client.query({
						name: 'usage-move',
						text: `INSERT INTO ${schema}.meta SELECT $1, $2 WHERE $3 = 0 OR EXISTS (SELECT FROM ${schema}.meta WHERE name = $1)
							ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value::bigint = $3 RETURNING name`,
						values: [positionName, String(seq), after],
					});
					if (moved.rows.length === 0) return false;
					const texts = inOrder(rows).map(({series, at, id, values, sums}) => [series, at, id, ...values.map(toText), ...sums]);
					if (rows.length > 0) await client.query({name: 'usage-add', text: add, values: [JSON.stringify(texts)]});
					return true;
				}),
			),
		usageQuery: query =>
			alone(async () => {
				const values: unknown[] = [];
				const bind = (value: string | number): string => `$${values.push(typeof value === 'string' ? toText(value) : value)}`;
				const text = groupsSql(query, {table: `${schema}.usage AS counted`, spans: json => spans(bind(json)), bind});
				// Without a name: there are as many statements as there are questions, and each connection would keep them.
				const rows = await pool.all<Record<string, string | number>>({name: '', text, values});
				return rows.map(row => groupOf(query, row)).map(group => ({...group, values: group.values.map(fromText)}));
			}),
		usagePrune: async ({hour, day}) => {
			for (const [grain, before] of [
				['hour', hour],
				['day', day],
			] as const) {
				const text = `DELETE FROM ${schema}.usage WHERE series = ANY($1::text[]) AND at < $2`;
				await safely(() => pool.all({name: 'usage-prune', text, values: [seriesOf(grain), before]}));
			}
		},
		ledgerRowsOf: account =>
			alone(async () => {
				const text = `SELECT key, process, settled, granted, seq, expires_at FROM ${schema}.leases
					WHERE key > $1 AND key < $2 ORDER BY key, process`;
				const values = [toText(`${account}|`), toText(`${account}}`)];
				const rows = await pool.all<StoredRow>({name: 'ledger-rows-of', text, values});
				return rows.map(({key, expires_at, ...row}) => ({...row, key: fromText(key), ...(expires_at !== null && {expiresAt: expires_at})}));
			}),
	};
};
