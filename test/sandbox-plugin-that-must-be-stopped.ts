import test from 'ava';
import {inlineWorld, neighbour, saw} from './helpers/inline-world.ts';

const attacks: Record<string, string> = {
	loops: 'for (;;);',
	recurses: 'const again = () => again() + 1; return again();',
	'recurses and catches what that throws':
		'const again = () => { try { return again() + again(); } catch { return again(); } }; return again();',
	'allocates without end': 'const all = []; for (;;) all.push(new Array(1000).fill(all.length));',
	'allocates buffers without end': 'const all = []; for (;;) all.push(new Uint8Array(1_000_000).fill(1));',
	'allocates strings without end': "let text = 'x'; for (;;) text = (text + text.slice(0, 100_000)).split('').join('').concat('y');",
	'chains microtasks': 'const again = () => Promise.resolve().then(again); return again();',
	'chains microtasks behind an answer': 'const again = () => Promise.resolve().then(again); again(); return undefined;',
	'loops in a microtask behind an answer': 'Promise.resolve().then(() => { for (;;); }); return undefined;',
	'loops after an awaited host call': 'await host.kv.put({x: 1}); for (;;);',
	'chains microtasks after an awaited host call':
		'await host.kv.put({x: 1}); const again = () => Promise.resolve().then(again); return again();',
	backtracks: "return /^(a+)+$/.test('a'.repeat(60) + 'b');",
	'loops in a getter of its verdict': "return {verdict: 'allow', get annotate() { for (;;); }};",
	'loops in toJSON': 'return {toJSON() { for (;;); }};',
	'loops in then': 'return {get then() { for (;;); }};',
	'loops in the trap of a Proxy': 'return new Proxy({}, {ownKeys() { for (;;); }});',
	'throws an error with a looping getter': "throw Object.defineProperty(new Error('x'), 'message', {get() { for (;;); }});",
	'throws a Proxy with a looping trap': 'throw new Proxy(new Error(), {getOwnPropertyDescriptor() { for (;;); }});',
	'leaves a rejection with a looping stack':
		"Promise.reject(Object.defineProperty(new Error('x'), 'stack', {get() { for (;;); }})); return undefined;",
	'awaits refused host calls for ever': "for (;;) await host.http.fetch({url: ''});",
	'awaits nothing for ever': 'for (;;) await host.kv.put({});',
};

const harmless = new Set(['recurses', 'throws an error with a looping getter']);
/** V8 refuses the next buffer with a RangeError or the limit ends the isolate, whichever comes first: stopped or not, it has failed. */
const either = new Set(['allocates buffers without end']);

for (const [what, code] of Object.entries(attacks)) {
	test.serial(`a plugin that ${what} fails, and its neighbours answer before, during and after`, async t => {
		const isAsync = code.includes('await ');
		const world = await inlineWorld(t, [
			neighbour('one'),
			{
				name: 'villain',
				hooks: `hooks: {'pre-request': ${isAsync ? 'async ' : ''}({model}, host) => { if (model !== 'attack') return allow({annotate: {villain: 'saw ' + model}}); ${code} }}`,
				capabilities: ['kv', 'http'],
				grants: {kv: true, http: ['a.example']},
				limits: {memoryMb: 32, timeoutMs: 300},
			},
			neighbour('two'),
			{
				name: 'waits',
				hooks:
					"hooks: {'pre-request': async ({model}, {kv}) => { await kv.put({seen: model}); return allow({annotate: {waits: 'saw ' + model}}); }}",
				capabilities: ['kv'],
			},
		]);
		const all = async (model: string) => (await world.ask('pre-request', {model})).map(({kind, body}) => kind + body);
		const calm = (model: string) => ['one', 'villain', 'two', 'waits'].map(name => saw(name, model));

		t.deepEqual(await all('m1'), calm('m1'));
		const pending = world.askOne('waits', {model: 'm2'});
		const answers = await world.ask('pre-request', {model: 'attack'});
		t.is(answers[0]!.kind + answers[0]!.body, saw('one', 'attack'), 'what the plugin before it said is not lost');
		t.deepEqual(
			answers.slice(1).map(({plugin, kind}) => `${plugin} ${kind}`),
			['villain F'],
		);
		t.notRegex(answers[1]!.body, /core\/|node_modules|at /, 'no place in our code is told');
		t.is(await pending, saw('waits', 'm2'), 'a pending call of a neighbour is asked again');
		t.is(await world.askOne('two', {model: 'm3'}), saw('two', 'm3'));

		if (what.includes('for ever')) while (world.told.length === 0) await new Promise(resolve => setTimeout(resolve, 50));
		t.deepEqual(await all('m4'), calm('m4'));
		const blamed = world.told.filter(({what: event, plugin}) => event === 'stopped' && plugin !== '*').map(({plugin}) => plugin);
		const expected = harmless.has(what) || (either.has(what) && blamed.length === 0) ? [] : ['villain'];
		t.deepEqual(blamed, expected, 'nobody else is blamed');
	});
}
