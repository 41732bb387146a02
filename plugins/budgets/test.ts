import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Config = {window: string; limitUsd?: Record<string, unknown>; timeZone?: string; notifyAt?: number[]; degrade?: unknown};
type Reserved = {account: string; limit: number | null; window: string}[];

const accounts = ['tenant:acme', 'team:acme/search', 'key:key_1'];

const start = async (t: ExecutionContext, config: Config, clock = {now: Date.parse('2026-11-22T12:00:00Z')}) => {
	const asked: unknown[][] = [];
	const balance = (...place: unknown[]) => {
		asked.push(place);
		return {spent: 4_500_000, reserved: 250_000, resetsAt: Date.parse('2026-12-01T00:00:00Z')};
	};
	const plugin = await startPlugin(import.meta.url, {config, balance, now: () => clock.now});
	t.teardown(plugin.close);
	const ask = (
		maxCostMicroUsd: number | undefined,
		{model = 'fast', deployments = ['local/echo'], paying = accounts, tenant = 'acme'} = {},
	) =>
		plugin.ask('pre-request', {operation: 'chat', principal: {tenant, accounts: paying}, model, deployments, estimate: {maxCostMicroUsd}});
	const call = (maxCostMicroUsd: number | undefined, paying = accounts) => ask(maxCostMicroUsd, {paying});
	/** What a call of one micro-dollar has to keep to. */
	const limits = async (of: Parameters<typeof ask>[1] = {}) =>
		((await ask(1, of))?.reserve as Reserved | undefined)?.map(({account, limit, window}) => [account, limit, window]);
	const end = (fields: {costMicroUsd?: number; attempts?: {status?: number; error?: string}[]}) =>
		plugin.ask('post-response', {operation: 'chat', ...fields});
	return {plugin, ask, call, limits, end, act: plugin.act, asked, clock};
};

test('a call sets aside the most it can cost in every account that has a limit', async t => {
	const {call} = await start(t, {
		window: 'month',
		limitUsd: {'tenant:acme': 100, 'key:key_1': 0.5, 'key:key_2': 1},
		timeZone: 'Europe/Berlin',
	});
	const common = {unit: 'microUsd', amount: 1_234, window: 'month', timeZone: 'Europe/Berlin', notifyAt: [50, 80, 100]};
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
	const {limits, act} = await start(t, {window: 'day', limitUsd: {'key:key_1': 1}});
	t.deepEqual(await limits(), [['key:key_1', 1_000_000, 'day']]);
	t.deepEqual(await act('set', {account: 'key:key_1', limitUsd: 3}), {account: 'key:key_1', limitUsd: 3, window: 'day'});
	await act('set', {account: 'tenant:acme', limitUsd: 0.000_001});
	t.deepEqual(await limits(), [
		['tenant:acme', 1, 'day'],
		['key:key_1', 3_000_000, 'day'],
	]);
	await act('reset', {account: 'key:key_1'});
	await act('reset', {account: 'tenant:acme'});
	t.deepEqual(await limits(), [['key:key_1', 1_000_000, 'day']]);
});

test('an account has a limit for each of several windows, and a word about one of them leaves the others', async t => {
	const {limits, act} = await start(t, {window: 'month', limitUsd: {'*': {day: 2, month: 20}, 'key:key_1': {day: 1, 'rolling:5h': 0.5}}});
	const paying = ['key:key_1'];
	const sorted = async () => (await limits({paying}))?.map(([, limit, window]) => `${window} ${limit}`).sort();
	t.deepEqual(await sorted(), ['day 1000000', 'month 20000000', 'rolling:5h 500000']);
	await act('set', {account: 'key:key_1', limitUsd: 4, window: 'day'});
	await act('set', {account: 'key:key_1', limitUsd: 9, window: 'total'});
	t.deepEqual(await sorted(), ['day 4000000', 'month 20000000', 'rolling:5h 500000', 'total 9000000']);
	await act('reset', {account: 'key:key_1', window: 'day'});
	t.deepEqual(await sorted(), ['day 1000000', 'month 20000000', 'rolling:5h 500000', 'total 9000000']);
});

test('null takes every limit of an account away at the next call, or that of one window; what is spent is still counted', async t => {
	const {limits, act} = await start(t, {window: 'month', limitUsd: {'*': {day: 2, month: 20}, 'key:key_1': {day: 1}}});
	const byWindow = async () =>
		Object.fromEntries((await limits({paying: ['key:key_1']}))?.map(([, limit, window]) => [window, limit]) ?? []);
	await act('set', {account: 'key:key_1', limitUsd: null, window: 'day'});
	t.deepEqual(await byWindow(), {day: null, month: 20_000_000});
	await act('set', {account: 'key:key_1', limitUsd: 5, window: 'day'});
	await act('set', {account: 'key:key_1', limitUsd: null});
	t.deepEqual(await byWindow(), {day: null, month: null});
	await act('set', {account: 'key:key_1', limitUsd: 7, window: 'day'});
	t.deepEqual(await byWindow(), {day: 7_000_000, month: null});
});

