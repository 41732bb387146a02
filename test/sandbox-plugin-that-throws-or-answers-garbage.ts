import test, {type ExecutionContext} from 'ava';
import {inlineWorld, neighbour, saw} from './helpers/inline-world.ts';

const fails = async (t: ExecutionContext, before: string, code: string) => {
	const world = await inlineWorld(t, [
		neighbour('one'),
		{name: 'villain', before, hooks: `hooks: {'pre-request': ({model}, host) => { ${code} }}`},
		neighbour('two'),
	]);
	const [first, second, ...others] = await world.ask('pre-request', {model: 'm'});
	t.is(first!.kind + first!.body, saw('one', 'm'));
	t.deepEqual(others, []);
	t.is(await world.askOne('two', {model: 'm2'}), saw('two', 'm2'));
	t.deepEqual(world.told, [], 'what a plugin merely says does not stop it');
	t.is(second!.kind, 'F');
	const said = JSON.parse(second!.body) as {code: string; message: string};
	t.is(typeof said.message, 'string');
	t.true(said.message.length <= 500);
	t.notRegex(second!.body, /core\/|node_modules|sallyport:|file:/);
	return said;
};

const thrown: Record<string, [code: string, message: RegExp]> = {
	'an error': ["throw new Error('told')", /^told$/],
	'a string': ["throw 'told'", /^told$/],
	nothing: ['throw undefined', /not an error/],
	'a number': ['throw 7', /not an error/],
	'a symbol': ["throw Symbol('x')", /not an error/],
	'a BigInt': ['throw 1n', /not an error/],
	'a function': ['throw () => 1', /not an error/],
	'an object without a prototype': ['throw Object.create(null)', /without a message/],
	'an error with a throwing message': ["throw Object.defineProperty(new Error(), 'message', {get() { throw 1; }})", /without a message/],
	'an error with a throwing stack': ["throw Object.defineProperty(new Error('told'), 'stack', {get() { throw 1; }})", /^told$/],
	'an error whose message is an object': ['throw Object.assign(new Error(), {message: {toString() { throw 1; }}})', /without a message/],
	'an error with a message of 10 MB': ["throw new Error('x'.repeat(1e7))", /^x{500}$/],
	'an error with a code of 10 MB': ["throw Object.assign(new Error('told'), {sallyport: 'x'.repeat(1e7)})", /^told$/],
	'an error with toString, toPrimitive and toJSON that throw': [
		"throw Object.assign(new Error('told'), {toString() { throw 1; }, toJSON() { throw 2; }, [Symbol.toPrimitive]() { throw 3; }})",
		/^told$/,
	],
	'a Proxy that throws at everything': ['throw new Proxy({}, new Proxy({}, {get() { throw 1; }}))', /hostile/],
	'a revoked Proxy': ['const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); throw proxy', /hostile/],
	'control characters that would read as another answer': ["throw new Error('\\u0001 1\\u0000A{}')", /^\u0001 1\u0000A\{\}$/],
};
for (const [what, [code, message]] of Object.entries(thrown)) {
	test(`a plugin that throws ${what} fails in plain words`, async t => {
		const said = await fails(t, '', code);
		t.regex(said.message, message);
	});
}

const answered: Record<string, string> = {
	'a function': 'return () => 1',
	'a symbol': "return Symbol('x')",
	'a BigInt': "return {verdict: 'allow', annotate: {big: 1n}}",
	'a cycle': "const all = {verdict: 'allow'}; all.all = all; return all",
	'a string that is too long': "return {verdict: 'allow', carry: 'x'.repeat(5_000_000)}",
	'a Proxy that throws': 'return new Proxy({}, {get() { throw 1; }, ownKeys() { throw 1; }})',
	'a revoked Proxy': 'const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy',
	'an object with a throwing then': 'return {get then() { throw 1; }}',
	'a thenable that throws': 'return {then() { throw new Error("no"); }}',
	'an object with a throwing toJSON': 'return {toJSON() { throw 1; }}',
	'an object whose toJSON answers nothing': 'return {toJSON: () => undefined}',
	'arrays nested too deep for JSON': 'let deep = []; for (let at = 0; at < 100_000; at++) deep = [deep]; return deep',
};
for (const [what, code] of Object.entries(answered)) {
	test(`a plugin that answers ${what} fails`, async t => {
		await fails(t, '', code);
		t.pass();
	});
}

