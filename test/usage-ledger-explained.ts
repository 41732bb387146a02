import test from 'ava';
import type {AccountExplained} from '../core/usage/account.ts';
import {calls} from './helpers/admins.ts';
import {startGateway} from './helpers/gateway.ts';
import {eventually} from './helpers/sdks.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {callModel, traffic} from './helpers/usage.ts';

test('what is settled in an account is made of records, and what is reserved of exchanges that run, at any time', async t => {
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	const gateway = await startGateway(t, {
		models: {fast: ['local/echo'], broken: ['local/fault-500'], cut: ['local/fault-reset-mid'], endless: ['local/fault-endless']},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'budgets', config: {window: 'month', limitUsd: {'team:acme/search': 10, 'tenant:acme': 20}}},
			{use: 'budgets', as: 'rolling', config: {window: 'rolling:5m', limitUsd: {'team:acme/search': 10}}},
		],
	});
	const key = await gateway.key({tenant: 'acme', team: 'search'});
	const explain = async (account: string, rest: object = {}, its?: string) => {
		const {status, body} = await calls(gateway)<AccountExplained>(
			'/admin/ledger/explain',
			{account, ...rest},
			its === undefined ? {} : {key: its},
		);
		return {status, body};
	};
	let over = false;
	const looking = (async () => {
		for (; !over; await new Promise(done => setTimeout(done, 50))) {
			const {body} = await explain('team:acme/search');
			t.true(body.holds, `seed ${seed}: ${JSON.stringify(body.difference)}`);
		}
	})();
	await traffic(random, gateway.url, [key], {count: 60, models: ['fast', 'broken', 'cut', 'endless']});
	const leaving = new AbortController();
	const endless = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'endless', stream: true, messages: [{role: 'user', content: 'on and on'}]}),
		signal: leaving.signal,
	});
	over = true;
	await looking;
	const filed = await eventually(async () => {
		const {body} = await explain('team:acme/search', {unit: 'microUsd', window: 'month', records: 1_000});
		return body.periods[0]?.shares[0]?.journal?.since === 0 ? body : undefined;
	});
	const [period] = filed.periods;
	t.is(filed.periods.length, 1);
	const [{alive, journal}] = period!.shares as [NonNullable<typeof period>['shares'][number]];
	t.true(alive);
	const spent = await gateway.act('budgets', 'get', {account: 'team:acme/search'});
	t.is(period!.settled / 1e6, Number(spent.spentUsd), `seed ${seed}`);
	t.is(journal!.reserved / 1e6, Number(spent.reservedUsd), `seed ${seed}`);
	t.true(journal!.reserved > 0);
	t.deepEqual(
		journal!.open.map(({exchange}) => exchange),
		[endless.headers.get('x-sallyport-exchange')],
	);
	t.is(
		journal!.records.reduce((sum, {amount}) => sum + amount, 0),
		period!.settled,
	);
	t.is(journal!.count, journal!.records.length);
	const records = new Map((await gateway.journal()).map(record => [record.seq, record]));
	for (const {seq, exchange, amount} of journal!.records) {
		const booking = records.get(seq)?.bookings?.find(({key: one}) => one === period!.key);
		t.deepEqual({exchange: records.get(seq)?.exchange, amount: booking?.amount}, {exchange, amount});
	}
	t.like((await explain('team:acme/search', {records: 2})).body, {holds: true});
	t.true((await explain('team:acme/search')).body.periods.some(({window}) => window === 'rolling:5m'));
	leaving.abort();
	await callModel(gateway.url, key, {model: 'fast'});

	const make = async (input: object) => (await calls(gateway)('/admin/admins', {name: 'somebody', ...input})).body.key;
	const ours = await make({role: 'admin', tenant: 'acme'});
	t.is((await explain('team:acme/search', {}, ours)).status, 200);
	for (const account of ['tenant:other', 'team:other/search', 'key:key_1', 'tenant:acm'])
		t.like(await explain(account, {}, ours), {status: 403, body: {code: 'denied'}}, account);
	t.is((await explain('tenant:other', {}, await make({role: 'auditor'}))).status, 200);
	for (const input of [{unit: 'apples'}, {window: 'fortnight'}, {records: -1}, {more: 1}])
		t.is((await explain('tenant:acme', input)).status, 400);
	t.deepEqual((await explain('tenant:nobody')).body, {account: 'tenant:nobody', periods: [], holds: true, elsewhere: []} as never);
});
