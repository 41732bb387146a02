import test from 'ava';
import {openStore} from '../core/store/open.ts';
import {connect} from '../core/store/sqlite/connection.ts';
import {pageOf} from '../core/store/sqlite/usage.ts';
import {dimensions, type Series, sums, type UsageQuery, type UsageRow, type UsageStore} from '../core/store/usage.ts';
import {openFor, storeEngines} from './helpers/store-engines.ts';

const hourMs = 3_600_000;

type Wanted = {at?: number; series?: Series; values?: Partial<Record<(typeof dimensions)[number], string>>} & Partial<
	Record<(typeof sums)[number], number>
>;

const row = ({at = 0, series = 'hour/all/key', values = {}, ...counted}: Wanted): UsageRow => ({
	series,
	at,
	id: JSON.stringify(values),
	values: dimensions.map(name => values[name] ?? ''),
	sums: sums.map(name => counted[name] ?? 0),
});

const query = (wanted: Partial<UsageQuery> = {}): UsageQuery => ({
	spans: [{period: 0, series: 'hour/all/key', from: 0, until: 1_000 * hourMs}],
	by: [],
	where: {},
	limit: 100,
	...wanted,
});

/** Each group as its values and the sums that are named. */
const read = async (store: UsageStore, wanted: Partial<UsageQuery>, ...named: (typeof sums)[number][]) =>
	(await store.usageQuery(query(wanted))).map(group => [
		group.period,
		...group.values,
		...named.map(name => group.sums[sums.indexOf(name)]),
	]);

const engines = storeEngines();

