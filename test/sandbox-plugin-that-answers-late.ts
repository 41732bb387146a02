import test from 'ava';
import {inlineWorld, neighbour, saw} from './helpers/inline-world.ts';

const until = async (done: () => boolean): Promise<void> => {
	while (!done()) await new Promise(resolve => setTimeout(resolve, 20));
};

test.serial('a plugin that never settles fails after its timeout, and its isolate is replaced', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			hooks:
				"hooks: {'pre-request': ({model}) => (model === 'attack' ? new Promise(() => undefined) : allow({annotate: {villain: 'saw ' + model}}))}",
			limits: {timeoutMs: 50},
		},
		neighbour('two'),
	]);
	const [said] = await world.ask('pre-request', {model: 'attack'});
	t.like(said, {plugin: 'villain', kind: 'F'});
	t.regex(said!.body, /did not answer in time/);
	await until(() => world.told.length > 0);
	t.like(world.told[0], {plugin: 'villain', what: 'stopped'});
	t.is((await world.ask('pre-request', {model: 'm'})).length, 2);
});

test.serial('an answer that comes late is dropped, and the isolate stays', async t => {
	const late: ((value: {status: number; headers: Record<string, string>; body: string}) => void)[] = [];
	const world = await inlineWorld(
		t,
		[
			{
				name: 'slow',
				hooks:
					"hooks: {'pre-request': async ({model}, {http}) => { await http.fetch({url: 'http://a.example/'}); return {verdict: 'deny', message: 'late ' + model}; }}",
				capabilities: ['http'],
				grants: {http: ['a.example']},
				limits: {timeoutMs: 50},
			},
			neighbour('two'),
		],
		{http: () => new Promise(resolve => void late.push(resolve))},
	);
	const [said] = await world.ask('pre-request', {model: 'm1'});
	t.is(said!.kind, 'F');
	late[0]!({status: 200, headers: {}, body: ''});
	const second = world.ask('pre-request', {model: 'm2'});
	await until(() => late.length === 2);
	late[1]!({status: 200, headers: {}, body: ''});
	t.is((await second)[0]!.body, '{"verdict":"deny","message":"late m2"}', 'the late answer is not taken for the next one');
	await new Promise(resolve => setTimeout(resolve, 1_200));
	t.deepEqual(world.told, []);
});

test.serial('an action has a time of its own, longer or shorter than that of a hook', async t => {
	const slow = (name: string, limits: Record<string, number>) => ({
		name,
		hooks: `hooks: {'pre-request': () => undefined}, actions: {go: {description: '', input: {safeParse: data => ({success: true, data})},
			run: async (input, {http}) => (await http.fetch({url: 'http://a.example/'})).value.status}}`,
		capabilities: ['http'],
		grants: {http: ['a.example']},
		limits,
	});
	const world = await inlineWorld(
		t,
		[slow('patient', {timeoutMs: 50, actionMs: 60_000}), slow('hasty', {timeoutMs: 60_000, actionMs: 50})],
		{
			http: () => new Promise(resolve => setTimeout(resolve, 300, {status: 200, headers: {}, body: ''})),
		},
	);
	t.is(await world.tier.act('patient', 'go', '{}', '{}'), '200');
	await t.throwsAsync(world.tier.act('hasty', 'go', '{}', '{}'), {code: 'plugin_failed', message: /did not answer in time/});
});

test.serial('the members behind one that answers later are asked, and see a deny', async t => {
	const later = (name: string, answer: string) => ({
		name,
		hooks: `hooks: {'pre-request': async ({model}, {kv}) => { await kv.put({x: 1}); return ${answer}; }}`,
		capabilities: ['kv'],
	});
	const world = await inlineWorld(t, [
		later('nothing', 'undefined'),
		later('allows', 'allow({annotate: {allows: model}})'),
		neighbour('two'),
		later('denies', "deny({message: 'no'})"),
		neighbour('never'),
	]);
	t.deepEqual(
		(await world.ask('pre-request', {model: 'm'})).map(({plugin, kind}) => `${plugin} ${kind}`),
		['allows A', 'two A', 'denies S'],
	);
});

test.serial('where everyone is asked, a fall, a quarantine and a late answer keep nobody from being asked', async t => {
	const auditing = (name: string, code: string) => ({
		name,
		hooks: `hooks: {'on-audit': async ({record}, {kv}) => { ${code} }}`,
		reads: {'on-audit': ['record.model']},
		capabilities: ['kv'],
		limits: {timeoutMs: name === 'late' ? 100 : 1_000},
	});
	const world = await inlineWorld(t, [
		auditing('one', 'return allow({annotate: {one: record.model}});'),
		auditing('loops', 'for (;;);'),
		auditing('two', 'await kv.put({x: 1}); return allow({annotate: {two: record.model}});'),
		auditing('late', 'return new Promise(() => undefined);'),
		auditing('three', 'return allow({annotate: {three: record.model}});'),
	]);
	for (let round = 0; round < 5; round++) {
		const answers = await world.ask('on-audit', {'record.model': '"m"'});
		t.deepEqual(
			answers.map(({plugin, kind}) => `${plugin} ${kind}`),
			['one A', 'loops F', 'two A', 'late F', 'three A'],
		);
	}
	t.true(world.told.some(({plugin, what}) => plugin === 'loops' && what === 'quarantined'));
});

