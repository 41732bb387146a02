import test from 'ava';
import {ada, pay, startApprovals as start} from '../../test/helpers/started-approvals.ts';

/** A key, and keys that were minted from it, as virtual-keys says so. */
const ofKey = (...line: string[]) => {
	const key = line.at(-1)!;
	const accounts = ['tenant:acme', ...line.map(name => `key:${name}`)];
	return {principal: {...ada, id: key, key, user: undefined, accounts}} as never;
};
const parent = ofKey('key_1');
const child = ofKey('key_1', 'key_2');
const grandchild = ofKey('key_1', 'key_2', 'key_3');
const stranger = ofKey('key_9', 'key_8');

test('a rule about a key is about those that were minted from it', async t => {
	const {call} = await start(t, [{...pay, of: {keys: ['key_1']}}]);
	for (const one of [parent, child, grandchild]) t.is((await call({amount: 5}, one)).verdict, 'hold');
	t.is((await call({amount: 5}, stranger)).verdict, 'allow');
});

test('a rule about a key that was minted is not about the one that it was minted from', async t => {
	const {call} = await start(t, [{...pay, of: {keys: ['key_2']}}]);
	t.is((await call({amount: 5}, parent)).verdict, 'allow');
	t.is((await call({amount: 5}, grandchild)).verdict, 'hold');
});

test('whoever has a key decides nothing about what the keys that were minted from it ask for', async t => {
	for (const name of ['key_1', 'key:key_1']) {
		const {call, decide} = await start(t, [pay], {people: {olga: [name]}});
		for (const one of [child, grandchild]) {
			const {approval} = await call({amount: 5}, one);
			await t.throwsAsync(decide(approval.id), {code: 'denied', message: /what they asked for themselves/});
			t.like(await decide(approval.id, undefined, 'ben'), {state: 'approved'});
		}
		t.like(await decide((await call({amount: 5}, stranger)).approval.id), {state: 'approved'});
	}
});

test('an approval is of one key, and of none that was minted from it', async t => {
	const {call, decide} = await start(t);
	await decide((await call({amount: 5}, parent)).approval.id, {decision: 'approve', minutes: 60, anyArguments: true});
	t.is((await call({amount: 5}, child)).verdict, 'hold');
});

test('what waits of a key and of those that were minted from it is counted together', async t => {
	const {call} = await start(t, [pay], {mostPending: 3});
	for (const [amount, one] of [parent, child, grandchild].entries()) t.is((await call({amount}, one)).verdict, 'hold');
	for (const one of [parent, child, grandchild, ofKey('key_1', 'key_4')])
		t.like(await call({amount: 9}, one), {verdict: 'deny', code: 'rate_limited'});
	t.is((await call({amount: 9}, stranger)).verdict, 'hold');
});
