import {GatewayError} from '../errors.ts';
import {openSqlite} from './sqlite/store.ts';
import type {Store} from './store.ts';

export type StoreOptions = {
	/** Whose rows of the ledger are this process's own; `processOf` in process-id.ts names one. Two processes that are alive never have the same. */
	process?: string;
	/** This process has the journal of a release that knew no processes, and takes over the rows that count its records. */
	inherits?: boolean;
	/** How long a reader of the change log may be away before it is told to read everything anew. */
	changesKeptMs?: number;
};

const hourMs = 3_600_000;

/** Opens the store a config names: a file, with or without `sqlite:` before it. Rejects with `store_unavailable`. */
export const openStore = async (
	place: string,
	{process = '', inherits = false, changesKeptMs = hourMs}: StoreOptions = {},
): Promise<Store> => {
	const file = place.replace(/^sqlite:/, '');
	const scheme = /^([a-z][a-z+]*):\/\//i.exec(file)?.[1];
	if (scheme === 'postgres' || scheme === 'postgresql')
		throw new GatewayError('store_unavailable', 'This release has no PostgreSQL store yet; write store: "sqlite:data/gateway.db".');
	if (scheme || file === '' || file.startsWith(':'))
		throw new GatewayError('store_unavailable', `"${place}" is no store this release knows; write store: "sqlite:data/gateway.db".`);
	return openSqlite(file, {process, inherits, changesKeptMs});
};
