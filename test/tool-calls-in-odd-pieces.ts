import type {ExecutionContext} from 'ava';
import test from 'ava';
import {freshFolder} from './helpers/config-file.ts';
import {chunkOf, type Event, guardedGateway, streamOf} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';

/** A gateway whose only rule refuses to run anything that removes files, and writes down what else it was asked. */
const ruledGateway = async (t: ExecutionContext) => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'no-removing',
		reads: {'on-tool-call': ['tool.name', 'tool.arguments']},
		hooks: `hooks: {'on-tool-call': ({tool: {arguments: args}}) => {
			if (JSON.stringify(args).includes('rm -rf')) return deny({message: 'No removing.'});
			if (args.input === 'SELECT 1') return rewrite({arguments: {input: 'SELECT 2'}});
		}}`,
	});
	return guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use: folder}]});
};

const item = (fields: Event, finish_reason: string | null = null): Event =>
	chunkOf({delta: {tool_calls: [{index: 0, ...fields}]}, finish_reason});
const args = '{"cmd":"rm -rf /"}';
const named = {id: 'call_1', type: 'function', function: {name: 'bash', arguments: ''}};

const evasions: Record<string, Event[]> = {
	'an empty finish reason in each chunk': [item(named, ''), item({function: {arguments: args}}, '')],
	'a finish reason in the middle of a call': [item(named, 'tool_calls'), item({function: {arguments: args}})],
	'a custom call beside a function': [item({...named, custom: {}, function: {name: 'bash', arguments: args}})],
	'a custom call that a function follows': [
		item({id: 'call_1', custom: {name: 'bash', input: '{"cmd":"ls","more":'}}),
		item({function: {name: 'bash', arguments: args.replaceAll('rm -rf', 'rm -r')}}),
		item({custom: {input: '}'}}),
	],
};

for (const [how, events] of Object.entries(evasions))
	test(`a rule on tool calls is not passed by ${how}`, async t => {
		const {seen} = await ruledGateway(t);
		const {text} = await seen('openai', {pieces: [streamOf('openai', events)]});
		t.false(text.includes('"cmd'), text);
		t.false(text.includes('\\"cmd'), text);
		t.regex(text, /upstream_malformed|denied/);
	});

test('a call that is said beside the pieces of an answer goes to nobody', async t => {
	const {seen} = await ruledGateway(t);
	const message = {role: 'assistant', tool_calls: [{...named, function: {name: 'bash', arguments: args}}]};
	const {text} = await seen('openai', {pieces: [streamOf('openai', [chunkOf({delta: {content: 'Well. '}, message})])]});
	t.regex(text, /Well\. /);
	t.notRegex(text, /rm -rf|bash/);
});

test('a call that servers send with an empty finish reason in each chunk passes where no rule refuses it', async t => {
	const {seen} = await ruledGateway(t);
	const events = [item(named, ''), item({function: {arguments: '{"cmd":'}}, ''), item({function: {arguments: '"ls"}'}}, '')];
	const {text} = await seen('openai', {pieces: [streamOf('openai', events)]});
	t.regex(text, /\[DONE\]/);
	t.regex(text, /ls/);
});

const whole = (message: Event, finish_reason: string): string => JSON.stringify({choices: [{index: 0, message, finish_reason}]});
const asJson = {'content-type': 'application/json'};

test('what a custom tool is given is judged as its input, and written back as text, streamed or whole', async t => {
	const {seen} = await ruledGateway(t);
	const custom = (input: string): Event => ({id: 'call_1', type: 'custom', custom: {name: 'sql', input}});
	for (const [input, expected] of [
		['SELECT 1', /SELECT 2/],
		['SELECT 9', /SELECT 9/],
		['rm -rf /', /denied/],
	] as const) {
		const pieces = [item(custom(input.slice(0, 3))), item({custom: {input: input.slice(3)}}, 'tool_calls')];
		const streamed = await seen('openai', {pieces: [streamOf('openai', pieces)]});
		const {text} = await seen('openai', {headers: asJson, pieces: [whole({tool_calls: [custom(input)]}, 'tool_calls')]}, false);
		for (const said of [streamed.text.replaceAll(/SEL"[\s\S]*?"input":"ECT/g, 'SELECT'), text]) {
			t.regex(said, expected);
			t.false(said.includes('rm -rf'));
			t.false(said.includes('{\\"input'));
		}
	}
});

const half = '{"cmd":"rm -rf /';

test('a call whose arguments are no JSON is refused without a word of it, which no guard has seen', async t => {
	const {seen} = await ruledGateway(t);
	const call = {id: 'call_1', type: 'function', function: {name: 'mail_ada@example.com', arguments: half}};
	for (const got of [
		await seen('openai', {pieces: [streamOf('openai', [item(call)])]}),
		await seen('openai', {headers: asJson, pieces: [whole({tool_calls: [call]}, 'tool_calls')]}, false),
	]) {
		t.regex(got.text, /upstream_malformed/);
		t.notRegex(got.text, /ada|rm -rf/);
	}
});

for (const reason of ['length', 'content_filter'])
	test(`a call that ${reason} breaks off has no arguments, and the answer its finish reason, streamed or whole`, async t => {
		const {seen} = await ruledGateway(t);
		const pieces = [item(named), item({function: {arguments: half}}, reason)];
		const streamed = await seen('openai', {pieces: [streamOf('openai', pieces)]});
		const message = {tool_calls: [{...named, function: {name: 'bash', arguments: half}}]};
		const {text} = await seen('openai', {headers: asJson, pieces: [whole(message, reason)]}, false);
		for (const said of [streamed.text, text]) {
			t.true(said.includes(`"finish_reason":"${reason}"`));
			t.regex(said, /bash/);
			t.notRegex(said, /rm -rf|upstream_malformed/);
		}
		const uncut = await seen('openai', {headers: asJson, pieces: [whole(message, 'tool_calls')]}, false);
		t.regex(uncut.text, /upstream_malformed/);
	});

for (const reason of ['max_tokens', 'refusal', 'tool_use'])
	test(`a call whose input is half there ${reason === 'tool_use' ? 'is refused' : `when ${reason} breaks it off has none`}`, async t => {
		const {seen} = await ruledGateway(t);
		const events = [
			{type: 'content_block_start', index: 0, content_block: {type: 'tool_use', id: 'toolu_1', name: 'bash', input: {}}},
			{type: 'content_block_delta', index: 0, delta: {type: 'input_json_delta', partial_json: half}},
			{type: 'content_block_stop', index: 0},
		];
		const stream = streamOf('anthropic', events).replace('"stop_reason":"end_turn"', `"stop_reason":"${reason}"`);
		const {text} = await seen('anthropic', {pieces: [stream]});
		t.is(text.includes(`"stop_reason":"${reason}"`), reason !== 'tool_use');
		t.is(text.includes('upstream_malformed'), reason === 'tool_use');
		t.notRegex(text, /rm -rf/);
	});
