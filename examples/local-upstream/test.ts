import Anthropic from '@anthropic-ai/sdk';
import test from 'ava';
import OpenAI from 'openai';
import {hi, readAll, upstreamAndClients} from '../../test/helpers/local-upstream.ts';
import {fieldsOf, listOf, stringOf} from './json.ts';

const fiftyWords = Array.from({length: 50}, (_, index) => `word${index + 1}`).join(' ');
const weather = {
	type: 'object' as const,
	properties: {city: {type: 'string'}, days: {type: 'integer', minimum: 3}, unit: {enum: ['celsius', 'kelvin']}},
	required: ['city'],
};
const weatherArguments = {city: 'city', days: 3, unit: 'celsius'};
const openaiTools = ['weather', 'search'].map(name => ({type: 'function' as const, function: {name, parameters: weather}}));
const anthropicTools = ['weather', 'search'].map(name => ({name, input_schema: weather}));

test('openai: an answer echoes the last user text and counts a token for every four characters', async t => {
	const {openai} = await upstreamAndClients(t);
	const {data, request_id} = await openai.chat.completions.create({model: 'local/small', messages: hi}).withResponse();
	t.is(data.choices[0]?.message.content, 'You said: hello there');
	t.is(data.model, 'local/small');
	t.like(data.usage, {prompt_tokens: 3, completion_tokens: 6, total_tokens: 9, prompt_tokens_details: {cached_tokens: 0}});
	t.regex(request_id ?? '', /^req_/);
});

test('openai: n answers come in one completion and are all paid for', async t => {
	const {openai} = await upstreamAndClients(t);
	const completion = await openai.chat.completions.create({model: 'small', messages: hi, n: 3});
	t.deepEqual(
		completion.choices.map(choice => choice.index),
		[0, 1, 2],
	);
	t.is(completion.usage?.completion_tokens, 18);
});

test('openai: a stream says the same as the whole answer, and reports usage only when asked', async t => {
	const {openai} = await upstreamAndClients(t);
	const read = async (stream_options?: {include_usage: boolean}) => {
		const chunks = await Array.fromAsync(
			await openai.chat.completions.create({model: 'small', messages: hi, stream: true, ...(stream_options && {stream_options})}),
		);
		return {text: chunks.map(chunk => chunk.choices[0]?.delta.content ?? '').join(''), usages: chunks.filter(chunk => chunk.usage)};
	};
	t.deepEqual(await read(), {text: 'You said: hello there', usages: []});
	const {text, usages} = await read({include_usage: true});
	t.is(text, 'You said: hello there');
	t.is(usages.length, 1);
	t.deepEqual(usages[0]?.choices, []);
	t.is(usages[0]?.usage?.total_tokens, 9);
});

test('openai: text is cut off at max_tokens, and the answer says so', async t => {
	const {openai} = await upstreamAndClients(t);
	const completion = await openai.chat.completions.create({model: 'words-50', messages: hi, max_completion_tokens: 5});
	t.is(completion.choices[0]?.message.content, fiftyWords.slice(0, 20));
	t.is(completion.choices[0]?.finish_reason, 'length');
	t.is(completion.usage?.completion_tokens, 5);
});

test('openai: "call the tool NAME" is answered by a call whose arguments fit the schema', async t => {
	const {openai} = await upstreamAndClients(t);
	const messages = [{role: 'user' as const, content: 'Please call the tool weather. Then call the tool search with {"city": "Ghent {"}.'}];
	const {choices} = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(choices[0]?.finish_reason, 'tool_calls');
	t.is(choices[0]?.message.content, null);
	t.like(choices[0]?.message.tool_calls, [
		{type: 'function', function: {name: 'weather', arguments: JSON.stringify(weatherArguments)}},
		{type: 'function', function: {name: 'search', arguments: '{"city": "Ghent {"}'}},
	]);
});

test('openai: a tool that was not offered is not called, unless the model is one that does', async t => {
	const {openai} = await upstreamAndClients(t);
	const messages = [{role: 'user' as const, content: 'call the tool shell'}];
	const {choices} = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(choices[0]?.message.content, 'You said: call the tool shell');
	const hostile = await openai.chat.completions.create({model: 'fault-calls-shell', messages});
	t.like(hostile.choices[0]?.message.tool_calls, [{function: {name: 'shell', arguments: '{}'}}]);
});

