import {open, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sqlite3 from 'sqlite3';
import {openStore} from '../core/store/open.ts';
import {temporaryFolder, temporaryStore} from './helpers/temporary-store.ts';

test('a file that is no database is refused by name, and left as it is', async t => {
	const file = join(await temporaryFolder(t), 'notes.txt');
	await writeFile(file, 'not a database, but somebody may want it\n'.repeat(100));
	await t.throwsAsync(openStore(file), {code: 'store_unavailable', message: `The store ${file} is not an SQLite database.`});
	t.is((await stat(file)).size, 4_100);
});

test('a file whose pages are damaged is refused', async t => {
	const {file, store} = await temporaryStore(t);
	await store.kvPut('plugin', {key: 'x'.repeat(100_000)});
	await store.close();
	const damaged = await open(file, 'r+');
	await damaged.write(Buffer.alloc(3_000, 0xff), 0, 3_000, 100);
	await damaged.close();
	await t.throwsAsync(openStore(file), {code: 'store_unavailable', message: /is damaged/});
});

test('a folder in the place of the file, and a file in the place of the folder, are refused', async t => {
	const folder = await temporaryFolder(t);
	await t.throwsAsync(openStore(folder), {code: 'store_unavailable', message: /is a folder/});
	await writeFile(join(folder, 'file'), '');
	await t.throwsAsync(openStore(join(folder, 'file', 'gateway.db')), {code: 'store_unavailable', message: /not a folder/});
});

test('a write while another process holds the file is store_unavailable, and works once it lets go', async t => {
	const {file, store} = await temporaryStore(t);
	const other = new sqlite3.Database(file);
	t.teardown(() => new Promise<void>(done => other.close(() => done())));
	const exec = (sql: string) => new Promise<void>((done, failed) => other.exec(sql, error => (error ? failed(error) : done())));
	await exec('BEGIN IMMEDIATE');
	await t.throwsAsync(store.metaPut('name', 'value'), {code: 'store_unavailable', message: 'The store is locked by another process.'});
	await exec('ROLLBACK');
	await store.metaPut('name', 'value');
	t.is(await store.metaGet('name'), 'value');
});

test('a file that a later release has added to still opens', async t => {
	const {file, store} = await temporaryStore(t);
	await store.metaPut('schema_version', '99');
	await store.close();
	const again = await openStore(file);
	t.teardown(() => again.close());
	t.is(await again.metaGet('schema_version'), '99');
});

for (const place of ['mysql://127.0.0.1/gateway', ':memory:', 'sqlite:', ''])
	test(`"${place}" is refused, and the message says what to write`, async t => {
		await t.throwsAsync(openStore(place), {code: 'store_unavailable', message: /write store: "sqlite:data\/gateway\.db"/});
	});
