import {isServer, storeFile} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import {openPostgres} from './postgres/store.ts';
import {openSqlite} from './sqlite/store.ts';
import type {Store} from './store.ts';
import type {UsageStore} from './usage.ts';

export type StoreOptions = {
	/** Whose rows of the ledger are this process's own; `processOf` in process-id.ts names one. Two processes that are alive never have the same. */
	process?: string;
	/** This process has the journal of a release that knew no processes, and takes over the rows that count its records. */
	inherits?: boolean;
	/** How long a reader of the change log may be away before it is told to read everything anew. */
	changesKeptMs?: number;
};

const hourMs = 3_600_000;

/**
 * Opens the store a config names: a SQLite file, with or without `sqlite:` before it, or `postgres://…`. Rejects with
 * `store_unavailable`, and never says the password of a URL.
 */
export const openStore = async (
	place: string,
	{process = '', inherits = false, changesKeptMs = hourMs}: StoreOptions = {},
): Promise<Store & UsageStore> => {
	if (isServer(place)) return openPostgres(place, {process, changesKeptMs});
	const file = storeFile(place);
	const scheme = /^([a-z][a-z+]*):\/\//i.exec(file)?.[0];
	if (scheme || file === '' || file.startsWith(':')) {
		const mend = 'write store: "sqlite:data/gateway.db" or "postgres://user:password@host:5432/database".';
		throw new GatewayError('store_unavailable', `"${scheme ?? place}" is no store this release knows; ${mend}`);
	}
	return openSqlite(file, {process, inherits, changesKeptMs});
};
