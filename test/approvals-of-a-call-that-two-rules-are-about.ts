import test from 'ava';
import {approvals, pendingAt} from './helpers/approvals.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {startTainting} from './helpers/tainted-gateway.ts';

test.serial('a call that was approved before its session read planted orders waits for who decides about tainted ones', async t => {
	const tainted = {name: 'tainted', tools: ['desk/send'], tainted: ['injection'], fourEyes: true, holdMs: 50};
	const {gateway, sent} = await startTainting(t, {rules: [approvals([tainted, {name: 'send', tools: ['desk/send'], holdMs: 50}])]});
	const wire = wireTo(`${gateway.url}/mcp/desk`, await gateway.key());
	const headers = {'mcp-session-id': await wire.begin(), 'mcp-protocol-version': '2025-11-25'};
	const call = async (name: string, args: object) =>
		wordsOf(await wire.send({jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name, arguments: args}}, headers));
	const calls = [
		{to: 'bob', decision: {decision: 'approve'}},
		{to: 'eve', decision: {decision: 'approve', minutes: 60}},
	];
	for (const {to, decision} of calls) {
		t.regex(await call('send', {to}), /^Approval pending/);
		const [one] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: one!.id, ...decision});
	}
	t.is(await call('send', {to: 'eve'}), 'sent');
	await call('read', {path: 'evil.md'});
	for (const {to} of calls) t.regex(await call('send', {to}), /^Approval pending/);
	for (const one of await pendingAt(gateway, 2)) t.like(one, {rule: 'tainted', needed: 2});
	t.is(sent.length, 1);
});
