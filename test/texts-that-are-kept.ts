import {mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openKeptTexts} from '../core/plugins/kept-texts.ts';

const longAgo = new Date('2026-01-01T00:00:00Z');

const settled = (path: string, text: string): void => {
	writeFileSync(path, text);
	utimesSync(path, longAgo, longAgo);
};

/** Two files and a text made of both; `starts` is a process that begins, and says how often it had to make the text. */
const placed = (t: ExecutionContext) => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-kept-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	const place = join(folder, 'kept');
	const one = join(folder, 'one.txt');
	const two = join(folder, 'two.txt');
	settled(one, 'one');
	settled(two, 'two');
	const start = async (name = 'both', during = () => {}) => {
		let made = 0;
		const text = await openKeptTexts(folder, place)(name, async () => {
			made += 1;
			const parts = [readFileSync(one, 'utf8'), readFileSync(two, 'utf8')];
			during();
			return {text: parts.join(' '), files: ['one.txt', 'two.txt']};
		});
		return {text, made};
	};
	return {folder, place, one, two, start};
};

test('what was made once is used again by the next start', async t => {
	const {start, place} = placed(t);
	t.deepEqual(await start(), {text: 'one two', made: 1});
	t.deepEqual(await start(), {text: 'one two', made: 0});
	t.is(readdirSync(place).length, 1);
});

test('a change of any file is seen, though its length and its time are what they were', async t => {
	const {start, one, two} = placed(t);
	await start();
	settled(two, 'too');
	t.deepEqual(await start(), {text: 'one too', made: 1});
	settled(one, 'eno');
	t.deepEqual(await start(), {text: 'eno too', made: 1});
	t.is((await start()).made, 0);
});

test('a change is seen within a process, too', async t => {
	const {folder, place, one} = placed(t);
	const kept = openKeptTexts(folder, place);
	const make = async () => ({text: readFileSync(one, 'utf8'), files: ['one.txt']});
	t.is(await kept('one', make), 'one');
	writeFileSync(one, 'changed');
	t.is(await kept('one', make), 'changed');
});

test('a file that changes while it is read is not vouched for', async t => {
	const {start, one} = placed(t);
	const during = () => writeFileSync(one, 'late');
	t.deepEqual(await start('both', during), {text: 'one two', made: 1});
	t.deepEqual(await start(), {text: 'late two', made: 1});
});

test('a file that is gone is missed by whoever makes the text', async t => {
	const {start, two} = placed(t);
	await start();
	rmSync(two);
	await t.throwsAsync(start(), {code: 'ENOENT'});
});

test('what is kept under another name is another text', async t => {
	const {start} = placed(t);
	await start('both');
	t.is((await start('both, smaller')).made, 1);
});

test('a kept text that was cut off or overwritten is made again', async t => {
	const {start, place} = placed(t);
	await start();
	for (const rubbish of ['', '{"text":"ev', '[]', 'null', '{"text":1}', '{"text":"evil"}']) {
		for (const file of readdirSync(place)) writeFileSync(join(place, file), rubbish);
		t.deepEqual(await start(), {text: 'one two', made: 1}, rubbish);
	}
});

test('where nothing can be written the text is made each time', async t => {
	const {start, place} = placed(t);
	writeFileSync(place, 'a file in the place of the folder');
	t.deepEqual(await start(), {text: 'one two', made: 1});
	t.deepEqual(await start(), {text: 'one two', made: 1});
});
