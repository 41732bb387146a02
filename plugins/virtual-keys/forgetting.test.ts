import {createHash} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Shown = {id: string; key: string};
const noon = Date.parse('2026-11-22T12:00:00Z');

const start = async (t: ExecutionContext) => {
	const clock = {now: noon};
	const plugin = await startPlugin(import.meta.url, {now: () => clock.now});
	t.teardown(plugin.close);
	const act = (name: string, input?: object) => plugin.act(name, input, 'olga') as Promise<Shown>;
	const show = ({key}: Shown) =>
		plugin.ask('pre-auth', {credential: {sha256: createHash('sha256').update(key).digest('hex')}, ip: '10.1.1.1'});
	return {plugin, act, show, clock};
};

test('a thousand children are enough, until some of them have ended; theirs are forgotten after them', async t => {
	const {plugin, act, show, clock} = await start(t);
	const parent = await act('create', {mayMint: 3});
	const short = await act('mint', {parent: parent.id, ttlSeconds: 60, mayMint: 2});
	const ofShort = await act('mint', {parent: short.id, mayMint: true, metadata: {run: 1}});
	const last = await act('mint', {parent: ofShort.id});
	await act('block', {id: last.id});
	await Promise.all(Array.from({length: 60}, () => act('mint', {parent: short.id})));
	for (let batch = 0; batch < 9; batch++)
		await Promise.all(Array.from({length: 111}, () => act('mint', {parent: parent.id, ttlSeconds: 600})));
	await t.throwsAsync(act('mint', {parent: parent.id}), {code: 'conflict'});
	clock.now += 60_000;
	t.like(await act('mint', {parent: parent.id}), {parent: parent.id});
	t.is(await show(short), undefined);
	t.like(await show(ofShort), {verdict: 'deny', code: 'unauthenticated'});
	t.false(JSON.stringify(plugin.kv()).includes(`"id:${short.id}"`));
	const other = await act('create', {mayMint: true});
	for (let turn = 0; turn < 6; turn++) await act('mint', {parent: other.id});
	const rows = JSON.stringify(plugin.kv());
	for (const [whose, {id}] of Object.entries({short, ofShort, last})) t.false(rows.includes(id), `of ${whose} something is kept`);
	t.is(Object.keys(plugin.kv()).filter(row => row.startsWith('id:')).length, 1_000 + 1 + 1 + 6);
	t.is(await show(last), undefined);
	clock.now += 600_000;
	t.like(await act('mint', {parent: parent.id}), {parent: parent.id}, 'nearly all of them have ended at once');
});
