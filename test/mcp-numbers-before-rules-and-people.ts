import test, {type ExecutionContext} from 'ava';
import {approvals, type Pending, pendingAt} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {startLetters, unquoted} from './helpers/mcp-letters.ts';
import {odd, serverToTheLetter} from './helpers/mcp-server-to-the-letter.ts';

type Plugins = Parameters<typeof startLetters>[2];

const behind = async (t: ExecutionContext, plugins: Plugins) => {
	const {origin, seen} = await serverToTheLetter(t);
	const started = await startLetters(t, {url: `${origin}/mcp`}, plugins);
	const session = await started.begin();
	const call = async (args: string): Promise<string> => {
		const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","arguments":${args}}}`;
		return unquoted((await started.post(body, {'mcp-session-id': session})).text);
	};
	/** The arguments of each call that reached the server. */
	const done = () => seen.flatMap(raw => /"method":"tools\/call".*"arguments":(\{.*\})\}\}$/.exec(raw)?.[1] ?? []);
	return {...started, call, done, seen};
};

const account = '{"account":1234567890123456789,"price":1.10}';
const rule = {name: 'act', tools: ['one/act'], reason: 'money moves', holdMs: 8_000};

test.serial('who approves a call is shown every digit of a number, and what runs is what was asked for', async t => {
	const {gateway, call, done} = await behind(t, [approvals([rule])]);
	const held = call(account);
	const [{id}] = (await pendingAt(gateway)) as [Pending];
	t.like(await gateway.act('approvals', 'show', {id}), {arguments: {account: '1234567890123456789', price: 1.1}});
	await gateway.act('approvals', 'decide', {id, decision: 'approve'});
	t.regex(await held, /"structuredContent"/);
	t.deepEqual(done(), [account]);
});

test.serial('another account by one is another call, and the same number in other words is the same call', async t => {
	const {gateway, call, done} = await behind(t, [approvals([rule])]);
	const decide = async (count: number) => {
		const [{id}] = (await pendingAt(gateway, count)) as [Pending];
		await gateway.act('approvals', 'decide', {id, decision: 'approve', minutes: 5});
	};
	const held = call('{"account":1234567890123456789,"n":1}');
	await decide(1);
	await held;
	await call('{"account":1234567890123456789,"n":1.0}');
	const other = call('{"account":1234567890123456790,"n":1}');
	await decide(1);
	await other;
	t.deepEqual(done(), [
		'{"account":1234567890123456789,"n":1}',
		'{"account":1234567890123456789,"n":1.0}',
		'{"account":1234567890123456790,"n":1}',
	]);
});

test.serial('what an approver writes in the place of a long number is sent digit by digit, and never rounded', async t => {
	const {gateway, call, done} = await behind(t, [approvals([rule])]);
	const held = call('{"account":1234567890123456789,"price":1.10,"to":[1234567890123456789]}');
	const [{id}] = (await pendingAt(gateway)) as [Pending];
	const response = await fetch(`${gateway.url}/admin/plugins/approvals/actions/decide`, {
		method: 'POST',
		headers: {authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json'},
		body: `{"id":"${id}","decision":"edit","arguments":{"account":1234567890123456790}}`,
	});
	t.is(response.status, 400);
	t.regex(await response.text(), /1234567890123456790 has more digits/);
	const edited = {account: '1234567890123456790', price: 1.1, to: ['1234567890123456789']};
	await gateway.act('approvals', 'decide', {id, decision: 'edit', arguments: edited});
	const answer = await held;
	const sent = '{"account":1234567890123456790,"price":1.10,"to":[1234567890123456789]}';
	t.deepEqual(done(), [sent]);
	t.true(answer.includes(`"arguments":${sent}`), answer);
});

test.serial('numbers that a plugin leaves alone stay as exact as they were, in arguments and in results', async t => {
	const use = await writePlugin(freshFolder(t), {
		name: 'adding',
		reads: {'on-tool-call': ['tool.arguments'], 'pre-request': ['params.arguments'], 'post-response': ['result', 'text[]']},
		hooks: `hooks: {
			'pre-request': ({params}) => params.arguments && rewrite({params: {arguments: {...params.arguments, first: typeof params.arguments.account}}}),
			'on-tool-call': ({tool}) => rewrite({arguments: {...tool.arguments, plain: tool.arguments.plain + 1}}),
			'post-response': ({result}) => result?.result.structuredContent && rewrite({result: {...result, result: {...result.result, added: 1}}}),
		}`,
	});
	const {call, done} = await behind(t, [{use}]);
	const answer = await call(odd);
	t.deepEqual(done(), [odd.replace('"plain":7', '"plain":8,"first":"string"')]);
	t.true(answer.includes(`"structuredContent":${odd}`) && answer.includes('"added":1'), answer);
});

test.serial('a long number that a plugin only moves is the same number where it comes to stand, in arguments and in results', async t => {
	const use = await writePlugin(freshFolder(t), {
		name: 'own-rows',
		reads: {'on-tool-call': ['tool.arguments'], 'post-response': ['result']},
		hooks: `hooks: {
			'on-tool-call': ({tool}) => rewrite({arguments: {...tool.arguments, rows: tool.arguments.rows.filter(({mine}) => mine)}}),
			'post-response': ({result}) => result?.result.structuredContent && rewrite({result: {...result, result: {rows: [result.result.structuredContent]}}}),
		}`,
	});
	const {call, done} = await behind(t, [{use}]);
	const answer = await call('{"rows":[{"id":7},{"id":1.50},{"mine":true,"id":1234567890123456789}],"text":"1234567890123456790"}');
	t.deepEqual(done(), ['{"rows":[{"mine":true,"id":1234567890123456789}],"text":"1234567890123456790"}']);
	t.true(answer.includes('"rows":[{"account":1234567890123456789,'), answer);
});

test.serial('a rule about numbers takes no long one for another', async t => {
	const argumentsOf = (account: object) => ({arguments: {'one/act': {account}}});
	const allow = (account: object) => ({
		use: 'grants',
		config: {allow: {'tenant:default': {servers: ['*'], tools: ['*'], ...argumentsOf(account)}}},
	});
	const most = await behind(t, [allow({max: 2 ** 60})]);
	t.regex(await most.call('{"account":1152921504606846977}'), /is no number|denied/);
	t.regex(await most.call('{"account":1152921504606846976.00000000001}'), /is no number|denied/);
	t.deepEqual(most.done(), []);
	await most.call('{"account":0.10000000000000001}');
	t.deepEqual(most.done(), ['{"account":0.10000000000000001}']);
	const one = await behind(t, [allow({oneOf: ['1234567890123456789']})]);
	t.regex(await one.call('{"account":1234567890123456790}'), /denied/);
	await one.call('{"account":1234567890123456789}');
	t.deepEqual(one.done(), ['{"account":1234567890123456789}']);
});

test.serial('a guard reads every digit of a long number, and what it lets pass is not changed by it', async t => {
	const {call, done} = await behind(t, [{use: 'word-list', config: {words: ['1234567890123456789'], action: 'deny'}}]);
	t.regex(await call('{"account":1234567890123456789}'), /word-list/);
	await call('{"account":1234567890123456790}');
	t.deepEqual(done(), ['{"account":1234567890123456790}']);
});
