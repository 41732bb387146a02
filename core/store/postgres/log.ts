import pg from 'pg';
import type {Feed, LogRow, Reading} from '../feed.ts';
import {backOffMs, type Connection} from './connection.ts';
import type {Place} from './place.ts';
import type {Queries} from './queries.ts';

type Row = {[column in keyof LogRow]: LogRow[column] | null} & {pruned_to: number};

/** Both in one statement, so of one moment. */
export const readLog = async (connection: Connection, queries: Queries, after: number, most = 1_000_000): Promise<Reading> => {
	const {rows} = await connection.query<Row>(queries.readLog(after, most));
	return {
		prunedTo: rows[0]?.pruned_to ?? 0,
		// Without any change there is one row, of nulls.
		rows: rows.flatMap(({seq, writer, ref, body}) => (seq === null ? [] : [{seq, writer: writer!, ref: ref!, body: body!}])),
	};
};

const pageRows = 1_000;

/** Looked for this often without being told, which also shows whether the connection is still one. */
const everyMs = 1_000;

/**
 * Takes every change as soon as a notification says that there is one; a notification carries no more than a number, the log has
 * the rest. After the connection broke it connects anew and goes on where it stopped. Answers how to stop.
 */
export const watchLog = ({client: config}: Place, queries: Queries, feed: Feed): (() => Promise<void>) => {
	let stopped = false;
	let told = false;
	let wake = () => {};
	const nudge = (): void => {
		told = true;
		wake();
	};

	const rest = (ms: number): Promise<void> =>
		new Promise(done => {
			if (stopped || told) return done();
			const timer = setTimeout(done, ms);
			wake = () => {
				clearTimeout(timer);
				done();
			};
		});

	/** Until the connection breaks, or it is over. */
	const follow = async (client: pg.Client, connected: () => void): Promise<void> => {
		await client.connect();
		await client.query(`LISTEN "${queries.channel}"`);
		connected();
		while (!stopped) {
			told = false;
			let page: Reading;
			do {
				page = await readLog(client, queries, feed.last(), pageRows);
				feed.take(page);
			} while (page.rows.length === pageRows);
			await rest(everyMs);
		}
	};

	const watch = async (): Promise<void> => {
		for (let failures = 0; !stopped; failures++) {
			const client = new pg.Client(config);
			client.on('notification', nudge);
			// The next query on it fails, and that is where it is dealt with.
			client.on('error', nudge);
			await follow(client, () => {
				failures = 0;
			}).catch(() => undefined);
			// One that hangs is not waited for.
			client.end().catch(() => undefined);
			told = false;
			await rest(backOffMs(failures));
		}
	};

	const watching = watch();
	return () => {
		stopped = true;
		wake();
		return watching;
	};
};
