import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const accounts = ['tenant:acme', 'user:acme/ada', 'key:key_1'];

type Asking = {session?: string; cost?: number | null; tenant?: string; id?: string};

const start = async (t: ExecutionContext, config: Record<string, unknown>) => {
	const plugin = await startPlugin(import.meta.url, {config, balance: () => ({spent: 3, reserved: 1})});
	t.teardown(plugin.close);
	const call = ({session, cost = 500, tenant = 'acme', id = 'key_1'}: Asking = {}) =>
		plugin.ask('pre-request', {
			operation: 'chat',
			principal: {tenant, id, accounts},
			...(session !== undefined && {session}),
			estimate: {inputTokens: 10, maxOutputTokens: 30, ...(cost !== null && {maxCostMicroUsd: cost})},
		});
	return {plugin, call, act: plugin.act};
};

test('a call takes from its session what is capped there, and carries where its tool calls count', async t => {
	const {call, plugin} = await start(t, {caps: {'*': {requests: 50, toolCalls: 9, tokens: 1_000, usd: 2}}, expires: '8h'});
	const account = 'session:acme/key_1/run-1';
	const window = 'rolling:8h';
	const answer = await call({session: 'run-1'});
	t.deepEqual(answer, {
		verdict: 'allow',
		reserve: [
			{account, unit: 'requests', amount: 1, limit: 50, window},
			{account, unit: 'tokens', amount: 40, limit: 1_000, window},
			{account, unit: 'microUsd', amount: 500, limit: 2_000_000, window},
		],
		orElse: 'session_limit_exceeded',
		carry: answer?.carry,
	});
	t.deepEqual(await plugin.ask('on-tool-call', {carried: String(answer?.carry), source: 'model', estimate: {maxCostMicroUsd: 0}}), {
		verdict: 'allow',
		reserve: [{account, unit: 'toolCalls', amount: 1, limit: 9, window}],
		orElse: 'session_limit_exceeded',
	});
});

test('nobody else spends from a session of the same name', async t => {
	const {call} = await start(t, {caps: {'*': {requests: 50}}});
	const account = async (asking: Asking) => ((await call(asking))?.reserve as {account: string}[] | undefined)?.[0]?.account;
	const names = [
		await account({session: 'a'}),
		await account({session: 'a', tenant: 'other'}),
		await account({session: 'a', id: 'key_2'}),
		await account({session: 'b:a', id: 'key_2'}),
		await account({session: 'a', id: 'key_2/b'}),
	];
	t.is(new Set(names).size, names.length);
});

test('the tightest of the accounts that are named counts, and that for everyone where none is', async t => {
	const {call, act} = await start(t, {caps: {'*': {requests: 5, usd: 1}, 'tenant:acme': {requests: 100}, 'key:key_1': {requests: 500}}});
	const caps = async () => ((await call({session: 'a'}))?.reserve as {limit: number}[] | undefined)?.map(({limit}) => limit);
	t.deepEqual(await caps(), [100, 1_000_000]);
	await act('set', {account: 'user:acme/ada', name: 'requests', limit: 7});
	await act('set', {account: 'key:key_1', name: 'usd', limit: 0.5});
	t.deepEqual(await caps(), [7, 500_000]);
	await act('set', {account: 'key:key_1', name: 'usd', limit: null});
	t.deepEqual(await caps(), [7]);
	await act('reset', {account: 'key:key_1'});
	await act('reset', {account: 'user:acme/ada'});
	t.deepEqual(await caps(), [100, 1_000_000]);
	t.like(await act('list'), {limits: {length: 4, 0: {account: '*', name: 'requests', limit: 5}, 1: {name: 'usd', limitUsd: 1}}});
});

test('a call without a session is free of caps, unless one is required', async t => {
	const free = await start(t, {caps: {'*': {requests: 0}}});
	t.is(await free.call(), undefined);
	t.is(await free.plugin.ask('on-tool-call', {}), undefined);
	const {call} = await start(t, {requireSession: true});
	t.like(await call(), {verdict: 'deny', code: 'invalid_request', rule: 'requireSession'});
	t.is(await call({session: 'a'}), undefined);
});

test('a session that may cost nothing, and a price that nobody knows, are refused where money is capped', async t => {
	const {call} = await start(t, {caps: {'*': {usd: 0}}});
	t.like(await call({session: 'a', cost: 0}), {verdict: 'deny', code: 'session_limit_exceeded'});
	const some = await start(t, {caps: {'*': {usd: 1}}});
	t.like(await some.call({session: 'a', cost: null}), {verdict: 'deny', code: 'price_unknown'});
});

test('a name that no account has room for is refused', async t => {
	const {call} = await start(t, {caps: {'*': {requests: 1}}});
	t.like(await call({session: ':'.repeat(200)}), {verdict: 'deny', code: 'invalid_request'});
});

test('what was used is settled: nothing without an answer, tool calls as they were made', async t => {
	const {plugin} = await start(t, {});
	const settled = async (fields: object) =>
		(await plugin.ask('post-response', {operation: 'chat', outcome: 'ok', attempts: [{status: 200}], ...fields}))?.settle;
	const usage = {inputTokens: 3, outputTokens: 4};
	t.deepEqual(await settled({usage, costMicroUsd: 9}), {requests: 1, tokens: 7, inputTokens: 3, outputTokens: 4, microUsd: 9});
	t.like(await settled({outcome: 'failed', attempts: [{status: 500}]}), {requests: 0, tokens: 0, microUsd: 0});
	t.is(((await settled({outcome: 'failed', attempts: [{error: 'upstream_timeout'}]})) as {microUsd?: number}).microUsd, undefined);
});

test('get tells what a session has used of its caps', async t => {
	const {act} = await start(t, {caps: {'*': {requests: 5}}});
	t.like(await act('get', {tenant: 'acme', principal: 'key_1', session: 'a'}), {
		account: 'session:acme/key_1/a',
		caps: {0: {name: 'requests', limit: 5, spent: 3, reserved: 1, remaining: 1}, 1: {name: 'toolCalls', limit: null}},
	});
});
