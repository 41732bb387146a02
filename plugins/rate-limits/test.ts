import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const start = async (t: ExecutionContext, limits: Record<string, unknown>) => {
	const plugin = await startPlugin(import.meta.url, {config: {limits}, balance: () => ({spent: 4, reserved: 1})});
	t.teardown(plugin.close);
	const call = (operation: 'chat' | 'models' | 'count_tokens' = 'chat', accounts = ['key:key_1']) =>
		plugin.ask('pre-request', {
			operation,
			principal: {tenant: 'acme', accounts},
			model: 'fast',
			deployments: ['local/echo'],
			estimate: {inputTokens: 10, maxOutputTokens: 30},
		});
	return {plugin, call, act: plugin.act};
};

test('calls and tokens per second, minute, hour and day, and calls at a time: each is an account of its own', async t => {
	const {call} = await start(t, {
		'*': {'requests/minute': 60, burst: 5, 'tokens/minute': 1_000, 'requests/rolling:10s': 20, concurrency: 4},
	});
	const account = 'rate:key:key_1';
	t.deepEqual(await call(), {
		verdict: 'allow',
		reserve: [
			{account, unit: 'requests', amount: 1, limit: 60, window: 'minute'},
			{account, unit: 'requests', amount: 1, limit: 5, window: 'second'},
			{account, unit: 'tokens', amount: 40, limit: 1_000, window: 'minute'},
			{account, unit: 'requests', amount: 1, limit: 20, window: 'rolling:10s'},
			{account, unit: 'slots', amount: 1, limit: 4, window: 'now'},
		],
		orElse: 'rate_limited',
	});
});

test('counting tokens is a call, and uses none; listing models is free', async t => {
	const {call} = await start(t, {'*': {'requests/minute': 60, 'tokens/minute': 1_000}});
	t.like(await call('count_tokens'), {reserve: {0: {unit: 'requests', amount: 1}, 1: {unit: 'tokens', amount: 0}}});
	t.is(await call('models'), undefined);
});

test('an account with a word of its own is not bound by that for everyone, in that one limit', async t => {
	const {call, act} = await start(t, {'*': {'requests/minute': 60, concurrency: 4}, 'key:key_1': {'requests/minute': 600}});
	t.like(await call(), {reserve: {length: 2, 0: {unit: 'requests', limit: 600}, 1: {unit: 'slots', limit: 4}}});
	await act('set', {account: 'key:key_1', name: 'concurrency', limit: 1});
	t.like(await call(), {reserve: {length: 2, 1: {unit: 'slots', limit: 1}}});
	await act('set', {account: 'key:key_1', name: 'burst', limit: 2});
	t.like(await call(), {reserve: {length: 3, 2: {unit: 'requests', window: 'second', limit: 2}}});
	t.like(await act('get', {account: 'key:key_1'}), {limits: {0: {name: 'concurrency', limit: 1, spent: 4, reserved: 1, remaining: 0}}});
});

test('a limit for each member of a team is not the one of the team', async t => {
	const {call} = await start(t, {'*': {'requests/minute': 6}, 'team:acme/search': {'requests/minute': 60}});
	t.like(await call('chat', ['team:acme/search', 'user:acme/ada']), {
		reserve: {0: {account: 'rate:team:acme/search', limit: 60}, 1: {account: 'rate:user:acme/ada', limit: 6}},
	});
});

for (const [what, limits] of Object.entries({
	'a limit per month': {'*': {'requests/month': 1}},
	'a rate without a unit': {'*': {minute: 1}},
}))
	test(`a config with ${what} does not start`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config: {limits}}));
	});
