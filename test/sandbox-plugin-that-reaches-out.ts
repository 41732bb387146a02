import test from 'ava';
import {inlineWorld} from './helpers/inline-world.ts';

/** What an expression is inside, as JSON; 'threw …' where it throws. */
const inside = async (
	t: Parameters<typeof inlineWorld>[0],
	expressions: readonly string[],
	more: {before?: string; capabilities?: string[]} = {},
): Promise<unknown[]> => {
	const cases = expressions.map(code => `() => (${code})`).join(', ');
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			...more,
			hooks: `hooks: {'pre-request': (input, host) => { const said = [${cases}].map(attempt => { try { const value = attempt(); return value === undefined ? 'undefined' : typeof value === 'function' ? 'function' : value; } catch (error) { return 'threw ' + error.message; } }); return allow({carry: JSON.stringify(said)}); }}`,
		},
	]);
	const answer = await world.askOne('villain', {model: 'm'});
	t.is(answer[0], 'A', answer);
	return JSON.parse((JSON.parse(answer.slice(1)) as {carry: string}).carry);
};

test('nothing of Node, of the browser or of other threads is there', async t => {
	const names = [
		'process',
		'globalThis.require',
		'module',
		'Buffer',
		'global',
		'fetch',
		'XMLHttpRequest',
		'WebSocket',
		'setTimeout',
		'setImmediate',
		'queueMicrotask',
		'structuredClone',
		'performance',
		'crypto',
		'WebAssembly',
		'SharedArrayBuffer',
		'Atomics',
		'FinalizationRegistry',
		'WeakRef',
		'ivm',
		'sallyportGuest',
		'sallyportDispatcher',
		'hostCall',
		'$0',
	];
	t.deepEqual(
		await inside(
			t,
			names.map(name => `typeof ${name}`),
		),
		names.map(() => 'undefined'),
	);
});

test('code is never made of strings, by any constructor', async t => {
	const said = await inside(t, [
		"Function('return 1')()",
		"(() => 1).constructor('return 1')()",
		"(async () => 1).constructor('return 1')()",
		"(function* () {}).constructor('return 1')()",
		"(async function* () {}).constructor('return 1')()",
		"Reflect.construct(Object.getPrototypeOf(class {}).constructor, ['return 1'])()",
		"eval('1')",
		"(0, eval)('1')",
		"[].constructor.constructor('return process')()",
		"host.kv.get.constructor('return process')()",
		"host.kv.put.constructor.constructor('return process')()",
		"class extends Function {} && new (class extends (() => 1).constructor {})('return 1')",
	]);
	for (const words of said) t.regex(String(words), /^threw (code cannot be made of strings here|.*constructor.*)$/);
});

test('time and randomness are not there for who did not borrow them', async t => {
	const said = await inside(t, [
		'Date.now()',
		'new Date()',
		'Date()',
		'new Date().constructor.now()',
		'new Date(0).constructor.now()',
		'new (new Date(0).constructor)()',
		'Reflect.construct(Date, [])',
		'Math.random()',
		'new Intl.DateTimeFormat().format()',
		'new Intl.DateTimeFormat().formatToParts()',
		'host.clock.now()',
		'host.random.number()',
	]);
	for (const words of said) t.regex(String(words), /^threw .*(clock|random)/);
	t.deepEqual(
		await inside(t, [
			'new Date(86_400_000).toISOString()',
			"Date.parse('1970-01-02')",
			"new Intl.DateTimeFormat('en', {timeZone: 'UTC'}).format(0)",
			'new Date(0) instanceof Date',
		]),
		['1970-01-02T00:00:00.000Z', 86_400_000, '1/1/1970', true],
	);
});

test('modules cannot be imported while it runs', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			hooks: "hooks: {'pre-request': async ({model}) => { const fs = await import(model); return allow({annotate: {fs: typeof fs}}); }}",
		},
	]);
	for (const name of ['fs', 'node:fs', 'isolated-vm', '/etc/passwd'])
		t.true((await world.askOne('villain', {model: name})).startsWith('F'));
});

