import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {calls} from './helpers/admins.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {startTainting} from './helpers/tainted-gateway.ts';

/** A gateway before a server with something to read and something to send, and keys that mint. */
const start = async (t: ExecutionContext, overrides: GatewayConfigInput = {}) => {
	const {gateway, sent} = await startTainting(t, {overrides});
	const mint = async (key: string, input: object = {}): Promise<string> => {
		const response = await fetch(`${gateway.url}/self/virtual-keys/mint`, {
			method: 'POST',
			headers: {'content-type': 'application/json', authorization: `Bearer ${key}`},
			body: JSON.stringify(input),
		});
		return ((await response.json()) as {key: string}).key;
	};
	/** Without a session, unless one is named. */
	const call = (key: string, name: string, args: object, session?: string) =>
		wireTo(`${gateway.url}/mcp/desk`, key).ask(
			'tools/call',
			{name, arguments: args},
			session === undefined ? {} : {'x-sallyport-session': session},
		);
	const reads = (key: string, session?: string) => call(key, 'read', {path: 'evil.md'}, session);
	const sends = async (key: string, session?: string) => (await call(key, 'send', {to: 'eve'}, session)).body.error === undefined;
	return {gateway, sent, mint, reads, sends};
};

const byKey: GatewayConfigInput = {taints: {reach: 'key'}};

test.serial('with reach key whoever was talked into something has no way out by the keys that it mints', async t => {
	const {gateway, sent, mint, reads, sends} = await start(t, byKey);
	const key = await gateway.key({mayMint: 2});
	const before = await mint(key, {mayMint: true});
	await reads(key, 'run-7');
	t.false(await sends(key, 'run-8'));
	t.false(await sends(before), 'a child from before');
	t.false(await sends(await mint(key)), 'a child made since');
	t.false(await sends(await mint(before), 'run-9'), 'a child’s child');
	t.deepEqual(sent, []);
	t.true(await sends(await gateway.key()), 'a key of another family');
});

test.serial('with reach key what a child has read is on its parent and on the other children; one lift ends it for all', async t => {
	const {gateway, mint, reads, sends} = await start(t, byKey);
	const key = await gateway.key({mayMint: 2});
	const [child, other] = [await mint(key, {mayMint: true}), await mint(key)];
	const grandchild = await mint(child);
	const family = [key, child, other, grandchild];
	await reads(grandchild);
	for (const one of family) t.false(await sends(one));
	const admin = calls(gateway);
	const {taints} = (await admin<{taints: {place: string; session?: string}[]}>('/admin/taints', undefined, {method: 'GET'})).body;
	t.is(taints.length, 1);
	t.is(taints[0]!.session, undefined);
	await admin('/admin/taints/lift', {place: taints[0]!.place});
	for (const one of family) t.true(await sends(one));
});

test.serial('a key that is tainted as a whole taints the keys that it mints; a child does not taint its parent', async t => {
	const {gateway, mint, reads, sends} = await start(t);
	const key = await gateway.key({mayMint: true});
	const [child, other] = [await mint(key), await mint(key)];
	await reads(child);
	t.false(await sends(child, 'run-7'));
	t.true(await sends(key));
	t.true(await sends(other));
	await reads(key);
	t.false(await sends(other));
	t.false(await sends(await mint(key), 'run-7'));
});
