import {execFile, execFileSync} from 'node:child_process';
import {cpSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {openJournal} from '../core/journal/append.ts';
import {seal} from '../core/journal/line.ts';
import {verify} from '../core/journal/verify.ts';
import {exchange, filledJournal, freshFolder} from './helpers/journal-folder.ts';

const script = join(import.meta.dirname, '../docs/verify_journal.py');

const copyOf = (t: ExecutionContext, folder: string): string => {
	const copy = freshFolder(t);
	cpSync(folder, copy, {recursive: true});
	return copy;
};

const segmentNames = (folder: string): string[] =>
	readdirSync(folder)
		.filter(name => name.endsWith('.jsonl'))
		.sort();

const linesIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
const write = (file: string, lines: string[]) => writeFileSync(file, lines.map(line => `${line}\n`).join(''));

/** A line as somebody would forge it who knows the format but not the key. */
const forged = (line: string, prev: string, change: object): string => {
	const {v, seq, at, prev: _, hash, ...record} = JSON.parse(line);
	return seal(seq, at, prev, JSON.stringify({...record, ...change})).line;
};

/** mulberry32 */
const random = (seed: number) => () => {
	seed = (seed + 0x6d2b79f5) | 0;
	let z = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
	return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
};

const known: [string, string, (lines: string[]) => string[]][] = [
	['an edited line', 'edited_line', lines => lines.with(3, lines[3]!.replace('"status":', '"status":9'))],
	['a dropped line', 'dropped_line', lines => lines.toSpliced(3, 1)],
	['two lines in the other order', 'reordered_line', lines => lines.with(3, lines[4]!).with(4, lines[3]!)],
	['a line twice', 'inserted_line', lines => lines.toSpliced(4, 0, lines[3]!)],
	['a line rewritten with a new hash', 'relinked_line', lines => lines.with(3, forged(lines[3]!, JSON.parse(lines[3]!).prev, {status: 1}))],
	['a line that is no record', 'malformed_line', lines => lines.toSpliced(3, 0, '{}')],
	['a checkpoint that is gone', 'missing_checkpoint', lines => lines.slice(0, -1)],
	[
		'a whole segment rewritten with new hashes',
		'wrong_signature',
		lines => {
			let prev: string = JSON.parse(lines[0]!).prev;
			return lines.map((line, index) => {
				const made = forged(line, prev, index === 0 ? {status: 1} : {});
				prev = JSON.parse(made).hash;
				return made;
			});
		},
	],
];

for (const [what, reason, tamper] of known) {
	test(`${what} is found and called ${reason}`, async t => {
		const folder = await filledJournal(t);
		const file = join(folder, segmentNames(folder)[1]!);
		write(file, tamper(linesIn(file)));
		t.like(await verify(folder), {ok: false, reason});
	});
}

test('a missing segment, a segment of another number and a torn line are found', async t => {
	const folder = await filledJournal(t);
	const names = segmentNames(folder);
	const missing = copyOf(t, folder);
	unlinkSync(join(missing, names[1]!));
	t.like(await verify(missing), {ok: false, file: names[2], reason: 'missing_segment'});
	const swapped = copyOf(t, folder);
	renameSync(join(swapped, names[0]!), join(swapped, 'x'));
	renameSync(join(swapped, names[1]!), join(swapped, names[0]!));
	renameSync(join(swapped, 'x'), join(swapped, names[1]!));
	t.like(await verify(swapped), {ok: false, file: names[0], reason: 'reordered_line'});
	const torn = copyOf(t, folder);
	const last = join(torn, names.at(-1)!);
	truncateSync(last, readFileSync(last).length - 1);
	t.like(await verify(torn), {ok: false, file: names.at(-1), reason: 'torn_line'});
});

test('lines after a checkpoint, and a segment in the middle without one, are found', async t => {
	const folder = await filledJournal(t);
	const names = segmentNames(folder);
	const [first, second] = [join(folder, names[0]!), join(folder, names[1]!)];
	const [a, b] = [linesIn(first), linesIn(second)];
	write(first, [...a, b[0]!]);
	write(second, b.slice(1));
	t.like(await verify(folder), {ok: false, file: names[0], line: a.length + 1, reason: 'line_after_checkpoint'});
	write(first, a.slice(0, -1));
	write(second, [a.at(-1)!, ...b]);
	t.like(await verify(folder), {ok: false, file: names[0], reason: 'missing_checkpoint'});
});

test('a journal signed by another key, or without a public key, is not believed', async t => {
	const folder = await filledJournal(t);
	const {publicKey, close} = await openJournal({folder: freshFolder(t), segmentBytes: 1e6});
	await close();
	t.like(await verify(folder, {publicKey}), {ok: false, reason: 'wrong_key'});
	t.like(await verify(folder, {publicKey: readFileSync(join(folder, 'journal.pub'), 'utf8')}), {ok: true});
	unlinkSync(join(folder, 'journal.pub'));
	t.like(await verify(folder), {ok: false, reason: 'missing_public_key'});
});

test('whole lines cut off the end can only be found by one who knows the last record', async t => {
	const folder = await filledJournal(t);
	const whole = await verify(folder);
	if (!whole.ok) return t.fail();
	const expected = {seq: whole.lastSeq, hash: whole.lastHash};
	t.like(await verify(folder, {expected}), {ok: true});
	t.like(await verify(folder, {expected: {...expected, hash: 'f'.repeat(64)}}), {ok: false, reason: 'not_the_expected'});
	const file = join(folder, segmentNames(folder).at(-1)!);
	write(file, linesIn(file).slice(0, -2));
	t.like(await verify(folder), {ok: true, lastSeq: whole.lastSeq - 2});
	t.like(await verify(folder, {expected}), {ok: false, seq: whole.lastSeq - 2, reason: 'truncated'});
	for (const name of segmentNames(folder)) rmSync(join(folder, name));
	t.like(await verify(folder), {ok: false, reason: 'no_segments'});
});

/** One random change to one random segment's bytes; answers undefined when it is one of those that cannot be found. */
const tampered = (bytes: Buffer, next: () => number, last: boolean): {what: string; bytes: Buffer} | undefined => {
	const lines = bytes.toString('latin1').split(/(?<=\n)/);
	const pick = (below: number) => Math.floor(next() * below);
	const [i, j] = [pick(lines.length), pick(lines.length)];
	const joined = (what: string, changed: string[]) => ({what, bytes: Buffer.from(changed.join(''), 'latin1')});
	const kind = pick(5);
	if (kind === 0) {
		const [at, bit] = [pick(bytes.length), 1 << pick(8)];
		return {what: `bit ${bit} of byte ${at}`, bytes: bytes.with(at, bytes[at]! ^ bit) as Buffer};
	}
	if (kind === 1) return last && i === lines.length - 1 ? undefined : joined(`line ${i} dropped`, lines.toSpliced(i, 1));
	if (kind === 2) return i === j ? undefined : joined(`lines ${i} and ${j} swapped`, lines.with(i, lines[j]!).with(j, lines[i]!));
	if (kind === 3) return joined(`line ${i} again at ${j}`, lines.toSpliced(j, 0, lines[i]!));
	const at = pick(bytes.length);
	return last && (at === 0 || bytes[at - 1] === 10) ? undefined : {what: `cut at ${at}`, bytes: bytes.subarray(0, at)};
};

test('whatever is changed anywhere is found, except whole lines cut off the end', async t => {
	const folder = await filledJournal(t);
	const names = segmentNames(folder);
	const seed = Math.floor(Math.random() * 2 ** 31);
	const next = random(seed);
	let tried = 0;
	while (tried < 400) {
		const name = names[Math.floor(next() * names.length)]!;
		const good = readFileSync(join(folder, name));
		const change = tampered(good, next, name === names.at(-1));
		if (change === undefined || good.equals(change.bytes)) continue;
		tried += 1;
		writeFileSync(join(folder, name), change.bytes);
		const {ok} = await verify(folder);
		writeFileSync(join(folder, name), good);
		if (ok) return t.fail(`not found, seed ${seed}: ${name}, ${change.what}`);
	}
	t.like(await verify(folder), {ok: true});
});

const pythonVersion = (): string | undefined => {
	try {
		return execFileSync('python3', ['--version'], {encoding: 'utf8'});
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
		throw error;
	}
};

test('a verifier in another language, written from the format alone, agrees', async t => {
	if (pythonVersion() === undefined) {
		t.log('not checked: there is no python3 on this machine');
		return t.pass();
	}
	const python = (folder: string) =>
		promisify(execFile)('python3', [script, folder]).then(
			({stdout}) => stdout,
			({stderr}: {stderr: string}) => stderr,
		);
	const folder = await filledJournal(t);
	const good = await verify(folder);
	if (!good.ok) return t.fail();
	const verdict = await python(folder);
	t.regex(
		verdict,
		new RegExp(
			`^OK  ${good.records} records in ${good.segments} segments, signed up to ${good.signedSeq}, last hash ${good.lastHash}`,
			'm',
		),
	);
	const signaturesChecked = !verdict.includes('not checked');
	if (!signaturesChecked) t.log(verdict);
	const file = join(folder, segmentNames(folder)[1]!);
	const lines = linesIn(file);
	for (const [what, reason, tamper] of known) {
		if (reason === 'wrong_signature' && !signaturesChecked) continue;
		write(file, tamper(lines));
		t.regex(await python(folder), /^NOT OK {2}0-00000[23]/m, what);
	}
	write(file, lines);
	const journal = await openJournal({folder, segmentBytes: 1e6});
	await journal.append(exchange(1)).written;
	t.regex(await python(folder), /^OK/m, 'a segment still being written');
	await journal.close();
	unlinkSync(file);
	t.regex(await python(folder), /^NOT OK .*segments are missing/m);
});
