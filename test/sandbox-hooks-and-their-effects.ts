import test from 'ava';
import {hookEngine, type Seated} from './helpers/hook-engine.ts';

const says = (name: string, answer: string, more: Partial<Seated> = {}): Seated => ({
	name,
	hooks: `hooks: {'pre-request': ({model}) => (${answer})}`,
	...more,
});
const audits = (name: string, answer: string, more: Partial<Seated> = {}): Seated => ({
	name,
	reads: {'on-audit': ['record.model']},
	hooks: `hooks: {'on-audit': ({record}) => (${answer})}`,
	...more,
});
const others = "annotate: {a: 1}, tag: ['t'], put: {k: 1}, carry: 'c'";
const reserve = (account: string, amount: number, limit: number) =>
	`{account: '${account}', unit: 'tokens', amount: ${amount}, limit: ${limit}, window: 'day'}`;

test('one account that is short, and nothing of that verdict happens', async t => {
	const engine = await hookEngine(t, [
		says('budget', `allow({reserve: [${reserve('wide', 10, 100)}, ${reserve('tight', 10, 5)}], orElse: 'rate_limited', ${others}})`, {
			capabilities: ['kv'],
		}),
	]);
	const exchange = engine.exchange({model: 'm'});
	await t.throwsAsync(engine.ask('pre-request', exchange), {code: 'rate_limited', message: /tight/});
	t.deepEqual(exchange.annotations, {});
	t.deepEqual(exchange.tags, []);
	t.is(exchange.carried.size, 0);
	t.is(exchange.held.size, 0);
	t.deepEqual(engine.world.kv.all('budget'), {});
	for (const account of ['wide', 'tight']) t.is(engine.ledger.balance(account, 'tokens', 'day').reserved, 0);
});

test('two verdicts in one crossing: the first stands where the second is short', async t => {
	const engine = await hookEngine(t, [
		says('one', `allow({reserve: [${reserve('a', 10, 100)}], annotate: {a: 1}})`),
		says('two', `allow({reserve: [${reserve('b', 10, 5)}], annotate: {b: 1}})`),
		says('three', `allow({reserve: [${reserve('c', 10, 100)}], annotate: {c: 1}})`),
	]);
	const exchange = engine.exchange({model: 'm'});
	await t.throwsAsync(engine.ask('pre-request', exchange), {code: 'budget_exceeded'});
	t.deepEqual(exchange.annotations, {'one.a': 1});
	t.deepEqual([...exchange.held.keys()], ['one'], 'the exchange holds what it has to give back, and no more');
	t.is(engine.ledger.balance('c', 'tokens', 'day').reserved, 0);
});

test('effects of a deny are carried out before it refuses', async t => {
	const engine = await hookEngine(t, [says('denies', `deny({message: 'no', ${others}})`, {capabilities: ['kv']})]);
	const exchange = engine.exchange({model: 'm'});
	await t.throwsAsync(engine.ask('pre-request', exchange), {code: 'denied'});
	t.deepEqual(exchange.annotations, {'denies.a': 1});
	t.deepEqual(engine.world.kv.all('denies'), {k: '1'});
});

test('what one plugin carries is handed back to it alone', async t => {
	const carrying = (name: string): Seated => ({
		name,
		reads: {'pre-request': ['model'], 'post-response': ['status', 'carried']},
		hooks: `hooks: {'pre-request': ({model}) => allow({carry: '${name} of ' + model}), 'post-response': ({carried}) => allow({annotate: {carried: carried ?? 'nothing'}})}`,
	});
	const nosy: Seated = {
		name: 'nosy',
		reads: {'post-response': ['carried']},
		hooks: `hooks: {'post-response': input => allow({annotate: {all: JSON.stringify(input)}})}`,
	};
	const engine = await hookEngine(t, [carrying('one'), nosy, carrying('two')]);
	const [first, second] = [engine.exchange({model: 'm1'}), engine.exchange({model: 'm2'})];
	await Promise.all([engine.ask('pre-request', first), engine.ask('pre-request', second)]);
	await Promise.all([engine.ask('post-response', first, {status: 200}), engine.ask('post-response', second, {status: 200})]);
	t.deepEqual(first.annotations, {'two.carried': 'two of m1', 'nosy.all': '{}', 'one.carried': 'one of m1'});
	t.deepEqual(second.annotations, {'two.carried': 'two of m2', 'nosy.all': '{}', 'one.carried': 'one of m2'});
});

test('at on-audit everyone is asked at once; a failure and a deny of one keep nobody else out, and refuse nothing', async t => {
	const engine = await hookEngine(t, [
		audits('throws', "(() => { throw new Error('x'); })()"),
		audits('denies', "deny({message: 'no'})"),
		audits('redacts', "redact(['ip', 'annotations.a.b'])"),
		audits('notes', 'allow({annotate: {model: record.model}, put: {seen: record.model}})'),
		audits('spends', `allow({reserve: [${reserve('a', 10, 100)}], settle: {tokens: 5}, tag: ['late'], carry: 'x'})`),
		audits('observes', "redact(['path'])", {mode: 'observe'}),
		audits('silent', 'undefined'),
	]);
	const exchange = engine.exchange();
	t.deepEqual(await engine.ask('on-audit', exchange, {'record.model': '"m"'}), ['redacts redact']);
	t.deepEqual(exchange.annotations, {'notes.model': 'm'});
	t.deepEqual(engine.world.kv.all('notes'), {seen: '"m"'});
	t.deepEqual(exchange.tags, []);
	t.is(engine.ledger.balance('a', 'tokens', 'day').reserved, 0, 'money is settled by then');
	t.deepEqual(
		exchange.rulings.map(({plugin, verdict, mode}) => [plugin, verdict, mode]),
		[
			['throws', 'failed', undefined],
			['denies', 'failed', undefined],
			['redacts', 'redact', undefined],
			['observes', 'redact', 'observe'],
		],
	);
	t.is(engine.failures.length, 2);
});

test('a verdict that came twice is one text, and no exchange can change it for another', async t => {
	const engine = await hookEngine(t, [says('rewrites', 'rewrite({params: {metadata: {list: [1]}}})')]);
	const seen: unknown[] = [];
	for (let turn = 0; turn < 2; turn++) {
		await engine.hooks.ask(
			'pre-request',
			engine.exchange({model: 'm'}),
			() => 'm',
			verdict => {
				if (verdict.verdict !== 'rewrite') return;
				const {params = {}} = verdict.patch;
				t.false(Reflect.set(params, 'more', 1));
				t.false(Reflect.set(params.metadata as object, 'list', 1));
				seen.push(params);
			},
		);
	}
	t.deepEqual(seen, [{metadata: {list: [1]}}, {metadata: {list: [1]}}]);
});
