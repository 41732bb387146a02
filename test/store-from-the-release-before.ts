import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import sqlite3 from 'sqlite3';
import {processOf} from '../core/store/process-id.ts';
import {openFor} from './helpers/store-engines.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

/** What 0.1 made of a new file, and how it wrote to it: copied from that release, never to be changed. */
const asBefore = {
	make: `CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
		CREATE TABLE kv (plugin TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (plugin, key)) STRICT, WITHOUT ROWID;
		CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, settled INTEGER NOT NULL, granted INTEGER NOT NULL, seq INTEGER NOT NULL,
			expiresAt INTEGER) STRICT, WITHOUT ROWID;
		CREATE INDEX ledger_by_end ON ledger (expiresAt) WHERE expiresAt IS NOT NULL;
		INSERT INTO meta VALUES ('schema_version', '1') ON CONFLICT DO UPDATE SET value = excluded.value;`,
	kvPut: 'INSERT INTO kv VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
	kvAll: 'SELECT plugin, key, value FROM kv ORDER BY plugin, key',
	ledgerPut: `INSERT INTO ledger SELECT value ->> 'key', value ->> 'settled', value ->> 'granted', value ->> 'seq', value ->> 'expiresAt'
		FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET settled = excluded.settled, granted = excluded.granted,
		seq = excluded.seq, expiresAt = excluded.expiresAt`,
	ledgerAll: 'SELECT * FROM ledger ORDER BY key',
	ledgerPrune: 'DELETE FROM ledger WHERE expiresAt < ?',
	metaPut: 'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
};

const rows = [
	{key: 'team:a|tokens|total|1970-01-01T00:00:00Z', settled: 3, granted: 10, seq: 7, expiresAt: null},
	{key: 'team:b|tokens|day|2026-06-15T00:00:00Z', settled: 1, granted: 1, seq: 9, expiresAt: 1_781_568_000_000},
];

const sqlite = async (t: ExecutionContext, file: string) => {
	const database = await new Promise<sqlite3.Database>((done, failed) => {
		const opened: sqlite3.Database = new sqlite3.Database(file, error => (error ? failed(error) : done(opened)));
	});
	t.teardown(() => new Promise<void>(done => database.close(() => done())));
	return {
		exec: (sql: string) => new Promise<void>((done, failed) => database.exec(sql, error => (error ? failed(error) : done()))),
		all: (sql: string, ...values: unknown[]) =>
			new Promise<unknown[]>((done, failed) => database.all(sql, values, (error, found) => (error ? failed(error) : done(found)))),
	};
};

/** A file as the release before left it. */
const oldStore = async (t: ExecutionContext) => {
	const file = join(await temporaryFolder(t), 'gateway.db');
	const before = await sqlite(t, file);
	await before.exec(`PRAGMA journal_mode = WAL; ${asBefore.make}`);
	await before.all(asBefore.kvPut, 'virtual-keys', 'a', '1');
	await before.all(asBefore.ledgerPut, JSON.stringify(rows));
	return {file, before};
};

const owned = (process: string) => rows.map(({expiresAt, ...row}) => ({...row, process, ...(expiresAt !== null && {expiresAt})}));

test('what the release before had in its ledger becomes the rows of the process that has its journal, and of no other', async t => {
	const {file} = await oldStore(t);
	// Whoever comes first makes the new tables, and is not thereby the heir.
	const stranger = await openFor(t, file, {process: 'stranger'});
	t.deepEqual(await stranger.ledgerOwn(), []);
	t.deepEqual(await stranger.ledgerTotals([rows[0]!.key]), new Map([[rows[0]!.key, {settled: 3, granted: 10}]]));
	const heir = await openFor(t, file, {process: 'heir', inherits: true});
	t.deepEqual(await heir.ledgerOwn(), owned('heir'));
	t.deepEqual(await stranger.ledgerOwn(), []);
	t.deepEqual(await heir.kvAll(), [{plugin: 'virtual-keys', key: 'a', value: '1'}]);
});

test('the release before still runs on what this one leaves, and this one on what that one leaves', async t => {
	const {file, before} = await oldStore(t);
	const options = {process: 'heir', inherits: true};
	const now = await openFor(t, file, options);
	await now.kvPut('virtual-keys', {b: '2'});
	await now.ledgerPut([{key: 'new', settled: 1, granted: 1, seq: 10}]);
	await now.close();

	t.deepEqual(await before.all(asBefore.ledgerAll), rows);
	t.is((await before.all(asBefore.kvAll)).length, 2);
	await before.all(asBefore.kvPut, 'virtual-keys', 'c', '3');
	await before.all(asBefore.ledgerPut, JSON.stringify([{...rows[0], settled: 5, seq: 12}]));
	await before.all(asBefore.ledgerPrune, 1);
	await before.all(asBefore.metaPut, 'ledger_seq', '12');

	const again = await openFor(t, file, options);
	t.is((await again.kvAll()).length, 3);
	// Its own rows, as it left them: what that release booked since stands in the journal.
	t.deepEqual(await again.ledgerOwn(), [{key: 'new', process: 'heir', settled: 1, granted: 1, seq: 10}, ...owned('heir')]);
});

test('a journal gives its process the same name for ever, each chain its own, and no two journals the same', async t => {
	const folder = join(await temporaryFolder(t), 'not', 'there');
	const [one, other] = await Promise.all([processOf(folder), processOf(folder)]);
	t.deepEqual(one, other);
	t.deepEqual(await processOf(folder), one);
	t.false(one.inherits);
	const second = await processOf(folder, '1');
	t.not(second.process, one.process);
	t.not((await processOf(await temporaryFolder(t))).process, one.process);
});

test('only the first chain of a journal that is older than names inherits, however often it is asked', async t => {
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, '0-000001.jsonl'), '');
	t.false((await processOf(folder, '1')).inherits);
	t.true((await processOf(folder)).inherits);
	t.true((await processOf(folder)).inherits);
});

test('a name that cannot be read is not replaced by another', async t => {
	const folder = await temporaryFolder(t);
	await writeFile(join(folder, 'process.json'), '{"id":');
	await t.throwsAsync(processOf(folder), {code: 'store_unavailable', message: /process\.json cannot be read or made/});
});
