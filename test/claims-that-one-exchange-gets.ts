import test from 'ava';
import {openHolds} from '../core/holds.ts';
import {hookEngine, type Seated} from './helpers/hook-engine.ts';

const reads = {'pre-request': ['model', 'lostClaim'], 'post-response': ['outcome']};
const later = Date.now() + 3_600_000;

const claims = (answer: string, more: Partial<Seated> = {}): Seated => ({
	name: 'claims',
	reads,
	capabilities: ['kv'],
	hooks: `hooks: {'pre-request': ({model, lostClaim}) => (${answer}), 'post-response': () => allow({claim: {name: 'x', until: ${later}}})}`,
	...more,
});
const counts: Seated = {name: 'behind', hooks: "hooks: {'pre-request': ({model}) => allow({annotate: {saw: model}})}"};

test('a claim is granted to one exchange; the other is asked again, and those behind are asked once it is known', async t => {
	const answer = `lostClaim ? deny({message: 'lost ' + lostClaim}) : allow({claim: {name: 'one', until: ${later}}, annotate: {got: true}, put: {k: model}})`;
	const engine = await hookEngine(t, [claims(answer), counts]);
	const exchanges = ['a', 'b', 'c'].map(model => engine.exchange({model}));
	const ended = await Promise.allSettled(exchanges.map(exchange => engine.ask('pre-request', exchange)));
	t.deepEqual(ended.map(({status}) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
	for (const [at, {annotations}] of exchanges.entries()) {
		const {model} = exchanges[at]!;
		const isGranted = ended[at]!.status === 'fulfilled';
		t.deepEqual(annotations, isGranted ? {'claims.got': true, 'behind.saw': model!} : {}, 'or nothing of that verdict happens');
		if (isGranted) t.deepEqual(engine.world.kv.all('claims'), {k: JSON.stringify(model)});
		else t.regex(String((ended[at] as PromiseRejectedResult).reason), /lost one/);
	}
});

test('whoever claims again what it has lost does not come to an end, and is refused', async t => {
	const engine = await hookEngine(t, [claims(`allow({claim: {name: 'one', until: ${later}}})`)]);
	await engine.ask('pre-request', engine.exchange({model: 'a'}));
	await t.throwsAsync(engine.ask('pre-request', engine.exchange({model: 'b'})), {code: 'plugin_failed'});
});

test('a claim that is over, or where nobody can be asked again, is a failure', async t => {
	const engine = await hookEngine(t, [claims("allow({claim: {name: 'one', until: 1}})")]);
	await t.throwsAsync(engine.ask('pre-request', engine.exchange({model: 'a'})), {code: 'plugin_failed'});
	await t.throwsAsync(engine.ask('post-response', engine.exchange({model: 'a'}), {outcome: 'ok'}), {code: 'plugin_failed'});
	t.is(engine.failures.length, 2);
});

test('a plugin that only observes claims nothing', async t => {
	const engine = await hookEngine(t, [claims(`allow({claim: {name: 'one', until: ${later}}})`, {mode: 'observe'})]);
	for (const model of ['a', 'b']) await t.notThrowsAsync(engine.ask('pre-request', engine.exchange({model})));
	t.true(await engine.world.store.once('claim:claims:one', later));
});

test('a place to wait tells what changed since it was last asked, and only of its own keys', async t => {
	const engine = await hookEngine(t, []);
	const holds = openHolds({held: 2, heldPerKey: 2});
	const exchange = engine.exchange({model: 'a'});
	const hold = holds.open(exchange, 'votes', 60_000)!;
	t.true(hold.watch('vote:1:'));
	t.false(hold.watch('vote:1:'));
	holds.changed('others', {'vote:1:a': '1'});
	holds.changed('votes', {'vote:2:a': '1'});
	let isTold = false;
	const told = hold.next().then(why => {
		isTold = true;
		return why;
	});
	await new Promise(setImmediate);
	t.false(isTold);
	holds.changed('votes', {x: '1', 'vote:1:b': null});
	t.is(await told, 'changed');
	holds.changed('votes', {'vote:1:c': '1'});
	holds.changed('votes', {'vote:1:d': '1'});
	t.is(await hold.next(), 'changed', 'also what changed while nobody waited, once');

	const second = holds.open(engine.exchange({model: 'b'}), 'votes', 60_000)!;
	t.is(holds.open(engine.exchange({model: 'c'}), 'votes', 60_000), undefined, 'no more than may');
	holds.close();
	t.is(await hold.next(), 'over');
	t.is(await second.next(), 'over');
	hold.end();
	second.end();
	t.is(holds.size(), 0);
	t.is(holds.open(exchange, 'votes', 60_000), undefined, 'a gateway that stops');
});

test('an exchange that is cut, or whose client leaves, waits no more, and whoever else was to hear of it does', async t => {
	const engine = await hookEngine(t, []);
	const holds = openHolds({held: 2, heldPerKey: 2});
	const heard: string[] = [];
	const waiting = {left: false, onLeft: () => void heard.push('left')};
	const exchange = engine.exchange({waiting, cut: () => void heard.push('cut')});
	const {cut} = exchange;
	const hold = holds.open(exchange, 'votes', 60_000)!;
	const next = hold.next();
	waiting.left = true;
	waiting.onLeft();
	await t.throwsAsync(next, {code: 'client_closed'});
	exchange.cut!(new Error('ended') as never);
	await t.throwsAsync(hold.next(), {code: 'client_closed'}, 'the first reason stands');
	t.deepEqual(heard, ['left', 'cut']);
	hold.end();
	t.is(exchange.cut, cut);
	const gone = holds.open(exchange, 'votes', 60_000)!;
	await t.throwsAsync(gone.next(), {code: 'client_closed'});
	gone.end();
});
