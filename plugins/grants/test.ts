import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Who = {tenant: string; team?: string; user?: string; key?: string};

const ada: Who = {tenant: 'acme', team: 'search', user: 'ada', key: 'key_1'};

const start = async (t: ExecutionContext, allow: Record<string, unknown> = {}) => {
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	const call = (model: string, principal: Who = ada) => plugin.ask('pre-request', {operation: 'chat', principal, model});
	const passes = async (model: string, principal?: Who) => (await call(model, principal)) === undefined;
	return {plugin, call, passes, act: plugin.act};
};

test('without any rule, no model is granted', async t => {
	const {call} = await start(t);
	t.deepEqual(await call('fast'), {
		verdict: 'deny',
		code: 'model_not_granted',
		message: 'The model "fast" is not granted to this key.',
	});
});

test('a rule grants the names it lists, and those that begin as its patterns do', async t => {
	const {passes} = await start(t, {'tenant:acme': ['fast', 'openai/gpt-*']});
	t.true(await passes('fast'));
	t.true(await passes('openai/gpt-5'));
	t.false(await passes('faster'));
	t.false(await passes('openai/o3'));
	t.false(await passes('xopenai/gpt-5'));
	t.false(await passes('fast', {tenant: 'other'}));
});

test('every rule about a principal has to allow the model, the one for everyone too', async t => {
	const {call, passes} = await start(t, {
		'*': ['fast', 'slow', 'best'],
		'tenant:acme': ['fast', 'slow', 'own'],
		'team:acme/search': ['fast', 'slow'],
		'user:acme/ada': ['*'],
		'key:key_1': ['fast', 'best'],
	});
	t.true(await passes('fast'));
	t.like(await call('best'), {rule: 'tenant:acme'});
	t.like(await call('own'), {rule: '*'});
	t.like(await call('slow'), {rule: 'key:key_1'});
	t.true(await passes('best', {tenant: 'other'}));
});

test('teams and users of the same name in two tenants are strangers', async t => {
	const {passes} = await start(t, {'team:acme/search': ['fast'], 'user:acme/ada': ['fast']});
	t.true(await passes('fast', {tenant: 'acme', team: 'search'}));
	t.false(await passes('fast', {tenant: 'other', team: 'search', user: 'ada'}));
});

test('a refusal names the model that was asked for and no other', async t => {
	const {call} = await start(t, {'tenant:acme': ['secret-model'], 'tenant:other': ['their-model']});
	t.notRegex(JSON.stringify(await call('x'.repeat(5_000))), /secret-model|their-model|other/);
});

test('what an action allows takes the place of what the config says of that scope', async t => {
	const {act, passes} = await start(t, {'tenant:acme': ['fast']});
	t.true(await passes('fast'));
	await act('allow', {scope: 'tenant:acme', models: ['slow']});
	t.false(await passes('fast'));
	t.true(await passes('slow'));
	await act('reset', {scope: 'tenant:acme'});
	t.true(await passes('fast'));
	t.false(await passes('slow'));
});

test('a scope that was revoked may call nothing, whatever wider scopes and the config grant', async t => {
	const {act, passes} = await start(t, {'*': ['*'], 'key:key_1': ['fast']});
	t.true(await passes('fast'));
	await act('revoke', {scope: 'key:key_1'});
	t.false(await passes('fast'));
	t.true(await passes('fast', {tenant: 'acme', key: 'key_2'}));
});

test('the list of models shows those that may be called', async t => {
	const {plugin} = await start(t, {'*': ['fast', 'openai/*']});
	const list = (...ids: string[]) => ({models: ids.map(id => ({id}))});
	const ask = (result: ReturnType<typeof list> | undefined, principal: Who | undefined = ada) =>
		plugin.ask('post-response', {operation: 'models', principal, result});
	t.deepEqual(await ask(list('fast', 'slow', 'openai/gpt-5')), {verdict: 'rewrite', patch: {result: list('fast', 'openai/gpt-5')}});
	t.is(await ask(list('fast')), undefined);
	t.is(await ask(undefined), undefined);
	t.is(await plugin.ask('pre-request', {operation: 'models', principal: ada}), undefined);
	t.deepEqual(await plugin.ask('post-response', {operation: 'models', result: list('fast')}), {
		verdict: 'rewrite',
		patch: {result: list()},
	});
});

test('a list of models in another shape fails instead of passing unread', async t => {
	const {plugin} = await start(t, {'*': ['*']});
	await t.throwsAsync(plugin.ask('post-response', {operation: 'models', principal: ada, result: {data: []}}));
});

test('explain names the rule that decides', async t => {
	const {act} = await start(t, {'*': ['*'], 'team:acme/search': ['fast']});
	await act('allow', {scope: 'key:key_1', models: ['fast', 'slow']});
	t.deepEqual(await act('explain', {...ada, model: 'slow'}), {
		granted: false,
		decidedBy: 'team:acme/search',
		code: 'model_not_granted',
		message: 'The model "slow" is not granted to this key.',
		rules: [
			{scope: '*', models: ['*'], from: 'config', allows: true},
			{scope: 'team:acme/search', models: ['fast'], from: 'config', allows: false},
			{scope: 'key:key_1', models: ['fast', 'slow'], from: 'action', allows: true},
		],
	});
	t.like(await act('explain', {...ada, model: 'fast'}), {granted: true, decidedBy: 'key:key_1'});
});

test('explain says that nothing decides where there is no rule', async t => {
	const {act} = await start(t);
	t.like(await act('explain', {tenant: 'acme', model: 'fast'}), {granted: false, decidedBy: null, code: 'model_not_granted', rules: []});
});

test('list has each scope once, with where its rule was written', async t => {
	const {act} = await start(t, {'*': ['*'], 'tenant:acme': ['fast']});
	await act('allow', {scope: 'tenant:acme', models: ['slow']});
	await act('revoke', {scope: 'key:key_1'});
	t.deepEqual(await act('list'), {
		grants: [
			{scope: '*', models: ['*'], from: 'config'},
			{scope: 'key:key_1', models: [], servers: [], tools: [], prompts: [], resources: [], from: 'action'},
			{scope: 'tenant:acme', models: ['slow'], from: 'action'},
		],
	});
	t.like(await act('list', {limit: 1}), {grants: {length: 2}, next: 'key:key_1'});
	t.deepEqual(await act('list', {limit: 1, after: 'tenant:acme'}), {grants: []});
});

for (const scope of ['acme', 'tenant:', 'tenant:a/b', 'team:acme', 'user:ada', 'team:acme/*', 'tenant:*', 'constructor'])
	test(`a rule about "${scope}" is refused, in the config and in an action`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config: {allow: Object.fromEntries([[scope, ['*']]])}}));
		const {act} = await start(t);
		await t.throwsAsync(act('allow', {scope, models: ['*']}), {code: 'invalid_request'});
	});

test('a star anywhere but at the end of a model is refused', async t => {
	await t.throwsAsync(startPlugin(import.meta.url, {config: {allow: {'*': ['*/gpt']}}}), {message: /at its end/});
});
