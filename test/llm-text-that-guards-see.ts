import test from 'ava';
import {parseBody} from '../core/llm/body.ts';
import {exactly} from '../core/llm/exact.ts';
import type {JsonObject} from '../core/llm/json.ts';
import {patchText, replyTextOf, textOf} from '../core/llm/text.ts';

const read = (body: unknown) => textOf(parseBody(Buffer.from(JSON.stringify(body))).json);

test('a chat request shows every word of every field, in order', t => {
	const found = read({
		model: 'fast',
		messages: [
			{role: 'system', content: 'one'},
			{role: 'user', name: 'two', content: [{type: 'text', text: 'three'}]},
			{
				role: 'assistant',
				content: null,
				tool_calls: [{id: 'call_1', type: 'function', function: {name: 'four', arguments: '{"a":"five"}'}}],
			},
			{role: 'tool', tool_call_id: 'call_1', content: 'six'},
		],
		tools: [{type: 'function', function: {name: 'seven', description: 'eight', parameters: {type: 'object', properties: {}}}}],
		user: 'nine',
		stop: ['ten'],
		stream: true,
	});
	t.deepEqual(found.strings, ['one', 'two', 'three', 'four', 'a', 'five', 'six', 'seven', 'eight', 'nine', 'ten']);
	t.is(found.unreadable, 0);
});

test('a messages request shows system, tool input and results', t => {
	const found = read({
		model: 'claude',
		max_tokens: 9,
		system: [{type: 'text', text: 'one', cache_control: {type: 'ephemeral'}}],
		messages: [
			{role: 'assistant', content: [{type: 'tool_use', id: 'toolu_1', name: 'two', input: {type: 'three', id: 'four'}}]},
			{role: 'user', content: [{type: 'tool_result', tool_use_id: 'toolu_1', content: [{type: 'text', text: 'five'}]}]},
			{role: 'assistant', content: [{type: 'thinking', thinking: 'six', signature: 'QUJD'}]},
			{role: 'user', content: [{type: 'document', source: {type: 'text', media_type: 'text/plain', data: 'seven words'}, title: 'eight'}]},
		],
		metadata: {user_id: 'nine'},
	});
	t.deepEqual(found.strings, ['one', 'two', 'three', 'four', 'five', 'six', 'seven words', 'eight', 'nine']);
	t.is(found.unreadable, 0);
});

const hiding: Record<string, [body: unknown, words: string]> = {
	'an unknown field': [{note: 'some words'}, 'some words'],
	'the key of an unknown field': [{'some words': 1}, 'some words'],
	'a key of tool input': [{content: [{type: 'tool_use', input: {'jane@example.org': true}}]}, 'jane@example.org'],
	'a structural field': [{messages: [{role: 'user', id: 'some words'}]}, 'some words'],
	'a structural name inside metadata': [{metadata: {id: 'jane@example.org'}}, 'jane@example.org'],
	'a structural name inside an unknown field': [{x: {y: [{type: 'word'}]}}, 'word'],
	'data that is not base64': [{source: {type: 'text', data: 'word'}}, 'word'],
	'data with a space': [{source: {type: 'base64', data: 'some words'}}, 'some words'],
	'a url': [{image_url: {url: 'https://example.org/some?words'}}, 'https://example.org/some?words'],
	'a signature with spaces': [{content: [{type: 'thinking', signature: 'some words'}]}, 'some words'],
	'a long number': [{content: [{type: 'tool_use', input: {card: 4111111111111111}}]}, '4111111111111111'],
	'a seed of a tool': [{content: [{type: 'tool_use', input: {seed: 4111111111111111}}]}, '4111111111111111'],
	'a signature of a tool': [{content: [{type: 'tool_use', input: {signature: 'jane@example.org'}}]}, 'jane@example.org'],
	'data of a tool': [{content: [{type: 'tool_use', input: {format: 'csv', data: 'jane@example.org,1'}}]}, 'jane@example.org,1'],
	'data of a sound that are none': [
		{content: [{type: 'input_audio', input_audio: {format: 'wav', data: 'jane@example.org'}}]},
		'jane@example.org',
	],
	'who is asking': [{safety_identifier: 'jane@example.org'}, 'jane@example.org'],
	'what a cache is told': [{prompt_cache_key: 'jane@example.org'}, 'jane@example.org'],
	'a data URI of text': [{image_url: {url: 'data:text/csv,jane@example.org'}}, 'data:text/csv,jane@example.org'],
	'a list that begins with numbers': [{input: [1, 2, 'word']}, 'word'],
	'logprobs of a request': [{choices: [{logprobs: {x: 'some words'}}]}, 'some words'],
};
for (const [where, [body, words]] of Object.entries(hiding))
	test(`words cannot hide in ${where}`, t => {
		t.true(read(body).strings.includes(words), JSON.stringify(read(body).strings));
	});

