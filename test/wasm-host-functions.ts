import test from 'ava';
import type {Lending} from '../core/sandbox/capabilities.ts';
import type {Capability} from '../schemas/manifest.ts';
import {bodyOf, processWorldOf, wasmCode} from './helpers/process-world.ts';

/** Calls the host function that `model` names with the text it is given, and annotates the reply. Extism's own ABI, as any PDK speaks it. */
const caller = `
import {quoted, parse} from './json';

// @ts-ignore: decorator
@external('extism:host/env', 'alloc')
declare function alloc(size: u64): u64;
// @ts-ignore: decorator
@external('extism:host/env', 'length')
declare function lengthOf(address: u64): u64;
// @ts-ignore: decorator
@external('extism:host/env', 'load_u8')
declare function loadByte(address: u64): u32;
// @ts-ignore: decorator
@external('extism:host/env', 'store_u8')
declare function storeByte(address: u64, byte: u32): void;
// @ts-ignore: decorator
@external('extism:host/env', 'input_length')
declare function inputLength(): u64;
// @ts-ignore: decorator
@external('extism:host/env', 'input_load_u8')
declare function inputByte(at: u64): u32;
// @ts-ignore: decorator
@external('extism:host/env', 'output_set')
declare function outputSet(address: u64, length: u64): void;
NAMES

function toHost(text: string): u64 {
	const bytes = Uint8Array.wrap(String.UTF8.encode(text));
	const address = alloc(bytes.length);
	for (let at = 0; at < bytes.length; at++) storeByte(address + at, bytes[at]);
	return address;
}
function fromHost(address: u64): string {
	const bytes = new Uint8Array(i32(lengthOf(address)));
	for (let at = 0; at < bytes.length; at++) bytes[at] = u8(loadByte(address + at));
	return String.UTF8.decode(bytes.buffer);
}
function given(): string {
	const bytes = new Uint8Array(i32(inputLength()));
	for (let at = 0; at < bytes.length; at++) bytes[at] = u8(inputByte(at));
	return String.UTF8.decode(bytes.buffer);
}
function say(json: string): i32 {
	outputSet(toHost(json), u64(String.UTF8.byteLength(json)));
	return 0;
}

export function pre_request(): i32 {
	const asked = parse(given());
	const name = asked.get('model')!.text;
	const argument = toHost(asked.get('text')!.items[0].text);
	let reply: u64 = 0;
CALLS
	return say('{"verdict":"allow","annotate":{"reply":' + quoted(fromHost(reply)) + '}}');
}
export function post_response(): i32 {
	return 0;
}
export function action(): i32 {
	return say(given());
}
`;

const sync = ['kv_get', 'kv_list', 'clock_now', 'random_number', 'random_uuid', 'random_secret', 'log', 'metrics_count', 'secrets_get'];
const waiting = ['kv_put', 'http_fetch', 'models_ask'];
const codeOf = (names: string[]): Promise<Buffer> =>
	wasmCode(
		caller
			.replace(
				'NAMES',
				names
					.map(name => `// @ts-ignore: decorator\n@external('extism:host/user', '${name}')\ndeclare function ${name}(argument: u64): u64;`)
					.join('\n'),
			)
			.replace('CALLS', names.map(name => `	if (name == '${name}') reply = ${name}(argument);`).join('\n')),
	);

const [syncCode, allCode] = await Promise.all([codeOf(sync), codeOf([...sync, ...waiting])]);
const everything: Capability[] = ['kv', 'clock', 'random', 'log', 'metrics', 'secrets', 'http', 'models'];

const replyTo = (answer: Parameters<typeof bodyOf>[0]): Record<string, unknown> =>
	JSON.parse((bodyOf(answer) as {annotate?: {reply?: string}}).annotate?.reply ?? `{"answer":${JSON.stringify(answer)}}`);

test.serial('a module reads its own namespace, as it is now', async t => {
	const world = await processWorldOf(t, [{name: 'module', code: syncCode, capabilities: ['kv']}]);
	t.deepEqual(replyTo(await world.ask('module', 'kv_get', 'a')), {});
	await world.put('module', {a: '{"n":1}', b: '2', c: '3'});
	await world.put('another', {a: '9'});
	t.deepEqual(replyTo(await world.ask('module', 'kv_get', 'a')), {value: {n: 1}});
	t.deepEqual(replyTo(await world.ask('module', 'kv_list', '{"prefix":"","after":"a","limit":1}')), {value: [{key: 'b', value: 2}]});
	await world.put('module', {a: null});
	t.deepEqual(replyTo(await world.ask('module', 'kv_get', 'a')), {});
});

