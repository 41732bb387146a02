import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const accounts = ['tenant:acme', 'team:acme/search', 'key:key_1'];

const start = async (t: ExecutionContext, limits: Record<string, unknown>, more: Record<string, unknown> = {}) => {
	const asked: unknown[][] = [];
	const balance = (...place: unknown[]) => {
		asked.push(place);
		return {spent: 450, reserved: 25, resetsAt: Date.parse('2026-12-01T00:00:00Z')};
	};
	const plugin = await startPlugin(import.meta.url, {config: {limits, ...more}, balance, now: () => Date.parse('2026-11-22T12:00:00Z')});
	t.teardown(plugin.close);
	const call = (operation: 'chat' | 'models' | 'count_tokens' = 'chat') =>
		plugin.ask('pre-request', {
			operation,
			principal: {tenant: 'acme', accounts},
			model: 'fast',
			deployments: ['local/echo'],
			estimate: {inputTokens: 10, maxOutputTokens: 30},
		});
	const end = (fields: object) => plugin.ask('post-response', {operation: 'chat', outcome: 'ok', attempts: [{status: 200}], ...fields});
	return {plugin, call, end, act: plugin.act, asked};
};

test('a call sets aside itself and the most tokens it can use, in every account that has a limit', async t => {
	const {call} = await start(t, {
		'tenant:acme': {'tokens/day': 1_000, 'inputTokens/month': {limit: 500, soft: true}},
		'key:key_1': {'requests/rolling:5h': 7, 'outputTokens/total': {limit: 90, notifyAt: []}},
	});
	const told = {notifyAt: [50, 80, 100]};
	t.deepEqual(await call(), {
		verdict: 'allow',
		reserve: [
			{account: 'tenant:acme', unit: 'tokens', amount: 40, limit: 1_000, window: 'day', ...told},
			{account: 'tenant:acme', unit: 'inputTokens', amount: 10, limit: 500, window: 'month', soft: true, ...told},
			{account: 'key:key_1', unit: 'requests', amount: 1, limit: 7, window: 'rolling:5h', ...told},
			{account: 'key:key_1', unit: 'outputTokens', amount: 30, limit: 90, window: 'total'},
		],
		orElse: 'quota_exceeded',
	});
});

test('listing models and counting tokens use nothing; nor does a call that nothing limits', async t => {
	const {call} = await start(t, {'*': {'requests/day': 0}});
	t.is(await call('models'), undefined);
	t.is(await call('count_tokens'), undefined);
	const free = await start(t, {'key:key_2': {'requests/day': 0}});
	t.is(await free.call(), undefined);
});

test('what was reported is settled; a call that got no answer gives all of it back', async t => {
	const {end} = await start(t, {});
	const settled = async (fields: object) => (await end(fields))?.settle;
	t.deepEqual(await settled({usage: {inputTokens: 3, outputTokens: 4}}), {requests: 1, tokens: 7, inputTokens: 3, outputTokens: 4});
	const nothing = {requests: 0, tokens: 0, inputTokens: 0, outputTokens: 0, toolCalls: 0};
	for (const attempts of [[], [{error: 'upstream_unreachable'}], [{error: 'upstream_timeout'}], [{status: 500}, {status: 429}]])
		t.deepEqual(await settled({outcome: 'failed', attempts}), nothing, JSON.stringify(attempts));
	t.deepEqual(await settled({outcome: 'denied', attempts: []}), nothing);
});

test('a call that was answered or left by its client is not given back', async t => {
	const {end} = await start(t, {});
	const settled = async (fields: object) => (await end(fields))?.settle;
	const usage = {inputTokens: 3, outputTokens: 4};
	t.deepEqual(await settled({outcome: 'denied', usage}), {requests: 1, tokens: 7, inputTokens: 3, outputTokens: 4});
	t.deepEqual(await settled({outcome: 'aborted', attempts: [{error: 'client_closed'}]}), {requests: 1}, 'tokens stay what was set aside');
	t.deepEqual(await settled({outcome: 'failed', attempts: [{status: 422}]}), {
		requests: 1,
		tokens: 0,
		inputTokens: 0,
		outputTokens: 0,
		toolCalls: 0,
	});
	t.deepEqual(await settled({attempts: []}), {requests: 1, tokens: 0, inputTokens: 0, outputTokens: 0, toolCalls: 0}, 'a plugin answered');
});

