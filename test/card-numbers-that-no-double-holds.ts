import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {scriptedUpstream} from './helpers/scripted-upstream.ts';

const card = '6228480123456789015';
const other = '12345678901234567890';
const json = {'content-type': 'application/json'};

test('a card number with more digits than a double holds is masked in a call, and others stay as they are', async t => {
	const {baseUrl, script} = await scriptedUpstream(t);
	const provider = {baseUrl, key: 'k-123456789012345678901234'};
	const gateway = await startGateway(t, echo => ({
		providers: {
			openai: {speaks: 'openai', ...provider},
			claude: {speaks: 'anthropic', ...provider},
			echo: {speaks: 'anthropic', baseUrl: echo, key: provider.key},
		},
		plugins: [{use: 'virtual-keys'}, {use: 'masking', config: {mask: ['card']}}],
	}));
	const key = await gateway.key();
	const post = async (path: string, body: string): Promise<string> => {
		const reply = await fetch(`${gateway.url}${path}`, {method: 'POST', headers: {authorization: `Bearer ${key}`, ...json}, body});
		return reply.text();
	};
	const asking = (model: string, body: string) =>
		JSON.stringify({model, max_tokens: 9, messages: [{role: 'user', content: script({headers: json, pieces: [body]})}]});
	const args = `{"card":${card},"n":${other}}`;
	const left = `{"card":"[CARD]","n":${other}}`;

	const call = {id: 'c1', type: 'function', function: {name: 'pay', arguments: args}};
	const message = {role: 'assistant', content: null, tool_calls: [call]};
	const chat = JSON.stringify({id: 'x', object: 'chat.completion', choices: [{index: 0, message, finish_reason: 'tool_calls'}]});
	const answered = JSON.parse(await post('/v1/chat/completions', asking('openai/any', chat)));
	t.deepEqual(JSON.parse(answered.choices[0].message.tool_calls[0].function.arguments), {card: '[CARD]', n: Number(other)});

	const use = `{"type":"tool_use","id":"t1","name":"pay","input":${args}}`;
	const said = `{"id":"x","type":"message","role":"assistant","content":[${use}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":3}}`;
	const block = await post('/v1/messages', asking('claude/any', said));
	t.true(block.includes(`"input":${left}`), block);

	await post(
		'/v1/messages',
		`{"model":"echo/any","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[${use}]}]}`,
	);
	t.true(gateway.upstream.requests.at(-1)!.body.includes(`"input":${left}`), gateway.upstream.requests.at(-1)!.body);
});
