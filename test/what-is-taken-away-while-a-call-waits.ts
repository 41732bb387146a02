import test, {type ExecutionContext} from 'ava';
import {approvals, type Entry, legacyCall, type Pending, pendingAt, startPaying} from './helpers/approvals.ts';
import {closing} from './helpers/closing-plugin.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {openaiClient, user, weather} from './helpers/sdks.ts';
import {grants as grantsOfTainted, sessionAt, startTainting} from './helpers/tainted-gateway.ts';

const everything = {servers: ['*'], tools: ['*']};
const grants: Entry = {use: 'grants', config: {allow: {'*': everything}}};
const pins: Entry = {use: 'tool-pins', config: {first: {'*': 'trust'}}};

const approve = (gateway: TestGateway, {id}: Pending) => gateway.act('approvals', 'decide', {id, decision: 'approve'});

/** Refuses at that hook, once it is closed. */
const gate = (t: ExecutionContext, hook: 'pre-request' | 'on-tool-call'): Promise<Entry> =>
	closing(t, `'${hook}': (_, {kv}) => kv.get('closed') ? deny({code: 'blocked', message: 'Closed.'}) : undefined`, {
		[hook]: ['principal.id'],
	});

type Taken = {what: string; code: string; take: (gateway: TestGateway) => Promise<unknown>};

const taken: Taken[] = [
	{what: 'a tool', code: 'denied', take: ({act}) => act('grants', 'allow', {scope: '*', tools: ['one/look']})},
	{
		what: 'an argument',
		code: 'denied',
		take: ({act}) => act('grants', 'allow', {scope: '*', arguments: {'one/pay': {amount: {max: 1}}}}),
	},
	{
		what: 'a pin',
		code: 'denied',
		async take({act}) {
			const {pins: known} = (await act('tool-pins', 'list')) as {pins: {tool: string; digest: string}[]};
			await act('tool-pins', 'reject', {server: 'one', tool: 'pay', digest: known.find(({tool}) => tool === 'pay')!.digest});
		},
	},
	{what: 'a server', code: 'denied', take: ({act}) => act('grants', 'allow', {scope: '*', servers: []})},
];

for (const {what, code, take} of taken)
	test.serial(`${what} that is taken away while a call waits is not there any more when it is approved`, async t => {
		const {gateway, calls, pay, wire} = await startPaying(t, {before: [grants, pins]});
		const held = [pay({amount: 5}), wire().call('pay', {amount: 7})];
		const waiting = await pendingAt(gateway, 2);
		await take(gateway);
		for (const one of waiting) await approve(gateway, one);
		for (const said of await Promise.all(held)) t.is(said.body.error?.data?.code, code);
		t.deepEqual(calls(), []);
	});

test.serial('a session that is tainted while its call waits sends nothing, whoever approves', async t => {
	const {gateway, sent} = await startTainting(t, {
		rules: [grantsOfTainted(), approvals([{name: 'send', tools: ['desk/send'], reason: 'it leaves', holdMs: 8_000}])],
	});
	const call = await sessionAt(gateway);
	const held = call('send', {to: 'eve'});
	const [asked] = await pendingAt(gateway);
	await call('read', {path: 'evil.md'});
	await approve(gateway, asked!);
	t.is((await held).body.error?.data?.code, 'denied');
	t.deepEqual(sent, []);
});

test.serial(
	'an approval under a lax rule is none under the one that a taint has brought about, when the call has waited for its budget',
	async t => {
		const rule = {tools: ['desk/send'], reason: 'it leaves', holdMs: 8_000};
		const {gateway, sent} = await startTainting(t, {
			rules: [
				approvals([
					{...rule, name: 'tainted', tainted: ['injection']},
					{...rule, name: 'send'},
				]),
				{use: 'budgets', config: {window: 'month', limitUsd: {'tenant:default': {usd: 1, hold: true}}}},
			],
			overrides: {toolPrices: {'desk/send': {usdPerCall: 6}, 'desk/read': {usdPerCall: 0}}},
		});
		const call = await sessionAt(gateway);
		const held = call('send', {to: 'eve'});
		const [asked] = await pendingAt(gateway);
		await approve(gateway, asked!);
		while ((await gateway.act('approvals', 'show', {id: asked!.id})).state !== 'used')
			await new Promise(resolve => setTimeout(resolve, 15));
		await call('read', {path: 'evil.md'});
		await gateway.act('budgets', 'set', {account: 'tenant:default', limitUsd: 20, window: 'month'});
		t.is((await held).body.error?.data?.code, 'approval_required');
		t.deepEqual(sent, []);
	},
);