test('set, raise and reset count at the next call, and null takes a limit away', async t => {
	const {call, act} = await start(t, {'key:key_1': {'tokens/day': 100}});
	const limits = async () =>
		((await call())?.reserve as {unit: string; window: string; limit: number | null}[] | undefined)?.map(one => [
			`${one.unit}/${one.window}`,
			one.limit,
		]);
	await act('set', {account: 'key:key_1', name: 'requests/month', limit: 5});
	await act('raise', {account: 'key:key_1', name: 'tokens/day', by: 50, until: '2026-11-22T13:00:00Z'});
	t.deepEqual(await limits(), [
		['tokens/day', 150],
		['requests/month', 5],
	]);
	await act('set', {account: 'key:key_1', limit: null});
	t.deepEqual(await limits(), [['tokens/day', null]]);
	await act('reset', {account: 'key:key_1'});
	t.deepEqual(await limits(), [['tokens/day', 100]]);
	await t.throwsAsync(act('set', {account: 'key:key_1', limit: 5}), {code: 'invalid_request', message: /name/});
	await t.throwsAsync(act('set', {account: 'key:key_1', name: 'calls/day', limit: 5}), {code: 'invalid_request'});
});

test('get tells what is left of each limit, and list where it was written', async t => {
	const {act, asked} = await start(t, {'*': {'tokens/day': 1_000, 'requests/month': 480}}, {timeZone: 'Asia/Tokyo'});
	const common = {spent: 450, reserved: 25, resetsAt: '2026-12-01T00:00:00.000Z'};
	t.deepEqual(await act('get', {account: 'key:key_1'}), {
		account: 'key:key_1',
		limits: [
			{name: 'requests/month', limit: 480, remaining: 5, ...common},
			{name: 'tokens/day', limit: 1_000, remaining: 525, ...common},
		],
	});
	t.deepEqual(asked, [
		['key:key_1', 'tokens', 'day', 'Asia/Tokyo'],
		['key:key_1', 'requests', 'month', 'Asia/Tokyo'],
	]);
	await act('set', {account: '*', name: 'tokens/day', limit: 9});
	t.deepEqual(await act('list'), {
		limits: [
			{account: '*', name: 'requests/month', limit: 480, from: 'config'},
			{account: '*', name: 'tokens/day', limit: 9, from: 'action'},
		],
	});
});

for (const [what, limits] of Object.entries({
	'a limit of dollars': {'*': {'usd/day': 1}},
	'a limit per second': {'*': {'tokens/second': 1}},
	'half a token': {'*': {'tokens/day': 0.5}},
}))
	test(`a config with ${what} does not start`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config: {limits}}));
	});

test('a call of a tool takes what limits say of it, of its server and of those who call, and no tokens', async t => {
	const {plugin, end} = await start(t, {
		'tenant:acme': {'tokens/day': 1, 'requests/day': 9},
		'tool:github/search': {'toolCalls/day': 3},
		'*/server:git*': {'toolCalls/month': 5},
		'*/model:*': {'requests/day': 0},
		'tool:github/other': {'toolCalls/day': 0},
	});
	const principal = {tenant: 'acme', accounts: ['tenant:acme']};
	const call = (server: string, name: string) =>
		plugin.ask('on-tool-call', {principal, source: 'mcp', tool: {server, name, arguments: {}, argumentsDigest: ''}});
	const reserved = async (server: string, name: string) =>
		((await call(server, name))?.reserve as {account: string; unit: string}[] | undefined)?.map(({account, unit}) => `${account} ${unit}`);
	t.deepEqual(await reserved('github', 'search'), [
		'tenant:acme requests',
		'tenant:acme/server:git* toolCalls',
		'tool:github/search toolCalls',
	]);
	t.deepEqual(await reserved('mail', 'search'), ['tenant:acme requests']);
	t.deepEqual((await end({operation: 'tools/call', attempts: [{error: 'rpc_error'}], outcome: 'failed'}))?.settle, {requests: 1});
	t.like((await end({operation: 'tools/call', attempts: [{error: 'upstream_timeout'}], outcome: 'failed'}))?.settle, {
		requests: 0,
		toolCalls: 0,
	});
});
