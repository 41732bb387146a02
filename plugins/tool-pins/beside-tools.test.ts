import test from 'ava';
import {digestOf, poison, startPins, tool as thing} from '../../test/helpers/pinned-tools.ts';

const said = (name: string, description = `gives ${name}`) => thing(name, {description});
const minuteMs = 60_000;

for (const [what, operation, get] of [
	['prompt', 'prompts/list', {operation: 'prompts/get', params: (name: string) => ({name})}],
	['prompt', 'prompts/list', {operation: 'completion/complete', params: (name: string) => ({ref: {type: 'ref/prompt', name}})}],
	[
		'template',
		'resources/templates/list',
		{operation: 'completion/complete', params: (uri: string) => ({ref: {type: 'ref/resource', uri}})},
	],
	['resource', 'resources/list', {operation: 'resources/read', params: (uri: string) => ({uri})}],
] as const)
	test(`a ${what} is hidden and refused (${get.operation}) until somebody approves it, and again when it changes`, async t => {
		const {listOf, get: ask, act, pins, clock} = await startPins(t);
		const may = (name: string) => ask(get.operation, get.params(name));
		t.deepEqual(await listOf(operation, [said('a'), said('b')]), []);
		t.is(await may('a'), 'new');
		t.like(await pins({state: 'pending'}), {pins: [{server: 'one', [what]: 'a'}, {[what]: 'b'}]});
		await act('approve', {server: 'one', [what]: 'a', digest: digestOf(said('a').definition)});
		t.deepEqual(await listOf(operation, [said('a'), said('b')]), ['a']);
		t.true(await may('a'));
		t.is(await may('b'), 'new');

		clock.now += minuteMs;
		const changed = said('a', 'gives something else');
		t.deepEqual(await listOf(operation, [changed]), []);
		t.is(await may('a'), 'changed');
		t.like(await act('show', {server: 'one', [what]: 'a'}), {differences: [{field: 'description', before: 'gives a'}]});

		clock.now += minuteMs;
		t.deepEqual(await listOf(operation, [said('a')]), ['a'], 'it is itself again');
		t.true(await may('a'));
		t.deepEqual(await listOf(operation, [changed]), [], 'and changed again');
		t.is(await may('a'), 'changed');

		await act('approve', {server: 'one', [what]: 'a', digest: digestOf(changed.definition)});
		t.deepEqual(await listOf(operation, [changed]), ['a']);
		t.true(await may('a'));
		await act('reject', {server: 'one', [what]: 'b', digest: digestOf(said('b').definition)});
		t.is(await may('b'), 'rejected');
		t.deepEqual(await act('forget', {server: 'one'}), {server: 'one', forgotten: 2});
		t.deepEqual((await pins()).pins, []);
	});

test('what is poisoned is not trusted at first sight, in a prompt, a template or a resource', async t => {
	const {listOf, get} = await startPins(t, {first: {'*': 'trust'}});
	for (const operation of ['prompts/list', 'resources/templates/list', 'resources/list'] as const)
		t.deepEqual(
			await listOf(operation, [thing('a', poison), thing('b', {title: 'calm'}), thing('c', {description: 'x\u200b'})]),
			['b'],
			operation,
		);
	t.is(await get('prompts/get', {name: 'a'}), 'new');
	t.true(await get('prompts/get', {name: 'b'}));
	t.true(await get('prompts/get', {name: 'never seen'}));
	t.is(await get('resources/read', {uri: 'a'}), 'new');
});

test('a resource that says nothing but where it is needs no approval, unless that is odd', async t => {
	const {listOf, get, pins, act} = await startPins(t);
	const plain = (uri: string, name = 'a file') =>
		thing(uri, {uri, name, mimeType: 'text/plain', annotations: {lastModified: '2026-01-01'}});
	const many = Array.from({length: 1_500}, (_, index) => plain(`file:///${index}`));
	t.is((await listOf('resources/list', many)).length, 1_500);
	t.deepEqual((await pins()).pins, [], 'and none is written down');
	t.true(await get('resources/read', {uri: 'file:///7'}));
	t.deepEqual(
		await listOf('resources/list', [thing('file:///x', {uri: 'file:///x', more: {say: 'words'}})]),
		[],
		'another field may say anything',
	);
	const odd = plain('file:///odd', poison.description);
	t.deepEqual(await listOf('resources/list', [odd, plain('file:///1')]), ['file:///1']);
	t.is(await get('resources/read', {uri: 'file:///odd'}), 'new');
	await act('approve', {server: 'one', resource: 'file:///odd', digest: digestOf(odd.definition)});
	t.deepEqual(await listOf('resources/list', [odd]), ['file:///odd']);
});

test('where nothing is to be shown that is not pinned, no resource is', async t => {
	const {listOf, get} = await startPins(t, {first: {'*': 'deny'}});
	t.deepEqual(await listOf('resources/list', [thing('file:///a', {uri: 'file:///a', name: 'a'})]), []);
	t.is(await get('resources/read', {uri: 'file:///a'}), 'not pinned');
	t.is(await get('prompts/get', {name: 'a'}), 'not pinned');
});

test('a tool, a prompt and a template of one name are three things', async t => {
	const {list, listOf, act, pins} = await startPins(t);
	await list([said('a')]);
	await listOf('prompts/list', [said('a')]);
	await listOf('resources/templates/list', [said('a')]);
	t.is((await pins()).pins.length, 3);
	await act('approve', {server: 'one', prompt: 'a', digest: digestOf(said('a').definition)});
	t.deepEqual(await list([said('a')]), []);
	t.deepEqual(await listOf('prompts/list', [said('a')]), ['a']);
	t.deepEqual(await act('forget', {server: 'one', tool: 'a'}), {server: 'one', forgotten: 1});
	t.like(await act('approveServer', {server: 'one'}), {approved: 1});
	for (const asked of [{}, {tool: 'a', prompt: 'a'}, {prompt: 'a', instructions: true}])
		await t.throwsAsync(act('show', {server: 'one', ...asked}), {code: 'invalid_request'});
});

test('what the config does not name is left alone', async t => {
	const {listOf, get, list} = await startPins(t, {also: ['prompts']});
	t.deepEqual(await listOf('resources/list', [thing('a', poison)]), ['a']);
	t.deepEqual(await listOf('resources/templates/list', [thing('a', poison)]), ['a']);
	t.true(await get('completion/complete', {ref: {type: 'ref/resource', uri: 'a'}}));
	t.deepEqual(await listOf('prompts/list', [said('a')]), []);
	t.deepEqual(await list([said('a')]), [], 'tools are pinned in any case');
});

test('a server that changes and changes back is written down twice a minute at most', async t => {
	const {listOf, clock, writes} = await startPins(t, {first: {'*': 'trust'}});
	await listOf('prompts/list', [said('a')]);
	const before = writes();
	for (let round = 0; round < 20; round++) {
		clock.now += minuteMs / 10;
		await listOf('prompts/list', [said('a', round % 2 === 0 ? 'one' : 'gives a')]);
	}
	t.true(writes() - before <= 5, `${writes() - before} in two minutes`);
});
