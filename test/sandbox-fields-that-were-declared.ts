import test, {type ExecutionContext} from 'ava';
import type {Value} from '../core/sandbox/isolate.ts';
import {type HookName, hookNames, hooks} from '../schemas/hooks.ts';
import {inlineWorld, type Source} from './helpers/inline-world.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const values: Record<'plain' | 'json' | 'text', {crossing: string; seen: unknown}> = {
	plain: {crossing: 'v', seen: 'v'},
	json: {crossing: '{"deep":["v",1,null]}', seen: {deep: ['v', 1, null]}},
	text: {crossing: '1,0,2\nv\u{1f600}', seen: ['v', '', '\u{1f600}']},
};

const named = (path: string): string[] =>
	path.endsWith('.<name>') ? ['x-one', 'content-type', '__proto__', 'constructor'].map(name => path.replace('<name>', name)) : [path];
/** Every path that a manifest may declare at `hook`, with `<name>` filled in. */
const pathsOf = (hook: HookName): [string, 'plain' | 'json' | 'text'][] =>
	Object.entries(hooks[hook].reads).flatMap(([path, crossing]) =>
		named(path).map((name): [string, 'plain' | 'json' | 'text'] => [name, crossing as 'plain']),
	);

/** What the handler must see of these declared paths: nothing more, nothing less. */
const expected = (declared: readonly [string, 'plain' | 'json' | 'text'][]): unknown => {
	const input: Record<string, unknown> = {};
	const whole = new Set(declared.map(([path]) => path).filter(path => path.endsWith('.*')));
	for (const [path, crossing] of declared) {
		const bare = path.replace('[]', '');
		const dot = bare.indexOf('.');
		const [first, second] = dot < 0 ? [bare] : [bare.slice(0, dot), bare.slice(dot + 1)];
		const {seen} = values[crossing];
		if (second === undefined) input[first!] = seen;
		else if (second === '*') input[first!] = {...(seen as object), ...(input[first!] as object)};
		else input[first!] = {...(input[first!] as object), [second]: seen};
	}
	// A declared whole holds its parts already, so only what it does not hold is compared.
	return whole.size > 0 ? undefined : input;
};

for (const hook of hookNames) {
	test(`${hook} hands over exactly the fields a manifest declares, whatever it declares`, async t => {
		const seed = 20_261_122;
		const random = seededRandom(seed + hookNames.indexOf(hook));
		const all = pathsOf(hook);
		const subsets = [
			[],
			all.filter(([path]) => !path.endsWith('.*')),
			...all.map(one => [one]),
			...Array.from({length: 30}, () => all.filter(() => random.chance(random.next()))),
		];
		// A path in a random order, so that places and names cannot be confused.
		const declared = subsets.map(subset =>
			subset
				.map(path => ({path, at: random.next()}))
				.sort((a, b) => a.at - b.at)
				.map(({path}) => path),
		);
		const sources = declared.map(
			(subset, index): Source => ({
				name: `reads-${index}`,
				reads: {[hook]: subset.map(([path]) => path)},
				hooks: `hooks: {'${hook}': input => ({verdict: 'allow', carry: JSON.stringify({input, names: Object.keys(input)})})}`,
				limits: {memoryMb: 8},
			}),
		);
		const world = await inlineWorld(t, sources);
		const fields = Object.fromEntries(all.map(([path, crossing]) => [path, values[crossing].crossing]));
		const answers = await world.ask(hook, fields);
		t.is(answers.length, sources.length);
		for (const [index, {plugin, kind, body}] of answers.entries()) {
			const shown = `seed ${seed}: ${plugin} declares ${declared[index]!.map(([path]) => path).join(' ')}`;
			t.is(kind, 'A', shown);
			const {input, names} = JSON.parse((JSON.parse(body) as {carry: string}).carry) as {input: unknown; names: string[]};
			const firsts = new Set(declared[index]!.map(([path]) => path.replace('[]', '').split('.')[0]!));
			t.deepEqual(new Set(names), firsts, shown);
			const wanted = expected(declared[index]!);
			if (wanted) t.deepEqual(input, wanted, shown);
		}
	});
}

test('what is not there arrives as undefined, and a field of a missing part does not throw', async t => {
	const world = await inlineWorld(t, [
		{
			name: 'reads',
			reads: {'post-response': ['principal.tenant', 'usage', 'window', 'text[]', 'costMicroUsd']},
			hooks:
				"hooks: {'post-response': ({principal, usage, window, text, costMicroUsd}) => allow({carry: JSON.stringify([principal.tenant ?? 'none', typeof usage, typeof window, typeof text, costMicroUsd ?? 'none'])})}",
		},
	]);
	const [said] = await world.ask('post-response', {});
	t.is((JSON.parse(said!.body) as {carry: string}).carry, '["none","undefined","undefined","undefined","none"]');
});

