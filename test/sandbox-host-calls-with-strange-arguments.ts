import test from 'ava';
import {inlineWorld} from './helpers/inline-world.ts';

const carried = (answer: string): unknown => JSON.parse((JSON.parse(answer.slice(1)) as {carry: string}).carry);
const attempt =
	'const attempt = work => { try { return work() ?? null; } catch (error) { return [error.sallyport ?? null, error.message.slice(0, 200)]; } };';

test('a capability the manifest does not name fails at its first use, with the line to add', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			before: attempt,
			capabilities: ['log'],
			hooks: `hooks: {'pre-request': async (_, host) => { const answers = [
				attempt(() => host.kv.get('a')), attempt(() => host.kv.list('')), attempt(() => host.clock.now()), attempt(() => host.random.uuid()), attempt(() => host.random.secret('x')),
				attempt(() => host.metrics.count('a')), attempt(() => host.secrets.get('a')), attempt(() => host.ledger.balance('a', 'tokens', 'day')),
			]; for (const work of [host.kv.put({a: 1}), host.http.fetch({url: 'http://a.example'})]) { const {error} = await work; answers.push([error.code, error.message]); }
			return allow({carry: JSON.stringify(answers)}); }}`,
		},
	]);
	const answers = carried(await world.askOne('villain')) as [string, string][];
	const names = ['kv', 'kv', 'clock', 'random', 'random', 'metrics', 'secrets', 'ledger', 'kv', 'http'];
	t.deepEqual(
		answers.map(([code]) => code),
		names.map(() => 'denied'),
	);
	for (const [index, [, message]] of answers.entries()) t.true(message.includes(`add "capabilities": ["log", "${names[index]}"]`), message);
});

test('arguments of every wrong kind are refused in words, and nothing of the host is in them', async t => {
	const strange = [
		'undefined',
		'null',
		'0',
		"''",
		'[]',
		'{}',
		'() => 1',
		"Symbol('x')",
		'1n',
		'({get a() { throw 1; }})',
		'({toJSON() { throw 1; }})',
		"'x'.repeat(10_000_000)",
		'JSON.parse(\'{"__proto__":{"a":1}}\')',
		'new Proxy({}, {get() { throw 1; }, ownKeys() { throw 1; }})',
	];
	const calls = [
		'kv.get',
		'kv.list',
		'kv.put',
		'random.secret',
		'log.info',
		'log.warn',
		'metrics.count',
		'secrets.get',
		'http.fetch',
		'ledger.balance',
	];
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			capabilities: ['kv', 'random', 'log', 'metrics', 'secrets', 'http', 'ledger'],
			grants: {kv: true, random: true, log: true, metrics: true, ledger: true, secrets: {own: 'own-secret'}, http: ['a.example']},
			limits: {cpuMs: 5_000, timeoutMs: 20_000},
			hooks: `hooks: {'pre-request': async (_, host) => { const told = []; for (const name of ${JSON.stringify(calls)}) { const [holder, method] = name.split('.'); for (const argument of [${strange.map(code => `() => ${code}`).join()}]) { try { const answer = await host[holder][method](argument()); told.push(name + ' ' + JSON.stringify(answer ?? null)); } catch (error) { told.push(name + ' ' + (error?.message ?? 'own')); } } } return allow({carry: JSON.stringify(told.map(words => words.slice(0, 3_000)))}); }}`,
		},
	]);
	const told = carried(await world.askOne('villain')) as string[];
	t.is(told.length, calls.length * strange.length);
	for (const words of told) t.notRegex(words, /node_modules|core\/|at .*\.ts|own-secret|the host call failed/, words);
	t.deepEqual(world.told, []);
});

