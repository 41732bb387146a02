import test from 'ava';
import type {Exchange} from '../core/exchange.ts';
import type {HookName} from '../schemas/hooks.ts';
import {hookEngine, type Seated} from './helpers/hook-engine.ts';

/** Says in the annotations what it saw of the model. */
const looks = (name: string, more: Partial<Seated> = {}): Seated => ({
	name,
	hooks: `hooks: {'pre-request': ({model}) => allow({annotate: {saw: model ?? 'nothing'}})}`,
	...more,
});
const says = (name: string, answer: string, more: Partial<Seated> = {}): Seated => ({
	name,
	hooks: `hooks: {'pre-request': ({model}) => (${answer})}`,
	...more,
});
const principal = {id: 'p', tenant: 'acme', team: 'acme/search', key: 'k-1', tags: [], accounts: []};

test('requests go down the list and responses come back up it', async t => {
	const both = (name: string): Seated => ({
		name,
		reads: {'pre-request': ['tags'], 'post-response': ['status']},
		hooks: `hooks: {'pre-request': ({tags}) => allow({tag: ['${name}' + tags.length]}), 'post-response': () => allow({tag: ['${name}']})}`,
	});
	const engine = await hookEngine(t, [both('one'), both('two'), both('three')]);
	const exchange = engine.exchange();
	await engine.ask('pre-request', exchange);
	t.deepEqual(exchange.tags, ['one0', 'two1', 'three2'], 'each sees the tags of those before');
	await engine.ask('post-response', exchange, {status: 200});
	t.deepEqual(exchange.tags.slice(3), ['three', 'two', 'one']);
});

test('a rewrite is seen by those behind it, and by nobody before', async t => {
	const engine = await hookEngine(t, [
		looks('one'),
		says('two', "rewrite({model: model + '-2'})"),
		looks('three'),
		says('four', "rewrite({model: model + '-4'})"),
		looks('five'),
	]);
	const exchange = engine.exchange({model: 'm'});
	t.deepEqual(await engine.ask('pre-request', exchange), ['two rewrite', 'four rewrite']);
	t.deepEqual(exchange.annotations, {'one.saw': 'm', 'three.saw': 'm-2', 'five.saw': 'm-2-4'});
});

test('a plugin in the scope of a model is asked where a rewrite brings that model, and not where it takes it away', async t => {
	const engine = await hookEngine(t, [
		looks('cheap', {when: {model: 'cheap'}}),
		says('moves', "rewrite({model: model === 'cheap' ? 'dear' : 'cheap'})"),
		looks('also-cheap', {when: {model: 'cheap'}}),
		looks('dear', {when: {model: ['de*', 'other']}}),
		looks('all'),
	]);
	const up = engine.exchange({model: 'cheap'});
	await engine.ask('pre-request', up);
	t.deepEqual(up.annotations, {'cheap.saw': 'cheap', 'dear.saw': 'dear', 'all.saw': 'dear'});
	const down = engine.exchange({model: 'dear'});
	await engine.ask('pre-request', down);
	t.deepEqual(down.annotations, {'also-cheap.saw': 'cheap', 'all.saw': 'cheap'});
});

test('a tag brings those behind it into scope', async t => {
	const engine = await hookEngine(t, [
		looks('before', {when: {tag: 'risky'}}),
		says('tags', "allow({tag: ['risky']})"),
		looks('behind', {when: {tag: 'risky'}}),
	]);
	const exchange = engine.exchange({model: 'm'});
	await engine.ask('pre-request', exchange);
	t.deepEqual(exchange.annotations, {'behind.saw': 'm'});
});

