import test from 'ava';
import {pendingAt, startPaying} from './helpers/approvals.ts';
import {applications} from './helpers/mcp-clients.ts';

for (const {name, call} of applications)
	test.serial(`${name} gets the result of a call that is approved while it waits, which ran once`, async t => {
		const {gateway, calls, key} = await startPaying(t);
		const held = call(t, `${gateway.url}/mcp/one`, key, 'pay', {amount: 5});
		const [asked] = await pendingAt(gateway);
		t.deepEqual(calls(), []);
		await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
		t.is(await held, 'pay {"amount":5}');
		t.deepEqual(calls(), [{amount: 5}]);
	});
