import test from 'ava';
import {isPending, legacyCall, pendingAt, startPaying} from './helpers/approvals.ts';
import {type Said, wordsOf} from './helpers/mcp-wire.ts';

const codeOf = ({body}: Said): unknown => body.error?.data?.code;

test.serial('a key that lets calls wait without an end leaves places for the others', async t => {
	const {gateway, calls, pay, wire} = await startPaying(t, {overrides: {limits: {held: 4, heldPerKey: 2}}});
	const {size} = gateway.gateway.holds;
	const greedy = [1, 2, 3, 4, 5, 6].map(amount => pay({amount}));
	const asked = await pendingAt(gateway, 6);
	t.is(size(), 2, 'two of six wait');
	const other = legacyCall(wire(await gateway.key()))({amount: 7});
	const all = await pendingAt(gateway, 7);
	t.is(size(), 3);
	const before = new Set(asked.map(({id}) => id));
	const its = all.find(({id}) => !before.has(id))!;
	await gateway.act('approvals', 'decide', {id: its.id, decision: 'approve'});
	t.is(wordsOf(await other), 'pay {"amount":7}');
	for (const {id} of asked) await gateway.act('approvals', 'decide', {id, decision: 'refuse', reason: 'no'});
	const said = await Promise.all(greedy);
	t.deepEqual(said.map(codeOf).toSorted(), ['denied', 'denied', 'rate_limited', 'rate_limited', 'rate_limited', 'rate_limited']);
	const {error} = said.find(one => codeOf(one) === 'rate_limited')!.body;
	t.like(error, {code: -32010, data: {plugin: 'approvals', retry: true, retryAfterMs: 1_000}});
	t.regex(error!.message, /^2 requests of this key wait for approvals already/);
	t.deepEqual(calls(), [{amount: 7}]);
	t.is(size(), 0);
});

test.serial('keys that a key mints for itself share its places', async t => {
	const {gateway, wire} = await startPaying(t, {overrides: {limits: {held: 4, heldPerKey: 1}}});
	const {key} = await gateway.act('virtual-keys', 'create', {tenant: 'acme', mayMint: true});
	const minted = await fetch(`${gateway.url}/self/virtual-keys/mint`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({ttlSeconds: 600}),
	});
	const child = (await minted.json()) as {key: string};
	const held = legacyCall(wire(String(key)))({amount: 1});
	const [asked] = await pendingAt(gateway, 1);
	t.is(codeOf(await legacyCall(wire(child.key))({amount: 2})), 'rate_limited');
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.is(wordsOf(await held), 'pay {"amount":1}');
});

test.serial('a place is free again when whoever waited was told to come again', async t => {
	const {gateway, pay} = await startPaying(t, {overrides: {limits: {held: 10, heldPerKey: 1}}, rule: {holdMs: 60}});
	for (const amount of [1, 2, 3]) t.true(isPending(await pay({amount})), 'one after the other');
	t.is(gateway.gateway.holds.size(), 0);
});
