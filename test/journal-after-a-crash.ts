import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {appendFileSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openJournal} from '../core/journal/append.ts';
import {records} from '../core/journal/read.ts';
import {segmentsOf} from '../core/journal/segments.ts';
import {verify} from '../core/journal/verify.ts';
import {exchange, freshFolder} from './helpers/journal-folder.ts';

const appender = join(import.meta.dirname, 'helpers/journal-appender.ts');

/** Runs an appender until it has told of `enough` records, kills it, and answers all it told of. */
const appendAndKill = async (t: ExecutionContext, folder: string, enough: number): Promise<string[]> => {
	const child = spawn(process.execPath, [appender, folder, '30000', '16'], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	const ended = once(child, 'close');
	let told = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		told += text;
		if (told.split('\n').length > enough) child.kill('SIGKILL');
	});
	await ended;
	return told.split('\n').slice(0, -1);
};

test('kill -9 in the middle of appends loses no record that was reported as written', async t => {
	t.timeout(60_000);
	const folder = freshFolder(t);
	const told: string[] = [];
	for (const enough of [1, 300, 700]) told.push(...(await appendAndKill(t, folder, enough)));
	const journal = await openJournal({folder, segmentBytes: 30_000});
	await journal.append(exchange(1)).written;
	await journal.close();
	t.like(await verify(folder), {ok: true});
	const stored = new Map<number, string | undefined>();
	for await (const {seq, exchange} of records(folder)) stored.set(seq, exchange);
	t.true(told.length > 1_000);
	for (const line of told) {
		const [seq, name] = line.split(' ');
		if (stored.get(Number(seq)) !== name) t.fail(`record ${line} is not in the file`);
	}
	t.true((await segmentsOf(folder, '0')).length > 5);
});

/** A journal as a killed process leaves it: three records, no checkpoint. */
const unclosed = async (folder: string): Promise<string> => {
	const journal = await openJournal({folder, segmentBytes: 1e6});
	for (let n = 0; n < 3; n += 1) journal.append(exchange(n));
	await journal.close();
	const file = join(folder, '0-000001.jsonl');
	writeFileSync(file, readFileSync(file, 'utf8').split('\n').slice(0, 3).join('\n').concat('\n'));
	return file;
};

for (const [what, torn] of [
	['half a line', '{"v":1,"seq":4,"at":"2026'],
	['a line that is no JSON', '{"v":1,"seq":4,"at":"2026\n'],
	['a block of zeros, as after a power cut', '\0'.repeat(5_000)],
	['zeros and a newline and half a line', '\0\0\n{"v":1,"se'],
] as const) {
	test(`${what} at the end is cut off, kept as evidence and reported, and the chain goes on`, async t => {
		const folder = freshFolder(t);
		const file = await unclosed(folder);
		appendFileSync(file, torn);
		t.like(await verify(folder), {ok: false, line: 4});
		const journal = await openJournal({folder, segmentBytes: 1e6});
		t.deepEqual(journal.recovered, {torn: {file: '0-000001.torn', bytes: torn.length}});
		t.is(readFileSync(join(folder, '0-000001.torn'), 'utf8'), `${torn}\n`);
		t.is(journal.append(exchange(4)).seq, 4);
		await journal.close();
		t.like(await verify(folder), {ok: true, records: 5, segments: 1});
	});
}

test('a first line that is torn leaves a chain that begins at 1', async t => {
	const folder = freshFolder(t);
	writeFileSync(join(folder, '0-000001.jsonl'), '{"v":1');
	const journal = await openJournal({folder, segmentBytes: 1e6});
	t.is(journal.append(exchange(1)).seq, 1);
	await journal.close();
	t.like(await verify(folder), {ok: true, records: 2});
});

test('a torn first line of a later segment goes back to the record of the segment before', async t => {
	const folder = freshFolder(t);
	const first = await openJournal({folder, segmentBytes: 1});
	await first.append(exchange(1)).written;
	await first.close();
	writeFileSync(join(folder, '0-000002.jsonl'), '{"v":1,"seq":3');
	const journal = await openJournal({folder, segmentBytes: 1e6});
	t.is(journal.append(exchange(2)).seq, 3);
	await journal.close();
	t.like(await verify(folder), {ok: true, records: 4, segments: 2});
});

test('a last line that was edited is not mended away when the journal is opened', async t => {
	const folder = freshFolder(t);
	const file = await unclosed(folder);
	writeFileSync(file, readFileSync(file, 'utf8').replace('exchange-2', 'exchange-9'));
	const journal = await openJournal({folder, segmentBytes: 1e6});
	t.deepEqual(journal.recovered, {});
	await journal.close();
	t.like(await verify(folder), {ok: false, file: '0-000001.jsonl', line: 3, seq: 3, reason: 'edited_line'});
});

test('a chain that a living process writes cannot be opened, and a killed one lets go', async t => {
	t.timeout(60_000);
	const folder = freshFolder(t);
	const child = spawn(process.execPath, [appender, folder, '1000000', '1'], {stdio: ['ignore', 'pipe', 'inherit']});
	const ended = once(child, 'close');
	t.teardown(() => child.kill('SIGKILL'));
	await once(child.stdout, 'data');
	child.stdout.resume();
	await t.throwsAsync(openJournal({folder, segmentBytes: 1e6}), {
		code: 'journal_unavailable',
		message: new RegExp(`Process ${child.pid} `),
	});
	child.kill('SIGKILL');
	await ended;
	const journal = await openJournal({folder, segmentBytes: 1e6});
	await t.throwsAsync(openJournal({folder, segmentBytes: 1e6}), {message: /is writing the journal/}, 'nor twice by one process');
	await journal.close();
	t.deepEqual(
		readdirSync(folder).filter(name => name.endsWith('.lock')),
		[],
	);
	t.like(await verify(folder), {ok: true});
});

test('a lock whose process number now belongs to another process is stale', async t => {
	const folder = freshFolder(t);
	writeFileSync(join(folder, `0.${process.ppid}.1.lock`), '');
	const journal = await openJournal({folder, segmentBytes: 1e6});
	await journal.close();
	t.pass();
});
