import test from 'ava';
import {calls as adminCalls} from './helpers/admins.ts';
import {approvals, isPending, legacyCall, type Pending, payingServer, payRule} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo} from './helpers/mcp-wire.ts';

test.serial('a key that mints itself another one escapes no rule that is about it, and approves nothing of it', async t => {
	const folder = freshFolder(t);
	const {upstream, calls} = await payingServer(t);
	const start = (rule: object, config: Record<string, unknown> = {}) => {
		const plugins = [{use: 'virtual-keys'}, approvals([{...payRule, holdMs: 50, ...rule}], config)];
		return startGateway(t, {servers: {one: {url: upstream.url}}, plugins}, {folder});
	};
	const before = await start({});
	const {id, key} = (await before.act('virtual-keys', 'create', {mayMint: true})) as {id: string; key: string};
	const child = (await adminCalls(before)('/self/virtual-keys/mint', {ttlSeconds: 600}, {key})).body;
	await before.stop();
	const after = await start({of: {keys: [id]}}, {people: {'first-owner': [`key:${id}`]}});
	const act = adminCalls({...after, adminKey: before.adminKey});
	t.true(isPending(await legacyCall(wireTo(`${after.url}/mcp/one`, child.key))({amount: 5})));
	const {approvals: asked} = (await act<{approvals: Pending[]}>('/admin/plugins/approvals/actions/list', {})).body;
	t.is(asked.length, 1);
	const decided = await act('/admin/plugins/approvals/actions/decide', {id: asked[0]!.id, decision: 'approve'});
	t.like(decided.body, {code: 'denied', detail: 'Nobody decides about what they asked for themselves.'});
	t.deepEqual(calls(), []);
});
