import {hash} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {freshFolder} from './helpers/config-file.ts';
import {falconGuard, word} from './helpers/falcon-guard.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {anthropicClient, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, more: Parameters<typeof falconGuard>[1] = {}, config: GatewayConfigInput = {}) => {
	const gateway = await startGateway(t, {...config, plugins: [{use: 'virtual-keys'}, await falconGuard(t, more)]});
	const apiKey = await gateway.key();
	const post = (body: object) =>
		fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'fast', ...body}),
		});
	return {gateway, apiKey, post};
};

const lastFindings = async (gateway: TestGateway) => (await modelRecords(gateway)).at(-1)!.findings ?? [];

/** Nothing that outlives an exchange holds what was found. */
const keepsNothing = async (t: ExecutionContext, gateway: TestGateway): Promise<void> => {
	t.false(JSON.stringify(await gateway.journal()).includes('4711'), 'the journal');
	t.false(gateway.logged().includes('4711'), 'the log');
	t.false((await gateway.gateway.metrics.text()).includes('4711'), 'the metrics');
};

test('what a guard finds is on the record, is counted, and is in the header where it acted', async t => {
	const {gateway, post} = await start(t);
	const flagged = await post({messages: user(`the ${word}`)});
	t.is(flagged.headers.get('x-sallyport-guards'), null);
	const [first, ...others] = await lastFindings(gateway);
	t.like(first, {plugin: 'falcons', hook: 'pre-request', detector: 'birds', channel: 'user', action: 'flag', span: {start: 4, end: 15}});
	t.regex(first!.digest!, /^[0-9a-f]{16}$/);
	t.deepEqual(
		others.map(({hook, channel, digest}) => [hook, channel, digest]),
		[['post-response', 'assistant', first!.digest]],
		'the same value has the same digest',
	);
	const masking = await post({messages: user(`mask the ${word}`)});
	t.is(masking.headers.get('x-sallyport-guards'), 'falcons');
	t.false((await masking.text()).includes('4711'));
	const refused = await post({messages: user(`refuse the ${word}`)});
	t.is(refused.status, 400);
	t.is(refused.headers.get('x-sallyport-guards'), 'falcons');
	t.like((await lastFindings(gateway))[0], {action: 'deny', channel: 'user'});
	const metrics = await gateway.gateway.metrics.text();
	for (const action of ['mask', 'deny'])
		t.true(
			metrics.includes(
				`sallyport_findings_total{plugin="falcons",detector="birds",category="code-name",action="${action}",mode="enforce"} 1`,
			),
			metrics,
		);
	await keepsNothing(t, gateway);
});

test('the same value has another digest at another gateway', async t => {
	const digests = await Promise.all(
		['one', 'two'].map(async () => {
			const {gateway, post} = await start(t);
			await post({messages: user(`the ${word}`)});
			return (await lastFindings(gateway))[0]!.digest;
		}),
	);
	t.not(digests[0], digests[1]);
});

test('the same value has the same digest after a restart, and its digest is not its hash', async t => {
	const folder = freshFolder(t);
	const guard = await falconGuard(t);
	const digests: (string | undefined)[] = [];
	for (let turn = 0; turn < 2; turn++) {
		const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, guard], anonymous: true}, {folder});
		const body = JSON.stringify({model: 'fast', messages: user(`turn ${turn}: ${word}`)});
		await fetch(`${gateway.url}/v1/chat/completions`, {method: 'POST', headers: {'content-type': 'application/json'}, body});
		digests.push((await lastFindings(gateway))[0]?.digest);
		await gateway.stop();
	}
	t.truthy(digests[0]);
	t.is(digests[0], digests[1]);
	t.false(hash('sha256', word, 'hex').startsWith(digests[0]!));
});

test('a guard that observes is recorded and counted, and nothing changes', async t => {
	const {gateway, post} = await start(t, {mode: 'observe'});
	const answer = await post({messages: user(`refuse the ${word}`)});
	t.is(answer.status, 200);
	t.true((await answer.text()).includes(word));
	t.is(answer.headers.get('x-sallyport-guards'), null);
	const findings = await lastFindings(gateway);
	t.deepEqual(
		findings.map(({action, mode}) => [action, mode]),
		[
			['deny', 'observe'],
			['deny', 'observe'],
		],
	);
	t.regex(await gateway.gateway.metrics.text(), /action="deny",mode="observe"\} 2/);
});