test('null frees one account of the limit for everyone, and a limit for everyone can be set', async t => {
	const {limits, act, ask} = await start(t, {window: 'day'});
	t.is(await limits(), undefined);
	await act('set', {account: '*', limitUsd: 5});
	await act('set', {account: 'tenant:acme', limitUsd: null});
	t.deepEqual(await limits(), [
		['tenant:acme', null, 'day'],
		['team:acme/search', 5_000_000, 'day'],
		['key:key_1', 5_000_000, 'day'],
	]);
	t.like(await ask(undefined), {code: 'price_unknown'});
	await act('set', {account: '*', limitUsd: null, window: 'day'});
	t.like(await ask(undefined), {verdict: 'allow', annotate: {priceUnknown: true}});
});

test('a limit for a model counts for that model alone, by the name that is asked for or by the deployment that may serve it', async t => {
	const {ask, limits, act} = await start(t, {
		window: 'day',
		limitUsd: {'key:key_1/model:gpt-*': 1, '*/model:openai/o*': 0, 'key:key_1': 9},
	});
	const paying = ['key:key_1'];
	t.deepEqual(await limits({paying}), [['key:key_1', 9_000_000, 'day']]);
	t.deepEqual(await limits({paying, model: 'gpt-5'}), [
		['key:key_1', 9_000_000, 'day'],
		['key:key_1/model:gpt-*', 1_000_000, 'day'],
	]);
	t.like(await ask(1, {paying, model: 'best', deployments: ['local/echo', 'openai/o9']}), {
		verdict: 'deny',
		code: 'budget_exceeded',
		rule: 'key:key_1/model:openai/o*/day',
	});
	await act('set', {account: 'key:key_1/model:fast', limitUsd: 2});
	t.deepEqual(await limits({paying}), [
		['key:key_1', 9_000_000, 'day'],
		['key:key_1/model:fast', 2_000_000, 'day'],
	]);
	await act('reset', {account: 'key:key_1/model:fast'});
	t.deepEqual(await limits({paying}), [['key:key_1', 9_000_000, 'day']]);
});

test('a temporary increase ends by itself', async t => {
	const {limits, act, clock} = await start(t, {window: 'day', limitUsd: {'key:key_1': {day: 1, month: 10}}});
	const all = async () => (await limits())?.map(([, limit]) => limit);
	await act('raise', {account: 'key:key_1', byUsd: 2, until: '2026-11-22T13:00:00Z'});
	await act('raise', {account: 'key:key_1', byUsd: 5, until: '2026-11-22T14:00:00+02:00', window: 'month'}).then(
		() => t.fail('it is over already'),
		error => t.like(error, {code: 'invalid_request'}),
	);
	await act('raise', {account: 'key:key_1', byUsd: 5, until: '2026-11-22T15:00:00+02:00', window: 'month'});
	t.deepEqual(await all(), [3_000_000, 17_000_000]);
	clock.now = Date.parse('2026-11-22T12:59:59.999Z');
	t.deepEqual(await all(), [3_000_000, 17_000_000]);
	clock.now = Date.parse('2026-11-22T13:00:00Z');
	t.deepEqual(await all(), [1_000_000, 10_000_000]);
	await act('raise', {account: 'key:key_1', byUsd: 1, until: '2026-11-23T00:00:00Z'});
	t.deepEqual(await all(), [2_000_000, 11_000_000]);
	await act('reset', {account: 'key:key_1'});
	t.deepEqual(await all(), [1_000_000, 10_000_000]);
});

test('a soft limit is told and does not refuse, not even at 0 or without a price', async t => {
	const {ask} = await start(t, {window: 'day', limitUsd: {'key:key_1': {usd: 0, soft: true, notifyAt: [100]}}});
	t.like(await ask(5), {verdict: 'allow', reserve: {0: {account: 'key:key_1', limit: 0, soft: true, notifyAt: {0: 100}}}});
	t.like(await ask(undefined), {verdict: 'allow', annotate: {priceUnknown: true}});
});

test('a limit that holds asks for an approval of what may exceed it', async t => {
	const {ask} = await start(t, {window: 'day', limitUsd: {'key:key_1': {usd: 5, hold: true}}});
	t.like(await ask(250_000), {verdict: 'allow'});
	t.like(await ask(250_001), {verdict: 'hold', approval: {reason: 'The day limit of key:key_1 is 5 USD, and this call may exceed it.'}});
});

test('nearly out, a cheaper model takes the place of the one asked for, as far as the map goes', async t => {
	const to = {best: 'fast', 'gpt-*': 'best', fast: 'fast'};
	const {ask} = await start(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 95, to}});
	t.deepEqual(await ask(1, {model: 'best'}), {verdict: 'rewrite', patch: {model: 'fast'}, annotate: {degradedFrom: 'best'}});
	t.like(await ask(1, {model: 'gpt-5'}), {verdict: 'rewrite', patch: {model: 'fast'}});
	t.like(await ask(1), {verdict: 'allow'});
	t.like(await ask(1, {model: 'other'}), {verdict: 'allow'});
});