test.serial('a module borrows clock, random numbers, secrets, log and metrics', async t => {
	const world = await processWorldOf(t, [{name: 'module', code: syncCode, capabilities: everything, secrets: {token: 'hush'}}]);
	const before = Date.now();
	const {value: now} = replyTo(await world.ask('module', 'clock_now'));
	t.true(Number(now) >= before && Number(now) <= Date.now());
	const {value: number} = replyTo(await world.ask('module', 'random_number'));
	t.true(Number(number) >= 0 && Number(number) < 1);
	t.regex(String(replyTo(await world.ask('module', 'random_uuid')).value), /^[0-9a-f-]{36}$/);
	t.regex((replyTo(await world.ask('module', 'random_secret', 'vk_')).value as {value: string}).value, /^vk_[\w-]{43}$/);
	t.deepEqual(replyTo(await world.ask('module', 'secrets_get', 'token')), {value: 'hush'});
	t.like(replyTo(await world.ask('module', 'secrets_get', 'other')), {error: {code: 'denied'}});
	t.deepEqual(replyTo(await world.ask('module', 'log', '{"level":"warn","message":"look","facts":{"n":1}}')), {});
	t.like(replyTo(await world.ask('module', 'log', '{"level":"fatal","message":"look"}')), {error: {code: 'invalid_request'}});
	t.deepEqual(replyTo(await world.ask('module', 'metrics_count', '{"name":"seen","by":2}')), {});
	t.deepEqual(world.logged, [{plugin: 'module', level: 'warn', message: 'look', facts: {n: 1}}]);
	t.deepEqual(world.counted, {seen: 2});
});

test.serial('a capability that the manifest does not name is refused, with the line to add', async t => {
	const world = await processWorldOf(t, [{name: 'module', code: allCode}]);
	for (const [name, argument] of [
		['kv_get', 'a'],
		['clock_now', ''],
		['secrets_get', 'token'],
		['kv_put', '{"a":1}'],
		['http_fetch', '{"url":"http://a.example"}'],
		['models_ask', '{"model":"m","body":{}}'],
	]) {
		const {error} = replyTo(await world.ask('module', name, argument)) as {error?: {code: string; message: string}};
		t.is(error?.code, 'denied', name);
		t.regex(error?.message ?? '', /"capabilities"/);
	}
});

test.serial('a module that writes or fetches waits for it, while others are asked', async t => {
	let release: (() => void) | undefined;
	const http = ({url}: {url: string}) =>
		new Promise<{status: number; headers: Record<string, string>; body: string}>(resolve => {
			release = () => resolve({status: 200, headers: {}, body: `from ${url}`});
		});
	const world = await processWorldOf(t, [{name: 'module', code: allCode, capabilities: everything}], {http});
	t.deepEqual(replyTo(await world.ask('module', 'kv_put', '{"a":[1]}')), {value: true});
	t.deepEqual(world.space('module'), {a: '[1]'});
	const fetched = world.ask('module', 'http_fetch', '{"url":"http://a.example/"}');
	t.deepEqual(replyTo(await world.ask('module', 'kv_get', 'a')), {value: [1]});
	while (!release) await new Promise(resolve => setTimeout(resolve, 5));
	release();
	t.deepEqual(replyTo(await fetched), {value: {status: 200, headers: {}, body: 'from http://a.example/'}});
});

test.serial('a module asks a model, and says in which call', async t => {
	const ask: Lending['ask'] = async ({asking, model, body}) => ({status: 200, body: {asking: asking ?? null, model, body}});
	const world = await processWorldOf(t, [{name: 'module', code: allCode, capabilities: everything}], {ask});
	const question = {asking: 'this call', model: 'm', body: {input: 'hello'}};
	t.deepEqual(replyTo(await world.ask('module', 'models_ask', JSON.stringify(question))), {value: {status: 200, body: question}});
});

test.serial('a host call that is refused says so as data', async t => {
	const world = await processWorldOf(t, [{name: 'module', code: allCode, capabilities: everything}]);
	t.truthy(replyTo(await world.ask('module', 'kv_put', 'no json')).error);
	t.truthy(replyTo(await world.ask('module', 'http_fetch', '{"url":"http://a.example/"}')).error);
});

test.serial('an action gets its name, its input and who calls; the manifest says what it takes', async t => {
	const input = {type: 'object', properties: {n: {type: 'integer'}}, required: ['n'], additionalProperties: false};
	const world = await processWorldOf(t, [{name: 'module', code: syncCode, actions: {count: {input}}}]);
	t.like(world.tier.loaded[0], {hooks: ['pre-request', 'post-response'], actions: {count: {input}}, issues: []});
	t.deepEqual(JSON.parse(await world.tier.act('module', 'count', '{"n":3}', '{"actor":"ada"}')), {
		action: 'count',
		input: {n: 3},
		caller: {actor: 'ada'},
	});
	await t.throwsAsync(world.tier.act('module', 'count', '{"n":"3"}', '{}'), {code: 'invalid_request'} as never);
	await t.throwsAsync(world.tier.act('module', 'toString', '{}', '{}'), {code: 'not_found'} as never);
});
