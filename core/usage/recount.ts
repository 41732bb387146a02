import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {records, tail} from '../journal/read.ts';
import {chainsOf} from '../journal/segments.ts';
import {openStore} from '../store/open.ts';
import type {UsageStore} from '../store/usage.ts';
import {openUsage} from './open.ts';

/** Counts every chain of a journal into a store that is thrown away, and lets `read` ask it. */
export const recounted = async <T>(folder: string, read: (store: UsageStore) => Promise<T>): Promise<T> => {
	const own = await mkdtemp(join(tmpdir(), 'sallyport-recount-'));
	try {
		for (const chain of await chainsOf(folder)) {
			const store = await openStore(join(own, 'usage.db'), {process: chain});
			try {
				const [last] = await tail(folder, 1, {chain});
				const usage = await openUsage({store, records: fromSeq => records(folder, {fromSeq, chain}), lastSeq: last?.seq ?? 0});
				await usage.flush();
				await usage.close();
			} finally {
				await store.close();
			}
		}
		const store = await openStore(join(own, 'usage.db'), {process: 'nobody'});
		try {
			return await read(store);
		} finally {
			await store.close();
		}
	} finally {
		await rm(own, {recursive: true, force: true});
	}
};
