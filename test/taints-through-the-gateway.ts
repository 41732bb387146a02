import test, {type ExecutionContext} from 'ava';
import {kinds} from '../examples/mcp-clients/clients.ts';
import {approvals, pendingAt} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {eventually} from './helpers/sdks.ts';
import {grants, startTainting} from './helpers/tainted-gateway.ts';
import {desk, planted} from './helpers/tainting-guard.ts';

const [legacy, stateless] = kinds;

/** An agent's client at a door, as its SDK makes it. */
const agent = async (t: ExecutionContext, {url}: Pick<TestGateway, 'url'>, key: string, kind = legacy!) => {
	const client = await kind.connect(`${url}/mcp/desk`, key);
	t.teardown(client.close);
	return {
		read: (path: string) => client.call('read', {path}),
		send: (to: string) => client.call('send', {to}),
		list: client.list,
	};
};

const refused = {message: /not for a session that is tainted \(injection\)/};

test.serial('an agent that has read orders may not send any more; nobody else is touched', async t => {
	const {gateway, sent} = await startTainting(t);
	const [key, other] = [await gateway.key(), await gateway.key()];
	const [ada, bob, eve] = [await agent(t, gateway, key), await agent(t, gateway, key), await agent(t, gateway, other)];
	t.true((await ada.read('notes.md')).includes('milk'));
	t.is(await ada.send('before'), 'sent');
	t.true((await ada.read('evil.md')).includes(planted), 'what it read is its own to see');
	await t.throwsAsync(ada.send('eve'), refused);
	t.true((await ada.read('notes.md')).includes('milk'));
	t.deepEqual(await ada.list(), ['read']);
	t.is(await bob.send('another session'), 'sent');
	t.is(await eve.send('another key'), 'sent');
	t.deepEqual(await eve.list(), ['read', 'send']);
	t.deepEqual(sent, [{to: 'before'}, {to: 'another session'}, {to: 'another key'}]);
	const records = (await gateway.journal()).filter(({kind, tool}) => kind === 'exchange' && tool !== undefined);
	t.like(
		records.find(({findings}) => findings),
		{tool: 'read', outcome: 'ok', findings: [{category: 'injection', action: 'taint', channel: 'tool-result'}]},
	);
	t.like(
		records.find(({outcome}) => outcome === 'denied'),
		{tool: 'send', error: {code: 'denied', plugin: 'grants', rule: '*'}, annotations: {'grants.tainted': 'injection'}},
	);
	t.false(JSON.stringify(await gateway.journal()).includes('eve@evil.example'));
});

test.serial('a client without sessions taints its key', async t => {
	const {gateway} = await startTainting(t);
	const [key, other] = [await gateway.key(), await gateway.key()];
	const [ada, again, eve] = [
		await agent(t, gateway, key, stateless),
		await agent(t, gateway, key),
		await agent(t, gateway, other, stateless),
	];
	await ada.read('evil.md');
	await t.throwsAsync(ada.send('eve'));
	await t.throwsAsync(again.send('eve'), refused, 'a session of that key is that key too');
	t.is(await eve.send('another key'), 'sent');
});

test.serial('after a restart, and at another gateway on the store, it is refused as before', async t => {
	const folder = freshFolder(t);
	const {url, sent} = await desk(t);
	const first = await startTainting(t, {folder, url});
	const key = await first.gateway.key();
	const other = await first.gateway.key();
	const session = {'x-sallyport-session': 'run-7'};
	const call = (gateway: TestGateway, name: string, args: Record<string, unknown>, headers: Record<string, string>, of = key) =>
		wireTo(`${gateway.url}/mcp/desk`, of).ask('tools/call', {name, arguments: args}, headers);
	const sends = async (gateway: TestGateway, headers = session, of = key) =>
		(await call(gateway, 'send', {}, headers, of)).body.error === undefined;
	t.true(await sends(first.gateway));
	await call(first.gateway, 'read', {path: 'evil.md'}, session);
	t.false(await sends(first.gateway));
	const second = await startTainting(t, {url, overrides: {store: `${folder}/store.db`}});
	await eventually(async () => ((await sends(second.gateway)) ? undefined : true));
	await first.gateway.stop();
	const third = await startTainting(t, {folder, url});
	t.false(await sends(third.gateway));
	for (const gateway of [second.gateway, third.gateway]) {
		t.true(await sends(gateway, {'x-sallyport-session': 'run-8'}), 'another session');
		t.true(await sends(gateway, session, other), 'another key');
	}
	t.is(sent.length, 5);
});

