import test from 'ava';
import {startBudgets} from '../../test/helpers/started-budgets.ts';

test('what set says takes the place of the config at the next call, until it is reset', async t => {
	const {limits, act} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 1}});
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
	const {limits, act} = await startBudgets(t, {
		window: 'month',
		limitUsd: {'*': {day: 2, month: 20}, 'key:key_1': {day: 1, 'rolling:5h': 0.5}},
	});
	const paying = ['key:key_1'];
	const sorted = async () => (await limits({paying}))?.map(([, limit, window]) => `${window} ${limit}`).sort();
	t.deepEqual(await sorted(), ['day 1000000', 'month 20000000', 'rolling:5h 500000']);
	await act('set', {account: 'key:key_1', limitUsd: 4, window: 'day'});
	await act('set', {account: 'key:key_1', limitUsd: 9, window: 'total'});
	t.deepEqual(await sorted(), ['day 4000000', 'month 20000000', 'rolling:5h 500000', 'total 9000000']);
	await act('reset', {account: 'key:key_1', window: 'day'});
	t.deepEqual(await sorted(), ['day 1000000', 'month 20000000', 'rolling:5h 500000', 'total 9000000']);
});

test('set takes no account that nothing can pay from', async t => {
	const {act} = await startBudgets(t, {window: 'day', limitUsd: {}});
	for (const account of ['key_1', 'kye:key_1', 'usr:acme/ada', 'users:acme/ada', 'teant:acme', 'Team:acme', 'tool:read', 'team:', 'tenant'])
		await t.throwsAsync(act('set', {account, limitUsd: 0}), {message: /an account is/}, account);
	for (const account of [
		'key:key_1',
		'user:acme/ada@acme.example',
		'tool:files/read',
		'server:files',
		'project:apollo',
		'tag:free/model:gpt-*',
	])
		await t.notThrowsAsync(act('set', {account, limitUsd: 0}), account);
});

test('null takes every limit of an account away at the next call, or that of one window; what is spent is still counted', async t => {
	const {limits, act} = await startBudgets(t, {window: 'month', limitUsd: {'*': {day: 2, month: 20}, 'key:key_1': {day: 1}}});
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
	const {limits, act, ask} = await startBudgets(t, {window: 'day'});
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

test('a temporary increase ends by itself', async t => {
	const {limits, act, clock} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': {day: 1, month: 10}}});
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

const admin = {actor: 'ada', role: 'admin' as const, tenant: 'acme'};

test("a tenant's admin can only narrow, and only what is of its tenant", async t => {
	const {act, limits} = await startBudgets(t, {window: 'day', limitUsd: {'team:acme/search': 5}});
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
	const {act} = await startBudgets(t, {window: 'day', limitUsd: {'team:acme/search': 5, 'team:other/x': 1, '*': 9}});
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
	const {act, asked} = await startBudgets(t, {window: 'month', limitUsd: {'*': 5}, timeZone: 'Asia/Tokyo'});
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
	const {act} = await startBudgets(t, {window: 'month', limitUsd: {'*': 5, 'tenant:acme': 100}});
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
