import {GatewayError} from '../errors.ts';
import {openSqlite} from './sqlite.ts';
import type {Store} from './store.ts';

/** Opens the store a config names: a file, with or without `sqlite:` before it. Rejects with `store_unavailable`. */
export const openStore = async (place: string): Promise<Store> => {
	const file = place.replace(/^sqlite:/, '');
	const scheme = /^([a-z][a-z+]*):\/\//i.exec(file)?.[1];
	if (scheme === 'postgres' || scheme === 'postgresql')
		throw new GatewayError('store_unavailable', 'This release has no PostgreSQL store yet; write store: "sqlite:data/gateway.db".');
	if (scheme || file === '' || file.startsWith(':'))
		throw new GatewayError('store_unavailable', `"${place}" is no store this release knows; write store: "sqlite:data/gateway.db".`);
	return openSqlite(file);
};
