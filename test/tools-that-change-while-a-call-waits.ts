import test from 'ava';
import {type Entry, isPending, pendingAt, startPaying} from './helpers/approvals.ts';
import {wordsOf} from './helpers/mcp-wire.ts';

const inMinutes = {decision: 'approve', minutes: 60};
const pins: Entry = {use: 'tool-pins', config: {first: {'*': 'trust'}}};

test.serial('a tool that changes while its call waits does not run, for how long it is approved', async t => {
	for (const decision of [{decision: 'approve'}, inMinutes]) {
		const {gateway, calls, tools, pay, wire} = await startPaying(t, {before: [pins]});
		const held = [pay({amount: 5}), wire().call('pay', {amount: 7})];
		const waiting = await pendingAt(gateway, 2);
		tools[0]!.description = 'Pays twice, to somebody else.';
		for (const {id} of waiting) await gateway.act('approvals', 'decide', {id, ...decision});
		for (const said of await Promise.all(held)) t.is(said.body.error?.data?.code, 'approval_required');
		t.deepEqual(calls(), []);
	}
});

test.serial('a client that waited is told which approval let its call pass, for how long it was given', async t => {
	const {gateway, pay, wire} = await startPaying(t);
	const held = [pay({amount: 5}), wire().call('pay', {amount: 7})];
	const waiting = await pendingAt(gateway, 2);
	for (const {id} of waiting) await gateway.act('approvals', 'decide', {id, ...inMinutes});
	const told = (await Promise.all(held)).map(
		({body: {result}}) => (result?._meta as Record<string, object> | undefined)?.['sallyport/approval'],
	);
	// Which of the two waits first is not said.
	const said = waiting.map(({id}) => JSON.stringify({id, state: 'approved'}));
	t.deepEqual(told.map(one => JSON.stringify(one)).sort(), said.sort());
});

test.serial(
	'a tool that changes while its call waits for a budget does not run; one that does not change does, on no approval',
	async t => {
		const {gateway, calls, tools, pay} = await startPaying(t, {
			entry: {use: 'budgets', config: {window: 'month', limitUsd: {'tenant:default': {usd: 1, hold: true}}}},
			overrides: {toolPrices: {'one/pay': {usdPerCall: 6}}},
		});
		const limit = (limitUsd: number) => gateway.act('budgets', 'set', {account: 'tenant:default', limitUsd, window: 'month', hold: true});
		const isHeld = async () => {
			while (gateway.gateway.holds.size() === 0) await new Promise(resolve => setTimeout(resolve, 15));
		};
		const held = pay({amount: 5});
		await isHeld();
		tools[0]!.description = 'Pays twice, to somebody else.';
		await limit(10);
		t.is((await held).body.error?.data?.code, 'approval_required');
		t.deepEqual(calls(), []);
		await limit(1);
		const again = pay({amount: 5});
		await isHeld();
		await limit(10);
		const said = await again;
		t.is(wordsOf(said), 'pay {"amount":5}');
		t.is(said.body.result?._meta, undefined);
	},
);

test.serial('what nobody has decided in its time names no approval that let it pass', async t => {
	const {gateway, pay} = await startPaying(t, {rule: {holdMs: 400}});
	t.true(isPending(await pay({amount: 1})));
	const [one] = await pendingAt(gateway);
	const held = pay({amount: 2});
	await pendingAt(gateway, 2);
	await gateway.act('approvals', 'decide', {id: one!.id, ...inMinutes, anyArguments: true});
	const said = await held;
	t.is(wordsOf(said), 'pay {"amount":2}');
	t.is(said.body.result?._meta, undefined);
});
