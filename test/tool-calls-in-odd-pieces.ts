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

test('a call that servers send with an empty finish reason in each chunk passes where no rule refuses it', async t => {
	const {seen} = await ruledGateway(t);
	const events = [item(named, ''), item({function: {arguments: '{"cmd":'}}, ''), item({function: {arguments: '"ls"}'}}, '')];
	const {text} = await seen('openai', {pieces: [streamOf('openai', events)]});
	t.regex(text, /\[DONE\]/);
	t.regex(text, /ls/);
});
