import test from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {accounts, startBudgets} from '../../test/helpers/started-budgets.ts';

test('a call sets aside the most it can cost in every account that has a limit', async t => {
	const {call} = await startBudgets(t, {
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
	const {call} = await startBudgets(t, {window: 'day', limitUsd: {'*': 2, 'tenant:acme': 100}});
	t.like(await call(1), {
		reserve: {
			0: {account: 'tenant:acme', limit: 100_000_000},
			1: {account: 'team:acme/search', limit: 2_000_000},
			2: {account: 'key:key_1', limit: 2_000_000},
		},
	});
});

test('where no account has a limit, nothing is said, known price or not', async t => {
	const {call} = await startBudgets(t, {window: 'day', limitUsd: {'tenant:other': 1, 'tenant:constructor': 1}});
	t.is(await call(5), undefined);
	t.is(await call(undefined), undefined);
	t.is(await call(5, []), undefined);
	t.is(await call(5, ['toString']), undefined);
});

test('a call of unknown price is refused where any account has a limit', async t => {
	const {call} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 1}});
	t.like(await call(undefined), {verdict: 'deny', code: 'price_unknown'});
});

test('a limit of 0 lets no call pass, not even one that costs nothing', async t => {
	const {call} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 0}});
	const refused = {verdict: 'deny', code: 'budget_exceeded', rule: 'key:key_1/day'};
	t.like(await call(0), refused);
	t.like(await call(5), refused);
	t.like(await call(undefined), refused);
});

test('listing models and counting tokens are not held up by a budget that is spent', async t => {
	const {plugin} = await startBudgets(t, {window: 'day', limitUsd: {'*': 0}});
	for (const operation of ['models', 'count_tokens'] as const)
		t.is(await plugin.ask('pre-request', {operation, principal: {accounts}, estimate: {}}), undefined);
});

test('a known cost is settled, 0 too', async t => {
	const {end} = await startBudgets(t, {window: 'day'});
	t.deepEqual(await end({costMicroUsd: 77, attempts: [{status: 200}]}), {verdict: 'allow', settle: {microUsd: 77}});
	t.deepEqual(await end({costMicroUsd: 0, attempts: []}), {verdict: 'allow', settle: {microUsd: 0}});
});

test('a call that nobody bills for costs nothing', async t => {
	const {end} = await startBudgets(t, {window: 'day'});
	const nothing = {verdict: 'allow', settle: {microUsd: 0}};
	t.deepEqual(await end({attempts: []}), nothing);
	t.deepEqual(
		await end({attempts: [{error: 'upstream_unreachable'}, {status: 429, error: 'upstream_rate_limited'}, {status: 500}]}),
		nothing,
	);
});

test('a call that may have been billed, and nobody can say how much, keeps its whole reservation', async t => {
	const {end} = await startBudgets(t, {window: 'day'});
	for (const last of [{status: 200}, {error: 'upstream_timeout'}, {error: 'upstream_failed'}, {error: 'client_closed'}])
		t.is(await end({attempts: [{status: 500, error: 'upstream_failed'}, last]}), undefined);
	t.is(await end({}), undefined);
});

test('a limit for a model counts for that model alone, by the name that is asked for or by the deployment that may serve it', async t => {
	const {ask, limits, act} = await startBudgets(t, {
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

test('a soft limit is told and does not refuse, not even at 0 or without a price', async t => {
	const {ask} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': {usd: 0, soft: true, notifyAt: [100]}}});
	t.like(await ask(5), {verdict: 'allow', reserve: {0: {account: 'key:key_1', limit: 0, soft: true, notifyAt: {0: 100}}}});
	t.like(await ask(undefined), {verdict: 'allow', annotate: {priceUnknown: true}});
});

test('a limit that holds asks for an approval of what may exceed it', async t => {
	const {ask} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': {usd: 5, hold: true}}});
	t.like(await ask(250_000), {verdict: 'allow'});
	t.like(await ask(250_001), {verdict: 'hold', approval: {reason: 'The day limit of key:key_1 is 5 USD, and this call may exceed it.'}});
});

test('nearly out, a cheaper model takes the place of the one asked for, as far as the map goes', async t => {
	const to = {best: 'fast', 'gpt-*': 'best', fast: 'fast'};
	const {ask} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 95, to}});
	t.deepEqual(await ask(1, {model: 'best'}), {verdict: 'rewrite', patch: {model: 'fast'}, annotate: {degradedFrom: 'best'}});
	t.like(await ask(1, {model: 'gpt-5'}), {verdict: 'rewrite', patch: {model: 'fast'}});
	t.like(await ask(1), {verdict: 'allow'});
	t.like(await ask(1, {model: 'other'}), {verdict: 'allow'});
});

test('a limit with room left changes no model, and a map that leads in a circle none either', async t => {
	const {ask} = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 96, to: {best: 'fast'}}});
	t.like(await ask(1, {model: 'best'}), {verdict: 'allow'});
	const circle = await startBudgets(t, {window: 'day', limitUsd: {'key:key_1': 5}, degrade: {at: 1, to: {best: 'fast', fast: 'best'}}});
	t.like(await circle.ask(1, {model: 'best'}), {verdict: 'allow'});
});

for (const [what, config] of Object.entries({
	'a negative limit': {window: 'day', limitUsd: {'*': -1}},
	'a limit that is no number': {window: 'day', limitUsd: {'*': '5'}},
	'no window': {limitUsd: {'*': 5}},
	'a time zone that does not exist': {window: 'day', timeZone: 'Europe/Atlantis'},
	'a key that is not known': {window: 'day', limitEur: {'*': 5}},
	'a window that does not exist': {window: 'day', limitUsd: {'*': {fortnight: 5}}},
	'a star in the middle of a model': {window: 'day', limitUsd: {'*/model:gpt-*-mini': 5}},
	'an account whose kind is misspelt': {window: 'day', limitUsd: {'teant:default': 0}},
	'an account that is no kind of account': {window: 'day', limitUsd: {whatever: 1}},
	'a team without its tenant': {window: 'day', limitUsd: {'team:acme': 3}},
	'a tenant with a team behind it': {window: 'day', limitUsd: {'tenant:acme/search': 3}},
	'the id of a key in the place of its account': {window: 'day', limitUsd: {'key_1/model:gpt-*': 3}},
	'a limit that is soft and holds': {window: 'day', limitUsd: {'*': {usd: 5, soft: true, hold: true}}},
}))
	test(`a config with ${what} does not start`, async t => {
		await t.throwsAsync(startPlugin(import.meta.url, {config}));
	});
