import test from 'ava';
import {isPending, legacyCall, pendingAt, startPaying} from './helpers/approvals.ts';
import {statelessClient} from './helpers/mcp-servers.ts';
import {type Said, wireTo, wordsOf} from './helpers/mcp-wire.ts';

const stateOf = ({body}: Said): string => String(body.result?.requestState);

test.serial('the SDK’s stateless client waits for several rounds by itself, and gets the result of the one call', async t => {
	const {gateway, calls, key, upstream} = await startPaying(t, {rule: {holdMs: 150}});
	const client = await statelessClient(t, `${gateway.url}/mcp/one`, key);
	const held = client.callTool({name: 'pay', arguments: {amount: 5}});
	const rounds = async () =>
		(await gateway.journal()).filter(({kind, operation, error}) => kind === 'exchange' && operation === 'tools/call' && error).length;
	while ((await rounds()) < 2) await new Promise(resolve => setTimeout(resolve, 30));
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.like(await held, {content: [{text: 'pay {"amount":5}'}]});
	t.deepEqual(calls(), [{amount: 5}]);
	t.false(
		upstream.seen.some(({raw}) => raw.includes('requestState')),
		'the state stays here',
	);
});

test.serial('a client of the common door waits under the name that it knows the tool by', async t => {
	const {gateway, calls, key} = await startPaying(t, {rule: {holdMs: 100}});
	const client = await statelessClient(t, `${gateway.url}/mcp`, key);
	const held = client.callTool({name: 'one__pay', arguments: {amount: 5}});
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.like(await held, {content: [{text: 'pay {"amount":5}'}]});
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('the state of a call is refused with other arguments, another tool, another door, another key, or changed', async t => {
	const {gateway, calls, wire} = await startPaying(t, {rule: {holdMs: 20}});
	const own = wire();
	const first = await own.call('pay', {amount: 5});
	t.like(first.body.result, {resultType: 'input_required'});
	const requestState = stateOf(first);
	const refused = (said: Said) => t.like(said.body.error, {code: -32602});
	const retry = {name: 'pay', arguments: {amount: 5}, requestState};
	refused(await own.ask('tools/call', {...retry, arguments: {amount: 6}}));
	refused(await own.ask('tools/call', {...retry, name: 'look'}));
	refused(await wire(await gateway.key()).ask('tools/call', retry));
	refused(await wireTo(`${gateway.url}/mcp`, await gateway.key()).ask('tools/call', {...retry, name: 'one__pay'}));
	for (const changed of [`${requestState.slice(0, -2)}xx`, `${requestState}A`, 'held.', 'held.AAAA'])
		refused(await own.ask('tools/call', {...retry, requestState: changed}));
	const [asked] = await pendingAt(gateway);
	t.like((await own.ask('tools/call', retry)).body.result, {resultType: 'input_required'});
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.is(wordsOf(await own.ask('tools/call', retry)), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
	t.like((await own.ask('tools/call', retry)).body.result, {resultType: 'input_required'}, 'a state is no approval');
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('what was asked for in one era may be fetched in the other', async t => {
	const {gateway, calls, pay, wire} = await startPaying(t, {rule: {holdMs: 20}});
	t.true(isPending(await pay({amount: 5})));
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.is(wordsOf(await wire().call('pay', {amount: 5})), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('a tool that has changed since is asked about anew, also when it changes while a call of it waits', async t => {
	const {gateway, calls, tools, pay} = await startPaying(t);
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	tools[0]!.description = 'Pays twice.';
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	const said = await held;
	t.like(said.body.error?.data, {code: 'approval_required'});
	t.deepEqual(calls(), []);
	const again = pay({amount: 5});
	const [anew] = await pendingAt(gateway);
	t.not(anew!.id, asked!.id);
	await gateway.act('approvals', 'decide', {id: anew!.id, decision: 'approve'});
	t.is(wordsOf(await again), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('a client that goes away waits no more; what it asked for can still be decided, and fetched once', async t => {
	const {gateway, calls, wire, key} = await startPaying(t);
	const leaving = new AbortController();
	const session = await wire().begin();
	const gone = fetch(`${gateway.url}/mcp/one`, {
		method: 'POST',
		signal: leaving.signal,
		headers: {
			authorization: `Bearer ${key}`,
			'content-type': 'application/json',
			accept: 'application/json, text/event-stream',
			'mcp-session-id': session,
		},
		body: JSON.stringify({jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name: 'pay', arguments: {amount: 5}}}),
	});
	const [asked] = await pendingAt(gateway);
	leaving.abort();
	await t.throwsAsync(gone);
	while (gateway.gateway.holds.size() > 0) await new Promise(resolve => setTimeout(resolve, 10));
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.deepEqual(calls(), []);
	t.is(wordsOf(await legacyCall(wire())({amount: 5})), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('a key that ends while its call waits does not get it, whoever approves', async t => {
	const {gateway, calls} = await startPaying(t);
	const made = (await gateway.act('virtual-keys', 'create', {})) as {id: string; key: string};
	const held = legacyCall(wireTo(`${gateway.url}/mcp/one`, made.key))({amount: 5});
	const [asked] = await pendingAt(gateway);
	await gateway.act('virtual-keys', 'revoke', {id: made.id});
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	const said = await held;
	t.is(said.body.error?.data?.code, 'unauthenticated');
	t.deepEqual(calls(), []);
});

test.serial('no more wait than may; the rest is told to come again, and joins', async t => {
	const {gateway, calls, pay} = await startPaying(t, {overrides: {limits: {held: 1}}});
	const held = pay({amount: 1});
	await pendingAt(gateway);
	t.true(isPending(await pay({amount: 2})));
	const asked = await pendingAt(gateway, 2);
	for (const {id} of asked) await gateway.act('approvals', 'decide', {id, decision: 'approve'});
	t.is(wordsOf(await held), 'pay {"amount":1}');
	t.is(wordsOf(await pay({amount: 2})), 'pay {"amount":2}');
	t.is(calls().length, 2);
});

test.serial('a gateway that stops sends those who wait away at once, to come again', async t => {
	const {gateway, pay} = await startPaying(t, {rule: {holdMs: 60_000}});
	const held = pay({amount: 1});
	await pendingAt(gateway);
	const begun = performance.now();
	await gateway.stop();
	t.true(isPending(await held));
	t.true(performance.now() - begun < 8_000);
});
