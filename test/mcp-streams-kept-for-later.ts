import test from 'ava';
import {openReplays} from '../core/mcp/replay.ts';

const nothing = (): void => undefined;
const megabyte = 'x'.repeat(1_048_576);

test('what is kept for clients that may come back is bounded over all sessions: the oldest streams go first', t => {
	const replays = openReplays();
	const first: string[] = [];
	for (let session = 0; session < 100; session++) {
		const kept = replays.open(`session:${session}`, nothing);
		first.push(kept.add(megabyte));
		kept.end();
	}
	const streamOf = (id: string): string => `${id.split('.')[0]}.0`;
	const found = first.filter((id, session) => replays.follow(`session:${session}`, streamOf(id), {message: nothing, end: nothing}));
	t.true(found.length > 0 && found.length <= 64, `${found.length} MB`);
	t.is(found.at(-1), first.at(-1), 'the last one is there');
});

test('a stream that had to make room goes on for whoever reads it', t => {
	const replays = openReplays();
	const kept = replays.open('session:a', nothing);
	const id = kept.add('one');
	const read: string[] = [];
	replays.follow('session:a', id, {message: text => read.push(text), end: () => read.push('end')});
	for (let session = 0; session < 70; session++) replays.open(`session:${session}`, nothing).add(megabyte);
	t.is(replays.follow('session:a', id, {message: nothing, end: nothing}), undefined);
	kept.add('two');
	kept.end();
	t.deepEqual(read, ['two', 'end']);
});

test('a call whose client cannot come back any more ends at once', t => {
	const replays = openReplays();
	let lost = 0;
	const open = () => replays.open('session:a', () => lost++);
	const kept = open();
	kept.add('one');
	kept.left();
	open().add('read by its client all the time');
	for (let session = 0; session < 70; session++) replays.open(`session:${session}`, nothing).add(megabyte);
	t.is(lost, 1);
});

test('an answer that leaves no room for what was said before it is there for whoever saw that, and for whoever did not', t => {
	const replays = openReplays();
	const kept = replays.open('session:a', nothing);
	const seen = [kept.add('one'), kept.add('two')];
	const answer = kept.add(megabyte);
	kept.end();
	const streamId = answer.split('.')[0]!;
	const after = (id: string): string[] | undefined => {
		const read: string[] = [];
		return replays.follow('session:a', id, {message: (text, own) => read.push(`${own} ${text.length}`), end: nothing}) && read;
	};
	for (const id of [`${streamId}.0`, ...seen]) t.deepEqual(after(id), [`${answer} ${megabyte.length}`], id);
	t.deepEqual(after(answer), []);
	for (const id of ['', streamId, `${streamId}.`, `${streamId}.4`, `${streamId}.x`, `${streamId}.-1`, `${streamId}.1e1`, 'x.0'])
		t.is(after(id), undefined, id);
});