test('openai: a streamed tool call comes in several fragments, and its result is answered with text', async t => {
	const {openai} = await upstreamAndClients(t);
	const tool_choice = {type: 'function' as const, function: {name: 'search'}};
	const runner = openai.chat.completions.stream({model: 'small', messages: hi, tools: openaiTools, tool_choice});
	let fragments = 0;
	runner.on('tool_calls.function.arguments.delta', ({arguments_delta}) => (fragments += arguments_delta ? 1 : 0));
	const {message} = (await runner.finalChatCompletion()).choices[0] ?? t.fail();
	const [call] = message.tool_calls ?? [];
	t.true(fragments >= 3);
	t.like(call, {function: {name: 'search', arguments: JSON.stringify(weatherArguments)}});

	const messages = [...hi, message, {role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'rain'}];
	const after = await openai.chat.completions.create({model: 'small', messages, tools: openaiTools});
	t.is(after.choices[0]?.message.content, 'The tool answered: rain');
});

test('embeddings: the same text has the same unit vector, and texts that share words are closer', async t => {
	const {openai} = await upstreamAndClients(t);
	const input = ['the cat sat on the mat', 'the cat sat on a mat', 'quarterly revenue fell', 'the cat sat on the mat'];
	const {data, usage} = await openai.embeddings.create({model: 'embed', input, dimensions: 256});
	const [first = [], near = [], far = [], same = []] = data.map(({embedding}) => embedding);
	const dot = (a: number[], b: number[]) => a.reduce((sum, each, index) => sum + each * (b[index] ?? 0), 0);
	t.is(first.length, 256);
	t.deepEqual(first, same);
	t.true(Math.abs(dot(first, first) - 1) < 1e-5);
	t.true(dot(first, near) > 0.7);
	t.true(dot(first, far) < 0.3);
	t.true(usage.prompt_tokens > 0);
});

test('moderations: a text is of a category when it has its name in it', async t => {
	const {openai} = await upstreamAndClients(t);
	const {results} = await openai.moderations.create({model: 'moderation', input: ['a harmless text', 'so much hate']});
	t.deepEqual(
		results.map(({flagged, categories, category_scores}) => [flagged, categories.hate, category_scores.hate > 0.5, categories.violence]),
		[
			[false, false, false, false],
			[true, true, true, false],
		],
	);
});

test('embeddings: base64 and float say the same numbers', async t => {
	const {post} = await upstreamAndClients(t);
	const vector = async (encoding_format: string) => {
		const body = fieldsOf(await (await post('/v1/embeddings', {model: 'embed', input: 'x', dimensions: 8, encoding_format})).json());
		return fieldsOf(listOf(body.data)[0]).embedding;
	};
	const bytes = Buffer.from(stringOf(await vector('base64')), 'base64');
	t.deepEqual(
		Array.from({length: 8}, (_, index) => bytes.readFloatLE(index * 4)),
		await vector('float'),
	);
});

test('models are listed and shown in either dialect', async t => {
	const {openai, anthropic} = await upstreamAndClients(t);
	t.true((await Array.fromAsync(openai.models.list())).some(({id}) => id === 'small'));
	t.true((await Array.fromAsync(anthropic.models.list())).some(({id}) => id === 'small'));
	t.is((await openai.models.retrieve('large')).object, 'model');
	t.is((await anthropic.models.retrieve('large')).type, 'model');
	await t.throwsAsync(openai.models.retrieve('fault-unheard-of'), {instanceOf: OpenAI.NotFoundError});
});

test('anthropic: an answer echoes the last user text and splits its input by cache', async t => {
	const {anthropic} = await upstreamAndClients(t);
	const ask = {max_tokens: 100, system: 'be brief', messages: hi};
	const plain = await anthropic.messages.create({...ask, model: 'small'});
	t.like(plain.content, [{type: 'text', text: 'You said: hello there'}]);
	t.like(plain.usage, {input_tokens: 5, output_tokens: 6, cache_read_input_tokens: 0, cache_creation_input_tokens: 0});
	const cached = await anthropic.messages.create({...ask, model: 'cached'});
	t.like(cached.usage, {input_tokens: 2, output_tokens: 6, cache_read_input_tokens: 2, cache_creation_input_tokens: 1});
	t.is((await anthropic.messages.countTokens({model: 'small', system: 'be brief', messages: hi})).input_tokens, 5);
});

