import test, {type ExecutionContext} from 'ava';
import {type HookEngine, hookEngine, type Seated} from './helpers/hook-engine.ts';

/** Identifies whoever has a token, and says in the id how often it has been asked. */
const doorkeeper = (more: Partial<Seated> = {}): Seated => ({
	name: 'doorkeeper',
	before: 'let asked = 0;',
	reads: {'pre-auth': ['credential.sha256', 'ip']},
	capabilities: ['kv'],
	grants: {kv: true},
	steady: true,
	hooks: `hooks: {'pre-auth': ({credential, ip}, {kv}) => {
		asked += 1;
		if (kv.get('closed') || credential.sha256 === undefined) return undefined;
		return identify({id: String(asked), tenant: credential.sha256 + '@' + ip, expiresAt: kv.get('expiresAt')});
	}}`,
	...more,
});

/** Who is there, as \`id tenant\`; nobody is undefined. */
const whoIs = async ({hooks, exchange}: HookEngine, sha256: string | undefined, ip = '192.0.2.1'): Promise<string | undefined> => {
	let found: string | undefined;
	const fields: Record<string, string | undefined> = {'credential.sha256': sha256, ip};
	await hooks.ask(
		'pre-auth',
		exchange(),
		path => fields[path],
		verdict => {
			if (verdict.verdict !== 'identify') return undefined;
			found = `${verdict.principal.id} ${verdict.principal.tenant}`;
			return 'end';
		},
	);
	return found;
};

const put = ({world}: HookEngine, entries: Record<string, string | null>) => world.kv.put('doorkeeper', entries);

test('whoever comes again with the same fields is not asked about again', async t => {
	const engine = await hookEngine(t, [doorkeeper()]);
	t.is(await whoIs(engine, 'a'), '1 a@192.0.2.1');
	t.is(await whoIs(engine, 'a'), '1 a@192.0.2.1');
	t.is(await whoIs(engine, 'b'), '2 b@192.0.2.1');
	t.is(await whoIs(engine, 'a', '192.0.2.2'), '3 a@192.0.2.2', 'another address is another question');
	t.is(await whoIs(engine, 'a'), '1 a@192.0.2.1');
});

test('one value never passes for two, nor nothing for an empty one', async t => {
	const engine = await hookEngine(t, [doorkeeper({reads: {'pre-auth': ['credential.sha256', 'ip', 'headers.x', 'headers.y']}})]);
	const seen = new Set<string>();
	const values = [undefined, '', 'a', 'aa'];
	for (const x of values)
		for (const y of values) {
			const fields: Record<string, string | undefined> = {'credential.sha256': 'k', ip: '', 'headers.x': x, 'headers.y': y};
			await engine.hooks.ask(
				'pre-auth',
				engine.exchange(),
				path => fields[path],
				verdict => {
					if (verdict.verdict === 'identify') seen.add(verdict.principal.id);
					return 'end';
				},
			);
		}
	t.is(seen.size, 16);
});

test("a change of the plugin's storage counts at the very next request, to shut out and to let in", async t => {
	const engine = await hookEngine(t, [doorkeeper()]);
	await whoIs(engine, 'a');
	await put(engine, {closed: 'true'});
	t.is(await whoIs(engine, 'a'), undefined);
	await put(engine, {closed: null});
	t.is(await whoIs(engine, 'a'), '3 a@192.0.2.1');
});

test('nobody is remembered beyond the end of what they came with', async t => {
	const engine = await hookEngine(t, [doorkeeper()]);
	const {clock} = engine;
	await put(engine, {expiresAt: String(clock.now + 1_000)});
	t.is(await whoIs(engine, 'a'), '1 a@192.0.2.1');
	clock.now += 999;
	t.is(await whoIs(engine, 'a'), '1 a@192.0.2.1');
	clock.now += 1;
	t.is(await whoIs(engine, 'a'), '2 a@192.0.2.1');
});

test('a plugin that does not say that it is steady is asked each time; so is one behind another', async t => {
	const asksEachTime = async (t: ExecutionContext, seated: Seated[], first: string, second: string) => {
		const engine = await hookEngine(t, seated);
		t.deepEqual([await whoIs(engine, 'a'), await whoIs(engine, 'a')], [`${first} a@192.0.2.1`, `${second} a@192.0.2.1`]);
	};
	await asksEachTime(t, [doorkeeper({steady: false})], '1', '2');
	const other: Seated = {name: 'other', reads: {'pre-auth': ['path']}, hooks: `hooks: {'pre-auth': () => undefined}`};
	await asksEachTime(t, [other, doorkeeper()], '1', '2');
});

test('a plugin that only observes is never taken at its word', async t => {
	const engine = await hookEngine(t, [doorkeeper({mode: 'observe'})]);
	t.is(await whoIs(engine, 'a'), undefined);
	t.is(await whoIs(engine, 'a'), undefined);
});

test('an answer that was under way while the storage changed is not kept', async t => {
	const slow = `hooks: {'pre-auth': async ({credential, ip}, {kv}) => {
		asked += 1;
		if (kv.get('closed')) return undefined;
		await kv.put({seen: asked});
		return identify({id: String(asked), tenant: credential.sha256 + '@' + ip});
	}}`;
	const engine = await hookEngine(t, [doorkeeper({hooks: slow})]);
	const first = whoIs(engine, 'a');
	await put(engine, {closed: 'true'});
	t.is(await first, '1 a@192.0.2.1');
	t.is(await whoIs(engine, 'a'), undefined);
});
