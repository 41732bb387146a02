import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Config = {window: string; limitUsd?: Record<string, number>; timeZone?: string};

const accounts = ['tenant:acme', 'team:acme/search', 'key:key_1'];

const start = async (t: ExecutionContext, config: Config) => {
	const asked: unknown[][] = [];
	const balance = (...place: unknown[]) => {
		asked.push(place);
		return {spent: 4_500_000, reserved: 250_000, resetsAt: Date.parse('2026-12-01T00:00:00Z')};
	};
	const plugin = await startPlugin(import.meta.url, {config, balance});
	t.teardown(plugin.close);
	const call = (maxCostMicroUsd: number | undefined, paying = accounts) =>
		plugin.ask('pre-request', {operation: 'chat', principal: {accounts: paying}, estimate: {maxCostMicroUsd}});
	const end = (fields: {costMicroUsd?: number; attempts?: {status?: number; error?: string}[]}) =>
		plugin.ask('post-response', {operation: 'chat', ...fields});
	return {plugin, call, end, act: plugin.act, asked};
};

test('a call sets aside the most it can cost in every account that has a limit', async t => {
	const {call} = await start(t, {
		window: 'month',
		limitUsd: {'tenant:acme': 100, 'key:key_1': 0.5, 'key:key_2': 1},
		timeZone: 'Europe/Berlin',
	});
	const common = {unit: 'microUsd', amount: 1_234, window: 'month', timeZone: 'Europe/Berlin'};
	t.deepEqual(await call(1_234), {
		verdict: 'allow',
		reserve: [
			{account: 'tenant:acme', limit: 100_000_000, ...common},
			{account: 'key:key_1', limit: 500_000, ...common},
		],
		orElse: 'budget_exceeded',
	});
});

test("'*' is a limit for each account that is not named, for itself", async t => {
	const {call} = await start(t, {window: 'day', limitUsd: {'*': 2, 'tenant:acme': 100}});
	t.like(await call(1), {
		reserve: {
			0: {account: 'tenant:acme', limit: 100_000_000},
			1: {account: 'team:acme/search', limit: 2_000_000},
			2: {account: 'key:key_1', limit: 2_000_000},
		},
	});
});

test('where no account has a limit, nothing is said, known price or not', async t => {
	const {call} = await start(t, {window: 'day', limitUsd: {'tenant:other': 1, constructor: 1}});
	t.is(await call(5), undefined);
	t.is(await call(undefined), undefined);
	t.is(await call(5, []), undefined);
	t.is(await call(5, ['toString']), undefined);
});

test('a call of unknown price is refused where any account has a limit', async t => {
	const {call} = await start(t, {window: 'day', limitUsd: {'key:key_1': 1}});
	t.like(await call(undefined), {verdict: 'deny', code: 'price_unknown'});
});

test('a limit of 0 lets no call pass, not even one that costs nothing', async t => {
	const {call} = await start(t, {window: 'day', limitUsd: {'key:key_1': 0}});
	const refused = {verdict: 'deny', code: 'budget_exceeded', rule: 'key:key_1/day'};
	t.like(await call(0), refused);
	t.like(await call(5), refused);
	t.like(await call(undefined), refused);
});

test('listing models and counting tokens are not held up by a budget that is spent', async t => {
	const {plugin} = await start(t, {window: 'day', limitUsd: {'*': 0}});
	for (const operation of ['models', 'count_tokens'] as const)
		t.is(await plugin.ask('pre-request', {operation, principal: {accounts}, estimate: {}}), undefined);
});

test('a known cost is settled, 0 too', async t => {
	const {end} = await start(t, {window: 'day'});
	t.deepEqual(await end({costMicroUsd: 77, attempts: [{status: 200}]}), {verdict: 'allow', settle: {microUsd: 77}});
	t.deepEqual(await end({costMicroUsd: 0, attempts: []}), {verdict: 'allow', settle: {microUsd: 0}});
});

