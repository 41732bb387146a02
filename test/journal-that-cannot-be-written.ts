import {execFile} from 'node:child_process';
import {appendFileSync, chmodSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {openJournal} from '../core/journal/append.ts';
import {records} from '../core/journal/read.ts';
import {verify} from '../core/journal/verify.ts';
import {exchange, freshFolder} from './helpers/journal-folder.ts';

const run = promisify(execFile);
const limited = join(import.meta.dirname, 'helpers/journal-within-limits.ts');
const outcomeOf = (stdout: string): {outcomes: string[]; lastSeq: number} => JSON.parse(stdout);

test('a full disk refuses the record, and once there is room the chain goes on and says how many were lost', async t => {
	if (!existsSync('/dev/full')) {
		t.log('not checked: this system has no /dev/full');
		return t.pass();
	}
	const folder = freshFolder(t);
	const file = join(folder, '0-000001.jsonl');
	symlinkSync('/dev/full', file);
	const journal = await openJournal({folder, segmentBytes: 1e6});
	const refused = [journal.append(exchange(1)), journal.append(exchange(2))];
	for (const {written} of refused) await t.throwsAsync(written, {code: 'journal_unavailable', message: /ENOSPC/});
	await t.throwsAsync(journal.append(exchange(3)).written, {code: 'journal_unavailable'});
	t.is(journal.lastSeq, 0);
	unlinkSync(file);
	const {seq, written} = journal.append(exchange(4));
	await written;
	await journal.close();
	t.is(seq, 2);
	t.like(await verify(folder), {ok: true, records: 3});
	const [notice, record] = await Array.fromAsync(records(folder));
	t.like(notice, {kind: 'gateway', event: {what: 'records_lost', records: 3, to: 'ENOSPC'}});
	t.like(record, exchange(4));
});

test('a write that the system takes only in part leaves no half line behind', async t => {
	const folder = freshFolder(t);
	// The kernel writes up to the limit and refuses the rest, as a disk does that fills up; Node ignores SIGXFSZ.
	const {stdout} = await run('sh', ['-c', 'ulimit -f 8 && exec "$@"', 'sh', process.execPath, limited, 'size', folder]);
	const {outcomes, lastSeq} = outcomeOf(stdout);
	const failed = outcomes.findIndex(outcome => outcome !== 'written');
	t.true(failed > 0, 'some records fitted');
	t.regex(outcomes[failed] ?? '', /^journal_unavailable: .*EFBIG/);
	t.is(outcomes.at(-1), 'written', 'a smaller record fits after the larger one did not');
	t.like(await verify(folder), {ok: true, records: lastSeq});
	t.regex(readFileSync(join(folder, '0-000001.jsonl'), 'utf8'), /"\}\n$/);
});

test('a folder that turns read-only refuses the next segment, until it can be written again', async t => {
	const folder = freshFolder(t);
	chmodSync(folder, 0o777);
	const {stdout} = await run(process.execPath, [limited, 'read-only', join(folder, 'journal')]);
	const {outcomes} = outcomeOf(stdout);
	t.deepEqual(outcomes, ['written', 'journal_unavailable: The journal cannot be written (EACCES).', 'written']);
	t.like(await verify(join(folder, 'journal')), {ok: true, segments: 2});
});

test('a folder that is removed refuses records, and one that comes back is gone on with', async t => {
	const folder = join(freshFolder(t), 'journal');
	const journal = await openJournal({folder, segmentBytes: 1e6});
	await journal.append(exchange(1)).written;
	const file = join(folder, '0-000001.jsonl');
	const content = readFileSync(file);
	renameSync(folder, `${folder}-away`);
	rmSync(join(`${folder}-away`, '0-000001.jsonl'));
	await t.throwsAsync(journal.append(exchange(2)).written, {code: 'journal_unavailable'});
	await t.throwsAsync(journal.append(exchange(3)).written, {code: 'journal_unavailable'});
	renameSync(`${folder}-away`, folder);
	await t.throwsAsync(journal.append(exchange(4)).written, {code: 'journal_unavailable'}, 'the segment is still missing');
	writeFileSync(file, content);
	await journal.append(exchange(5)).written;
	await journal.close();
	t.like(await verify(folder), {ok: true, records: 4});
});

test('a segment that somebody else writes to is never cut, and takes no more records', async t => {
	const folder = freshFolder(t);
	const journal = await openJournal({folder, segmentBytes: 1e6});
	await journal.append(exchange(1)).written;
	const file = join(folder, '0-000001.jsonl');
	appendFileSync(file, 'a line of somebody else\n');
	await t.throwsAsync(journal.append(exchange(2)).written, {code: 'journal_unavailable'});
	await t.throwsAsync(journal.append(exchange(3)).written, {code: 'journal_unavailable'});
	await t.throwsAsync(journal.close(), {code: 'journal_unavailable'});
	t.regex(readFileSync(file, 'utf8'), /\na line of somebody else\n/);
});

test('a journal that cannot be opened says where and why', async t => {
	const folder = freshFolder(t);
	writeFileSync(join(folder, 'file'), '');
	await t.throwsAsync(openJournal({folder: join(folder, 'file', 'journal'), segmentBytes: 1e6}), {
		code: 'journal_unavailable',
		message: /file\/journal cannot be opened: .*ENOTDIR/,
	});
});

test('a refused record whose promise nobody awaits does not end the process', async t => {
	if (!existsSync('/dev/full')) {
		t.log('not checked: this system has no /dev/full');
		return t.pass();
	}
	const folder = freshFolder(t);
	symlinkSync('/dev/full', join(folder, '0-000001.jsonl'));
	const journal = await openJournal({folder, segmentBytes: 1e6});
	journal.append(exchange(1));
	await new Promise(resolve => setImmediate(() => setImmediate(resolve)));
	await t.throwsAsync(journal.append(exchange(2)).written, {code: 'journal_unavailable'});
});
