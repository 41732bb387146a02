import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const ada = {tenant: 'acme', team: 'search', user: 'ada', key: 'key_1', accounts: ['tenant:acme', 'key:key_1']};
const asking = {
	principal: ada,
	operation: 'chat' as const,
	model: 'fast',
	deployments: ['local/llama', 'claude/haiku'],
	estimate: {inputTokens: 100, maxOutputTokens: 1_000},
};

const start = async (t: ExecutionContext, allow: Record<string, unknown> = {}) => {
	const plugin = await startPlugin(import.meta.url, {config: {allow}});
	t.teardown(plugin.close);
	const call = (changes: object = {}) => plugin.ask('pre-request', {...asking, ...changes});
	const may = async (question: object) => (await plugin.act('explain', {tenant: 'acme', ...question})) as {granted: boolean; code?: string};
	return {plugin, call, may, act: plugin.act};
};

test('a list of models is short for a rule about models', async t => {
	const {call} = await start(t, {'*': ['fast'], 'tenant:acme': {models: ['fast', 'slow']}});
	t.is(await call(), undefined);
	t.like(await call({model: 'slow'}), {verdict: 'deny', rule: '*'});
});

test('a rule that names no models grants none', async t => {
	const {call} = await start(t, {'tenant:acme': {providers: ['*'], operations: ['*'], maxOutputTokens: 5_000}});
	t.like(await call(), {verdict: 'deny', code: 'model_not_granted'});
});

test('of the deployments planned only those of granted providers are left, in their order', async t => {
	const {call} = await start(t, {'*': ['*'], 'tenant:acme': {providers: ['claude', 'openai']}});
	t.deepEqual(await call(), {verdict: 'route', plan: ['claude/haiku']});
	t.is(await call({deployments: ['openai/gpt', 'claude/haiku']}), undefined);
	t.like(await call({deployments: ['local/llama']}), {verdict: 'deny', code: 'provider_not_granted', rule: 'tenant:acme'});
});

test('providers that no two rules share leave nothing, and the rule that took the last one is named', async t => {
	const {call} = await start(t, {
		'*': {models: ['*'], providers: ['local', 'claude']},
		'team:acme/search': {providers: ['openai', 'cla*']},
	});
	t.deepEqual(await call(), {verdict: 'route', plan: ['claude/haiku']});
	t.like(await call({deployments: ['local/llama']}), {code: 'provider_not_granted', rule: 'team:acme/search'});
	const denied = await call({deployments: ['local/llama', 'openai/gpt']});
	t.like(denied, {code: 'provider_not_granted', rule: 'team:acme/search'});
	t.notRegex(JSON.stringify(denied), /claude|cla\*|openai|local/);
});

test('an operation that some rule about operations does not name is refused', async t => {
	const {call} = await start(t, {'*': {models: ['*'], operations: ['*']}, 'key:key_1': {operations: ['chat', 'embeddings']}});
	t.is(await call(), undefined);
	t.like(await call({operation: 'messages'}), {verdict: 'deny', code: 'operation_not_granted', rule: 'key:key_1'});
	t.is(await call({operation: 'messages', principal: {tenant: 'acme'}}), undefined);
});

test('the smallest of all limits on tokens counts, wherever it was set', async t => {
	const {call} = await start(t, {
		'*': {models: ['*'], maxOutputTokens: 4_000, maxInputTokens: 500},
		'team:acme/search': {maxOutputTokens: 1_000},
		'user:acme/ada': {maxOutputTokens: 9_000},
	});
	t.is(await call(), undefined);
	const output = (maxOutputTokens: number) => call({estimate: {inputTokens: 100, maxOutputTokens}});
	t.like(await output(1_001), {
		code: 'output_not_granted',
		rule: 'team:acme/search',
		message: 'This asks for up to 1001 output tokens; this key may ask for 1000.',
	});
	t.like(await call({estimate: {inputTokens: 501, maxOutputTokens: 1}}), {code: 'denied', rule: '*'});
	t.is(await call({principal: {tenant: 'acme'}, estimate: {inputTokens: 1, maxOutputTokens: 4_000}}), undefined);
});

test('a key has no more than the keys it was minted from', async t => {
	const {call} = await start(t, {'*': ['*'], 'key:key_parent': ['fast'], 'key:key_child': ['fast', 'slow']});
	const child = {tenant: 'acme', key: 'key_child', accounts: ['tenant:acme', 'key:key_parent', 'key:key_child']};
	t.is(await call({principal: child}), undefined);
	t.like(await call({principal: child, model: 'slow'}), {code: 'model_not_granted', rule: 'key:key_parent'});
	t.is(await call({principal: {tenant: 'acme', key: 'key_stranger'}, model: 'slow'}), undefined);
});