test('a limit with room left changes no model, and a map that leads in a circle none either', async t => {
	const {ask} = await start(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 96, to: {best: 'fast'}}});
	t.like(await ask(1, {model: 'best'}), {verdict: 'allow'});
	const circle = await start(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 1, to: {best: 'fast', fast: 'best'}}});
	t.like(await circle.ask(1, {model: 'best'}), {verdict: 'allow'});
});

const admin = {actor: 'ada', role: 'admin' as const, tenant: 'acme'};

test("a tenant's admin can only narrow, and only what is of its tenant", async t => {
	const {act, limits} = await start(t, {window: 'day', limitUsd: {'team:acme/search': 5}});
	const team = (limit: number | null) => [['team:acme/search', limit, 'day']];
	await act('set', {account: 'team:acme/search', limitUsd: 9}, admin);
	t.deepEqual(await limits(), team(5_000_000));
	await act('set', {account: 'team:acme/search', limitUsd: null}, admin);
	t.deepEqual(await limits(), team(5_000_000));
	await act('set', {account: 'team:acme/search', limitUsd: 2}, admin);
	t.deepEqual(await limits(), team(2_000_000));
	await act('set', {account: 'key:key_1', limitUsd: 1}, admin);
	t.deepEqual(await limits(), [...team(2_000_000), ['key:key_1', 1_000_000, 'day']]);
	t.deepEqual(await limits({tenant: 'other'}), team(5_000_000));
	for (const account of ['team:other/x', 'tenant:other', '*', 'team:other/x/model:gpt-*'])
		await t.throwsAsync(act('set', {account, limitUsd: 1}, admin), {code: 'denied'});
	for (const account of ['team:other/x', 'key:key_1']) await t.throwsAsync(act('get', {account}, admin), {code: 'denied'});
	await act('reset', {account: 'team:acme/search'}, admin);
	await act('reset', {account: 'key:key_1'}, admin);
	t.deepEqual(await limits(), team(5_000_000));
});

test("a tenant's admin sees what is said of its own, and not who has what key", async t => {
	const {act} = await start(t, {window: 'day', limitUsd: {'team:acme/search': 5, 'team:other/x': 1, '*': 9}});
	await act('set', {account: 'key:key_1', limitUsd: 1}, admin);
	await act('set', {account: 'key:key_2', limitUsd: 1});
	t.deepEqual(await act('list', {}, admin), {
		limits: [
			{account: 'team:acme/search', window: 'day', limitUsd: 5, from: 'config'},
			{account: 'key:key_1', window: 'day', limitUsd: 1, from: 'tenant', tenant: 'acme'},
		],
	});
});

test('get tells what is left of a limit and until when', async t => {
	const {act, asked} = await start(t, {window: 'month', limitUsd: {'*': 5}, timeZone: 'Asia/Tokyo'});
	const limit = {
		window: 'month',
		limitUsd: 5,
		spentUsd: 4.5,
		reservedUsd: 0.25,
		remainingUsd: 0.25,
		resetsAt: '2026-12-01T00:00:00.000Z',
	};
	t.deepEqual(await act('get', {account: 'key:key_1'}), {account: 'key:key_1', ...limit, limits: [limit]});
	t.deepEqual(asked, [['key:key_1', 'microUsd', 'month', 'Asia/Tokyo']]);
});

test('list has each limit once, with where it was written', async t => {
	const {act} = await start(t, {window: 'month', limitUsd: {'*': 5, 'tenant:acme': 100}});
	await act('set', {account: 'tenant:acme', limitUsd: null});
	await act('set', {account: 'key:key_1', limitUsd: 1, window: 'day', soft: true});
	await act('raise', {account: 'key:key_1', byUsd: 2, until: '2026-11-23T00:00:00Z'});
	t.deepEqual(await act('list'), {
		limits: [
			{account: '*', window: 'month', limitUsd: 5, from: 'config'},
			{account: 'key:key_1', window: 'day', limitUsd: 1, soft: true, from: 'action'},
			{account: 'tenant:acme', limitUsd: null, from: 'action'},
			{account: 'key:key_1', byUsd: 2, until: '2026-11-23T00:00:00.000Z', from: 'raise'},
		],
	});
});

for (const [what, config] of Object.entries({
	'a negative limit': {window: 'day', limitUsd: {'*': -1}},
	'a limit that is no number': {window: 'day', limitUsd: {'*': '5'}},
	'no window': {limitUsd: {'*': 5}},
	'a time zone that does not exist': {window: 'day', timeZone: 'Europe/Atlantis'},
	'a key that is not known': {window: 'day', limitEur: {'*': 5}},
	'a window that does not exist': {window: 'day', limitUsd: {'*': {fortnight: 5}}},
	'a star in the middle of a model': {window: 'day', limitUsd: {'*/model:gpt-*-mini': 5}},
	'a limit that is soft and holds': {window: 'day', limitUsd: {'*': {usd: 5, soft: true, hold: true}}},
}))
	test(`a config with ${what} does not start`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config}));
	});