const scopes: [key: string, when: Seated['when'], fits: Partial<Exchange>, not: Partial<Exchange>][] = [
	['surface', {surface: 'openai'}, {}, {surface: 'anthropic'}],
	['operation', {operation: ['chat', 'messages']}, {operation: 'chat'}, {operation: 'embeddings'}],
	['model', {model: 'gpt-*'}, {model: 'gpt-4'}, {model: 'claude'}],
	['tenant', {tenant: 'acme'}, {principal}, {principal: {...principal, tenant: 'acme2'}}],
	['team', {team: 'acme/*'}, {principal}, {principal: {...principal, team: 'other/search'}}],
	['key', {key: ['k-1', 'k-2']}, {principal}, {principal: {...principal, key: undefined}}],
	['tag', {tag: 'a*'}, {tags: ['x', 'abc']}, {tags: ['x']}],
	['every part of it', {tenant: 'acme', model: 'm'}, {principal, model: 'm'}, {principal, model: 'n'}],
	['who is not known', {tenant: '*'}, {principal}, {principal: undefined}],
];
for (const [key, when, fits, not] of scopes) {
	test(`a plugin in the scope of ${key} is asked there and nowhere else`, async t => {
		const engine = await hookEngine(t, [looks('scoped', {when})]);
		const inside = engine.exchange({model: 'm', ...fits});
		await engine.ask('pre-request', inside);
		t.deepEqual(Object.keys(inside.annotations), ['scoped.saw']);
		t.true(engine.hooks.listens('pre-request', inside));
		const outside = engine.exchange({model: 'm', ...not});
		await engine.ask('pre-request', outside);
		t.deepEqual(outside.annotations, {});
		t.false(engine.hooks.listens('pre-request', outside));
	});
}

test('at pre-auth only the surface keeps a plugin out', async t => {
	const door = (name: string, when: Seated['when']): Seated => ({
		name,
		when,
		reads: {'pre-auth': ['credential.token']},
		hooks: `hooks: {'pre-auth': () => allow({annotate: {asked: true}})}`,
	});
	const engine = await hookEngine(t, [
		door('model', {model: 'other'}),
		door('surface', {surface: 'anthropic'}),
		door('both', {surface: 'openai', tenant: 'x'}),
	]);
	const exchange = engine.exchange();
	await engine.ask('pre-auth', exchange, {'credential.token': 'x'});
	t.deepEqual(Object.keys(exchange.annotations), ['model.asked', 'both.asked']);
});

test('the first plugin to identify a principal ends the search', async t => {
	const door = (name: string, answer: string): Seated => ({
		name,
		reads: {'pre-auth': ['credential.token']},
		hooks: `hooks: {'pre-auth': ({credential}) => (${answer})}`,
	});
	const known = (id: string) => `identify({id: '${id}', tenant: 't', tags: [], accounts: []})`;
	const engine = await hookEngine(
		t,
		[door('silent', 'undefined'), door('observed', known('seen')), door('first', known('first')), door('second', known('second'))].map(
			(one, index) => (index === 1 ? {...one, mode: 'observe'} : one),
		),
	);
	t.deepEqual(await engine.ask('pre-auth', engine.exchange(), {'credential.token': 'x'}), ['first identify']);
});

const tools: [what: string, when: Seated['when'], asked: boolean][] = [
	['the tool by its name', {tool: 'write_file'}, true],
	['the tool with its server', {tool: 'files/write_file'}, true],
	['tools that begin alike', {tool: 'files/wr*'}, true],
	['the server', {server: 'files'}, true],
	['another tool', {tool: 'read_file'}, false],
	['another server', {server: 'mail'}, false],
];
for (const [what, when, asked] of tools) {
	test(`at on-tool-call, the scope of ${what} ${asked ? 'is' : 'is not'} met`, async t => {
		const engine = await hookEngine(t, [
			{name: 'guard', when, reads: {'on-tool-call': ['tool.name']}, hooks: `hooks: {'on-tool-call': () => deny({message: 'no'})}`},
		]);
		const exchange = engine.exchange();
		const asking = () => engine.ask('on-tool-call', exchange, {'tool.name': 'write_file', 'tool.server': 'files'});
		t.true(engine.hooks.listens('on-tool-call', exchange), 'which tools come is not known beforehand');
		if (asked) await t.throwsAsync(asking, {code: 'denied'});
		else await t.notThrowsAsync(asking);
	});
}