test('what is explained of a key whose parents are not named lifts no rule of theirs', async t => {
	const {plugin, call, may} = await start(t, {'*': ['*'], 'key:key_parent': ['fast']});
	const accounts = ['tenant:acme', 'key:key_parent', 'key:key_child'];
	const child = {tenant: 'acme', key: 'key_child', accounts};
	const auditor = {actor: 'auditor_1', role: 'auditor', tenant: 'acme'} as const;
	await plugin.act('explainRequest', {...asking, principal: {tenant: 'acme', key: 'key_child'}, model: 'slow'}, auditor);
	t.like(await may({key: 'key_child', model: 'slow'}), {granted: true});
	t.like(await call({principal: child, model: 'slow'}), {verdict: 'deny', rule: 'key:key_parent'});
	t.like(await may({key: 'key_child', accounts, model: 'slow'}), {granted: false, decidedBy: 'key:key_parent'});
	t.is(await call({principal: {...child, accounts: ['key:key_child']}, model: 'slow'}), undefined);
});

test('names that read alike when put together are told apart', async t => {
	const {call} = await start(t, {'*': ['*'], 'team:acme/undefined': [], 'user:acme/x': []});
	t.is(await call({principal: {tenant: 'acme'}}), undefined);
	t.like(await call({principal: {tenant: 'acme', team: 'undefined'}}), {verdict: 'deny'});
	t.is(await call({principal: {tenant: 'acme', team: 'x'}}), undefined);
	t.like(await call({principal: {tenant: 'acme', user: 'x'}}), {verdict: 'deny'});
	t.is(await call({principal: {tenant: 'acme', key: 'x'}}), undefined);
});

test('keys without a rule of their own are judged as their team, each tenant by itself', async t => {
	const {call, act} = await start(t, {'*': ['*'], 'team:acme/search': {operations: ['chat']}});
	const own = {actor: 'admin_other', role: 'admin', tenant: 'other'} as const;
	await act('allow', {scope: 'key:key_9', models: ['fast']}, own);
	for (const key of ['key_1', 'key_2', 'key_9']) t.is(await call({principal: {...ada, key, accounts: []}, model: 'slow'}), undefined, key);
	t.like(await call({principal: {tenant: 'other', key: 'key_9'}, model: 'slow'}), {verdict: 'deny', rule: 'key:key_9'});
});

test('the list of models leaves out what no granted provider serves', async t => {
	const {plugin} = await start(t, {'*': {models: ['*'], providers: ['local']}});
	const models = [
		{id: 'fast', deployments: ['local/llama', 'claude/haiku']},
		{id: 'best', deployments: ['claude/opus']},
	];
	t.deepEqual(await plugin.ask('post-response', {operation: 'models', principal: ada, result: {models}}), {
		verdict: 'rewrite',
		patch: {result: {models: [models[0]!]}},
	});
});

test('an action changes the aspects it names; null takes one out', async t => {
	const {act, call} = await start(t, {'tenant:acme': {models: ['fast'], operations: ['embeddings']}});
	t.deepEqual(await act('allow', {scope: 'tenant:acme', maxOutputTokens: 2_000}), {
		scope: 'tenant:acme',
		models: ['fast'],
		operations: ['embeddings'],
		maxOutputTokens: 2_000,
	});
	t.like(await call(), {code: 'operation_not_granted'});
	await act('allow', {scope: 'tenant:acme', operations: null, models: ['fast', 'slow']});
	t.is(await call({model: 'slow'}), undefined);
	t.like(await call({estimate: {inputTokens: 1, maxOutputTokens: 2_001}}), {code: 'output_not_granted'});
	await Promise.all([
		act('allow', {scope: 'tenant:acme', maxOutputTokens: null}),
		act('allow', {scope: 'tenant:acme', providers: ['local']}),
	]);
	t.deepEqual(await act('list'), {grants: [{scope: 'tenant:acme', models: ['fast', 'slow'], providers: ['local'], from: 'action'}]});
});

test('a server and a tool have to be granted, each by somebody', async t => {
	const {may} = await start(t, {
		'*': {models: ['*'], servers: ['files', 'mail'], tools: ['files/read_*', 'mail/*', 'files/write_file']},
		'team:acme/search': {tools: ['files/*']},
	});
	t.like(await may({server: 'files'}), {granted: true, decidedBy: '*'});
	t.like(await may({server: 'bank'}), {granted: false, code: 'denied', decidedBy: '*'});
	t.like(await may({server: 'files', tool: 'read_file', team: 'search'}), {granted: true});
	t.like(await may({server: 'files', tool: 'delete_file'}), {granted: false, decidedBy: '*'});
	t.like(await may({server: 'mail', tool: 'send'}), {granted: true});
	t.like(await may({server: 'mail', tool: 'send', team: 'search'}), {granted: false, decidedBy: 'team:acme/search'});
	const {may: without} = await start(t, {'*': ['*']});
	t.like(await without({server: 'files'}), {granted: false, decidedBy: null});
	t.like(await without({server: 'files', tool: 'read_file'}), {granted: false, decidedBy: null});
});

