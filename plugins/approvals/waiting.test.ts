import test from 'ava';
import {pay, startApprovals as start} from '../../test/helpers/started-approvals.ts';

test('what is decided takes the place of nothing that waits, however long it was approved for', async t => {
	const {call, asked, decide} = await start(t, [pay], {mostPending: 1});
	const ways = [
		{decision: 'approve'},
		{decision: 'approve', minutes: 60},
		{decision: 'approve', minutes: 60, anyArguments: true},
		{decision: 'edit', arguments: {amount: 0}},
		{decision: 'refuse', reason: 'no'},
	];
	for (const [amount, words] of ways.entries()) {
		const tool = `pay${amount}`;
		const id = await asked({amount}, {tool});
		t.like(await call({amount: 9}), {verdict: 'deny', code: 'rate_limited'}, 'one waits');
		await decide(id, words);
	}
	t.is((await call({amount: 9})).verdict, 'hold');
});

test('what needs a second vote waits until it has it', async t => {
	const {call, asked, decide} = await start(t, [{...pay, fourEyes: true}], {mostPending: 1});
	const id = await asked({amount: 1});
	for (const [who, words] of [
		['olga', {decision: 'approve', minutes: 60}],
		['ben', {decision: 'approve'}],
		['ben', {decision: 'approve', minutes: 5}],
	] as const) {
		t.like(await decide(id, words, who), {state: 'pending'});
		t.like(await call({amount: 2}), {verdict: 'deny', code: 'rate_limited'});
	}
	t.like(await decide(id, {decision: 'approve', minutes: 60}, 'ben'), {state: 'approved'});
	t.is((await call({amount: 2})).verdict, 'hold');
});