test('anthropic: a stream has the events of a real one, in their order', async t => {
	const {anthropic, post} = await upstreamAndClients(t);
	const ask = {model: 'split-8', max_tokens: 100, messages: hi};
	const {text} = await readAll(await post('/v1/messages', {...ask, stream: true}));
	t.deepEqual(
		Array.from(text.matchAll(/^event: (.*)$/gm), ([, event]) => event),
		[
			'message_start',
			'content_block_start',
			'ping',
			'content_block_delta',
			'content_block_delta',
			'content_block_delta',
			'content_block_stop',
			'message_delta',
			'message_stop',
		],
	);
	const message = await anthropic.messages.stream(ask).finalMessage();
	t.like(message, {stop_reason: 'end_turn', usage: {input_tokens: 3, output_tokens: 6}});
	t.like(message.content, [{text: 'You said: hello there'}]);
});

test('anthropic: a tool is used when asked for or forced, and its result is answered with text', async t => {
	const {anthropic} = await upstreamAndClients(t);
	const ask = {model: 'small', max_tokens: 100, tools: anthropicTools};
	const whole = await anthropic.messages.create({...ask, messages: [{role: 'user', content: 'call the tool weather'}]});
	t.is(whole.stop_reason, 'tool_use');
	t.like(whole.content, [{type: 'tool_use', name: 'weather', input: weatherArguments}]);

	const stream = anthropic.messages.stream({...ask, messages: hi, tool_choice: {type: 'tool', name: 'search'}});
	let fragments = 0;
	stream.on('inputJson', fragment => (fragments += fragment ? 1 : 0));
	const {content} = await stream.finalMessage();
	t.true(fragments >= 3);
	t.like(content, [{type: 'tool_use', name: 'search', input: weatherArguments}]);

	const [use] = content;
	const result = {type: 'tool_result' as const, tool_use_id: use?.type === 'tool_use' ? use.id : '', content: 'rain'};
	const messages = [...hi, {role: 'assistant' as const, content}, {role: 'user' as const, content: [result]}];
	t.like((await anthropic.messages.create({...ask, messages})).content, [{text: 'The tool answered: rain'}]);
});

test('a request without a key is refused in the shape of its dialect, and a wrong key is echoed', async t => {
	const {upstream, post} = await upstreamAndClients(t);
	const missing = await post('/v1/chat/completions', {model: 'small', messages: hi}, {authorization: ''});
	t.is(missing.status, 401);
	t.like(await missing.json(), {error: {type: 'invalid_request_error', param: null}});

	const apiKey = 'wrong-key';
	const options = {baseURL: `${upstream.url}/v1`, apiKey, maxRetries: 0};
	const openai = await t.throwsAsync(new OpenAI(options).models.list(), {instanceOf: OpenAI.AuthenticationError});
	t.is(openai?.code, 'invalid_api_key');
	t.regex(openai?.message ?? '', /wrong-key/);
	const anthropic = await t.throwsAsync(
		new Anthropic({...options, baseURL: upstream.url}).messages.create({model: 'small', max_tokens: 9, messages: hi}),
		{instanceOf: Anthropic.AuthenticationError},
	);
	t.is(anthropic?.type, 'authentication_error');
	t.regex(anthropic?.message ?? '', /wrong-key/);
});

for (const [model, deltas] of [
	['words-3', ['word1 ', 'word2 ', 'word3']],
	['words-2-every-5', ['word1 ', 'word2']],
	[`say:${Buffer.from('héllo 👋').toString('base64url')}`, ['héllo ', '👋']],
	['split-10', ['You said: ', 'hello ther', 'e']],
	['chars', Array.from('You said: hello there')],
	['bytes-1', ['You ', 'said: ', 'hello ', 'there']],
] as const) {
	test(`${model} streams ${JSON.stringify(deltas)}`, async t => {
		const {openai} = await upstreamAndClients(t);
		const chunks = await Array.fromAsync(await openai.chat.completions.create({model, messages: hi, stream: true}));
		t.deepEqual(
			chunks.map(chunk => chunk.choices[0]?.delta.content).filter(content => content),
			[...deltas],
		);
	});
}

test('every event of a stream is a network chunk of its own', async t => {
	const {post} = await upstreamAndClients(t);
	const response = await post('/v1/chat/completions', {model: 'words-20', messages: hi, stream: true});
	let parts = 0;
	for await (const _ of response.body ?? []) parts++;
	t.true(parts > 5);
});

test('x-chunk-delay-ms sets the pace of a stream', async t => {
	const {post} = await upstreamAndClients(t);
	const from = Date.now();
	await readAll(await post('/v1/chat/completions', {model: 'words-5', messages: hi, stream: true}, {'x-chunk-delay-ms': '30'}));
	t.true(Date.now() - from >= 5 * 28);
});