test.serial('three stops within a minute quarantine a plugin, and it comes back after its pause', async t => {
	let now = 1_000_000;
	const world = await inlineWorld(
		t,
		[
			neighbour('one'),
			{
				name: 'villain',
				hooks:
					"hooks: {'pre-request': ({model}) => { if (model === 'attack') for (;;); return allow({annotate: {villain: 'saw ' + model}}); }}, actions: {go: {description: '', input: {safeParse: data => ({success: true, data})}, run: () => 'done'}}",
			},
			neighbour('two'),
		],
		{now: () => now},
	);
	const attack = async () => (await world.ask('pre-request', {model: 'attack'})).at(-1)!;
	await attack();
	now += 61_000;
	for (let stop = 0; stop < 2; stop++) await attack();
	t.false(
		world.told.some(({what}) => what === 'quarantined'),
		'the first was more than a minute ago',
	);
	await attack();
	t.deepEqual(world.told.at(-1), {plugin: 'villain', what: 'quarantined', reason: 'it ran longer than limits.cpuMs'});

	const answers = await world.ask('pre-request', {model: 'm'});
	t.deepEqual(
		answers.map(({plugin, kind}) => `${plugin} ${kind}`),
		['one A', 'villain F'],
	);
	t.regex(answers[1]!.body, /quarantined/);
	await t.throwsAsync(world.tier.act('villain', 'go', '{}', '{}'), {code: 'plugin_failed', message: /quarantined/});
	t.is(await world.askOne('two', {model: 'm'}), saw('two', 'm'));

	now += 10_001;
	t.is((await world.ask('pre-request', {model: 'm'})).length, 3);
	t.like(world.told.at(-1), {plugin: 'villain', what: 'back'});
	t.is(await world.tier.act('villain', 'go', '{}', '{}'), '"done"');

	for (let stop = 0; stop < 3; stop++) await attack();
	now += 10_001;
	t.is((await world.ask('pre-request', {model: 'm'})).length, 2, 'the second pause is longer');
	now += 10_000;
	t.is((await world.ask('pre-request', {model: 'm'})).length, 3);
});

test.serial('an error that a plugin throws, however often, does not quarantine it', async t => {
	const world = await inlineWorld(t, [{name: 'villain', hooks: "hooks: {'pre-request': () => { throw new Error('x'); }}"}]);
	for (let turn = 0; turn < 20; turn++) t.true((await world.askOne('villain')).startsWith('F'));
	t.deepEqual(world.told, []);
});

test.serial('an action that was interrupted by a neighbour is not begun again', async t => {
	const begun: string[] = [];
	const world = await inlineWorld(
		t,
		[
			{name: 'villain', hooks: "hooks: {'pre-request': () => { for (;;); }}"},
			{
				name: 'acts',
				hooks:
					"hooks: {'post-response': () => undefined}, actions: {go: {description: '', input: {safeParse: data => ({success: true, data})}, run: async (_, {http}) => (await http.fetch({url: 'http://a.example/'})).value}}",
				reads: {'post-response': []},
				capabilities: ['http'],
				grants: {http: ['a.example']},
			},
		],
		{
			http: ({url}) => {
				begun.push(url);
				return new Promise(() => undefined);
			},
		},
	);
	const acting = world.tier.act('acts', 'go', '{}', '{}');
	await until(() => begun.length === 1);
	await world.ask('pre-request', {model: 'm'});
	await t.throwsAsync(acting, {code: 'plugin_failed', message: /look what it has done/});
	t.is(begun.length, 1);
});

test.serial('who hoards memory until a neighbour falls is not protected by it: the neighbour is not blamed', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'hoards',
			before: 'const all = [];',
			hooks:
				"hooks: {'pre-request': ({model}) => { if (model === 'hoard') for (let at = 0; at < 2; at++) all.push(new Array(125_000).fill(1)); return undefined; }}",
			limits: {memoryMb: 8, cpuMs: 2_000},
		},
		{
			name: 'works',
			hooks:
				"hooks: {'pre-request': ({model}) => { const some = []; for (let at = 0; at < 8; at++) some.push(new Array(125_000).fill(at)); return allow({annotate: {works: some.length}}); }}",
			limits: {memoryMb: 8, cpuMs: 2_000},
		},
	]);
	for (let turn = 0; turn < 80; turn++) {
		const answers = await world.ask('pre-request', {model: 'hoard'});
		t.is(answers.at(-1)?.body, '{"verdict":"allow","annotate":{"works":8}}');
	}
	t.true(world.told.length > 0, 'the isolate was lost at least once');
	t.false(world.told.some(({plugin}) => plugin === 'works'));
});

test.serial('a plugin in which the whole process stood still is asked again, and is not blamed', async t => {
	let standsStill = false;
	const now = () => {
		const until = performance.now() + (standsStill ? 600 : 0);
		standsStill = false;
		while (performance.now() < until);
		return Date.now();
	};
	const world = await inlineWorld(
		t,
		[
			neighbour('one'),
			{
				name: 'unlucky',
				capabilities: ['clock'],
				hooks: "hooks: {'pre-request': ({model}, {clock}) => allow({annotate: {unlucky: clock.now() > 0 && 'saw ' + model}})}",
			},
			neighbour('two'),
		],
		{now},
	);
	for (const model of ['m1', 'm2']) {
		standsStill = model === 'm2';
		const answers = (await world.ask('pre-request', {model})).map(({kind, body}) => kind + body);
		t.deepEqual(answers, [saw('one', model), saw('unlucky', model), saw('two', model)]);
	}
	t.deepEqual(
		world.told.map(({plugin}) => plugin),
		['*'],
	);
});