test.serial('a call of a tainted session waits for an approval, and runs once when it has one', async t => {
	const rule = {name: 'tainted', tools: ['desk/send'], tainted: ['injection'], reason: 'it has read orders', holdMs: 8_000};
	const {gateway, sent} = await startTainting(t, {rules: [approvals([rule])]});
	const ada = await agent(t, gateway, await gateway.key());
	t.is(await ada.send('before'), 'sent');
	await ada.read('evil.md');
	const held = ada.send('bob');
	const [one] = await pendingAt(gateway);
	t.like(one, {rule: 'tainted', call: {tool: 'send'}});
	t.is(sent.length, 1);
	await gateway.act('approvals', 'decide', {id: one!.id, decision: 'approve'});
	t.is(await held, 'sent');
	t.is(sent.length, 2);
});

test.serial('a guard that observes taints nothing', async t => {
	const {gateway} = await startTainting(t, {mode: 'observe'});
	const ada = await agent(t, gateway, await gateway.key());
	await ada.read('evil.md');
	t.is(await ada.send('bob'), 'sent');
	const found = (await gateway.journal()).flatMap(({findings = []}) => findings);
	t.deepEqual(
		found.map(({action, mode}) => [action, mode]),
		[['taint', 'observe']],
	);
});

test.serial('a batch cannot read orders and act on them behind their back', async t => {
	const {gateway, sent} = await startTainting(t);
	const wire = wireTo(`${gateway.url}/mcp/desk`, await gateway.key());
	const session = await wire.begin('2025-03-26');
	const call = (id: number, name: string, args: object) => ({jsonrpc: '2.0', id, method: 'tools/call', params: {name, arguments: args}});
	const headers = {'mcp-session-id': session, 'mcp-protocol-version': '2025-03-26'};
	const {body} = await wire.send([call(1, 'read', {path: 'evil.md'}), call(2, 'send', {})], headers);
	t.regex(JSON.stringify(body), /not for a session that is tainted/);
	t.deepEqual(sent, []);
	t.regex(JSON.stringify((await wire.send(call(3, 'send', {}), headers)).body), /tainted/);
});

test.serial(
	'with the plugin injection: what it finds in a file keeps the agent that read it from sending, and from writing unseen',
	async t => {
		const {url, sent} = await desk(t);
		const hold = approvals([{name: 'tainted', tools: ['desk/send'], tainted: ['injection'], reason: 'it has read orders', holdMs: 8_000}]);
		for (const rule of [grants({tools: ['desk/send']}), hold]) {
			const plugins = [{use: 'virtual-keys'}, {use: 'injection', config: {action: 'taint'}}, rule];
			const gateway = await startGateway(t, {servers: {desk: {url}}, plugins});
			const ada = await agent(t, gateway, await gateway.key());
			await ada.read('notes.md');
			t.is(await ada.send('before'), 'sent');
			await ada.read('evil.md');
			const calls = sent.length;
			if (rule !== hold) {
				await t.throwsAsync(ada.send('eve'), refused);
				continue;
			}
			const held = t.throwsAsync(ada.send('bob'), {message: /not to bob/});
			const [one] = await pendingAt(gateway);
			t.is(sent.length, calls);
			await gateway.act('approvals', 'decide', {id: one!.id, decision: 'refuse', reason: 'not to bob'});
			await held;
			t.is(sent.length, calls);
		}
	},
);
