import type {LedgerRow} from './store.ts';

/** What an exchange has one of, or none. */
export const traits = [
	'tenant',
	'team',
	'user',
	'key',
	'model',
	'provider',
	'deployment',
	'operation',
	'outcome',
	'code',
	'plugin',
	'server',
	'tool',
] as const;
/**
 * What rows of usage are told apart by; '' where an exchange has none. `value` is the tag, the verdict or the unit of rows about one. Every
 * name stands for a column.
 */
export const dimensions = ['value', ...traits] as const;
export type Dimension = (typeof dimensions)[number];

/** Upper bounds of the histogram of whole times, in milliseconds; what took longer is in one more bucket. */
export const latencyBoundsMs = [5, 20, 50, 100, 200, 350, 500, 750, 1_000, 2_000, 3_500, 6_000, 10_000, 20_000, 60_000] as const;
const buckets = [...latencyBoundsMs, 'more'].map((_, index) => `took${index}` as const);

/** What is added up, in whole numbers; the histogram's buckets come last. Every name stands for a column: only ever add, at the end of each part. */
export const sums = [
	'requests',
	'estimatedRequests',
	'microUsd',
	'estimatedMicroUsd',
	'inputTokens',
	'outputTokens',
	'cacheReadTokens',
	'cacheWriteTokens',
	'reasoningTokens',
	'units',
	'totalUs',
	'overheadUs',
	...buckets,
] as const;
export const firstBucket = sums.length - buckets.length;

/**
 * Which rows belong together: the length of time they count, what they are about, and whether they tell users and keys apart. Each series
 * counts every exchange again, so that a question reads the shortest that can answer it.
 */
export type Series = `${'hour' | 'day'}/${'all' | 'tag' | 'verdict' | 'unit'}/${'team' | 'key'}`;

/** `at`: the start of its hour or day, in UTC, in milliseconds since 1970. `id` follows from `values`, which are in the order of `dimensions`. */
export type UsageRow = {series: Series; at: number; id: string; values: readonly string[]; sums: readonly number[]};

/** Rows of `series` from `from` up to, not including, `until`, which count for the period of this number. */
export type UsageSpan = {period: number; series: Series; from: number; until: number};

export type UsageQuery = {
	spans: readonly UsageSpan[];
	by: readonly Dimension[];
	/** Only rows with one of these values. */
	where: Partial<Record<Dimension, readonly string[]>>;
	/** Only groups that come after this one. */
	after?: {period: number; values: readonly string[]};
	limit: number;
};

/** Outcomes whose requests are counted beside the others of a group. */
export const outcomes = ['failed', 'denied', 'aborted'] as const;

/** `values` in the order of `by`, `sums` and `outcomes` in theirs. */
export type UsageGroup = {period: number; values: string[]; sums: number[]; outcomes: number[]};

/** What was used, by the hour and the day; any number of processes add to the same rows. Rejects as `Store` does. */
export type UsageStore = {
	/** The record of this process's journal up to which its exchanges are counted; 0 before the first. */
	usagePosition(): Promise<number>;
	/**
	 * Adds rows that count the records after `after`, up to and including `seq`, and moves the position there, in one transaction. False
	 * when the position is not at `after`: then nothing is added, as after a write that seemed to fail and had not. No row may come twice.
	 */
	usageAdd(rows: readonly UsageRow[], position: {after: number; seq: number}): Promise<boolean>;
	/** Groups in the order of their period and their values (by code point). Delays no other call on the store. */
	usageQuery(query: UsageQuery): Promise<UsageGroup[]>;
	/** Drops rows of hours and of days that began before these moments. */
	usagePrune(before: {hour: number; day: number}): Promise<void>;
	/** The rows that every process has of an account in the ledger, in the order of their keys and processes. */
	ledgerRowsOf(account: string): Promise<LedgerRow[]>;
};

const kinds = ['all', 'tag', 'verdict', 'unit'] as const;
const details = ['team', 'key'] as const;

/** Every series that counts such lengths of time. */
export const seriesOf = (grain: 'hour' | 'day'): Series[] =>
	kinds.flatMap(kind => details.map(detail => `${grain}/${kind}/${detail}` as const));

const quoted = (name: string): string => `"${name}"`;

/** The columns of a row, in the order that `UsageRow` has their values in. */
export const usageColumns = ['series', 'at', 'id', ...dimensions, ...sums].map(quoted);

/** What becomes of a row that is there already, in an insert into `usage AS old`. */
export const addUp = `DO UPDATE SET ${sums.map(name => `${quoted(name)} = old.${quoted(name)} + excluded.${quoted(name)}`)}`;

/** Whether the index of the rows that have a key serves, which only a question may use that says that they do. */
export const ofKeys = ({where}: UsageQuery): boolean => where.key?.every(key => key !== '') ?? false;

/** The statement for a query; `table` is named `counted`, `spans` answers as a table what it is given as JSON, and `bind` notes a value and answers what stands for it. */
export const groupsSql = (
	asked: UsageQuery,
	{table, spans, bind}: {table: string; spans: (json: string) => string; bind: (value: string | number) => string},
): string => {
	const {by, where, after, limit} = asked;
	const named = by.map(name => `counted.${quoted(name)}`);
	const groups = ['spans.period', ...named];
	const read = [
		...groups,
		...sums.map(name => `sum(counted.${quoted(name)})`),
		...outcomes.map(name => `sum(CASE counted."outcome" WHEN '${name}' THEN counted."requests" ELSE 0 END)`),
	];
	const from = spans(JSON.stringify(asked.spans));
	const conditions = Object.entries(where).map(([name, values]) => `counted.${quoted(name)} IN (${values.map(bind)})`);
	if (ofKeys(asked)) conditions.push(`counted."key" <> ''`);
	if (after) {
		const isLater = `spans.period > ${bind(after.period)}`;
		const isBehind = `(${named}) > (${after.values.map(bind)})`;
		conditions.push(named.length === 0 ? isLater : `(${isLater} OR (spans.period = ${bind(after.period)} AND ${isBehind}))`);
	}
	return `SELECT ${read.map((column, index) => `${column} AS column${index}`)}
		FROM ${from} AS spans CROSS JOIN ${table}
		WHERE counted.series = spans.series AND counted.at >= spans."from" AND counted.at < spans."until"
			${conditions.map(one => `AND ${one}`).join(' ')}
		GROUP BY ${groups} ORDER BY ${groups} LIMIT ${bind(limit)}`;
};

/** A group as a row of that statement has it. */
export const groupOf = ({by}: UsageQuery, row: Record<string, string | number>): UsageGroup => {
	const columns = Object.values(row);
	const counted = columns.slice(1 + by.length).map(Number);
	return {
		period: Number(columns[0]),
		values: columns.slice(1, 1 + by.length).map(String),
		sums: counted.slice(0, sums.length),
		outcomes: counted.slice(sums.length),
	};
};
