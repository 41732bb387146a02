import test from 'ava';
import {openPeriods, type WindowName} from '../core/ledger/periods.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const periodAt = openPeriods();
const iso = (at: number) => new Date(at).toISOString();
const edges = (window: WindowName, timeZone: string, at: string) => {
	const {start, end} = periodAt(window, timeZone, Date.parse(at));
	return [iso(start), iso(end)];
};

test('a day that loses an hour ends at its midnight, 23 hours after it began', t => {
	t.deepEqual(edges('day', 'Europe/Berlin', '2026-03-29T12:00:00Z'), ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z']);
	t.deepEqual(edges('day', 'America/New_York', '2026-03-08T12:00:00Z'), ['2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z']);
});

test('a day that gains an hour ends at its midnight, 25 hours after it began', t => {
	t.deepEqual(edges('day', 'Europe/Berlin', '2026-10-25T00:30:00Z'), ['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']);
	t.deepEqual(edges('day', 'America/New_York', '2026-11-01T12:00:00Z'), ['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z']);
});

test('a day whose midnight is skipped begins with its first hour', t => {
	// Cairo's clocks went from 00:00 to 01:00 on 24 April 2026.
	t.deepEqual(edges('day', 'Africa/Cairo', '2026-04-24T10:00:00Z'), ['2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z']);
});

test('weeks begin on Monday, months and quarters on the first', t => {
	t.deepEqual(edges('week', 'UTC', '2026-03-01T23:59:59Z'), ['2026-02-23T00:00:00.000Z', '2026-03-02T00:00:00.000Z']);
	t.deepEqual(edges('week', 'UTC', '2026-03-02T00:00:00Z'), ['2026-03-02T00:00:00.000Z', '2026-03-09T00:00:00.000Z']);
	t.deepEqual(edges('month', 'Asia/Kolkata', '2028-02-29T20:00:00Z'), ['2028-02-29T18:30:00.000Z', '2028-03-31T18:30:00.000Z']);
	t.deepEqual(edges('month', 'UTC', '2026-12-31T23:00:00Z'), ['2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']);
	t.deepEqual(edges('quarter', 'Europe/Berlin', '2026-12-31T22:59:59Z'), ['2026-09-30T22:00:00.000Z', '2026-12-31T23:00:00.000Z']);
});

test('an hour begins where the clock on the wall says so', t => {
	t.deepEqual(edges('hour', 'Asia/Kolkata', '2026-01-01T10:29:59Z'), ['2026-01-01T09:30:00.000Z', '2026-01-01T10:30:00.000Z']);
	t.deepEqual(edges('minute', 'Asia/Kolkata', '2026-01-01T10:29:59Z'), ['2026-01-01T10:29:00.000Z', '2026-01-01T10:30:00.000Z']);
});

test('the name of a window says its start, and its zone unless that is UTC', t => {
	const at = Date.parse('2026-03-29T12:00:00Z');
	t.is(periodAt('day', 'Europe/Berlin', at).id, 'day|2026-03-28T23:00:00Z[Europe/Berlin]');
	t.is(periodAt('day', 'UTC', at).id, 'day|2026-03-29T00:00:00Z');
	t.is(periodAt('total', 'Europe/Berlin', at).id, 'total|1970-01-01T00:00:00Z');
	t.is(periodAt('total', 'UTC', at).end, Number.POSITIVE_INFINITY);
});

test('windows lie end to end: every moment is in the one that its neighbours name', t => {
	const random = seededRandom(7);
	const zones = [
		'UTC',
		'Europe/Berlin',
		'America/New_York',
		'America/Santiago',
		'Africa/Cairo',
		'Asia/Kathmandu',
		'Pacific/Apia',
		'Pacific/Chatham',
	];
	for (let round = 0; round < 300; round += 1) {
		const zone = random.pick(zones);
		const window = random.pick(['day', 'week', 'month', 'quarter'] as const);
		const at = Date.UTC(2020, 0, 1) + random.below(10 * 365 * 86_400) * 1_000;
		const {id, start, end} = periodAt(window, zone, at);
		const what = `${id} at ${iso(at)}`;
		t.true(start <= at && at < end, what);
		t.is(periodAt(window, zone, start).id, id, what);
		t.is(periodAt(window, zone, end - 1).id, id, what);
		t.is(periodAt(window, zone, end).start, end, what);
	}
});

test('a time zone that does not exist is refused by name', t => {
	t.throws(() => periodAt('day', 'Mars/Olympus', 0), {code: 'plugin_failed', message: /Mars\/Olympus/});
});