test("a secret that is another plugin's, or a prototype's, is not there", async t => {
	const world = await inlineWorld(t, [
		{
			name: 'one',
			capabilities: ['secrets'],
			grants: {secrets: {token: 'secret-of-one'}},
			hooks: `hooks: {'pre-request': (_, {secrets}) => allow({carry: JSON.stringify(secrets.get('token'))})}`,
		},
		{
			name: 'two',
			before: attempt,
			capabilities: ['secrets'],
			grants: {secrets: {other: 'secret-of-two'}},
			hooks: `hooks: {'pre-request': (_, {secrets}) => allow({carry: JSON.stringify(['token', 'toString', '__proto__', 'constructor'].map(name => attempt(() => secrets.get(name))))})}`,
		},
	]);
	t.is(carried(await world.askOne('one')), 'secret-of-one');
	const said = carried(await world.askOne('two')) as [string, string][];
	for (const [code, message] of said) {
		t.is(code, 'denied');
		t.regex(message, /grants: \{secrets: \{/);
		t.notRegex(message, /secret-of/);
	}
});

test('a flood of log lines is cut, and how much was left out is told', async t => {
	let now = 0;
	const flood = "for (let line = 0; line < 20_000; line++) log.info('line ' + line);";
	const world = await inlineWorld(
		t,
		[
			{
				name: 'villain',
				capabilities: ['log'],
				limits: {cpuMs: 5_000},
				hooks: `hooks: {'pre-request': ({model}, {log}) => { if (model === 'flood') { ${flood} } else log.info(model); return undefined; }}`,
			},
		],
		{now: () => now},
	);
	await world.askOne('villain', {model: 'flood'});
	t.is(world.logged.length, 1_000);
	now += 1_000;
	await world.askOne('villain', {model: 'after'});
	t.deepEqual(
		world.logged.slice(1_000).map(({message}) => message),
		['19000 lines were left out', 'after'],
	);
});

test('a log line keeps its newlines and control characters to itself, and is bounded', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			before: attempt,
			capabilities: ['log'],
			hooks: `hooks: {'pre-request': (_, {log}) => { log.warn('a\\n{"level":60}\\u0000\\u001b[31m', {plugin: 'other', level: 60}); return allow({carry: JSON.stringify([attempt(() => log.info('x'.repeat(2_001))), attempt(() => log.info('x', {big: 'y'.repeat(30_000)}))])}); }}`,
		},
	]);
	const said = carried(await world.askOne('villain')) as [string, string][];
	t.deepEqual(
		said.map(([code]) => code),
		['invalid_request', 'invalid_request'],
	);
	t.deepEqual(world.logged, [
		{plugin: 'villain', level: 'warn', message: 'a\n{"level":60}\u0000\u001b[31m', facts: {plugin: 'other', level: 60}},
	]);
});

test('a plugin has a hundred counters and no more, each with a plain name', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			before: attempt,
			capabilities: ['metrics'],
			hooks: `hooks: {'pre-request': (_, {metrics}) => { const refused = []; for (let at = 0; at < 150; at++) { const answer = attempt(() => metrics.count('c' + at)); if (answer) refused.push(answer); } for (const [name, by] of [['A', 1], ['a b', 1], ['a"}', 1], ['c1', -1], ['c1', 1e300]]) refused.push(attempt(() => metrics.count(name, by))); metrics.count('c1', 2); return allow({carry: JSON.stringify(refused)}); }}`,
		},
	]);
	const refused = carried(await world.askOne('villain')) as [string, string][];
	t.is(refused.length, 55);
	t.true(refused.every(([code]) => code === 'invalid_request'));
	t.is(new Set(world.counted.map(({name}) => name)).size, 100);
});

test('a flood of host calls is answered, most of it with a refusal', async t => {
	let running = 0;
	let most = 0;
	const world = await inlineWorld(
		t,
		[
			{
				name: 'villain',
				capabilities: ['http'],
				grants: {http: ['a.example']},
				limits: {cpuMs: 5_000, timeoutMs: 10_000},
				hooks: `hooks: {'pre-request': async (_, {http}) => { const all = await Promise.all(Array.from({length: 2_000}, () => http.fetch({url: 'http://a.example/'}))); return allow({carry: JSON.stringify([all.filter(({value}) => value).length, all.filter(({error}) => error?.code === 'rate_limited').length])}); }}`,
			},
		],
		{
			async http() {
				most = Math.max(most, ++running);
				await new Promise(resolve => setTimeout(resolve, 20));
				running--;
				return {status: 200, headers: {}, body: ''};
			},
		},
	);
	t.deepEqual(carried(await world.askOne('villain')), [256, 1_744]);
	t.is(most, 256);
});

test.serial('while a plugin awaits host calls without end, the event loop turns', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			capabilities: ['http'],
			grants: {http: ['a.example']},
			limits: {timeoutMs: 200},
			hooks: "hooks: {'pre-request': async (_, {http}) => { for (;;) await http.fetch({url: ''}); }}",
		},
	]);
	let turns = 0;
	const timer = setInterval(() => turns++, 1);
	t.true((await world.askOne('villain')).startsWith('F'));
	clearInterval(timer);
	t.true(turns > 10);
});
