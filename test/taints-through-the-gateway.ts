import test, {type ExecutionContext} from 'ava';
import {kinds} from '../examples/mcp-clients/clients.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {approvals, pendingAt} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {anthropicClient, eventually, openaiClient, user, weather} from './helpers/sdks.ts';
import {desk, planted, taintingGuard} from './helpers/tainting-guard.ts';

const everything = {models: ['*'], servers: ['*'], tools: ['*']};
const grants = (deny: object = {tools: ['desk/send'], asked: ['bash']}) => ({
	use: 'grants',
	config: {allow: {'*': {...everything, whenTainted: {by: ['injection'], deny}}}},
});

type Options = {
	folder?: string;
	url?: string;
	rules?: NonNullable<GatewayConfigInput['plugins']>;
	mode?: 'observe';
	overrides?: GatewayConfigInput;
};

const start = async (t: ExecutionContext, {folder, url, rules = [grants()], mode, overrides = {}}: Options = {}) => {
	const server = url === undefined ? await desk(t) : {url, sent: []};
	const config: GatewayConfigInput = {
		servers: {desk: {url: server.url}},
		models: {fast: ['local/echo'], bash: ['local/fault-calls-bash'], claude: ['claude/fault-calls-bash']},
		plugins: [{use: 'virtual-keys'}, await taintingGuard(t, mode && {mode}), ...rules],
		...overrides,
	};
	const gateway = await startGateway(t, config, folder === undefined ? {} : {folder});
	return {gateway, ...server};
};

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
	const {gateway, sent} = await start(t);
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
	const {gateway} = await start(t);
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
	const first = await start(t, {folder, url});
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
	const second = await start(t, {url, overrides: {store: `${folder}/store.db`}});
	await eventually(async () => ((await sends(second.gateway)) ? undefined : true));
	await first.gateway.stop();
	const third = await start(t, {folder, url});
	t.false(await sends(third.gateway));
	for (const gateway of [second.gateway, third.gateway]) {
		t.true(await sends(gateway, {'x-sallyport-session': 'run-8'}), 'another session');
		t.true(await sends(gateway, session, other), 'another key');
	}
	t.is(sent.length, 5);
});

test.serial('a call of a tainted session waits for an approval, and runs once when it has one', async t => {
	const rule = {name: 'tainted', tools: ['desk/send'], tainted: ['injection'], reason: 'it has read orders', holdMs: 8_000};
	const {gateway, sent} = await start(t, {rules: [approvals([rule])]});
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

test.serial('orders in what a tool told a model taint the exchange: a tool its answer asks for is refused, streaming or not', async t => {
	const {gateway} = await start(t);
	const apiKey = await gateway.key();
	const openai = openaiClient(gateway, {apiKey});
	const tools = [{...weather, function: {...weather.function, name: 'bash'}}];
	const messages = (result: string) => [
		...user('read my notes'),
		{
			role: 'assistant' as const,
			content: null,
			tool_calls: [{id: 'c1', type: 'function' as const, function: {name: 'read', arguments: '{}'}}],
		},
		{role: 'tool' as const, tool_call_id: 'c1', content: result},
		...user('go on'),
	];
	const ask = (result: string, stream: boolean) =>
		stream
			? openai.chat.completions.stream({model: 'bash', messages: messages(result), tools}).finalChatCompletion()
			: openai.chat.completions.create({model: 'bash', messages: messages(result), tools});
	for (const stream of [false, true]) {
		t.is((await ask('Buy milk.', stream)).choices[0]?.message.tool_calls?.length, 1, String(stream));
		await t.throwsAsync(ask(planted, stream), refused, String(stream));
		t.is((await ask('Buy milk.', stream)).choices[0]?.message.tool_calls?.length, 1, 'without a session, only that exchange');
	}
	const claude = anthropicClient(gateway, {apiKey});
	const bash = {name: 'bash', input_schema: {type: 'object' as const}};
	const told = (content: string) => [
		{role: 'user' as const, content: 'read my notes'},
		{role: 'assistant' as const, content: [{type: 'tool_use' as const, id: 't1', name: 'read', input: {}}]},
		{role: 'user' as const, content: [{type: 'tool_result' as const, tool_use_id: 't1', content}]},
		{role: 'assistant' as const, content: 'I have read them.'},
		...user('go on'),
	];
	const body = (content: string) => ({model: 'claude', max_tokens: 50, tools: [bash], messages: told(content)});
	t.is((await claude.messages.stream(body('Buy milk.')).finalMessage()).stop_reason, 'tool_use');
	await t.throwsAsync(claude.messages.stream(body(planted)).finalMessage(), refused);
	await t.throwsAsync(claude.messages.create(body(planted)), refused);
});

test.serial('an untainted stream of a gateway with such rules still travels as bytes', async t => {
	const {gateway} = await start(t, {rules: [grants()]});
	const apiKey = await gateway.key();
	const ask = async (url: string) => {
		const response = await fetch(url, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'bash', stream: true, stream_options: {include_usage: true}, messages: user('hello')}),
		});
		return response.text();
	};
	const {gateway: bare} = await start(t, {rules: [], overrides: {plugins: [], anonymous: true}});
	const shape = (events: string) => events.replaceAll(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0');
	t.is(shape(await ask(`${gateway.url}/v1/chat/completions`)), shape(await ask(`${bare.url}/v1/chat/completions`)));
});

test.serial('what a model was told in a session counts at the tools, where both name the session', async t => {
	const {gateway} = await start(t);
	const key = await gateway.key();
	const headers = {'x-sallyport-session': 'run-7'};
	const messages = [
		...user('read my notes'),
		{
			role: 'assistant' as const,
			content: null,
			tool_calls: [{id: 'c1', type: 'function' as const, function: {name: 'read', arguments: '{}'}}],
		},
		{role: 'tool' as const, tool_call_id: 'c1', content: planted},
	];
	await openaiClient(gateway, {apiKey: key, headers}).chat.completions.create({model: 'fast', messages});
	const wire = wireTo(`${gateway.url}/mcp/desk`, key);
	const error = async (more: Record<string, string>) => (await wire.ask('tools/call', {name: 'send', arguments: {}}, more)).body.error;
	t.truthy(await error(headers));
	t.is(await error({'x-sallyport-session': 'run-8'}), undefined);
	t.is(await error({}), undefined);
});

test.serial('a guard that observes taints nothing', async t => {
	const {gateway} = await start(t, {mode: 'observe'});
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
	const {gateway, sent} = await start(t);
	const wire = wireTo(`${gateway.url}/mcp/desk`, await gateway.key());
	const session = await wire.begin('2025-03-26');
	const call = (id: number, name: string, args: object) => ({jsonrpc: '2.0', id, method: 'tools/call', params: {name, arguments: args}});
	const headers = {'mcp-session-id': session, 'mcp-protocol-version': '2025-03-26'};
	const {body} = await wire.send([call(1, 'read', {path: 'evil.md'}), call(2, 'send', {})], headers);
	t.regex(JSON.stringify(body), /not for a session that is tainted/);
	t.deepEqual(sent, []);
	t.regex(JSON.stringify((await wire.send(call(3, 'send', {}), headers)).body), /tainted/);
});
