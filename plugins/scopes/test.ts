import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown>) => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	const call = (name: string, scopes?: string[], server = 'files') =>
		plugin.ask('on-tool-call', {principal: {...(scopes && {scopes})}, tool: {server, name}});
	const request = (server: string | undefined, scopes?: string[]) =>
		plugin.ask('pre-request', {principal: {...(scopes && {scopes})}, ...(server !== undefined && {server})});
	return {call, request};
};

test('a call needs every scope of every rule that fits its tool, and a refusal names those that are lacking', async t => {
	const {call} = await start(t, {
		tools: {'files/*': 'files:use', 'files/write_*': ['files:write', 'files:use'], 'files/write_file': 'files:one'},
	});
	t.is(await call('read_file', ['files:use']), undefined);
	t.is(await call('write_file', ['files:use', 'files:write', 'files:one']), undefined);
	t.like(await call('write_file', ['files:use']), {
		verdict: 'deny',
		code: 'insufficient_scope',
		rule: 'files/write_*',
		scopes: ['files:write', 'files:one'],
	});
	t.like(await call('write_file', []), {rule: 'files/*', scopes: ['files:use', 'files:write', 'files:one']});
	t.is(await call('write_file', [], 'others'), undefined, 'another server’s tool');
});

test('a request to a server needs its scopes; a list of all servers is of none', async t => {
	const {request} = await start(t, {servers: {files: 'files:read', '*': 'mcp:use'}});
	t.like(await request('files', ['mcp:use']), {code: 'insufficient_scope', rule: 'files', scopes: ['files:read']});
	t.like(await request('mail', []), {rule: '*', scopes: ['mcp:use']});
	t.is(await request('files', ['mcp:use', 'files:read']), undefined);
	t.is(await request(undefined, []), undefined);
});

test('a credential that knows no scopes is asked for none; a token without any is asked for all', async t => {
	const {call, request} = await start(t, {servers: {'*': 'mcp:use'}, tools: {'files/*': 'files:use'}});
	t.is(await call('read_file'), undefined);
	t.is(await request('files'), undefined);
	t.like(await call('read_file', []), {code: 'insufficient_scope'});
});

test('a scope is a whole word: none is part of another', async t => {
	const {call} = await start(t, {tools: {'files/*': 'files:write'}});
	for (const scopes of [['files:writer'], ['files'], ['FILES:WRITE'], ['x files:write']])
		t.like(await call('write_file', scopes), {verdict: 'deny'});
});

test('a config with a scope that cannot be one, or a tool without its server, stops the boot', async t => {
	for (const config of [
		{tools: {'files/*': 'a "quoted" scope'}},
		{tools: {write_file: 'files:write'}},
		{servers: {'Files!': 'x'}},
		{servers: {files: []}},
	])
		await t.throwsAsync(start(t, config), undefined, JSON.stringify(config));
});