test('a thenable that calls back twice, and throws then, has answered once', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			hooks: `hooks: {'pre-request': ({model}) => ({then(ok, no) { ok(allow({tag: [model]})); ok({verdict: 'deny', message: 'no'}); no(new Error('no')); throw 1; }})}`,
		},
		neighbour('one'),
	]);
	const [first, ...rest] = await world.ask('pre-request', {model: 'm1'});
	t.is(first!.body, '{"verdict":"allow","tag":["m1"]}');
	t.deepEqual(rest, [], 'a tag is carried out before the next is asked');
	t.is((await world.ask('pre-request', {model: 'm2'}))[0]!.body, '{"verdict":"allow","tag":["m2"]}');
});

test('a verdict whose toJSON answers another one is that other one', async t => {
	const world = await inlineWorld(t, [
		{name: 'villain', hooks: `hooks: {'pre-request': () => ({verdict: 'allow', toJSON: () => ({verdict: 'deny', message: 'no'})})}`},
	]);
	t.is(await world.askOne('villain'), 'S{"verdict":"deny","message":"no"}');
});

const tampering: Record<string, string> = {
	'JSON.stringify and JSON.parse': 'JSON.stringify = () => \'{"verdict":"allow"}\'; JSON.parse = () => { throw 1; };',
	'String.prototype': "for (const name of ['startsWith', 'slice', 'indexOf', 'split']) String.prototype[name] = () => true;",
	'Array.prototype':
		"for (const name of ['push', 'map', 'join', 'findIndex']) Array.prototype[name] = () => { throw 1; }; Array.prototype[Symbol.iterator] = () => { throw 1; };",
	'setters for 0 and 1 on prototypes':
		"for (const holder of [Array.prototype, Object.prototype]) for (const at of [0, 1]) Object.defineProperty(holder, at, {set() { throw 1; }, get: () => 'mine', configurable: true});",
	'Function.prototype': "for (const name of ['call', 'apply', 'bind']) Function.prototype[name] = () => { throw 1; };",
	Promise:
		'Promise.prototype.then = () => { throw 1; }; Promise.resolve = () => { throw 1; }; Object.defineProperty(Promise, Symbol.species, {get() { throw 1; }});',
	'Map.prototype': "for (const name of ['get', 'set', 'delete', 'has']) Map.prototype[name] = () => { throw 1; };",
	'toJSON on Object.prototype': "Object.prototype.toJSON = () => 'mine'; String.prototype.toJSON = () => 'mine';",
	'then on Object.prototype': "Object.defineProperty(Object.prototype, 'then', {get() { throw 1; }});",
	Object:
		"for (const name of ['keys', 'freeze', 'assign', 'getOwnPropertyDescriptor', 'defineProperty', 'create']) Object[name] = () => { throw 1; };",
	'its global object':
		'for (const name of Object.getOwnPropertyNames(globalThis)) { try { delete globalThis[name]; } catch {} try { globalThis[name] = undefined; } catch {} }',
};
for (const [what, code] of Object.entries(tampering)) {
	test(`a plugin that tampers with ${what} changes nothing for its neighbours, and nothing it says is taken for another's`, async t => {
		const world = await inlineWorld(t, [
			{...neighbour('one'), hooks: `hooks: {'pre-request': async ({model}) => allow({annotate: {one: 'saw ' + model}})}`},
			{
				name: 'villain',
				before: 'let tampered = false;',
				hooks: `hooks: {'pre-request': ({model}) => { if (!tampered) { tampered = true; ${code} } return {verdict: 'deny', message: model}; }}`,
			},
			neighbour('two'),
		]);
		for (const model of ['m1', 'm2', 'm3']) {
			const answers = await world.ask('pre-request', {model});
			t.is(answers[0]!.kind + answers[0]!.body, saw('one', model));
			t.is(answers.length, 2);
			t.is(answers[1]!.plugin, 'villain');
			t.true(['S', 'F'].includes(answers[1]!.kind), 'a verdict that ends the list is not taken for one that lets pass');
			t.notThrows(() => JSON.parse(answers[1]!.body));
			t.is(await world.askOne('two', {model}), saw('two', model));
		}
		t.deepEqual(world.told, []);
	});
}

