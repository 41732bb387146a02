import test from 'ava';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import type {Dialect} from '../core/llm/dialects/dialect.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import type {JsonObject} from '../core/llm/json.ts';

const chunk = (choice: JsonObject): JsonObject => ({
	id: 'chatcmpl-1',
	object: 'chat.completion.chunk',
	created: 1_780_000_000,
	model: 'gpt-5-mini',
	service_tier: 'default',
	system_fingerprint: 'fp_1',
	obfuscation: 'x8Gf2',
	choices: [{index: 0, finish_reason: null, ...choice}],
});
const call = (index: number, fields: JsonObject) => chunk({delta: {tool_calls: [{index, ...fields}]}});
const read = (dialect: Dialect, event: JsonObject) => dialect.deltasOf(event).map(({channel, text, whole}) => [channel, text, whole]);

const openaiEvents: Record<string, [event: JsonObject, deltas: unknown[]]> = {
	content: [chunk({delta: {role: 'assistant', content: 'Hi'}}), [['0.content', 'Hi', false]]],
	'an empty delta': [chunk({delta: {content: ''}}), []],
	'another answer': [chunk({index: 2, delta: {content: 'Hi'}}), [['2.content', 'Hi', false]]],
	refusal: [chunk({delta: {refusal: 'No'}}), [['0.refusal', 'No', false]]],
	'reasoning of other providers': [chunk({delta: {reasoning_content: 'Hm'}}), [['0.reasoning_content', 'Hm', false]]],
	'an unknown field of a delta': [chunk({delta: {notes: [{words: 'Hm'}]}}), [['0.notes.0.words', 'Hm', false]]],
	'the start of a tool call': [
		call(1, {id: 'call_1', type: 'function', function: {name: 'f', arguments: '{'}}),
		[['0.tool_calls.1.function.arguments', '{', false]],
	],
	'more of a tool call': [call(1, {function: {arguments: '"a"'}}), [['0.tool_calls.1.function.arguments', '"a"', false]]],
	'a transcript': [chunk({delta: {audio: {id: 'audio_1', data: 'AAAA', transcript: 'Hi'}}}), [['0.audio.transcript', 'Hi', false]]],
	annotations: [
		chunk({delta: {annotations: [{type: 'url_citation', url_citation: {title: 'T', url: 'https://example.org'}}]}}),
		[
			['0.annotations.0.url_citation.title', 'T', true],
			['0.annotations.0.url_citation.url', 'https://example.org', true],
		],
	],
	'words outside the answers': [
		{...chunk({delta: {}}), citations: ['https://example.org']},
		[['citations.0', 'https://example.org', true]],
	],
	usage: [{...chunk({}), choices: [], usage: {prompt_tokens: 1}}, []],
	'an error': [{error: {message: 'words', type: 'server_error'}}, [['error.message', 'words', true]]],
};
for (const [what, [event, deltas]] of Object.entries(openaiEvents))
	test(`OpenAI: the strings of ${what}`, t => {
		t.deepEqual(read(openai, event), deltas);
	});

test('OpenAI: a watched event has no logprobs', t => {
	const event = chunk({delta: {content: 'Hi'}, logprobs: {content: [{token: 'Hi', logprob: 0, top_logprobs: [{token: 'Ho'}]}]}});
	openai.deltasOf(event);
	t.is((event.choices as JsonObject[])[0]?.logprobs, null);
});

const anthropicEvents: Record<string, [event: JsonObject, deltas: unknown[]]> = {
	text: [{type: 'content_block_delta', index: 1, delta: {type: 'text_delta', text: 'Hi'}}, [['1.text', 'Hi', false]]],
	'tool input': [
		{type: 'content_block_delta', index: 1, delta: {type: 'input_json_delta', partial_json: '{"a'}},
		[['1.partial_json', '{"a', false]],
	],
	thinking: [{type: 'content_block_delta', index: 0, delta: {type: 'thinking_delta', thinking: 'Hm'}}, [['0.thinking', 'Hm', false]]],
	'a signature': [{type: 'content_block_delta', index: 0, delta: {type: 'signature_delta', signature: 'QUJD'}}, []],
	'an unknown delta': [{type: 'content_block_delta', index: 0, delta: {type: 'x_delta', x: 'Hm'}}, [['0.x', 'Hm', false]]],
	'a citation': [
		{
			type: 'content_block_delta',
			index: 0,
			delta: {type: 'citations_delta', citation: {type: 'char_location', cited_text: 'words', document_index: 0}},
		},
		[['0.citations.citation.cited_text', 'words', true]],
	],
	'a block that starts empty': [{type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}}, []],
	'a block that starts with text its deltas add to': [
		{type: 'content_block_start', index: 0, content_block: {type: 'text', text: 'Hi'}},
		[['0.text', 'Hi', false]],
	],
	'a search result that comes whole': [
		{
			type: 'content_block_start',
			index: 1,
			content_block: {type: 'web_search_tool_result', content: [{type: 'web_search_result', title: 'T', encrypted_content: 'QUJD'}]},
		},
		[['1.tool_result.content.0.title', 'T', true]],
	],
	'the start of a message': [
		{type: 'message_start', message: {id: 'msg_1', model: 'claude', role: 'assistant', content: [], usage: {input_tokens: 1}}},
		[],
	],
	'a ping': [{type: 'ping'}, []],
	'an error': [{type: 'error', error: {type: 'overloaded_error', message: 'words'}}, [['error.error.message', 'words', true]]],
};
for (const [what, [event, deltas]] of Object.entries(anthropicEvents))
	test(`Anthropic: the strings of ${what}`, t => {
		t.deepEqual(read(anthropic, event), deltas);
	});

