import pg from 'pg';
import {GatewayError} from '../../errors.ts';
import {isConflict, isFatal} from './failures.ts';

export type Query = {name: string; text: string; values: unknown[]};
export type Connection = pg.ClientBase;

const mostConnections = 4;
const mostTries = 4;

/** How long to leave a server alone that failed `failures` times in a row; spread, so that replicas do not come back all at once. */
export const backOffMs = (failures: number): number => Math.min(2_000, 50 * 2 ** failures) * (0.5 + Math.random() / 2);

/** Connections that come back by themselves. While the server is away, most calls fail at once with what the last attempt said. */
export const openPool = (config: pg.ClientConfig) => {
	const pool = new pg.Pool({...config, max: mostConnections, idleTimeoutMillis: 60_000});
	// Of an idle connection, which the pool has then dropped.
	pool.on('error', () => {});
	// Of one in use: whatever it was doing rejects as well.
	pool.on('connect', client => void client.on('error', () => {}));
	const underWay = new Set<Promise<unknown>>();
	let failures = 0;
	let awayUntil = 0;
	let said: unknown;

	const connect = async (): Promise<pg.PoolClient> => {
		if (pool.ending) throw new GatewayError('store_unavailable', 'The store is closed.');
		if (performance.now() < awayUntil) throw said;
		try {
			const client = await pool.connect();
			failures = 0;
			return client;
		} catch (error) {
			said = error;
			awayUntil = performance.now() + backOffMs(failures++);
			throw error;
		}
	};

	const lend = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
		const client = await connect();
		try {
			const answer = await work(client);
			client.release();
			return answer;
		} catch (error) {
			client.release(isFatal(error));
			throw error;
		}
	};

	const using = <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
		const turn = lend(work);
		underWay.add(turn);
		// Added to both ways of ending, so that nothing rejects here that its caller has taken care of.
		const over = () => void underWay.delete(turn);
		turn.then(over, over);
		return turn;
	};

	const once = <T>(begin: string, work: (client: Connection) => Promise<T>): Promise<T> =>
		using(async client => {
			try {
				await client.query(begin);
				const answer = await work(client);
				await client.query('COMMIT');
				return answer;
			} catch (error) {
				// When this fails too the connection is gone, and with it the transaction; the first error says why.
				if (!isFatal(error)) await client.query('ROLLBACK');
				throw error;
			}
		});

	return {
		all: async <Row extends pg.QueryResultRow>(query: Query): Promise<Row[]> =>
			using(async client => (await client.query<Row>(query)).rows),
		/** All or nothing; begun again when another transaction was in the way. `begin` may take locks that come before the first look. */
		transaction: async <T>(begin: string, work: (client: Connection) => Promise<T>): Promise<T> => {
			for (let tries = 1; ; tries++) {
				try {
					return await once(begin, work);
				} catch (error) {
					if (!isConflict(error) || tries === mostTries) throw error;
				}
			}
		},
		/** Waits for what is under way; the pool itself would drop what waits for a connection. */
		close: async () => {
			await Promise.allSettled(underWay);
			await pool.end();
		},
	};
};

export type Pool = ReturnType<typeof openPool>;