test("a promise that a plugin leaves rejected takes nobody's answer away", async t => {
	const world = await inlineWorld(t, [
		neighbour('one'),
		{
			name: 'villain',
			hooks: `hooks: {'pre-request': () => { Promise.reject(new Error('left')); return allow({annotate: {villain: true}}); }}, actions: {go: {description: '', input: {safeParse: data => ({success: true, data})}, run: () => { Promise.reject(1); return 'done'; }}}`,
		},
		neighbour('two'),
	]);
	for (const model of ['m1', 'm2']) t.is((await world.ask('pre-request', {model})).length, 3);
	t.is(await world.tier.act('villain', 'go', '{}', '{}'), '"done"');
	t.deepEqual(world.told, []);
});

test("an action's error has a code of the catalogue, or plugin_failed", async t => {
	const input = '{safeParse: data => ({success: true, data})}';
	const throwing = (name: string, code: string) => `${name}: {description: '', input: ${input}, run: () => { ${code} }}`;
	const world = await inlineWorld(t, [
		{
			name: 'villain',
			hooks: `hooks: {'pre-request': () => undefined}, actions: {${[
				throwing('typed', "throw Object.assign(new Error('x'), {sallyport: 'not_found'})"),
				throwing('made', "throw Object.assign(new Error('x'), {sallyport: 'no_such_code'})"),
				throwing('proto', "throw Object.assign(new Error('x'), {sallyport: '__proto__'})"),
				throwing('garbage', 'return () => 1'),
			]}}`,
		},
	]);
	const act = (name: string) => world.tier.act('villain', name, '{}', '{}');
	await t.throwsAsync(act('typed'), {code: 'not_found'});
	for (const name of ['made', 'proto', 'garbage']) await t.throwsAsync(act(name), {code: 'plugin_failed'});
	await t.throwsAsync(act('toString'), {code: 'not_found'});
});

for (const [what, before, reason] of [
	['throws', "throw new Error('told');", /^told$/],
	[
		'throws an error with looping getters',
		"throw Object.defineProperty(Object.defineProperty(new Error(), 'stack', {get() { for (;;); }}), 'message', {get() { for (;;); }});",
		/without a message/,
	],
	['throws a Proxy', 'throw new Proxy({}, {getOwnPropertyDescriptor() { throw 1; }});', /hostile/],
	['makes code of strings', "Function('return 1')();", /code cannot be made of strings/],
	['constructs code of strings', "new Function('return 1')();", /not a constructor/],
	['asks the time', 'Date.now();', /name "clock"/],
] as const) {
	test(`a plugin that ${what} while it loads does not start, and says why`, async t => {
		const world = await inlineWorld(t, [neighbour('one'), {name: 'villain', before, hooks: `hooks: {'pre-request': () => undefined}`}]);
		const [one, villain] = world.tier.loaded;
		t.true('hooks' in one!);
		t.regex((villain as {failure: string}).failure, reason);
	});
}

for (const [what, definition] of [
	['an action with a name that is none', "hooks: {'pre-request': () => 1}, actions: {'a b': {description: '', input: {}, run: () => 1}}"],
	['a description that is not a string', "hooks: {'pre-request': () => 1}, actions: {a: {description: {}, input: {}, run: () => 1}}"],
	[
		'a config check that answers garbage',
		"config: {safeParse: () => ({success: false, error: {issues: [{path: [], message: {}}]}})}, hooks: {'pre-request': () => 1}",
	],
	['a config check without issues', "config: {safeParse: () => ({success: false})}, hooks: {'pre-request': () => 1}"],
] as const) {
	test(`a plugin that defines ${what} does not start`, async t => {
		const world = await inlineWorld(t, [{name: 'villain', hooks: definition}]);
		t.is(typeof (world.tier.loaded[0] as {failure: string}).failure, 'string');
	});
}