test('a plugin that imports a module of Node is refused before it runs', async t => {
	await t.throwsAsync(
		inlineWorld(t, [
			{
				name: 'villain',
				before: "import {readFileSync} from 'node:fs';",
				hooks: "hooks: {'pre-request': () => readFileSync('/etc/passwd')}",
			},
		]),
		{message: /cannot be read.*no Node modules/s},
	);
});

test('stack frames lead to no function of ours, and name no file', async t => {
	const said = (await inside(t, [
		"(() => { Error.prepareStackTrace = (_, frames) => frames.map(frame => frame.getFunction); return typeof new Error('x').stack; })()",
		"Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace').writable",
		'(() => { try { host.kv.list({}, null); } catch (error) { return error.stack; } })()',
		'(function () { return this; })()',
		'(() => { const seen = []; const peek = function () { seen.push(peek.caller, peek.arguments); }; peek(); return seen; })()',
	])) as string[];
	t.is(said[0], "threw Cannot assign to read only property 'prepareStackTrace' of function 'function Error() { [native code] }'");
	t.is(said[1] as unknown, false);
	t.notRegex(String(said[2]), /node_modules|core\/|\/work|file:\/\//);
	t.is(said[3], 'undefined');
	t.regex(String(said[4]), /^threw /);
});

test('contexts share nothing: what one plugin does to its globals is not there for the next', async t => {
	const mark =
		'globalThis.marked = true; Object.prototype.marked = true; Array.prototype.marked = true; Function.prototype.marked = true; Promise.marked = true; JSON.marked = true;';
	const look = (name: string) => ({
		name,
		before: name === 'first' ? mark : '',
		hooks: `hooks: {'pre-request': () => allow({carry: [typeof globalThis.marked, ({}).marked, [].marked, (() => 1).marked, Promise.marked, JSON.marked].join()})}`,
	});
	const world = await inlineWorld(t, [look('first'), look('second')]);
	t.deepEqual(
		(await world.ask('pre-request', {model: 'm'})).map(({body}) => (JSON.parse(body) as {carry: string}).carry),
		['boolean,true,true,true,true,true', 'undefined,,,,,'],
	);
});

test("a plugin reads neither another's kv nor a prototype's", async t => {
	const reading = (name: string) => ({
		name,
		capabilities: ['kv'],
		hooks: `hooks: {'pre-request': async ({model}, {kv}) => { if (model === 'write') { await kv.put({secret: '${name}', __proto__: 1, constructor: 'own'}); return undefined; } return allow({carry: JSON.stringify([kv.get('secret'), kv.get('__proto__') ?? null, kv.get('toString') ?? null, kv.get('constructor') ?? null, kv.get('../one/secret') ?? null, kv.list('').map(({key}) => key)])}); }}`,
	});
	const world = await inlineWorld(t, [reading('one'), reading('two')]);
	for (const name of ['one', 'two']) await world.askOne(name, {model: 'write'});
	for (const name of ['one', 'two']) {
		const {carry} = JSON.parse((await world.askOne(name, {model: 'read'})).slice(1)) as {carry: string};
		t.deepEqual(JSON.parse(carry), [name, null, null, 'own', null, ['constructor', 'secret']]);
	}
});

test('host and config cannot be changed, so one call cannot prepare the next', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			config: {list: [{a: 1}]},
			hooks:
				"hooks: {'pre-request': (_, host) => allow({carry: JSON.stringify([() => { host.kv = 1; }, () => { host.config.list[0].a = 2; }, () => host.config.list.push(1), () => { delete host.log; }, () => { Object.setPrototypeOf(host, null); }].map(attempt => { try { attempt(); return 'changed'; } catch { return 'refused'; } }))})}",
		},
	]);
	const {carry} = JSON.parse((await world.askOne('villain', {model: 'm'})).slice(1)) as {carry: string};
	t.deepEqual(JSON.parse(carry), new Array(5).fill('refused'));
});