const unreadable: Record<string, [body: unknown, count: number]> = {
	'one list of tokens': [{model: 'e', input: [1, 2, 3]}, 1],
	'two lists of tokens': [{model: 'e', input: [[1, 2], [3]]}, 2],
	'a picture as a data URI': [
		{messages: [{content: [{type: 'image_url', image_url: {url: 'data:image/png;base64,AAAA', detail: 'low'}}]}]},
		1,
	],
	'a picture at a URL': [{messages: [{content: [{type: 'image_url', image_url: {url: 'https://example.org/a.png'}}]}]}, 1],
	'a picture in base64': [{messages: [{content: [{type: 'image', source: {type: 'base64', media_type: 'image/png', data: 'AAAA'}}]}]}, 1],
	'a sound': [{messages: [{content: [{type: 'input_audio', input_audio: {format: 'wav', data: 'AAAA'}}]}]}, 1],
	'a long picture that a tool is called with': [
		{content: [{type: 'tool_use', input: {url: `data:image/png;base64,${'iVBORw0KGgo/'.repeat(60)}`}}]},
		1,
	],
	'a list of numbers that a tool is called with': [
		{content: [{type: 'tool_use', input: {format: 'csv', data: '4111111111111111/'.repeat(60)}}]},
		0,
	],
	'a file by its id': [{messages: [{content: [{type: 'file', file: {file_id: 'file-1'}}]}]}, 1],
	'a picture in a tool result': [
		{messages: [{content: [{type: 'tool_result', content: [{type: 'image', source: {type: 'base64', data: 'AAAA'}}]}]}]},
		1,
	],
	'an embedding in a reply': [{data: [{object: 'embedding', embedding: [0.1, 0.2]}]}, 0],
	text: [{input: ['one', 'two']}, 0],
};
for (const [what, [body, count]] of Object.entries(unreadable))
	test(`${what} counts as ${count} that guards cannot read`, t => {
		t.is(read(body).unreadable, count);
	});

test('whole numbers that no double holds are shown digit by digit, wherever they stand', t => {
	const text =
		'{"a":6228480123456789015,"seed":[{"b":622848012345678901.5e1,"c":6228480123456789015e2,"a":6228480123456789014}],"1":0.5,"n":6228480123456789013}';
	const own = {input: JSON.parse(text), arguments: text};
	const bytes = Buffer.from(JSON.stringify(own).replace(/"input":\{.*?\},"arguments"/, `"input":${text},"arguments"`));
	const numbers = (found: {strings: string[]}) => found.strings.filter(each => /^\d{9,}$/.test(each)).sort();
	const digits = ['6228480123456789013', '6228480123456789014', '6228480123456789015', '6228480123456789015', '622848012345678901500'];
	const shown = [...digits, ...digits].sort();
	const {json, text: source} = parseBody(bytes);
	t.deepEqual(numbers(textOf(json, () => source)), shown);
	t.deepEqual(numbers(replyTextOf(json, () => source)), shown);
	t.deepEqual(numbers(textOf({input: exactly(text)} as JsonObject)), [...digits].sort(), 'and of a tree that has them itself');
});

test('a patch writes strings, numbers and keys back where they stood', t => {
	const body = {messages: [{role: 'user', content: 'jane'}], x: {first: 1, jane: 4111111111111111, last: 2}};
	const json = parseBody(Buffer.from(JSON.stringify(body))).json;
	const found = textOf(json);
	const patch = Object.fromEntries(
		found.strings.flatMap((text, index) => (text === 'jane' || text.length === 16 ? [[index, `<${index}>`]] : [])),
	);
	t.is(patchText(found, patch), 3);
	t.is(JSON.stringify(json), '{"messages":[{"role":"user","content":"<0>"}],"x":{"first":1,"<3>":"<4>","last":2}}');
	t.is(patchText(found, {3: 'last', 99: 'nowhere', [-1]: 'nowhere'}), 1);
	t.is(JSON.stringify(json.x), '{"first":1,"last 2":"<4>","last":2}', 'no field is lost to another of the same name');
});

test('a patch of a key does not lose the value patched after it, nor reach the prototype', t => {
	const {json} = parseBody(Buffer.from('{"jane":"doe","__proto__":"x"}'));
	const found = textOf(json);
	t.deepEqual(found.strings, ['jane', 'doe', '__proto__', 'x']);
	patchText(found, {0: '__proto__', 1: 'b', 3: 'y'});
	t.is(JSON.stringify(json), '{"__proto__ 2":"b","__proto__":"y"}');
	t.is(Object.getPrototypeOf(json), Object.prototype);
});

test('a reply that is rewritten loses its logprobs, one that is not keeps them', t => {
	const logprobs = {content: [{token: 'jane', logprob: -0.1, top_logprobs: []}]};
	const reply = {id: 'chatcmpl-1', choices: [{index: 0, message: {role: 'assistant', content: 'jane'}, logprobs, finish_reason: 'stop'}]};
	const found = replyTextOf(reply);
	t.deepEqual(found.strings, ['jane', 'chatcmpl-1']);
	t.is(patchText(found, {0: 'jane'}), 0);
	t.is(reply.choices[0]?.logprobs, logprobs);
	t.is(patchText(found, {0: '<name>'}), 1);
	t.notRegex(JSON.stringify(reply), /jane/);
});
