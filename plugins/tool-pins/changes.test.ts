import test from 'ava';
import {type Definition, digestOf, startPins, tool} from '../../test/helpers/pinned-tools.ts';

const original = {
	description: 'adds',
	title: 'Add',
	inputSchema: {type: 'object', properties: {a: {type: 'number', description: 'first'}}},
	outputSchema: {type: 'object'},
	annotations: {readOnlyHint: true},
	icons: [{src: 'https://a.example/i.png'}],
	_meta: {v: 1},
};
const changes: Record<string, Definition> = {
	description: {...original, description: 'adds.'},
	title: {...original, title: 'add'},
	'a parameter': {...original, inputSchema: {type: 'object', properties: {a: {type: 'number', description: 'First'}}}},
	'another parameter': {...original, inputSchema: {type: 'object', properties: {...original.inputSchema.properties, b: {}}}},
	outputSchema: {...original, outputSchema: {}},
	annotations: {...original, annotations: {readOnlyHint: false}},
	icons: {...original, icons: []},
	_meta: {...original, _meta: {v: 2}},
	'a field of its own': {...original, more: {}},
};

for (const [what, changed] of Object.entries(changes))
	test(`a tool that changes (${what}) is hidden and refused until the difference is approved, and back again it is itself`, async t => {
		const {list, call, act} = await startPins(t, {first: {'*': 'trust'}});
		t.deepEqual(await list([tool('a', original)]), ['a']);
		t.deepEqual(await list([tool('a', changed), tool('b')]), ['b']);
		t.is(await call(tool('a', changed)), 'changed');
		t.deepEqual(await list([tool('a', original)]), ['a']);
		t.true(await call(tool('a', original)));
		const shown = (await act('show', {server: 'one', tool: 'a'})) as {digest: string; differences: {field: string}[]};
		t.is(shown.digest, digestOf(changed));
		t.is(shown.differences.length, 1);
		await act('approve', {server: 'one', tool: 'a', digest: shown.digest});
		t.deepEqual(await list([tool('a', changed)]), ['a']);
		t.is(await call(tool('a', original)), 'changed', 'the old one is the stranger now');
	});

test('who approves one thing does not approve another', async t => {
	const {list, act, clock} = await startPins(t);
	await list([tool('a')]);
	clock.now += 120_000;
	await list([tool('a', {description: 'another since'})]);
	await t.throwsAsync(act('approve', {server: 'one', tool: 'a', digest: digestOf(tool('a').definition)}), {code: 'conflict'});
	await t.throwsAsync(act('approve', {server: 'one', tool: 'nothing', digest: digestOf('')}), {code: 'not_found'});
	await t.throwsAsync(act('approve', {server: 'one', digest: digestOf('')}), {code: 'invalid_request'});
	const auditor = {actor: 'eve', role: 'auditor'} as const;
	t.like(await act('list', {}, auditor), {pins: {length: 1}});
	t.deepEqual(await list([tool('a')]), []);
});

test('what was rejected stays hidden, an older pin stays, and a change after that waits anew', async t => {
	const {list, call, act, pins} = await startPins(t, {first: {'*': 'trust'}});
	await list([tool('a')]);
	const changed = tool('a', {description: 'changed'});
	await list([changed]);
	await act('reject', {server: 'one', tool: 'a', digest: digestOf(changed.definition)});
	t.is(await call(changed), 'changed');
	t.true(await call(tool('a')));
	t.deepEqual((await pins({state: 'pending'})).pins, []);
	await act('reject', {server: 'one', tool: 'a', digest: digestOf(changed.definition)});
	await list([tool('b')]);
	await act('reject', {server: 'one', tool: 'b', digest: digestOf(tool('b').definition)});
	t.is(await call(tool('b')), 'rejected');
	t.is(await call(tool('b', {description: 'another try'})), 'new', 'it is not trusted as if it were new');
});

test('what is forgotten is seen for the first time again', async t => {
	const {list, act, pins} = await startPins(t, {first: {'*': 'trust'}});
	await list([tool('a'), tool('b')]);
	await list([tool('a', {description: 'changed'})]);
	t.deepEqual(await act('forget', {server: 'one', tool: 'a'}), {server: 'one', forgotten: 1});
	t.deepEqual(await list([tool('a', {description: 'changed'})]), ['a']);
	await list([tool('a', undefined, 'oneself')], 'oneself');
	t.deepEqual(await act('forget', {server: 'one'}), {server: 'one', forgotten: 2});
	t.like(await pins(), {pins: [{server: 'oneself', tool: 'a'}]});
});
