import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {openStore} from '../../core/store/open.ts';

/** A fresh folder that is gone when the test ends. */
export const temporaryFolder = async (t: ExecutionContext): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	return folder;
};

/** An SQLite store in a file of its own, closed when the test ends. */
export const temporaryStore = async (t: ExecutionContext) => {
	const file = join(await temporaryFolder(t), 'gateway.db');
	const store = await openStore(`sqlite:${file}`);
	t.teardown(() => store.close());
	return {file, store};
};
