import test from 'ava';
import {bodyOf, type ProcessWorld, processWorld, wasmCode} from './helpers/process-world.ts';

/** Does what its config says. */
const hostile = `
import {answer, input} from './host';
import {parse} from './json';

// @ts-ignore: decorator
@external('extism:host/env', 'input_offset')
declare function inputOffset(): u64;
// @ts-ignore: decorator
@external('extism:host/env', 'length')
declare function lengthOf(address: u64): u64;
// @ts-ignore: decorator
@external('extism:host/env', 'load_u8')
declare function loadByte(address: u64): u32;
// @ts-ignore: decorator
@external('extism:host/env', 'alloc')
declare function alloc(size: u64): u64;

let attack = '';
let calls = 0;

export function configure(): i32 {
	attack = parse(input()).get('attack')!.text;
	return 0;
}
function deeper(depth: i32): i32 {
	return depth < 0 ? 0 : deeper(depth + 1) + depth;
}
export function pre_request(): i32 {
	calls++;
	const asked = input();
	if (attack == 'none' || parse(asked).get('model')!.text == 'peace') {
		answer('{"verdict":"allow","annotate":{"calls":' + calls.toString() + '}}');
		return 0;
	}
	if (attack == 'loops') while (true) calls++;
	if (attack == 'grows') {
		let pages = 0;
		while (memory.grow(16) >= 0) {
			pages += 16;
			memory.fill((memory.size() - 16) << 16, 1, 16 << 16);
		}
		answer('{"verdict":"allow","annotate":{"pages":' + pages.toString() + '}}');
	}
	if (attack == 'allocates in the host') while (true) {
		const block = alloc(50000000);
		if (block == 0) calls++;
	}
	if (attack == 'traps') unreachable();
	if (attack == 'recurses') answer(deeper(1).toString());
	if (attack == 'answers garbage') answer('{"verdict":');
	if (attack == 'answers a number') answer('42');
	if (attack == 'answers too much') answer('"' + 'x'.repeat(2000) + '"');
	if (attack == 'reads beyond its input') {
		let sum = 0;
		for (let at: u64 = 0; at < 100000; at++) sum += loadByte(inputOffset() + at);
		answer(sum.toString());
	}
	if (attack == 'measures its input') answer('{"verdict":"allow","annotate":{"block":' + lengthOf(inputOffset()).toString() + '}}');
	return 0;
}
export function post_response(): i32 {
	return 0;
}
`;

const attacks = [
	'loops',
	'grows',
	'allocates in the host',
	'traps',
	'recurses',
	'answers garbage',
	'answers a number',
	'answers too much',
	'reads beyond its input',
	'measures its input',
];
const nameOf = (attack: string): string => attack.replaceAll(' ', '-');

let world: ProcessWorld;
test.before(async () => {
	const code = await wasmCode(hostile);
	world = await processWorld(
		['none', ...attacks].map(attack => ({
			name: nameOf(attack),
			code,
			config: {attack},
			limits: {memoryMb: 16, answerChars: 1_000, timeoutMs: 20_000},
		})),
	);
});
test.after.always(() => world?.close());

const fails = ['loops', 'traps', 'recurses', 'answers garbage', 'answers a number', 'answers too much', 'reads beyond its input'];
for (const attack of fails) {
	test.serial(`a module that ${attack} fails alone, and works when it behaves`, async t => {
		const name = nameOf(attack);
		const started = performance.now();
		const [answer, neighbour] = await Promise.all([world.ask(name), world.ask('none')]);
		t.is(answer?.kind, 'F', answer?.body);
		t.is(bodyOf(answer).code, 'plugin_failed');
		t.true(performance.now() - started < 10_000);
		t.is(neighbour?.kind, 'A');
		t.is((await world.ask(name, 'peace'))?.kind, 'A');
		t.log(bodyOf(answer).message);
	});
}

test.serial('a module that grows its memory gets what its limit allows and no more', async t => {
	const {annotate} = bodyOf(await world.ask('grows')) as {annotate: {pages: number}};
	t.true(annotate.pages > 0);
	t.true(annotate.pages <= 16 * 16, `${annotate.pages} pages`);
});

test.serial('a module that allocates without end in the host fails alone', async t => {
	const [answer, neighbour] = await Promise.all([world.ask('allocates-in-the-host'), world.ask('none')]);
	t.is(answer?.kind, 'F');
	t.is(neighbour?.kind, 'A');
});

test.serial('a module is handed its input and not a byte around it', async t => {
	const {annotate} = bodyOf(await world.ask('measures-its-input', 'fast', 'é')) as {annotate: {block: number}};
	t.is(annotate.block, Buffer.byteLength('{"model":"fast","text":["é"]}'));
});

test.serial('after a trap nothing is left of the memory before it', async t => {
	await world.ask('traps', 'peace');
	await world.ask('traps');
	t.deepEqual(bodyOf(await world.ask('traps', 'peace')), {verdict: 'allow', annotate: {calls: 1}});
});

test.serial('one instance answers 40,000 times', async t => {
	const first = (bodyOf(await world.ask('none')) as {annotate: {calls: number}}).annotate.calls;
	for (let round = 0; round < 400; round++) await Promise.all(Array.from({length: 100}, () => world.ask('none')));
	t.deepEqual(bodyOf(await world.ask('none')), {verdict: 'allow', annotate: {calls: first + 40_001}});
});

test.serial('what is no module, wants too much memory, or exports too little does not load', async t => {
	const bare = await wasmCode('export function pre_request(): i32 { return 0; }');
	const hungry = await wasmCode(
		'export function pre_request(): i32 { return memory.size(); } export function post_response(): i32 { memory.grow(1); return 0; } export const far = memory.data(20000000);',
	);
	const unknown = await wasmCode(`
		// @ts-ignore: decorator
		@external('env', 'secret_door')
		declare function door(): void;
		export function pre_request(): i32 { door(); return 0; }
		export function post_response(): i32 { return 0; }
	`);
	const code = [Buffer.from('not a module'), bare, hungry, unknown];
	const failed = await processWorld(code.map((each, index) => ({name: `p${index}`, code: each, limits: {memoryMb: 16}})));
	t.teardown(failed.close);
	const failures = failed.tier.loaded.map(said => ('failure' in said ? said.failure : 'none'));
	t.regex(failures[0]!, /module|magic/);
	t.is(failures[1], 'plugin.wasm of p1 does not export post_response');
	t.regex(failures[2]!, /limits.memoryMb allows 256$/);
	t.regex(failures[3]!, /secret_door/);
});