test('a call that nobody bills for costs nothing', async t => {
	const {end} = await start(t, {window: 'day'});
	const nothing = {verdict: 'allow', settle: {microUsd: 0}};
	t.deepEqual(await end({attempts: []}), nothing);
	t.deepEqual(
		await end({attempts: [{error: 'upstream_unreachable'}, {status: 429, error: 'upstream_rate_limited'}, {status: 500}]}),
		nothing,
	);
});

test('a call that may have been billed, and nobody can say how much, keeps its whole reservation', async t => {
	const {end} = await start(t, {window: 'day'});
	for (const last of [{status: 200}, {error: 'upstream_timeout'}, {error: 'upstream_failed'}, {error: 'client_closed'}])
		t.is(await end({attempts: [{status: 500, error: 'upstream_failed'}, last]}), undefined);
	t.is(await end({}), undefined);
});

test('what set says takes the place of the config at the next call, until it is reset', async t => {
	const {call, act} = await start(t, {window: 'day', limitUsd: {'key:key_1': 1}});
	const limits = async () =>
		((await call(7))?.reserve as {account: string; limit: number; window: string}[] | undefined)?.map(one => [
			one.account,
			one.limit,
			one.window,
		]);
	t.deepEqual(await limits(), [['key:key_1', 1_000_000, 'day']]);
	t.deepEqual(await act('set', {account: 'key:key_1', limitUsd: 3, window: 'total'}), {account: 'key:key_1', limitUsd: 3, window: 'total'});
	await act('set', {account: 'tenant:acme', limitUsd: 0.000_001});
	t.deepEqual(await limits(), [
		['tenant:acme', 1, 'day'],
		['key:key_1', 3_000_000, 'total'],
	]);
	await act('set', {account: 'tenant:acme', limitUsd: null});
	await act('reset', {account: 'key:key_1'});
	t.deepEqual(await limits(), [['key:key_1', 1_000_000, 'day']]);
});

test('null frees one account of the limit for everyone, and a limit for everyone can be set', async t => {
	const {call, act} = await start(t, {window: 'day'});
	await act('set', {account: '*', limitUsd: 5});
	await act('set', {account: 'tenant:acme', limitUsd: null});
	t.like(await call(1), {reserve: {length: 2, 0: {account: 'team:acme/search', limit: 5_000_000}, 1: {account: 'key:key_1'}}});
});

test('get tells what is left of a limit and until when', async t => {
	const {act, asked} = await start(t, {window: 'month', limitUsd: {'*': 5}, timeZone: 'Asia/Tokyo'});
	t.deepEqual(await act('get', {account: 'key:key_1'}), {
		account: 'key:key_1',
		window: 'month',
		limitUsd: 5,
		spentUsd: 4.5,
		reservedUsd: 0.25,
		remainingUsd: 0.25,
		resetsAt: '2026-12-01T00:00:00.000Z',
	});
	t.deepEqual(asked, [['key:key_1', 'microUsd', 'month', 'Asia/Tokyo']]);
});

test('list has each limit once, with where it was written', async t => {
	const {act} = await start(t, {window: 'month', limitUsd: {'*': 5, 'tenant:acme': 100}});
	await act('set', {account: 'tenant:acme', limitUsd: null});
	await act('set', {account: 'key:key_1', limitUsd: 1, window: 'day'});
	t.deepEqual(await act('list'), {
		limits: [
			{account: '*', limitUsd: 5, window: 'month', from: 'config'},
			{account: 'key:key_1', limitUsd: 1, window: 'day', from: 'action'},
			{account: 'tenant:acme', limitUsd: null, window: 'month', from: 'action'},
		],
	});
});

for (const [what, config] of Object.entries({
	'a negative limit': {window: 'day', limitUsd: {'*': -1}},
	'a limit that is no number': {window: 'day', limitUsd: {'*': '5'}},
	'no window': {limitUsd: {'*': 5}},
	'a time zone that does not exist': {window: 'day', timeZone: 'Europe/Atlantis'},
	'a key that is not known': {window: 'day', limitEur: {'*': 5}},
}))
	test(`a config with ${what} does not start`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config}));
	});
