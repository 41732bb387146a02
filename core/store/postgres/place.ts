import {createHash} from 'node:crypto';
import pg from 'pg';
import {GatewayError} from '../../errors.ts';

/** Where a store is: how to get there, and what may be said of it. */
export type Place = {
	client: pg.ClientConfig;
	/** `postgres://user@host:5432/database`, without the password. */
	name: string;
	schema: string;
	/** Advisory locks and notifications belong to a database; this tells the schemas in it apart. */
	space: number;
};

const int8 = 20;

const types: pg.ClientConfig['types'] = {
	getTypeParser: ((oid: number, format?: 'text') =>
		oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const wrong = (what: string) =>
	new GatewayError('store_unavailable', `The store's URL ${what}; write store: "postgres://user:password@host:5432/database".`);

/**
 * Reads `postgres://user:password@host:port/database?schema=…`, where `schema` is `sallyport` when left out, and everything else
 * (`sslmode`, `host` for a socket) is as libpq has it. Throws `store_unavailable`; what it throws never has the password in it.
 */
export const placeOf = (text: string): Place => {
	// Without a cause: the parser's own error quotes the URL.
	if (!URL.canParse(text)) throw wrong('cannot be read');
	const url = new URL(text);
	const schema = url.searchParams.get('schema') ?? 'sallyport';
	if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw wrong('names a schema that is not lower-case letters, digits and underscores');
	url.searchParams.delete('schema');
	const {username, host, pathname} = url;
	return {
		client: {
			connectionString: url.href,
			application_name: 'sallyport',
			connectionTimeoutMillis: 3_000,
			statement_timeout: 5_000,
			idle_in_transaction_session_timeout: 10_000,
			// The server's own limit comes first, as long as there still is a server.
			query_timeout: 7_000,
			keepAlive: true,
			keepAliveInitialDelayMillis: 10_000,
			types,
		},
		name: `postgres://${username && `${username}@`}${host}${pathname}`,
		schema,
		space: createHash('sha256').update(schema).digest().readInt32BE(),
	};
};
