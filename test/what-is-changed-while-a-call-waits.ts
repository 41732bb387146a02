import test from 'ava';
import {approvals, type Pending, pendingAt, startPaying} from './helpers/approvals.ts';
import {closing} from './helpers/closing-plugin.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {wordsOf} from './helpers/mcp-wire.ts';
import {openaiClient, user} from './helpers/sdks.ts';
import {sessionAt, startTainting} from './helpers/tainted-gateway.ts';

const approve = (gateway: TestGateway, {id}: Pending) => gateway.act('approvals', 'decide', {id, decision: 'approve'});

const otherwise: {how: string; hook: 'pre-request' | 'on-tool-call'; says: string}[] = [
	{how: 'by chance', hook: 'on-tool-call', says: '({tool}, {random}) => rewrite({arguments: {...tool.arguments, key: random.uuid()}})'},
	{
		how: 'by the time',
		hook: 'pre-request',
		says: `({operation, params}, {random, clock}) => operation === 'tools/call'
			? rewrite({params: {arguments: {...params.arguments, at: clock.now() + random.number()}}}) : undefined`,
	},
	{
		how: 'by what it keeps',
		hook: 'on-tool-call',
		says: `({tool}, {kv}) => kv.get('closed') ? rewrite({arguments: {...tool.arguments, late: true}}) : undefined`,
	},
];

for (const {how, hook, says} of otherwise)
	test.serial(`a call that somebody would now change otherwise, ${how}, runs as it was approved`, async t => {
		const reads = {'on-tool-call': ['tool.arguments'], 'pre-request': ['operation', 'params.*']}[hook];
		const {gateway, calls, pay} = await startPaying(t, {before: [await closing(t, `'${hook}': ${says}`, {[hook]: reads})]});
		const held = pay({amount: 5});
		const [asked] = await pendingAt(gateway);
		const {arguments: shown} = await gateway.act('approvals', 'show', {id: asked!.id});
		await gateway.act('gate', 'close');
		await approve(gateway, asked!);
		t.regex(wordsOf(await held), /^pay {"amount":5/);
		t.deepEqual(calls() as unknown[], [shown]);
	});

test.serial('who comes into scope by what those behind it have said is asked as little of a call that waited as of any other', async t => {
	const marks = await closing(t, `'on-tool-call': () => deny({message: 'Too big.'})`, {'on-tool-call': ['tool.name']}, {name: 'marks'});
	const tags = await closing(t, `'on-tool-call': () => allow({tag: ['big']})`, {'on-tool-call': ['tool.name']}, {name: 'tags'});
	const {gateway, pay} = await startPaying(t, {before: [{...marks, when: {tag: 'big'}}, tags]});
	const held = pay({amount: 5});
	const [asked] = await pendingAt(gateway);
	await approve(gateway, asked!);
	t.is(wordsOf(await held), 'pay {"amount":5}');
});

test.serial('a call that somebody would change since it is tainted does not run as it was approved, and is asked for again', async t => {
	const careful = await closing(
		t,
		`'on-tool-call': ({tool, taints}) => taints.length > 0 && tool.name === 'send' ? rewrite({arguments: {...tool.arguments, to: 'ada'}}) : undefined`,
		{'on-tool-call': ['tool.name', 'tool.arguments', 'taints']},
	);
	const {gateway, sent} = await startTainting(t, {
		rules: [careful, approvals([{name: 'send', tools: ['desk/send'], reason: 'it leaves', holdMs: 8_000}])],
	});
	const call = await sessionAt(gateway);
	const held = call('send', {to: 'eve'});
	const [asked] = await pendingAt(gateway);
	await call('read', {path: 'evil.md'});
	await approve(gateway, asked!);
	t.is((await held).body.error?.data?.code, 'approval_required');
	const again = call('send', {to: 'eve'});
	const [anew] = await pendingAt(gateway);
	t.like(await gateway.act('approvals', 'show', {id: anew!.id}), {arguments: {to: 'ada'}});
	await approve(gateway, anew!);
	t.is((await again).body.error, undefined);
	t.is(sent.length, 1);
});

test.serial('whoever changes a call changes it once, however long it waits', async t => {
	const adding = await closing(
		t,
		`'pre-request': ({text}) => rewrite({text: {1: text[1] + '!'}}), 'on-tool-call': ({tool}) => rewrite({arguments: {...tool.arguments, seen: (tool.arguments.seen ?? 0) + 1}})`,
		{'pre-request': ['text[]'], 'on-tool-call': ['tool.arguments']},
	);
	const {gateway, pay} = await startPaying(t, {before: [adding]});
	const held = pay({to: 'ada'});
	const [asked] = await pendingAt(gateway);
	await approve(gateway, asked!);
	t.is(wordsOf(await held), 'pay {"to":"ada!","seen":1}');
});

const routes: {who: string; recheck: boolean; runs: boolean}[] = [
	{who: 'that takes away who may answer', recheck: true, runs: false},
	{who: 'that chooses who answers', recheck: false, runs: true},
];

for (const {who, recheck, runs} of routes)
	test.serial(`the plan of a model call that waited ${runs ? 'stands' : 'does not stand'} against a plugin ${who}`, async t => {
		const plans = await closing(
			t,
			`'pre-request': ({deployments}, {kv}) => route(kv.get('closed') ? [deployments[1]] : recheck ? deployments : [deployments[0]])`.replace(
				'recheck',
				String(recheck),
			),
			{'pre-request': ['deployments']},
			{recheck},
		);
		const rules = approvals([{name: 'careful', models: ['best'], reason: 'it is dear', holdMs: 8_000}]);
		const gateway = await startGateway(t, {
			models: {best: ['local/echo', 'local/words-50']},
			plugins: [{use: 'virtual-keys'}, plans, rules],
		});
		const client = openaiClient(gateway, {apiKey: await gateway.key()});
		const held = client.chat.completions.create({model: 'best', messages: user('go on')}).catch((error: unknown) => error);
		const [asked] = await pendingAt(gateway);
		await gateway.act('gate', 'close');
		await approve(gateway, asked!);
		t.like(await held, runs ? {model: 'echo'} : {code: 'approval_required'});
		t.is(gateway.upstream.requests.length, runs ? 1 : 0);
	});
