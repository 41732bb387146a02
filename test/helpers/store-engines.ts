import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {openStore, type StoreOptions} from '../../core/store/open.ts';
import type {Store} from '../../core/store/store.ts';
import type {UsageStore} from '../../core/store/usage.ts';
import {postgresOfThisFile} from './postgres.ts';
import {temporaryFolder} from './temporary-store.ts';

export type Engine = {
	name: string;
	/** What `openStore` takes for a store that nobody has used. */
	fresh(t: ExecutionContext): Promise<string>;
};

/** Both engines, for all tests of the file that calls this at its top. */
export const storeEngines = (): Engine[] => {
	const freshUrl = postgresOfThisFile();
	return [
		{name: 'SQLite', fresh: async t => join(await temporaryFolder(t), 'gateway.db')},
		{name: 'PostgreSQL', fresh: async () => freshUrl()},
	];
};

/** Closed with the test. */
export const openFor = async (t: ExecutionContext, place: string, options?: StoreOptions): Promise<Store & UsageStore> => {
	const store = await openStore(place, options);
	t.teardown(() => store.close());
	return store;
};

/** Resolves when `seen` is true; fails the test after `mostMs`. */
export const until = async (t: ExecutionContext, seen: () => boolean | Promise<boolean>, what: string, mostMs = 10_000): Promise<void> => {
	const end = performance.now() + mostMs;
	while (!(await seen())) {
		if (performance.now() > end) return t.fail(`${what}: not after ${mostMs} ms`);
		await new Promise(done => setTimeout(done, 10));
	}
};
