import {setTimeout as wait} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {freshFolder} from './helpers/config-file.ts';
import {type Event, guardedGateway, sse} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {anthropicClient, user} from './helpers/sdks.ts';

/** A gateway that judges calls by name: only `search` may be called, and of each it is asked about it writes down name and arguments. */
const judged = async (t: ExecutionContext) => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'search-only',
		reads: {'on-tool-call': ['tool.name', 'tool.arguments']},
		hooks: `hooks: {'on-tool-call': ({tool}) => {
			const asked = JSON.stringify([tool.name, tool.arguments]);
			return tool.name === 'search' ? allow({annotate: {asked}}) : deny({message: 'Nothing else may be called.'}, {annotate: {asked}});
		}}`,
	});
	const world = await guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use: folder}]});
	const asked = async () => {
		const records = (await world.gateway.journal()).filter(({operation, kind}) => operation === 'messages' && kind === 'exchange');
		return records.map(({annotations, outcome}) => [outcome, annotations?.['search-only.asked']]);
	};
	return {...world, asked};
};

const begin = (index: number, block: Event): Event => ({type: 'content_block_start', index, content_block: block});
const input = (index: number, partial_json: string): Event => ({
	type: 'content_block_delta',
	index,
	delta: {type: 'input_json_delta', partial_json},
});
const words = (index: number, text: string): Event => ({type: 'content_block_delta', index, delta: {type: 'text_delta', text}});
const stop = (index: number): Event => ({type: 'content_block_stop', index});

const startOf = (content: Event[] = []): Event => ({
	type: 'message_start',
	message: {id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content, stop_reason: null, usage: {input_tokens: 3}},
});
const endOf = (stop_reason: string): Event[] => [
	{type: 'message_delta', delta: {stop_reason, stop_sequence: null}, usage: {output_tokens: 9}},
	{type: 'message_stop'},
];
const piecesOf = (events: Event[]): string[] => events.map(event => sse('anthropic', event));

const ownTool = (type: string, name = 'web_search') => ({type, id: 'srv_1', name, input: {}});
const call = (name: string) => ({type: 'tool_use', id: 'toolu_1', name, input: {}});

for (const type of ['server_tool_use', 'mcp_tool_use'])
	test(`what comes behind a block of ${type} goes on at once, and nobody is asked about that block`, async t => {
		const {gateway, key, script, asked} = await judged(t);
		let readOn: (() => void) | undefined;
		const isRead = new Promise<void>(resolve => {
			readOn = resolve;
		});
		const events = [
			startOf(),
			begin(0, ownTool(type)),
			input(0, '{"query":'),
			input(0, '"news"}'),
			stop(0),
			begin(1, {type: 'web_search_tool_result', tool_use_id: 'srv_1', content: []}),
			stop(1),
			begin(2, {type: 'text', text: ''}),
			words(2, 'The first words'),
			words(2, ' and the last.'),
			stop(2),
			begin(3, call('search')),
			input(3, '{"q":"more"}'),
			stop(3),
			...endOf('tool_use'),
		];
		const firstWords = events.findIndex(({index, delta}) => index === 2 && delta !== undefined);
		// The provider says nothing more until the client has read this, or the test gives up on it.
		const between = (piece: number) => (piece === firstWords ? Promise.race([isRead, wait(10_000)]) : Promise.resolve());
		const content = script({pieces: piecesOf(events), between});
		const stream = anthropicClient(gateway, {apiKey: key}).messages.stream({model: 'claude/any', max_tokens: 50, messages: user(content)});
		const inTime = await Promise.race([new Promise(resolve => stream.once('text', resolve)), wait(5_000).then(() => 'nothing came')]);
		readOn!();
		t.is(inTime, 'The first words');
		const message = await stream.finalMessage();
		t.deepEqual(
			message.content.map(block => ('input' in block ? [block.type, block.input] : block.type)),
			// Outside of its beta, the SDK adds up the input of one of the two.
			[[type, type === 'server_tool_use' ? {query: 'news'} : {}], 'web_search_tool_result', 'text', ['tool_use', {q: 'more'}]] as unknown[],
		);
		t.deepEqual(await asked(), [['ok', '["search",{"q":"more"}]']]);
	});

const bash = '{"cmd":"rm -rf /"}';
const evasions: Record<string, Event[]> = {
	'that begins where a block of the server began': [begin(0, ownTool('server_tool_use')), begin(0, call('bash')), input(0, bash)],
	'whose input has the number that a block of the server had first': [
		begin(1, ownTool('server_tool_use')),
		begin(0, call('bash')),
		input(1, bash),
	],
	'under another number than its place': [begin(0, ownTool('server_tool_use')), begin(7, call('bash')), input(1, bash)],
	'in the place of another call': [begin(0, {type: 'text', text: ''}), begin(5, call('bash')), begin(1, call('search')), input(1, bash)],
	'with an input that comes for no block': [begin(0, ownTool('server_tool_use')), input(1, bash)],
};

for (const [how, events] of Object.entries(evasions))
	test(`a rule on tool calls is not passed by a call ${how}`, async t => {
		const {seen} = await judged(t);
		const {text} = await seen('anthropic', {pieces: piecesOf([startOf(), ...events, ...endOf('tool_use')])});
		t.regex(text, /upstream_malformed|denied/);
		t.notRegex(text, /rm -rf/);
	});

test('a rule on tool calls is not passed by a call that the message begins with', async t => {
	const {seen} = await judged(t);
	const begun = startOf([{...call('bash'), input: JSON.parse(bash) as Event}]);
	const {text} = await seen('anthropic', {pieces: piecesOf([begun, ...endOf('tool_use')])});
	t.regex(text, /upstream_malformed/);
	t.notRegex(text, /rm -rf/);
});

test('a call is not given another input by an event whose name is not its type', async t => {
	const {gateway, key, script, asked} = await judged(t);
	const unread = sse('anthropic', begin(0, {type: 'text', text: ''})).replace('event: content_block_start', 'event: ping');
	const events = [begin(1, ownTool('server_tool_use')), begin(2, call('search')), input(1, bash), ...endOf('tool_use')];
	const content = script({pieces: [sse('anthropic', startOf()), unread, ...piecesOf(events)]});
	const stream = anthropicClient(gateway, {apiKey: key}).messages.stream({model: 'claude/any', max_tokens: 50, messages: user(content)});
	const inputs = (await stream.finalMessage()).content.flatMap(block => (block.type === 'tool_use' ? [block.input] : []));
	t.deepEqual(inputs, [{}]);
	t.deepEqual(await asked(), [['ok', '["search",{}]']]);
});

test('the event that ends a stream brings no call', async t => {
	const {seen} = await judged(t);
	const last = sse('anthropic', begin(0, {...call('bash'), input: JSON.parse(bash) as Event})).replace(/^event: .*/, 'event: message_stop');
	const {text} = await seen('anthropic', {pieces: [sse('anthropic', startOf()), last]});
	t.regex(text, /message_stop/);
	t.notRegex(text, /rm -rf/);
});
