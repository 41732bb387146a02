import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const who = {tenant: 'acme', team: 'search', key: 'key_1', accounts: []};
const everything = {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']};

const start = async (t: ExecutionContext, allow: Record<string, unknown>) => {
	const plugin = await startPlugin(import.meta.url, {config: {allow: {'*': everything, ...allow}}});
	t.teardown(plugin.close);
	const call = (name: string, taints: string[], server = 'mail') =>
		plugin.ask('on-tool-call', {principal: who, source: 'mcp', tool: {server, name, arguments: {}, argumentsDigest: ''}, taints});
	const asks = (name: string, taints: string[]) =>
		plugin.ask('on-tool-call', {principal: who, source: 'model', tool: {name, arguments: {}, argumentsDigest: ''}, taints});
	return {plugin, call, asks};
};

test('a tool that is denied to tainted sessions is granted to all others, and what else they may stays granted', async t => {
	const {call} = await start(t, {'tenant:acme': {whenTainted: {deny: {tools: ['mail/send*']}}}});
	t.is(await call('send', []), undefined);
	t.like(await call('send', ['injection']), {verdict: 'deny', code: 'denied', rule: 'tenant:acme', annotate: {tainted: 'injection'}});
	t.like(await call('send_all', ['anything']), {verdict: 'deny'});
	t.is(await call('read', ['injection']), undefined);
	t.is(await call('send', ['injection'], 'post'), undefined);
	t.regex(JSON.stringify(await call('send', ['injection'])), /mail\/send.{1,2} is not for a session that is tainted \(injection\)/);
});

test('a rule that names taints is about those alone', async t => {
	const {call} = await start(t, {'*': {...everything, whenTainted: {by: ['injection', 'prompt-leak'], deny: {tools: ['*']}}}});
	t.is(await call('send', ['personal-data']), undefined);
	t.like(await call('send', ['personal-data', 'prompt-leak']), {verdict: 'deny'});
});

test('a server that is denied to tainted sessions is not greeted, not listed and not asked for anything', async t => {
	const {plugin, call} = await start(t, {'tenant:acme': {whenTainted: {deny: {servers: ['mail']}}}});
	const taints = ['injection'];
	for (const operation of ['initialize', 'tools/call', 'resources/read', 'prompts/get'] as const) {
		const params = {uri: 'mail://x', name: 'x'};
		t.is(await plugin.ask('pre-request', {operation, principal: who, server: 'mail', params, taints: []}), undefined, operation);
		t.like(await plugin.ask('pre-request', {operation, principal: who, server: 'mail', params, taints}), {verdict: 'deny'}, operation);
		t.is(await plugin.ask('pre-request', {operation, principal: who, server: 'files', params, taints}), undefined, operation);
	}
	t.like(await call('read', taints), {verdict: 'deny'});
	const tools = [
		{server: 'files', name: 'read'},
		{server: 'mail', name: 'read'},
	];
	const result = {servers: ['files', 'mail'], tools};
	t.deepEqual(await plugin.ask('post-response', {operation: 'tools/list', principal: who, result, taints}), {
		verdict: 'rewrite',
		patch: {result: {servers: ['files'], tools: [tools[0]]}},
	});
});

test('of the tools that a model asks for only those are refused that a rule for tainted sessions names', async t => {
	const {asks} = await start(t, {'*': {tools: [], whenTainted: {deny: {asked: ['bash', 'send_*'], tools: ['*']}}}});
	for (const name of ['bash', 'send_mail']) {
		t.is(await asks(name, []), undefined, 'nothing else of grants is about them');
		t.like(await asks(name, ['injection']), {verdict: 'deny', code: 'denied', rule: '*'});
	}
	t.is(await asks('bash2', ['injection']), undefined);
});

test('an operator sets it while it runs, and an admin of a tenant for that tenant', async t => {
	const {plugin, call} = await start(t, {});
	await plugin.act('allow', {scope: '*', whenTainted: {deny: {tools: ['mail/send']}}});
	t.like(await call('send', ['injection']), {verdict: 'deny', rule: '*'});
	await plugin.act('allow', {scope: '*', whenTainted: null});
	t.is(await call('send', ['injection']), undefined);
	await plugin.act('allow', {scope: 'tenant:acme', whenTainted: {deny: {servers: ['mail']}}}, {tenant: 'acme'} as never);
	t.like(await call('send', ['injection']), {verdict: 'deny', rule: 'tenant:acme'});
	t.like(await plugin.act('explain', {tenant: 'acme', server: 'mail', tool: 'send', taints: ['injection']}), {
		granted: false,
		decidedBy: 'tenant:acme',
	});
	t.like(await plugin.act('explain', {tenant: 'acme', server: 'mail', tool: 'send'}), {granted: true});
	await t.throwsAsync(plugin.act('allow', {scope: '*', whenTainted: {deny: {models: ['*']}}}), {code: 'invalid_request'});
	await t.throwsAsync(plugin.act('allow', {scope: '*', whenTainted: {by: ['Not a name'], deny: {tools: ['*']}}}), {
		code: 'invalid_request',
	});
});