test('a deny ends the list, and says which plugin and rule', async t => {
	const engine = await hookEngine(t, [
		looks('one'),
		says('two', "deny({message: 'Not this.', code: 'content_blocked', rule: 'r-1', retryAfterMs: 5})"),
		looks('three'),
	]);
	const exchange = engine.exchange({model: 'm'});
	await t.throwsAsync(engine.ask('pre-request', exchange), {code: 'content_blocked', message: 'Not this.'});
	t.deepEqual(Object.keys(exchange.annotations), ['one.saw']);
	t.deepEqual(exchange.rulings, [{plugin: 'two', hook: 'pre-request', verdict: 'deny', code: 'content_blocked', rule: 'r-1'}]);
});

test('a hold is a refusal that asks for an approval', async t => {
	const engine = await hookEngine(t, [says('holds', "({verdict: 'hold', approval: {reason: 'ask Anna'}})"), looks('never')]);
	await t.throwsAsync(engine.ask('pre-request', engine.exchange({model: 'm'})), {code: 'approval_required', message: /ask Anna/});
});

test("a response in the upstream's place ends the list", async t => {
	const engine = await hookEngine(t, [says('answers', "({verdict: 'respond', response: {text: 'hi'}})"), looks('never')]);
	const exchange = engine.exchange({model: 'm'});
	t.deepEqual(await engine.ask('pre-request', exchange), ['answers respond']);
	t.deepEqual(exchange.annotations, {});
});

test('a plugin that only observes is recorded, and nothing it says is carried out', async t => {
	const observes = (name: string, answer: string): Seated => says(name, answer, {mode: 'observe', capabilities: ['kv']});
	const engine = await hookEngine(t, [
		observes('denies', "deny({message: 'no', rule: 'r', annotate: {a: 1}, tag: ['t'], put: {k: 1}, carry: 'c'})"),
		observes('rewrites', "rewrite({model: 'other'}, {reserve: [{account: 'a', unit: 'tokens', amount: 1, limit: 0, window: 'day'}]})"),
		observes('allows', "allow({annotate: {a: 1}, tag: ['t'], put: {k: 1}})"),
		observes('throws', "(() => { throw new Error('x'); })()"),
		observes('garbage', "({verdict: 'nonsense'})"),
		looks('last'),
	]);
	const exchange = engine.exchange({model: 'm'});
	t.deepEqual(await engine.ask('pre-request', exchange), []);
	t.deepEqual(exchange.annotations, {'last.saw': 'm'});
	t.deepEqual(exchange.tags, []);
	t.is(exchange.carried.size, 0);
	for (const name of ['denies', 'allows']) t.deepEqual(engine.world.kv.all(name), {});
	t.deepEqual(exchange.rulings, [
		{plugin: 'denies', hook: 'pre-request', verdict: 'deny', code: 'denied', rule: 'r', mode: 'observe'},
		{plugin: 'rewrites', hook: 'pre-request', verdict: 'rewrite', mode: 'observe'},
		{plugin: 'throws', hook: 'pre-request', verdict: 'failed', mode: 'observe'},
		{plugin: 'garbage', hook: 'pre-request', verdict: 'failed', mode: 'observe'},
	]);
	t.is(engine.failures.length, 2);
});

test('a plugin that fails refuses, unless its failure may pass; then those behind it are asked', async t => {
	for (const failure of ["(() => { throw new Error('x'); })()", "({verdict: 'nonsense'})", '7', 'new Promise((_, no) => no(1))']) {
		const refusing = await hookEngine(t, [looks('one'), says('fails', failure), looks('three')]);
		await t.throwsAsync(refusing.ask('pre-request', refusing.exchange({model: 'm'})), {code: 'plugin_failed', message: /fails/});
		const passing = await hookEngine(t, [looks('one'), says('fails', failure, {onFailure: 'allow'}), looks('three')]);
		const exchange = passing.exchange({model: 'm'});
		t.deepEqual(await passing.ask('pre-request', exchange), []);
		t.deepEqual(Object.keys(exchange.annotations), ['one.saw', 'three.saw']);
		t.deepEqual(exchange.rulings, [{plugin: 'fails', hook: 'pre-request', verdict: 'failed'}]);
	}
});