const reading = async (t: ExecutionContext, handler: string, fields: Record<string, Value> = {}) => {
	const reads = {'pre-request': ['text[]', 'principal.tenant', 'headers.x-one']};
	const world = await inlineWorld(t, [{name: 'reads', reads, hooks: `hooks: {'pre-request': ${handler}}`}]);
	return world.askOne('reads', {'text[]': '2\nhi', 'principal.tenant': 'acme', 'headers.x-one': 'one', ...fields});
};

for (const [how, handler, path] of [
	['takes it apart', "({tags}) => tags?.includes('secret') ? deny() : undefined", 'tags'],
	['chains it', "input => input.tags?.includes('secret') ? deny() : undefined", 'tags'],
	['asks about it with a default', "({text, tags = []}) => tags.includes('secret') ? deny() : undefined", 'tags'],
	['means a field of another hook', 'input => { if (input.tool) return deny(); }', 'tool'],
	['reads another part', "({principal}) => principal.team === 'evil' ? deny() : undefined", 'principal.team'],
	['reads another header', "({headers}) => headers['x-two'] ? deny() : undefined", 'headers.x-two'],
] as const)
	test(`a guard whose manifest forgets what it reads passes nothing: it ${how}`, async t => {
		const said = await reading(t, handler);
		t.is(said[0], 'F');
		t.like(JSON.parse(said.slice(1)), {code: 'plugin_failed'});
		t.regex(said, new RegExp(`manifest\\.json does not read ${path} at pre-request`));
	});

test('a handler may write all of its input as JSON, copy it, look which fields it has, and wait for it', async t => {
	const said = await reading(
		t,
		`async input => {
			const {headers, principal} = await input;
			const copy = {...input};
			const parts = [String(headers), \`\${principal}\`, headers.hasOwnProperty('x-one'), Object.hasOwn(input, 'tags')];
			return allow({carry: JSON.stringify([input, copy, await headers, parts, headers.constructor === Object])});
		}`,
		{'headers.x-one': undefined},
	);
	const whole = {text: ['hi'], principal: {tenant: 'acme'}, headers: {}};
	const expected = [whole, whole, {}, ['[object Object]', '[object Object]', true, false], true];
	t.deepEqual(JSON.parse((JSON.parse(said.slice(1)) as {carry: string}).carry), expected);
});

test('texts come apart where they were put together, whatever is in them', async t => {
	const random = seededRandom(7);
	const world = await inlineWorld(t, [
		{name: 'reads', reads: {'pre-request': ['text[]']}, hooks: "hooks: {'pre-request': ({text}) => allow({carry: JSON.stringify(text)})}"},
	]);
	const pieces = ['', '\n', ',', '1,2\n', '\u{1f600}', '\ud800', '\u0000', '\u0001', 'é', '"'];
	for (let turn = 0; turn < 50; turn++) {
		const text = Array.from({length: random.below(6)}, () => Array.from({length: random.below(4)}, () => random.pick(pieces)).join(''));
		const packed = `${text.map(({length}) => length).join(',')}\n${text.join('')}`;
		const [said] = await world.ask('pre-request', {'text[]': packed});
		t.deepEqual(JSON.parse((JSON.parse(said!.body) as {carry: string}).carry), text, `turn ${turn}`);
	}
});

test('one value reaches only the places that declare it, with twenty plugins in one crossing', async t => {
	const paths = ['model', 'session', 'headers.a', 'headers.b', 'principal.id', 'principal.team', 'text[]', 'tags'];
	const random = seededRandom(99);
	const sources = Array.from(
		{length: 20},
		(_, index): Source => ({
			name: `p-${index}`,
			reads: {'pre-request': paths.filter(() => random.chance(0.5))},
			hooks: "hooks: {'pre-request': input => allow({carry: JSON.stringify(input)})}",
			limits: {memoryMb: 8},
		}),
	);
	const world = await inlineWorld(t, sources);
	const fields = Object.fromEntries(
		paths.map(path => [path, path === 'text[]' ? '12\nvalue-text[]' : path === 'tags' ? '["value-tags"]' : `value-${path}`]),
	);
	for (const [index, {body}] of (await world.ask('pre-request', fields)).entries()) {
		const {carry} = JSON.parse(body) as {carry: string};
		for (const path of paths)
			t.is(carry.includes(`value-${path}"`), sources[index]!.reads!['pre-request']!.includes(path), `${index} ${path} ${carry}`);
	}
});