test('a string is written back into the event it was read from, and nothing else changes', t => {
	for (const [dialect, events] of [
		[openai, openaiEvents],
		[anthropic, anthropicEvents],
	] as const) {
		for (const [event] of Object.values(events)) {
			const before = JSON.stringify(event);
			for (const delta of dialect.deltasOf(event)) delta.set(`<${delta.text}>`);
			const after = read(dialect, event);
			t.true(after.every(([, text]) => /^<.*>$/s.test(String(text))));
			for (const delta of dialect.deltasOf(event)) delta.set(delta.text.slice(1, -1));
			t.is(JSON.stringify(event), before);
		}
	}
});

const ends: [dialect: Dialect, what: string, event: JsonObject, prefixes: string[]][] = [
	[openai, 'content', chunk({delta: {content: 'Hi'}}), []],
	[openai, 'the end of an answer', chunk({index: 2, delta: {}, finish_reason: 'stop'}), ['2.']],
	[
		openai,
		'the third tool call beginning',
		call(2, {id: 'call_3', function: {name: 'f', arguments: ''}}),
		['0.tool_calls.0.', '0.tool_calls.1.'],
	],
	[openai, 'a tool call going on', call(2, {function: {arguments: 'x'}}), []],
	[openai, 'the usage chunk', {...chunk({}), choices: [], usage: {prompt_tokens: 1}}, ['']],
	[openai, 'an error', {error: {message: 'x'}}, ['']],
	[anthropic, 'text', {type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: 'Hi'}}, []],
	[anthropic, 'the end of a block', {type: 'content_block_stop', index: 3}, ['3.']],
	[anthropic, 'a message delta', {type: 'message_delta', delta: {}}, ['']],
	[anthropic, 'the end of the message', {type: 'message_stop'}, ['']],
	[anthropic, 'an error', {type: 'error', error: {}}, ['']],
	[anthropic, 'a ping', {type: 'ping'}, []],
];
for (const [dialect, what, event, prefixes] of ends)
	test(`${dialect.name}: ${what} ends ${JSON.stringify(prefixes)}`, t => {
		t.deepEqual(dialect.endsChannels(event), prefixes);
	});

test('a delta event looks like the event it is modelled on and is read back on its own channel', t => {
	for (const [dialect, events] of [
		[openai, openaiEvents],
		[anthropic, anthropicEvents],
	] as const) {
		for (const [last] of Object.values(events)) {
			for (const {channel} of dialect.deltasOf(last).filter(({whole}) => !whole)) {
				const text = dialect.deltaEvent(channel, 'held\n"back"', last);
				t.true(text.endsWith('\n\n'));
				const event: JsonObject = JSON.parse(text.slice(text.indexOf('data: ') + 6));
				t.deepEqual(read(dialect, event), [[channel, 'held\n"back"', false]]);
				t.deepEqual(dialect.endsChannels(event), []);
				if (dialect === openai) t.like(event, {id: 'chatcmpl-1', model: 'gpt-5-mini', created: 1_780_000_000});
			}
		}
	}
});

test('tool calls of a reply are found and their arguments replaced, in both dialects', t => {
	const chat: JsonObject = {
		choices: [
			{index: 0, message: {content: 'none'}},
			{
				index: 1,
				message: {
					tool_calls: [
						{id: 'call_1', type: 'function', function: {name: 'f', arguments: '{"a":1}'}},
						{id: 'call_2', type: 'custom', custom: {name: 'g', input: 'words'}},
					],
					function_call: {name: 'h', arguments: '{}'},
				},
			},
		],
	};
	const calls = openai.toolCallsOf(chat);
	t.like(calls, {
		0: {id: 'call_1', name: 'f', argumentsText: '{"a":1}'},
		1: {id: 'call_2', name: 'g', argumentsText: '{"input":"words"}'},
		2: {name: 'h'},
		length: 3,
	});
	openai.patchToolCall(chat, calls[0]!, {b: 2});
	t.is(openai.toolCallsOf(chat)[0]?.argumentsText, '{"b":2}');

	const message: JsonObject = {
		content: [
			{type: 'text', text: 'x'},
			{type: 'tool_use', id: 'toolu_1', name: 'f', input: {a: 1}},
			{type: 'server_tool_use', name: 's'},
		],
	};
	const [use, ...others] = anthropic.toolCallsOf(message);
	t.like(use, {id: 'toolu_1', name: 'f', argumentsText: '{"a":1}'});
	t.is(others.length, 0);
	anthropic.patchToolCall(message, use!, {b: 2});
	t.deepEqual((message.content as JsonObject[])[1]?.input, {b: 2});
});
