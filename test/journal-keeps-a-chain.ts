import {readdirSync, readFileSync, statSync, unlinkSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {openJournal} from '../core/journal/append.ts';
import {records, tail} from '../core/journal/read.ts';
import {verify} from '../core/journal/verify.ts';
import {exchange, filledJournal, freshFolder} from './helpers/journal-folder.ts';

const all = async (folder: string, fromSeq?: number) => Array.fromAsync(records(folder, {fromSeq}));

test('records of one turn of the event loop are numbered at once and share one promise', async t => {
	const journal = await openJournal({folder: freshFolder(t), segmentBytes: 1e6});
	const [first, second] = [journal.append(exchange(1)), journal.append(exchange(2))];
	t.deepEqual([first.seq, second.seq, journal.lastSeq], [1, 2, 0]);
	t.is(first.written, second.written);
	await second.written;
	t.is(journal.lastSeq, 2);
	t.not(journal.append(exchange(3)).written, second.written);
	await journal.close();
});

test('what was appended is read back, in order, with the time given', async t => {
	const folder = freshFolder(t);
	const journal = await openJournal({folder, segmentBytes: 1e6, now: () => Date.UTC(2026, 0, 2)});
	for (let n = 0; n < 10; n += 1) journal.append(exchange(n));
	await journal.flushed();
	const found = await all(folder);
	t.is(found.length, 10);
	for (const [n, record] of found.entries()) t.like(record, {...exchange(n), v: 1, seq: n + 1, at: '2026-01-02T00:00:00.000Z'});
	await journal.close();
});

test('segments rotate at their size, each ends with a checkpoint, and the chain goes on across them', async t => {
	const folder = await filledJournal(t);
	const segments = readdirSync(folder).filter(name => name.endsWith('.jsonl'));
	t.true(segments.length > 3);
	for (const name of segments) {
		const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n');
		t.deepEqual(
			lines.map(line => JSON.parse(line).kind === 'checkpoint'),
			lines.map((_, index) => index === lines.length - 1),
		);
	}
	t.like(await verify(folder), {ok: true, segments: segments.length, records: 36 + segments.length, signedSeq: 36 + segments.length});
});

test('a journal that is opened again goes on where it ended, with the same key', async t => {
	const folder = freshFolder(t);
	const first = await openJournal({folder, segmentBytes: 1e6});
	await first.append(exchange(1)).written;
	await first.close();
	const second = await openJournal({folder, segmentBytes: 1e6});
	t.like(second, {lastSeq: 2, lastHash: first.lastHash, publicKey: first.publicKey, recovered: {}});
	t.is(second.append(exchange(2)).seq, 3);
	await second.close();
	t.like(await verify(folder), {ok: true, segments: 2, records: 4, lastHash: second.lastHash});
});

test('two chains share a folder and a key, and each is verified by itself', async t => {
	const folder = freshFolder(t);
	const [a, b] = [await openJournal({folder, segmentBytes: 1e6, chain: 'a'}), await openJournal({folder, segmentBytes: 1e6, chain: 'b'})];
	await Promise.all([a.append(exchange(1)).written, b.append(exchange(2)).written]);
	await Promise.all([a.close(), b.close()]);
	t.like(await verify(folder, {chain: 'a'}), {ok: true, records: 2});
	t.like(await verify(folder, {chain: 'b'}), {ok: true, records: 2});
	t.like(await verify(folder), {ok: false, reason: 'no_segments'});
});

test('reading from a number and reading the tail give what reading everything gives', async t => {
	const folder = await filledJournal(t);
	const whole = await all(folder);
	for (let from = 1; from <= whole.length + 1; from += 1) t.deepEqual(await all(folder, from), whole.slice(from - 1));
	for (const n of [0, 1, 5, 12, whole.length, 1_000]) t.deepEqual(await tail(folder, n), n === 0 ? [] : whole.slice(-n));
});

test('the private key is for its owner only, and a lost one is not replaced in silence', async t => {
	const folder = await filledJournal(t, {batches: 1});
	t.is(statSync(join(folder, 'journal.key')).mode & 0o777, 0o600);
	unlinkSync(join(folder, 'journal.key'));
	await t.throwsAsync(openJournal({folder, segmentBytes: 1e6}), {code: 'journal_unavailable', message: /bring the key back/});
	t.deepEqual(
		readdirSync(folder).filter(name => name.endsWith('.lock')),
		[],
	);
});

test('a closed journal refuses records, and closing twice is closing once', async t => {
	const folder = freshFolder(t);
	const journal = await openJournal({folder, segmentBytes: 1e6});
	journal.append(exchange(1));
	t.is(journal.close(), journal.close());
	await journal.close();
	await t.throwsAsync(journal.append(exchange(2)).written, {code: 'journal_unavailable'});
	t.like(await verify(folder), {ok: true, records: 2});
});

test('a caller cannot write a checkpoint', async t => {
	const journal = await openJournal({folder: freshFolder(t), segmentBytes: 1e6});
	t.throws(() => journal.append({kind: 'checkpoint'}), {instanceOf: RangeError});
	await journal.close();
});