test('what was set aside before a plugin that has to be stopped and may fail is set aside', async t => {
	const engine = await hookEngine(t, [
		says('budget', "allow({reserve: [{account: 'a', unit: 'tokens', amount: 10, limit: 100, window: 'day'}]})"),
		says('loops', '(() => { for (;;); })()', {onFailure: 'allow'}),
		says('second', "allow({reserve: [{account: 'b', unit: 'tokens', amount: 20, limit: 100, window: 'day'}]})"),
	]);
	await engine.ask('pre-request', engine.exchange({model: 'm'}));
	t.is(engine.ledger.balance('a', 'tokens', 'day').reserved, 10);
	t.is(engine.ledger.balance('b', 'tokens', 'day').reserved, 20);
});

const wrong: [what: string, answer: string][] = [
	['an unknown verdict', "({verdict: 'accept'})"],
	['an unknown key', "({verdict: 'allow', extra: 1})"],
	['a boolean', 'true'],
	['a verdict of another hook', "({verdict: 'identify', principal: {id: 'x', tenant: 't', tags: [], accounts: []}})"],
	['a deny without a message', "({verdict: 'deny'})"],
	['a code that is not for plugins', "({verdict: 'deny', message: 'x', code: 'internal'})"],
	['a negative amount', "allow({reserve: [{account: 'a', unit: 'tokens', amount: -1, limit: 5, window: 'day'}]})"],
	[
		'a time zone that is none',
		"allow({reserve: [{account: 'a', unit: 'tokens', amount: 1, limit: 5, window: 'day', timeZone: 'Mars/Olympus'}]})",
	],
	['a rewrite that lets pass by its words', "({verdict: 'rewrite', patch: {model: 1}})"],
	['an annotation that is an object', 'allow({annotate: {a: {}}})'],
	['a carry that is not text', 'allow({carry: {}})'],
	[
		'values nested deeper than a check can follow',
		'(() => { let deep = 1; for (let at = 0; at < 3_000; at++) deep = [deep]; return allow({put: {deep}}); })()',
	],
];
for (const [what, answer] of wrong) {
	test(`a plugin that answers ${what} has failed, and nothing of it is carried out`, async t => {
		const engine = await hookEngine(t, [says('wrong', answer), looks('never')]);
		const exchange = engine.exchange({model: 'm'});
		if (what.includes('deeper')) {
			// Whether the stack suffices is the machine's affair; that it ends in words is ours.
			await engine.ask('pre-request', exchange).catch(error => t.is(error.code, 'plugin_failed'));
			t.pass();
			return;
		}
		await t.throwsAsync(engine.ask('pre-request', exchange), {code: 'plugin_failed'});
		t.deepEqual(exchange.annotations, {});
		t.is(exchange.carried.size, 0);
	});
}

test('every hook refuses garbage of its own, and on-audit refuses nothing', async t => {
	const names: [HookName, string][] = [
		['pre-auth', 'method'],
		['pre-request', 'model'],
		['on-tool-call', 'tool.name'],
		['post-response', 'status'],
		['on-audit', 'record.model'],
	];
	for (const [hook, path] of names) {
		const engine = await hookEngine(t, [
			{name: 'wrong', reads: {[hook]: [path]}, hooks: `hooks: {'${hook}': () => ({verdict: 'nonsense'})}`},
		]);
		const asking = engine.ask(hook, engine.exchange());
		if (hook === 'on-audit') t.deepEqual(await asking, []);
		else await t.throwsAsync(asking, {code: 'plugin_failed'});
		t.is(engine.failures.length, 1);
	}
});