for (const {name, fresh} of engines) {
	test(`${name}: rows of usage add up, whichever process they are from, and every sum comes back`, async t => {
		const place = await fresh(t);
		const [one, two] = [await openFor(t, place, {process: 'one'}), await openFor(t, place, {process: 'two'})];
		const all = Object.fromEntries(sums.map((sum, index) => [sum, index + 1]));
		const values = Object.fromEntries(dimensions.map(dimension => [dimension, `a ${dimension} é|\u0000'"`]));
		t.true(await one.usageAdd([row({values, ...all})], {after: 0, seq: 7}));
		t.true(await two.usageAdd([row({values, ...all}), row({values: {tenant: 'b'}, requests: 1})], {after: 0, seq: 3}));
		t.true(await one.usageAdd([row({values, microUsd: 2 ** 52})], {after: 7, seq: 8}));
		const groups = await one.usageQuery(query({by: dimensions}));
		t.deepEqual(groups[1]?.values, Object.values(values));
		t.deepEqual(
			groups[1]?.sums,
			sums.map((sum, index) => 2 * (index + 1) + (sum === 'microUsd' ? 2 ** 52 : 0)),
		);
		t.deepEqual([await one.usagePosition(), await two.usagePosition()], [8, 3]);
	});

	test(`${name}: what was counted is not counted again, also when nobody knows whether it was`, async t => {
		const place = await fresh(t);
		const store = await openStore(place, {process: 'one'});
		t.is(await store.usagePosition(), 0);
		t.true(await store.usageAdd([row({requests: 1})], {after: 0, seq: 5}));
		t.false(await store.usageAdd([row({requests: 1})], {after: 0, seq: 5}));
		t.false(await store.usageAdd([row({requests: 1})], {after: 4, seq: 6}));
		t.true(await store.usageAdd([], {after: 5, seq: 2}));
		await store.close();
		await t.throwsAsync(store.usageQuery(query()), {code: 'store_unavailable'});
		await t.throwsAsync(store.usageAdd([], {after: 2, seq: 3}), {code: 'store_unavailable'});
		const again = await openFor(t, place, {process: 'one'});
		t.is(await again.usagePosition(), 2);
		t.deepEqual(await read(again, {}, 'requests'), [[0, 1]]);
	});

	test(`${name}: rows that cannot be added take the position back with them`, async t => {
		const store = await openFor(t, await fresh(t), {process: 'one'});
		const wrong = row({values: {tenant: 'wrong'}, requests: 0.5});
		await t.throwsAsync(store.usageAdd([row({requests: 1}), wrong], {after: 0, seq: 5}), {code: 'store_unavailable'});
		t.is(await store.usagePosition(), 0);
		t.deepEqual(await read(store, {}, 'requests'), []);
	});

	test(`${name}: groups come by period, in order, filtered, and page by page`, async t => {
		const store = await openFor(t, await fresh(t));
		const rows = [];
		for (const tenant of ['b', 'a', 'Z', 'é'])
			for (const model of ['m1', 'm2'])
				for (const hour of [0, 1, 2, 5])
					rows.push(row({at: hour * hourMs, values: {tenant, model, key: `key ${tenant}`}, requests: 1 + hour}));
		await store.usageAdd(rows, {after: 0, seq: 1});
		const spans = [
			{period: 1, series: 'hour/all/key', from: 0, until: hourMs},
			{period: 2, series: 'hour/all/key', from: 2 * hourMs, until: 3 * hourMs},
			{period: 2, series: 'hour/all/key', from: 5 * hourMs, until: 6 * hourMs},
			{period: 3, series: 'hour/all/key', from: 9 * hourMs, until: 10 * hourMs},
		] as const;
		const found = [1, 2].flatMap(period => ['Z', 'a', 'b', 'é'].map(tenant => [period, tenant, period === 1 ? 2 : 18]));
		t.deepEqual(await read(store, {spans, by: ['tenant']}, 'requests'), found);
		t.deepEqual(await read(store, {spans, by: ['tenant'], where: {key: ['key a', 'key é'], model: ['m2']}}, 'requests'), [
			[1, 'a', 1],
			[1, 'é', 1],
			[2, 'a', 9],
			[2, 'é', 9],
		]);
		t.deepEqual(await read(store, {spans, where: {tenant: ['nobody']}}, 'requests'), []);

		const paged = [];
		let after: UsageQuery['after'];
		for (;;) {
			const page = await store.usageQuery(query({spans, by: ['tenant', 'model'], limit: 3, ...(after && {after})}));
			if (page.length === 0) break;
			paged.push(...page.map(({period, values}) => [period, ...values]));
			after = page.at(-1)!;
		}
		t.deepEqual(paged, await read(store, {spans, by: ['tenant', 'model']}));
		t.is(paged.length, 16);
		t.deepEqual(await read(store, {spans, after: {period: 1, values: []}}, 'requests'), [[2, 72]]);
	});

	test(`${name}: old rows are dropped, those of days later than those of hours`, async t => {
		const store = await openFor(t, await fresh(t));
		const rows = [1, 2, 3].flatMap(at =>
			(['hour/all/key', 'hour/tag/team', 'day/unit/key'] as const).map(series => row({at, series, requests: at})),
		);
		await store.usageAdd(rows, {after: 0, seq: 1});
		await store.usagePrune({hour: 3, day: 2});
		const left = async (series: Series) => read(store, {spans: [{period: 0, series, from: 0, until: 9}]}, 'requests');
		t.deepEqual(await left('hour/all/key'), [[0, 3]]);
		t.deepEqual(await left('hour/tag/team'), [[0, 3]]);
		t.deepEqual(await left('day/unit/key'), [[0, 5]]);
	});

	test(`${name}: every process's rows of one account can be read, and no other account's`, async t => {
		const place = await fresh(t);
		const [one, two] = [await openFor(t, place, {process: 'one'}), await openFor(t, place, {process: 'two'})];
		const lease = (key: string, expiresAt?: number) => ({key, settled: 1, granted: 2, seq: 3, ...(expiresAt && {expiresAt})});
		await two.ledgerPut([lease('team:a|tokens|total|x', 9), lease('team:ab|tokens|total|x'), lease('team:|tokens|total|x')]);
		await one.ledgerPut([lease('team:a|tokens|total|x'), lease('team:a|microUsd|day|y')]);
		t.deepEqual(await one.ledgerRowsOf('team:a'), [
			{...lease('team:a|microUsd|day|y'), process: 'one'},
			{...lease('team:a|tokens|total|x'), process: 'one'},
			{...lease('team:a|tokens|total|x', 9), process: 'two'},
		]);
	});
}

test('a page reads the rows of its time, of its key or of its tenant, and no others', async t => {
	const place = await engines[0]!.fresh(t);
	await openFor(t, place);
	const file = await connect(place);
	t.teardown(() => file.close());
	const plan = async (where: UsageQuery['where'], by: UsageQuery['by'] = ['model']) => {
		const {sql, values} = pageOf(query({where, by}));
		return (await file.all<{detail: string}>(`EXPLAIN QUERY PLAN ${sql}`, ...values)).map(({detail}) => detail);
	};
	const searched = (details: readonly string[]) => details.find(detail => detail.includes('counted'));
	t.is(searched(await plan({})), 'SEARCH counted USING PRIMARY KEY (series=? AND at>? AND at<?)');
	t.is(searched(await plan({key: ['key_1']})), 'SEARCH counted USING INDEX usage_by_key (key=? AND series=? AND at>? AND at<?)');
	t.is(searched(await plan({tenant: ['acme']})), 'SEARCH counted USING INDEX usage_by_tenant (tenant=? AND series=? AND at>? AND at<?)');
});
