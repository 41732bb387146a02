import test from 'ava';
import {rememberVerdicts} from '../core/verdicts.ts';
import {hooks} from '../schemas/hooks.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const fresh = (body: string): unknown => {
	try {
		return hooks['pre-request'].answer.safeParse(JSON.parse(body)).data;
	} catch {
		return undefined;
	}
};

const reservation = (more: object) => ({account: 'key:a', unit: 'microUsd', amount: 5, limit: 10, window: 'day', ...more});

test('a verdict that differs from another in its amounts alone has its own, and whatever else', t => {
	const checked = rememberVerdicts();
	const bodies = [
		{verdict: 'allow', reserve: [reservation({}), reservation({account: 'amount', notifyAt: [50, 80]})], orElse: 'rate_limited'},
		{verdict: 'allow', settle: {microUsd: 7, tokens: 0}, reserve: [reservation({})]},
		{verdict: 'allow', reserve: [reservation({unit: undefined})], settle: {requests: 1}},
		{verdict: 'allow', reserve: [reservation({})], annotate: {amount: 5, tokens: 1}},
		{verdict: 'deny', message: 'say "amount":5, or so', settle: {tokens: 5}},
		{verdict: 'allow', put: {amount: {amount: 5}}, settle: {tokens: 5}},
		{verdict: 'allow', reserve: [reservation({account: '"amount":5,'})]},
	].map(verdict => JSON.stringify(verdict));
	for (const amount of [5, 0, 12, 999_999_999_999, 1_000_000_000_000, 123_456_789_012_345]) {
		for (const body of bodies) {
			const other = body.replaceAll(/(?<=":)[1579](?=[,}])/g, String(amount));
			t.deepEqual(checked('pre-request', other), fresh(other), other);
			t.deepEqual(checked('pre-request', body), fresh(body), body);
		}
	}
});

test('what is no verdict is none, however much it looks like one that was', t => {
	const checked = rememberVerdicts();
	const body = JSON.stringify({verdict: 'allow', reserve: [reservation({amount: 5})]});
	t.truthy(checked('pre-request', body));
	for (const amount of ['-5', '5.5', '05', '1e3', '"5"', 'null', '#', '', '9007199254740993', '5,"amount":6']) {
		const other = body.replace('"amount":5', `"amount":${amount}`);
		t.deepEqual(checked('pre-request', other), fresh(other), other);
	}
	t.truthy(checked('pre-request', body));
});

test('verdicts in any order of any amounts come out as if each were new', t => {
	const seed = Math.floor(Math.random() * 1e9);
	const random = seededRandom(seed);
	const checked = rememberVerdicts();
	const pick = <T>(all: readonly T[]): T => all[random.below(all.length)]!;
	for (let turn = 0; turn < 2_000; turn++) {
		const parts: [string, unknown][] = [
			[
				'reserve',
				Array.from({length: random.below(3)}, () =>
					reservation({amount: random.below(1_000), account: pick(['a', 'b']), unit: pick(['tokens', 'requests', undefined])}),
				),
			],
			['settle', pick([{microUsd: random.below(9)}, {tokens: random.below(9), requests: random.below(2)}, {}])],
			['orElse', 'quota_exceeded'],
			['annotate', {amount: random.below(9)}],
		];
		const some = parts.filter(() => random.below(2) === 0).sort(() => random.below(3) - 1);
		const body = JSON.stringify({verdict: 'allow', ...Object.fromEntries(some)});
		t.deepEqual(checked('pre-request', body), fresh(body), `seed ${seed}: ${body}`);
	}
});

test('a verdict that comes again and again is the same each time, and others between do not change it', t => {
	const checked = rememberVerdicts();
	const [one, other] = [5, 6].map(amount =>
		JSON.stringify({verdict: 'allow', reserve: [reservation({amount})], settle: {requests: amount}}),
	);
	for (const body of [one!, one!, one!, other!, one!, other!, other!, other!, one!]) t.deepEqual(checked('pre-request', body), fresh(body));
	t.is(checked('pre-request', one!), checked('pre-request', one!), 'it is not read again');
});