test('every text of a request has the channel that its role, or its place, says', async t => {
	const {gateway, apiKey, post} = await start(t);
	const messages = [
		{role: 'system', content: `system ${word}`},
		{role: 'user', content: [{type: 'text', text: `user ${word}`}]},
		{
			role: 'assistant',
			content: `assistant ${word}`,
			tool_calls: [{id: 'c', type: 'function', function: {name: 'w', arguments: `${word}`}}],
		},
		{role: 'tool', tool_call_id: 'c', content: `result ${word}`},
	];
	const tools = [{type: 'function', function: {...weather.function, description: `described ${word}`}}];
	await post({messages, tools, metadata: {note: `beside ${word}`}});
	const channels = async () => (await lastFindings(gateway)).filter(({hook}) => hook === 'pre-request').map(({channel}) => channel);
	t.deepEqual(await channels(), ['system', 'user', 'assistant', 'tool-arguments', 'tool-result', 'tool-description', 'user']);

	await anthropicClient(gateway, {apiKey}).messages.create({
		model: 'sonnet',
		max_tokens: 10,
		system: `system ${word}`,
		messages: [
			{role: 'user', content: `user ${word}`},
			{role: 'assistant', content: [{type: 'tool_use', id: 't', name: 'w', input: {city: word, type: 'tool_result'}}]},
			{
				role: 'user',
				content: [
					{type: 'tool_result', tool_use_id: 't', content: [{type: 'text', text: `result ${word}`}]},
					{type: 'text', text: `user ${word}`},
				],
			},
		],
		tools: [{name: 'w', description: `described ${word}`, input_schema: {type: 'object'}}],
	});
	t.deepEqual((await channels()).sort(), ['system', 'tool-arguments', 'tool-description', 'tool-result', 'user', 'user'].sort());
	await keepsNothing(t, gateway);
});

test('in a stream a finding is recorded once with how often, of words and of tool calls, and no byte of it leaves', async t => {
	const {gateway, apiKey} = await start(t, {}, {models: {fast: ['local/split-3'], sonnet: ['claude/split-3']}});
	const openai = openaiClient(gateway, {apiKey});
	const pieces: string[] = [];
	const between = 'and so on '.repeat(200);
	const asking = {model: 'fast', messages: user(`${word} ${between} ${word}`), stream: true as const};
	for await (const chunk of await openai.chat.completions.create(asking)) pieces.push(chunk.choices[0]?.delta.content ?? '');
	t.is(pieces.join(''), `You said: [BIRD] ${between} [BIRD]`);
	const ofReply = async () => (await lastFindings(gateway)).filter(({hook}) => hook === 'post-response');
	t.like((await ofReply())[0], {action: 'mask', channel: 'assistant', times: 2});
	t.is((await ofReply()).length, 1);

	const calling = {...asking, messages: user(`call the tool weather with {"city": "${word}"}`), tools: [weather]};
	const said: string[] = [];
	for await (const chunk of await openai.chat.completions.create(calling)) said.push(JSON.stringify(chunk));
	t.false(said.join('').includes('4711'));
	t.true((await ofReply()).some(({channel}) => channel === 'tool-arguments'));
	t.true((await lastFindings(gateway)).some(({hook, channel}) => hook === 'on-tool-call' && channel === 'tool-arguments'));

	const text = await anthropicClient(gateway, {apiKey})
		.messages.stream({model: 'sonnet', max_tokens: 100, messages: user(word)})
		.finalText();
	t.is(text, 'You said: [BIRD]');
	t.like((await ofReply())[0], {action: 'mask', channel: 'assistant'});
	await keepsNothing(t, gateway);
});

test('over MCP the channels are arguments, results and descriptions', async t => {
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			const {words} = params.arguments as {words: string};
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text: `mask ${words}`}]}}));
		},
		[{name: 'say', description: `mask ${word}`, inputSchema: {type: 'object'}}],
	);
	const {gateway, apiKey} = await start(t, {}, {servers: {one: {url: upstream.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, apiKey);
	const {body} = await wire.call('say', {words: word});
	t.false(JSON.stringify(body).includes('4711'));
	t.deepEqual(
		(await lastFindings(gateway)).map(({hook, channel, action}) => [hook, channel, action]),
		[
			['pre-request', 'tool-arguments', 'flag'],
			['on-tool-call', 'tool-arguments', 'flag'],
			['post-response', 'tool-result', 'mask'],
		],
	);
	const listed = await wire.ask('tools/list');
	t.true(JSON.stringify(listed.body).includes('mask [BIRD]'));
	t.like((await lastFindings(gateway)).at(-1), {channel: 'tool-description', action: 'mask'});
	await keepsNothing(t, gateway);
});
