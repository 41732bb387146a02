import test from 'ava';
import {pay, startApprovals as start} from '../../test/helpers/started-approvals.ts';

const tainted = {name: 'tainted', tools: ['bank/pay'], tainted: true, fourEyes: true, who: {roles: ['owner']}};
const read = {taints: ['injection']} as never;

test('what one rule has let pass for a call, another that is about the same call by now has not', async t => {
	for (const words of [{decision: 'approve'}, {decision: 'approve', minutes: 60}]) {
		const {call, asked, decide} = await start(t, [tainted, pay]);
		const id = await asked();
		await decide(id, words);
		const held = await call({amount: 5}, read);
		t.like(held, {verdict: 'hold', rule: 'tainted'}, JSON.stringify(words));
		t.not(held.approval.id, id);
		await decide(held.approval.id, words, 'olga');
		t.like(await call({amount: 5}, read), {verdict: 'hold', approval: {id: held.approval.id}}, 'two owners have to look at that');
		await decide(held.approval.id, words, 'ben');
		t.like(await call({amount: 5}, read), {verdict: 'allow'});
		t.like(await call(), {verdict: 'allow'}, 'and the other approval is what it was');
	}
});

test('whatever rule had asked, a refusal stands for the call until it expires', async t => {
	const {call, asked, decide, clock} = await start(t, [{...tainted, expiresSeconds: 60}, pay]);
	const {approval} = await call({amount: 5}, read);
	await decide(approval.id, {decision: 'refuse', reason: 'it has read orders'});
	for (const more of [read, {}])
		t.like(await call({amount: 5}, more), {
			verdict: 'deny',
			annotate: {id: approval.id},
			message: 'Whoever had to approve this has refused it: it has read orders',
		});
	t.like(await call({amount: 6}), {verdict: 'hold', rule: 'pay'});
	clock.now += 60_000;
	await decide(await asked(), {decision: 'refuse', reason: 'not today'});
	t.like(await call({amount: 5}, read), {verdict: 'deny'});
});