test.serial(
	'whoever has come to refuse requests refuses those too that wait: of tools, of models, and of tools that models ask for',
	async t => {
		for (const hook of ['pre-request', 'on-tool-call'] as const) {
			const {gateway, calls, pay} = await startPaying(t, {before: [await gate(t, hook)]});
			const held = pay({amount: 5});
			const [asked] = await pendingAt(gateway);
			await gateway.act('gate', 'close');
			await approve(gateway, asked!);
			t.is((await held).body.error?.data?.code, 'blocked');
			t.deepEqual(calls(), []);
		}
		for (const [hook, rule] of [
			['pre-request', {models: ['fast']}],
			['on-tool-call', {asked: ['weather']}],
		] as const) {
			const rules = approvals([{name: 'careful', reason: 'it is dear', holdMs: 8_000, ...rule}]);
			const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, await gate(t, hook), rules]});
			const client = openaiClient(gateway, {apiKey: await gateway.key()});
			const messages = user('call the tool weather with {"city": "Ghent"}');
			const held = client.chat.completions.create({model: 'fast', messages, tools: [weather]}).catch((error: unknown) => error);
			const [asked] = await pendingAt(gateway);
			await gateway.act('gate', 'close');
			await approve(gateway, asked!);
			t.like(await held, {code: 'blocked'});
			if (hook === 'pre-request') t.is(gateway.upstream.requests.length, 0);
		}
	},
);

test.serial('what counts calls counts one that waited once, and lets it pass with the last of its room', async t => {
	const counting: Entry[] = [
		{use: 'budgets', config: {window: 'month', limitUsd: {'*': {usd: 10, hold: true}}}},
		{use: 'quotas', config: {limits: {'*': {'toolCalls/day': 1}}}},
		{use: 'rate-limits', config: {limits: {'*': {'toolCalls/rolling:1h': 1}}}},
	];
	const {gateway, calls, pay} = await startPaying(t, {before: counting, overrides: {toolPrices: {'one/pay': {usdPerCall: 6}}}});
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	await approve(gateway, asked!);
	t.is(wordsOf(await held), 'pay {"amount":5}');
	t.like(await gateway.act('budgets', 'get', {account: 'tenant:default'}), {spentUsd: 6, reservedUsd: 0});
	t.is(calls().length, 1);
});

test.serial('a budget that holds does not hold a call for what it has set aside for it, also where its arguments were changed', async t => {
	const budget: Entry = {use: 'budgets', config: {window: 'month', limitUsd: {'tenant:default': {usd: 10, hold: true}}}};
	const {gateway, pay} = await startPaying(t, {before: [budget], overrides: {toolPrices: {'one/pay': {usdPerCall: 6}}}});
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'edit', arguments: {amount: 1}});
	t.is(wordsOf(await held), 'pay {"amount":1}');
	t.like(await gateway.act('budgets', 'get', {account: 'tenant:default'}), {spentUsd: 6, reservedUsd: 0});
});

test.serial('a model call that waited is degraded for nothing that was set aside for it', async t => {
	const gateway = await startGateway(t, {
		models: {best: ['local/words-50'], fast: ['local/echo']},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'budgets', config: {window: 'month', limitUsd: {'tenant:default': 0.0001}, degrade: {at: 20, to: {best: 'fast'}}}},
			approvals([{name: 'careful', models: ['best'], reason: 'it is dear', holdMs: 8_000}]),
		],
	});
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	const held = client.chat.completions.create({model: 'best', max_tokens: 10, messages: user('go on')});
	const [asked] = await pendingAt(gateway);
	await approve(gateway, asked!);
	t.is((await held).model, 'words-50');
	t.is(gateway.upstream.requests.length, 1);
});

test.serial('a call that was approved and then waits for its budget runs when there is room, on that approval', async t => {
	const {gateway, calls, key} = await startPaying(t, {
		overrides: {
			plugins: [
				{use: 'virtual-keys'},
				approvals(),
				{use: 'budgets', config: {window: 'month', limitUsd: {'tenant:default': {usd: 1, hold: true}}}},
			],
			toolPrices: {'one/pay': {usdPerCall: 6}},
		},
	});
	const held = legacyCall(wireTo(`${gateway.url}/mcp/one`, key))({amount: 5});
	const [asked] = await pendingAt(gateway);
	await approve(gateway, asked!);
	while ((await gateway.act('approvals', 'show', {id: asked!.id})).state !== 'used') await new Promise(resolve => setTimeout(resolve, 15));
	t.deepEqual(calls(), []);
	await gateway.act('budgets', 'set', {account: 'tenant:default', limitUsd: 20, window: 'month'});
	t.is(wordsOf(await held), 'pay {"amount":5}');
	t.like(await gateway.act('budgets', 'get', {account: 'tenant:default'}), {spentUsd: 6, reservedUsd: 0});
});
