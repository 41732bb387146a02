import test, {type ExecutionContext} from 'ava';
import {approvals, type Pending, pendingAt} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {chunkOf, type DialectName, type Event, guardedGateway, streamOf} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';

const asJson = {'content-type': 'application/json'};
const numbers = '"account":1234567890123456789,"price":1.10,"steps":[1e3,-0],"long":1.00000000000000000001';
const other = '1234567890123456790';

/** One call of a tool with these arguments, as text: in pieces, whole in one event of a stream, or in an answer that is no stream. */
const answers = (args: string): Record<string, {of: DialectName; pieces: string[]; isStream: boolean}> => {
	const item = (fields: Event, finish_reason: string | null = null) =>
		chunkOf({delta: {tool_calls: [{index: 0, ...fields}]}, finish_reason});
	const named = {id: 'call_1', type: 'function', function: {name: 'pay', arguments: ''}};
	const block = (input: string) =>
		`event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t1","name":"pay","input":${input}}}\n\n`;
	const delta = {type: 'content_block_delta', index: 0, delta: {type: 'input_json_delta', partial_json: args}};
	const ends = [
		{type: 'content_block_stop', index: 0},
		{type: 'message_delta', delta: {stop_reason: 'tool_use', stop_sequence: null}, usage: {output_tokens: 3}},
	];
	const message = {role: 'assistant', content: null, tool_calls: [{...named, function: {name: 'pay', arguments: args}}]};
	return {
		'OpenAI in pieces': {of: 'openai', pieces: [streamOf('openai', [item(named), item({function: {arguments: args}})])], isStream: true},
		'OpenAI whole': {
			of: 'openai',
			pieces: [JSON.stringify({id: 'c', choices: [{index: 0, message, finish_reason: 'tool_calls'}]})],
			isStream: false,
		},
		'Anthropic in pieces': {of: 'anthropic', pieces: [streamOf('anthropic', [block('{}'), delta, ...ends])], isStream: true},
		'Anthropic in one event': {of: 'anthropic', pieces: [streamOf('anthropic', [block(args), ...ends])], isStream: true},
		'Anthropic whole': {
			of: 'anthropic',
			pieces: [
				`{"id":"m","type":"message","role":"assistant","content":[{"type":"tool_use","id":"t1","name":"pay","input":${args}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
			],
			isStream: false,
		},
	};
};

const unquoted = (text: string): string => text.replaceAll('\\"', '"');

const ruled = async (t: ExecutionContext) => {
	const use = await writePlugin(freshFolder(t), {
		name: 'counting',
		reads: {'on-tool-call': ['tool.arguments']},
		hooks: `hooks: {'on-tool-call': ({tool: {arguments: args}}) => {
			if (args.account !== '1234567890123456789') return deny({message: 'It is another account.'});
			if (args.count) return rewrite({arguments: {...args, count: args.count + 1}});
		}}`,
	});
	return guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use}]});
};

for (const how of Object.keys(answers('{}')))
	test(`numbers of a call that a model asks for stay as it wrote them: ${how}`, async t => {
		const {seen} = await ruled(t);
		const asked = async (args: string) => {
			const {of, pieces, isStream} = answers(args)[how]!;
			return unquoted((await seen(of, {...(isStream ? {} : {headers: asJson}), pieces}, isStream)).text);
		};
		const untouched = await asked(`{${numbers}}`);
		t.true(untouched.includes(`{${numbers}}`), untouched);
		const rewritten = await asked(`{"count":7,${numbers}}`);
		t.true(rewritten.includes(numbers) && rewritten.includes('"count":8'), rewritten);
		t.regex(await asked(`{${numbers.replace('1234567890123456789', other)}}`), /another account/);
	});

for (const how of ['OpenAI whole', 'Anthropic whole', 'Anthropic in one event'])
	test(`who approves a call that a model asks for is shown every digit, and may change each: ${how}`, async t => {
		const rule = {name: 'pay', asked: ['pay'], reason: 'money moves', holdMs: 8_000};
		const {seen, gateway} = await guardedGateway(t, 'mask', {
			plugins: [{use: 'virtual-keys'}, approvals([rule]), {use: 'masking', config: {mask: ['email'], in: ['response']}}],
		});
		const {of, pieces, isStream} = answers(`{${numbers},"note":"to ada.lovelace@example.com"}`)[how]!;
		const held = seen(of, {...(isStream ? {} : {headers: asJson}), pieces}, isStream);
		const [{id}] = (await pendingAt(gateway)) as [Pending];
		const {arguments: args} = (await gateway.act('approvals', 'show', {id})) as {arguments: Event};
		t.like(args, {account: '1234567890123456789', price: 1.1, long: '1.00000000000000000001'});
		await gateway.act('approvals', 'decide', {id, decision: 'edit', arguments: {...args, account: other}});
		const {text} = await held;
		t.true(unquoted(text).includes(numbers.replace('1234567890123456789', other)), text);
		t.false(text.includes('ada.lovelace'), text);
	});

test('guards read every digit of what a plugin has written into a call', async t => {
	const use = await writePlugin(freshFolder(t), {
		name: 'moving',
		reads: {'on-tool-call': ['tool.arguments']},
		hooks: `hooks: {'on-tool-call': ({tool}) => rewrite({arguments: {...tool.arguments, account: '${other}'}})}`,
	});
	const words = {use: 'word-list', config: {words: [other], action: 'deny'}};
	const {seen} = await guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use}, words]});
	for (const [how, {of, pieces, isStream}] of Object.entries(answers(`{${numbers}}`))) {
		const {text} = await seen(of, {...(isStream ? {} : {headers: asJson}), pieces}, isStream);
		t.regex(text, /word-list/, how);
		t.false(text.includes(other), how);
	}
});

test('arguments that say a field twice go on as they were understood, in the words of their numbers', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	const {of, pieces} = answers('{"account":"none","account":1234567890123456789,"price":1.10}')['OpenAI whole']!;
	const {text} = await seen(of, {headers: asJson, pieces}, false);
	t.true(unquoted(text).includes('{"account":1234567890123456789,"price":1.10}'), text);
});
