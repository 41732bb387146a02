import test from 'ava';
import {callRecords, isPending, legacyCall, pendingAt, startPaying} from './helpers/approvals.ts';
import {sallyport} from './helpers/cli.ts';
import {wordsOf} from './helpers/mcp-wire.ts';

test.serial('a call that is approved while it waits runs once, and says by which approval', async t => {
	const {gateway, calls, pay} = await startPaying(t);
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	t.like(asked, {rule: 'pay', reason: 'money moves', call: {server: 'one', tool: 'pay', source: 'mcp'}, needed: 1});
	t.deepEqual(calls(), []);
	t.regex(await fetch(`${gateway.url}/metrics`).then(response => response.text()), /^sallyport_exchanges_held 1$/m);
	t.like(await gateway.act('approvals', 'show', {id: asked!.id}), {arguments: {amount: 5}});
	t.like(await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'}), {state: 'approved', by: ['first-owner']});
	const said = await held;
	t.is(wordsOf(said), 'pay {"amount":5}');
	t.like(said.body.result, {_meta: {'sallyport/approval': {id: asked!.id, state: 'approved'}}});
	t.deepEqual(calls(), [{amount: 5}]);
	t.like(await gateway.act('approvals', 'show', {id: asked!.id}), {state: 'used', arguments: undefined});
	const [record] = await callRecords(gateway);
	t.like(record, {outcome: 'ok', annotations: {'approvals.id': asked!.id, 'approvals.by': 'first-owner'}});
	t.true(record!.rulings?.some(({plugin, verdict, rule}) => plugin === 'approvals' && verdict === 'hold' && rule === 'pay'));
	t.false(JSON.stringify(await gateway.journal()).includes('"amount"'), 'the journal holds no arguments');
	t.regex(await fetch(`${gateway.url}/metrics`).then(response => response.text()), /^sallyport_exchanges_held 0$/m);
});

test.serial('a call that no rule is about waits for nobody', async t => {
	const {gateway, calls, pay} = await startPaying(t);
	t.is(wordsOf(await pay({amount: 5}, 'look')), 'look {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
	t.deepEqual(await gateway.act('approvals', 'list'), {approvals: []});
});

test.serial('after its time a client with a session is told to come again, joins what it waited for, and the tool runs once', async t => {
	const {gateway, calls, pay} = await startPaying(t, {rule: {holdMs: 50}});
	const first = await pay({amount: 5});
	t.true(isPending(first));
	t.like(first.body.result, {isError: true});
	const [asked] = await pendingAt(gateway);
	t.true(isPending(await pay({amount: 5})), 'it still waits');
	t.is((await pendingAt(gateway))[0]!.id, asked!.id, 'for the same approval');
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.deepEqual(calls(), []);
	t.is(wordsOf(await pay({amount: 5})), 'pay {"amount":5}');
	t.true(isPending(await pay({amount: 5})), 'used: another one is needed');
	t.deepEqual(calls(), [{amount: 5}]);
	t.not((await pendingAt(gateway))[0]!.id, asked!.id);
	const [record] = await callRecords(gateway);
	t.like(record, {outcome: 'denied', error: {code: 'approval_required', plugin: 'approvals', rule: 'pay'}});
	t.truthy(record!.argumentsDigest);
});

test.serial('an approval is of one key and one set of arguments', async t => {
	const {gateway, calls, pay, wire} = await startPaying(t, {rule: {holdMs: 50}});
	await pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.true(isPending(await pay({amount: 6})));
	const other = legacyCall(wire(await gateway.key()));
	t.true(isPending(await other({amount: 5})));
	t.deepEqual(calls(), []);
	t.is(wordsOf(await pay({amount: 5})), 'pay {"amount":5}');
});

test.serial('nobody is asked about a tool that there is not, and no name of a client’s steers the terminal of whoever decides', async t => {
	const {gateway, tools, pay} = await startPaying(t, {rule: {tools: ['one/*'], holdMs: 20}});
	t.true(JSON.stringify((await pay({}, 'nothing')).body).includes('There is no such tool.'));
	const name = 'ev\u001b[2Jil\u202e';
	tools.push({name, inputSchema: {type: 'object'}});
	await pay({memo: 'a\u009b2J\u200b'}, name);
	const [asked] = await pendingAt(gateway);
	const env = {SALLYPORT_ADMIN_KEY: gateway.adminKey!};
	for (const words of [['list'], ['show', asked!.id]]) {
		const {stdout, code} = await sallyport(['approvals', ...words, '--url', gateway.url], {env});
		t.is(code, 0);
		t.notRegex(stdout.replaceAll('\n', ''), /\p{C}/u, words[0]);
	}
	t.regex((await sallyport(['approvals', 'show', asked!.id, '--url', gateway.url], {env})).stdout, /a\\u\{9b\}2J\\u\{200b\}/);
});

test.serial('in a process of its own the plugin does the same', async t => {
	const {gateway, calls, pay} = await startPaying(t, {tier: 'process'});
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	t.is(wordsOf(await held), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
});
