import {Client, StreamableHTTPClientTransport} from '@modelcontextprotocol/client';
import test, {type ExecutionContext} from 'ava';
import {startUpstream} from './conformance/upstream.ts';
import {approvals, pendingAt} from './helpers/approvals.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const offered = {elicitation: {}};
const tool = (name: string) => `test_input_required_result_${name}`;

/** A gateway before a server without sessions and one with, whose tools ask their clients for something, and wait for an approval. */
const start = async (t: ExecutionContext, holdMs = 10_000) => {
	const [none, sessions] = [await startUpstream('modern'), await startUpstream('legacy')];
	t.teardown(() => Promise.all([none.close(), sessions.close()]).then(() => undefined));
	const gateway = await startGateway(t, {
		servers: {none: {url: none.url, asks: ['elicitation']}, sessions: {url: sessions.url, asks: ['elicitation']}},
		plugins: [{use: 'virtual-keys'}, approvals([{name: 'all', tools: ['*'], holdMs}])],
	});
	return {gateway, key: await gateway.key()};
};

for (const server of ['none', 'sessions'])
	test.serial(`a call that asks its client for something in between needs one approval: a server with ${server}`, async t => {
		const {gateway, key} = await start(t);
		const client = new Client({name: 'test', version: '1'}, {capabilities: offered, versionNegotiation: {mode: {pin: '2026-07-28'}}});
		let questions = 0;
		client.setRequestHandler('elicitation/create', async () => {
			questions++;
			return {action: 'accept', content: {name: 'Ada', color: 'blue', ok: true}};
		});
		const headers = {authorization: `Bearer ${key}`};
		await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/${server}`), {requestInit: {headers}}));
		t.teardown(() => client.close());
		const held = client.callTool({name: tool('multi_round'), arguments: {}});
		const [asked] = await pendingAt(gateway);
		t.is(questions, 0);
		await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
		const {content} = (await held) as {content: {text: string}[]};
		t.regex(content[0]!.text, /That was all|Thank you/);
		t.true(questions >= 2);
		const {approvals: all} = (await gateway.act('approvals', 'list')) as {approvals: unknown[]};
		t.is(all.length, 1);
	});

test.serial('each round goes on once: whoever answers it a second time needs another approval', async t => {
	const {gateway, key} = await start(t, 30);
	const wire = wireTo(`${gateway.url}/mcp/none`, key);
	const _meta = {'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': offered};
	const asking = {_meta, name: tool('elicitation'), arguments: {}};
	await wire.ask('tools/call', asking);
	const [asked] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'approve'});
	const {requestState, inputRequests} = (await wire.ask('tools/call', asking)).body.result as {requestState: string; inputRequests: object};
	const inputResponses = Object.fromEntries(
		Object.keys(inputRequests).map(name => [name, {action: 'accept', content: {name: 'Ada', color: 'blue', ok: true}}]),
	);
	const next = {...asking, requestState, inputResponses};
	t.regex(wordsOf(await wire.ask('tools/call', next)), /Thank you|That was all/);
	const again = await wire.ask('tools/call', next);
	t.like(again.body.result, {resultType: 'input_required', _meta: {'sallyport/approval': {state: 'pending'}}});
	t.not((await pendingAt(gateway))[0]!.id, asked!.id);
	const stranger = await wireTo(`${gateway.url}/mcp/none`, await gateway.key()).ask('tools/call', next);
	t.like(stranger.body.error, {code: -32602});
});
