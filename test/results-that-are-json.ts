import test, {type ExecutionContext} from 'ava';
import {type BodyText, patchText, textOf} from '../core/llm/text.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const key = 'ghp_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo';
/** As a server wrote it: with blanks, escapes and numbers that nobody else would write so. */
const said = `{
  "file": "# env\\n${key}\\u0021", "mail\\n": ["\\tada@example.com", 1.50, 12345678901234567890, "caf\\u00e9 \\/"],
  "card": 6228480123456789015, "more": "{\\"to\\":\\"\\\\nbob@example.com\\"}", "ada@example.com": 1, "bob@example.com": 2
}`;
const left = `{
  "file": "# env\\n[SECRET]!", "mail\\n": ["\\t[EMAIL]", 1.50, 12345678901234567890, "caf\\u00e9 \\/"],
  "card": "[CARD]", "more": "{\\"to\\":\\"\\\\n[EMAIL]\\"}", "[EMAIL]": 1, "[EMAIL] 2": 2
}`;
const plugins = [
	{use: 'virtual-keys'},
	{use: 'masking', config: {mask: ['email', 'card']}},
	{use: 'secrets', config: {action: 'mask' as const}},
];

test('JSON in the text of an MCP result is masked leaf by leaf, and all else of it stays byte for byte', async t => {
	const one = await hostileServer(t, {call: {content: [{type: 'text', text: said}]}});
	const gateway = await startGateway(t, {servers: {one: {url: one.url}}, plugins});
	const {body} = await wireTo(`${gateway.url}/mcp/one`, await gateway.key()).call('act', {});
	t.deepEqual(body.result?.content, [{type: 'text', text: left}]);
});

const post = async (t: ExecutionContext, path: string, messages: object[]) => {
	const gateway = await startGateway(t, provider => ({
		providers: {local: {speaks: path === '/v1/messages' ? 'anthropic' : 'openai', baseUrl: provider, key: 'k-123456789012345678901234'}},
		models: {fast: ['local/echo']},
		plugins,
	}));
	const reply = await fetch(`${gateway.url}${path}`, {
		method: 'POST',
		headers: {authorization: `Bearer ${await gateway.key()}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'fast', max_tokens: 9, messages}),
	});
	await reply.text();
	const findings = (await gateway.journal()).flatMap(entry => (entry.kind === 'exchange' ? (entry.findings ?? []) : []));
	const {messages: sent} = JSON.parse(gateway.upstream.requests.at(-1)!.body);
	return {sent, findings};
};

test('so is what a tool has answered, in a chat', async t => {
	const call = {id: 'c1', type: 'function', function: {name: 'read', arguments: '{}'}};
	const {sent, findings} = await post(t, '/v1/chat/completions', [
		{role: 'user', content: 'go'},
		{role: 'assistant', tool_calls: [call]},
		{role: 'tool', tool_call_id: 'c1', content: said},
	]);
	t.is(sent[2].content, left);
	t.deepEqual([...new Set(findings.map(({channel}) => channel))], ['tool-result']);
});

test('and in messages, whatever form it has', async t => {
	const {sent, findings} = await post(t, '/v1/messages', [
		{role: 'user', content: 'go'},
		{role: 'assistant', content: [{type: 'tool_use', id: 't1', name: 'read', input: {}}]},
		{
			role: 'user',
			content: [
				{type: 'tool_result', tool_use_id: 't1', content: said},
				{type: 'tool_result', tool_use_id: 't2', content: [{type: 'text', text: said}]},
			],
		},
	]);
	t.is(sent[2].content[0].content, left);
	t.is(sent[2].content[1].content[0].text, left);
	t.deepEqual([...new Set(findings.map(({channel}) => channel))], ['tool-result']);
});

const read = (content: string): BodyText => textOf({messages: [{role: 'tool', content}]});

test('what is no JSON, or very much of it, is one text', t => {
	const many = JSON.stringify(Array.from({length: 2_001}, () => 'a\n'));
	for (const text of ['{"a":"\\n"', '{"a":"\\n","a":"b"}', `[${'['.repeat(70)}"\\n"${']'.repeat(71)}`, '"\\n"', '{"a":"b"}', many])
		t.deepEqual(read(text).strings, [text]);
	t.deepEqual(read('{"a":"\\n", "b": [{"c":"", "d":123456789}]}').strings, ['a', '\n', 'b', 'c', 'd', '123456789']);
});

test('what several guards change, one after another, is written once', t => {
	const body = {messages: [{role: 'tool', content: '{"a": "x\\ny", "b": "\\t"}'}]};
	const found = textOf(body);
	t.is(patchText(found, {1: 'x\n"z"'}), 1);
	t.is(patchText(found, {0: 'b', 3: ''}), 2);
	t.is(body.messages[0]?.content, '{"b 2": "x\\n\\"z\\"", "b": ""}');
});