test('what an admin of a tenant writes narrows, and grants nothing', async t => {
	const {act, call, may} = await start(t, {'tenant:acme': ['fast', 'slow']});
	const olga = {actor: 'admin_1', role: 'admin', tenant: 'acme'} as const;
	const peter = {actor: 'admin_2', role: 'admin', tenant: 'other'} as const;
	await act('allow', {scope: 'team:acme/search', models: ['*'], servers: ['*'], tools: ['*']}, olga);
	await act('allow', {scope: 'tenant:acme', models: ['*'], maxOutputTokens: 1_000_000}, olga);
	t.is(await call({model: 'slow'}), undefined);
	t.like(await call({model: 'best'}), {code: 'model_not_granted', rule: 'tenant:acme'});
	t.like(await may({server: 'files', team: 'search'}), {granted: false});

	await act('allow', {scope: 'tenant:other', models: ['*']}, peter);
	t.like(await call({principal: {tenant: 'other'}}), {code: 'model_not_granted'});
	await act('revoke', {scope: 'key:key_1'}, peter);
	t.is(await call(), undefined, 'the keys of another tenant are out of reach');
	await act('revoke', {scope: 'key:key_1'}, olga);
	t.like(await call(), {code: 'model_not_granted', rule: 'key:key_1'});
	await act('reset', {scope: 'key:key_1'}, olga);
	t.is(await call(), undefined);
	await act('reset', {scope: 'tenant:acme'}, olga);
	t.is(await call(), undefined, "what operators wrote is not a tenant's to forget");
});

test('an admin of a tenant neither writes nor sees a rule of another one', async t => {
	const {act} = await start(t, {'*': ['*'], 'tenant:other': ['secret'], 'tenant:acme': ['fast'], 'key:key_other': ['hidden']});
	const olga = {actor: 'admin_1', role: 'admin', tenant: 'acme'} as const;
	await act('allow', {scope: 'team:other/search', models: ['secret']});
	await act('allow', {scope: 'user:other/ada', models: ['secret']}, {...olga, tenant: 'other'});
	await act('allow', {scope: 'key:key_1', maxOutputTokens: 5}, olga);
	for (const scope of ['*', 'tenant:other', 'team:other/search', 'user:other/ada'])
		for (const [action, input] of [
			['allow', {models: ['*']}],
			['revoke', {}],
			['reset', {}],
		] as const)
			await t.throwsAsync(act(action, {scope, ...input}, olga), {code: 'denied'}, `${action} ${scope}`);
	t.deepEqual(await act('list', {}, olga), {
		grants: [
			{scope: 'tenant:acme', models: ['fast'], from: 'config'},
			{scope: 'key:key_1', tenant: 'acme', maxOutputTokens: 5, from: 'tenant'},
		],
	});
	const seen: unknown[] = [];
	let after: string | undefined;
	do {
		const page = (await act('list', {limit: 1, ...(after && {after})})) as {grants: {from: string}[]; next?: string};
		seen.push(...page.grants.filter(({from}) => from !== 'config'));
		after = page.next;
	} while (after);
	t.is(seen.length, 3);
});

for (const [what, rule] of Object.entries({
	'a misspelt aspect': {model: ['*']},
	'an operation that there is not': {operations: ['chats']},
	'a star in the middle': {providers: ['o*i']},
	'a limit below zero': {maxOutputTokens: -1},
	'a root that climbs': {arguments: {'files/*': {path: {within: ['/srv/../etc']}}}},
	'an argument rule of no kind': {arguments: {'files/*': {path: {prefix: '/srv'}}}},
}))
	test(`a rule with ${what} is refused, in the config and in an action`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config: {allow: {'*': rule}}}));
		const {act} = await start(t);
		await t.throwsAsync(act('allow', {scope: '*', ...rule}), {code: 'invalid_request'});
	});

test('what explain is asked for a whole request is what a request is told', async t => {
	const {act, call} = await start(t, {'*': {models: ['*'], providers: ['claude']}, 'team:acme/search': {maxOutputTokens: 500}});
	t.deepEqual(await act('explainRequest', {...asking, principal: {...ada, id: 'key_1', tags: []}, messages: 1}), {
		granted: false,
		decidedBy: 'team:acme/search',
		code: 'output_not_granted',
		message: 'This asks for up to 1000 output tokens; this key may ask for 500.',
		rules: [
			{scope: '*', models: ['*'], providers: ['claude'], from: 'config', allows: true},
			{scope: 'team:acme/search', maxOutputTokens: 500, from: 'config', allows: false},
		],
	});
	const small = {estimate: {inputTokens: 1, maxOutputTokens: 500}};
	t.like(await act('explainRequest', {...asking, ...small}), {granted: true, decidedBy: 'team:acme/search', plan: ['claude/haiku']});
	t.deepEqual(await call(small), {verdict: 'route', plan: ['claude/haiku']});
	const other = {actor: 'admin_2', role: 'admin', tenant: 'other'} as const;
	await t.throwsAsync(act('explainRequest', asking, other), {code: 'denied'});
});
