import test from 'ava';
import {dimensions, sums} from '../core/store/usage.ts';
import {openTally} from '../core/usage/tally.ts';
import type {JournalRecord} from '../schemas/record.ts';

const at = Date.parse('2026-11-22T10:30:00Z');
const exchange = (key: string, rest: Partial<JournalRecord> = {}): JournalRecord => ({
	kind: 'exchange',
	outcome: 'ok',
	principal: {id: key, tenant: 'acme', team: 'search', user: `of ${key}`, key},
	model: 'fast',
	deployment: 'local/echo',
	costMicroUsd: 1,
	...rest,
});
const limits = {names: 3, rows: 5, aboutRows: 4};

/** What rows of a series come to, by one of their names. */
const costs = (rows: ReturnType<ReturnType<typeof openTally>['take']>, series: string, name: (typeof dimensions)[number]) => {
	const found: Record<string, number> = {};
	for (const row of rows) {
		if (row.series !== series) continue;
		const of = row.values[dimensions.indexOf(name)]!;
		found[of] = (found[of] ?? 0) + row.sums[sums.indexOf('microUsd')]!;
	}
	return found;
};

test('past its bounds everything still adds up, under other, and what was known before stays known', t => {
	const tally = openTally(limits);
	for (let round = 0; round < 2; round++) for (let index = 0; index < 8; index++) tally.add(exchange(`key_${index}`), at);
	const rows = tally.take();
	t.deepEqual(costs(rows, 'hour/all/key', 'key'), {key_0: 2, key_1: 2, key_2: 2, key_3: 2, key_4: 2, other: 6});
	t.deepEqual(costs(rows, 'day/all/key', 'user'), {
		'acme/of key_0': 2,
		'acme/of key_1': 2,
		'acme/of key_2': 2,
		'acme/of key_3': 2,
		'acme/of key_4': 2,
		other: 6,
	});
	t.deepEqual(costs(rows, 'hour/all/team', 'team'), {'acme/search': 16});
	tally.add(exchange('key_4'), at);
	tally.add(exchange('key_5'), at);
	t.deepEqual(costs(tally.take(), 'hour/all/key', 'key'), {key_4: 1, other: 1});
	// The next hour begins anew.
	tally.add(exchange('key_5'), at + 3_600_000);
	t.deepEqual(costs(tally.take(), 'hour/all/key', 'key'), {key_5: 1});
});

test('a client that makes up tags and models fills no room of other keys', t => {
	const tally = openTally({...limits, rows: 8});
	for (let index = 0; index < 50; index++) tally.add(exchange('loud', {model: `model-${index}`, tags: [`tag-${index}`]}), at);
	tally.add(exchange('quiet', {tags: ['mine']}), at);
	const rows = tally.take();
	t.deepEqual(costs(rows, 'hour/all/key', 'key'), {loud: 50, quiet: 1});
	t.deepEqual(costs(rows, 'hour/all/key', 'model'), {'model-0': 1, 'model-1': 1, 'model-2': 1, other: 48});
	t.deepEqual(costs(rows, 'hour/tag/key', 'value'), {'tag-0': 1, 'tag-1': 1, 'tag-2': 1, other: 48});
});

test('names that would be mistaken for one another are kept apart or mended, and no row comes twice', t => {
	const tally = openTally();
	const odd = [
		exchange('k', {principal: {id: 'k', tenant: 'a\0b', key: 'c'}}),
		exchange('k', {principal: {id: 'k', tenant: 'a', team: 'b\0c'}}),
		exchange('k', {model: 'x'.repeat(10_000)}),
		exchange('k', {model: '\ud800'}),
		exchange('k', {model: '\ud801'}),
		exchange('k', {principal: {id: 'k', tenant: 'a', team: 'b/c'}}),
		// As on-audit may leave it.
		exchange('k', {model: '[redacted]', costMicroUsd: '[redacted]' as never, usage: '[redacted]' as never, tags: '[redacted]' as never}),
	];
	for (const one of odd) tally.add(one, at);
	for (const one of odd) tally.add(one, at - 3_600_000);
	const rows = tally.take();
	const places = rows.map(({series, at, id}) => `${series} ${at} ${id}`);
	t.is(new Set(places).size, places.length);
	t.true(rows.every(({values}) => values.every(value => value.isWellFormed() && value.length <= 601 && !value.includes('\0'))));
	t.is(
		Object.values(costs(rows, 'day/all/key', 'tenant')).reduce((sum, cost) => sum + cost),
		12,
	);
	t.deepEqual(costs(rows, 'hour/all/team', 'team'), {'': 2, 'a/b\ufffdc': 2, 'acme/search': 6, 'a/b/c': 2});
});

test('the admin API and whoever looks at its own usage use nothing', t => {
	const tally = openTally();
	tally.add(exchange('k', {surface: 'admin'}), at);
	tally.add(exchange('k', {surface: 'gateway'}), at);
	tally.add(exchange('k', {surface: 'openai', path: '/v1/usage'}), at);
	t.deepEqual(tally.take(), []);
});
