import test, {type ExecutionContext} from 'ava';
import {pino} from 'pino';
import {openPush} from '../core/mcp/push.ts';
import {openShared} from '../core/mcp/shared.ts';
import type {Stream} from '../core/mcp/stream.ts';
import {openKv} from '../core/store/kv.ts';
import {temporaryStore} from './helpers/temporary-store.ts';

const start = async (t: ExecutionContext, mostChars: number) => {
	const {store} = await temporaryStore(t);
	const kv = await openKv(store);
	const shared = openShared(kv, pino({level: 'silent'}), mostChars);
	t.teardown(shared.close);
	const charsHeld = () => Object.entries(kv.all('core.mcp')).reduce((sum, [key, text]) => sum + key.length + text.length, 0);
	return {shared, charsHeld};
};

const dayMs = 86_400_000;

test('whoever has others remember more and more loses its own rows first, and no ended session is alive again', async t => {
	const {shared, charsHeld} = await start(t, 100_000);
	shared.put('ended', 'an-ended-session', '', dayMs);
	shared.put('level', 'a-session', 'error', dayMs);
	shared.put('watch', 'a-session', JSON.stringify([{server: 'one', uri: 'note://mine'}]), dayMs);
	for (let count = 0; count < 100; count++) shared.put('watch', `greedy-${count}`, 'x'.repeat(20_000), dayMs);
	t.true(charsHeld() < 120_000, `${charsHeld()} characters`);
	t.is(shared.get('ended', 'an-ended-session'), '');
	t.is(shared.get('level', 'a-session'), 'error');
	t.regex(shared.get('watch', 'a-session') ?? '', /note:\/\/mine/);
	for (let count = 0; count < 100; count++) shared.drop('watch', `greedy-${count}`);
	shared.put('watch', 'later', 'z'.repeat(90_000), dayMs);
	t.is(shared.get('watch', 'later')?.length, 90_000, 'what is gone is counted no more');
});

test('an answer that is too large for every process to hear is told to be so', async t => {
	const {shared} = await start(t, 10_000_000);
	const heard: string[] = [];
	shared.onChange('answer', (_, value) => void heard.push(value ?? ''));
	const secret = Buffer.alloc(32, 1);
	const asking = openPush(secret, {...shared, onChange: () => undefined});
	const sent: string[] = [];
	const nothing = (): void => undefined;
	const stream: Stream = {
		...{begun: true, begin: nothing, end: nothing, close: nothing, comment: nothing, part: nothing, left: () => false},
		...{answer: nothing, unread: () => 0},
		send: message => sent.push(JSON.stringify(message)) > 0,
	};
	const {answer, over} = asking.ask(stream, 'session:a', {method: 'elicitation/create', params: {}});
	const {id} = JSON.parse(sent[0]!) as {id: string};
	const elsewhere = openPush(secret, {...shared, onChange: () => undefined});
	elsewhere.answered('session:b', id, {result: {text: 'not its own'}});
	t.deepEqual(heard, []);
	elsewhere.answered('session:a', id, {result: {text: 'x'.repeat(2_000_000)}});
	t.is(heard.length, 1);
	t.true(heard[0]!.length < 200);
	over();
	await t.throwsAsync(answer, {code: 'client_closed'});
});
