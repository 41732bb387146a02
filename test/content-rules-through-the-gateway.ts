import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {anthropicClient, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, rules: Record<string, unknown>, config: GatewayConfigInput = {}) => {
	const gateway = await startGateway(t, {...config, plugins: [{use: 'virtual-keys'}, {use: 'content-rules', config: rules}]});
	const apiKey = await gateway.key();
	return {gateway, apiKey, openai: openaiClient(gateway, {apiKey}), anthropic: anthropicClient(gateway, {apiKey})};
};

const rules = {
	phrases: [
		{
			name: 'code-name',
			category: 'confidential',
			phrases: ['Project Falcon'],
			on: ['answer', 'tool-arguments', 'tool-results', 'tool-descriptions'],
			action: 'mask',
		},
		{name: 'banned', phrases: ['make a bomb'], on: ['request', 'tool-arguments']},
	],
	patterns: [{name: 'staff', pattern: '\\bEMP-\\d{4}\\b', on: ['answer', 'tool-results'], action: 'mask'}],
	links: {hosts: ['good.example'], on: ['answer', 'tool-results']},
	images: {hosts: [], on: ['answer', 'tool-results']},
	html: {on: ['answer']},
};
const letter = [
	'On project\u200b-falcon, EMP-4711 wrote [here](https://good.example/x), HTTPS://evil.example/?q=4711,',
	'![x](//evil.example/p.png?q=4711) <b onclick="send(4711)">bold</b> 😀 &#104;ttps://evil.example/4711 done.',
].join(' ');
const clean = 'On [CODE-NAME], [STAFF] wrote [here](https://good.example/x), [LINK] ![x]([IMAGE]) bold</b> 😀 [LINK] done.';

const traces = ['EMP-4711', 'q=4711', 'evil.example'];

const keepsNothing = async (t: ExecutionContext, gateway: TestGateway): Promise<void> => {
	const journal = JSON.stringify(await gateway.journal());
	const metrics = await gateway.gateway.metrics.text();
	for (const trace of traces) {
		t.false(journal.includes(trace), 'the journal');
		t.false(gateway.logged().includes(trace), 'the log');
		t.false(metrics.includes(trace), 'the metrics');
	}
};

test('an answer goes out without what the rules want gone, and the record says what that was', async t => {
	const {gateway, openai, anthropic} = await start(t, rules);
	const {data, response} = await openai.chat.completions.create({model: 'fast', messages: user(letter)}).withResponse();
	t.is(data.choices[0]!.message.content, `You said: ${clean}`);
	t.is(response.headers.get('x-sallyport-guards'), 'content-rules');
	const message = await anthropic.messages.create({model: 'sonnet', max_tokens: 500, messages: user(letter)});
	t.deepEqual(
		message.content.map(part => part.type === 'text' && part.text),
		[`You said: ${clean}`],
	);
	const {findings = []} = (await modelRecords(gateway)).at(-1)!;
	t.deepEqual(new Set(findings.map(({detector}) => detector)), new Set(['code-name', 'staff', 'link', 'image', 'html']));
	t.like(
		findings.find(({detector}) => detector === 'code-name'),
		{plugin: 'content-rules', category: 'confidential', action: 'mask', channel: 'assistant', hook: 'post-response'},
	);
	await keepsNothing(t, gateway);
});

test('no byte of it leaves in a stream, however that is cut, in either dialect', async t => {
	const {gateway, openai, anthropic} = await start(t, rules);
	for (const size of [1, 2, 3, 5, 7, 11, 13, 19, 29, 41, 67, 150]) {
		const chunks: string[] = [];
		let text = '';
		for await (const chunk of await openai.chat.completions.create({model: `local/split-${size}`, stream: true, messages: user(letter)})) {
			text += chunk.choices[0]?.delta.content ?? '';
			chunks.push(JSON.stringify(chunk));
		}
		t.is(text, `You said: ${clean}`, `OpenAI, cut at every ${size}`);
		for (const trace of traces) t.false(chunks.join('').includes(trace));
		const stream = anthropic.messages.stream({model: `claude/split-${size}`, max_tokens: 500, messages: user(letter)});
		t.is(await stream.finalText(), `You said: ${clean}`, `Anthropic, cut at every ${size}`);
	}
	await keepsNothing(t, gateway);
});

test('arguments that a model writes are masked as they stream, and stay JSON', async t => {
	const {gateway, openai, anthropic} = await start(t, rules);
	const asking = user('call the tool weather with {"city": "Project Falcon", "note": "a \\"quoted\\" pro\\u006aect falcon"}');
	const expected = {city: '[CODE-NAME]', note: 'a "quoted" [CODE-NAME]'};
	for (const size of [1, 3, 8, 40]) {
		let written = '';
		const chat = {model: `local/split-${size}`, stream: true as const, messages: asking, tools: [weather]};
		for await (const chunk of await openai.chat.completions.create(chat))
			written += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
		t.deepEqual(JSON.parse(written), expected, `OpenAI, cut at every ${size}`);
		const tools = [{name: 'weather', input_schema: {type: 'object' as const}}];
		const message = await anthropic.messages
			.stream({model: `claude/split-${size}`, max_tokens: 500, messages: asking, tools})
			.finalMessage();
		const [part] = message.content.filter(each => each.type === 'tool_use');
		t.deepEqual(part?.input, expected, `Anthropic, cut at every ${size}`);
	}
	const whole = await openai.chat.completions.create({model: 'fast', messages: asking, tools: [weather]});
	const [call] = whole.choices[0]!.message.tool_calls ?? [];
	t.deepEqual(JSON.parse(call?.type === 'function' ? call.function.arguments : ''), expected);
	t.true((await modelRecords(gateway)).at(-1)!.findings?.some(({channel}) => channel === 'tool-arguments'));
});

test('what may not be asked never reaches the provider, and the client is told so in its dialect', async t => {
	const {gateway, openai, anthropic} = await start(t, rules);
	for (const words of ['how to make a bomb', 'MАKE  A BΟMB', 'ma\u00adke a bo\u200dmb']) {
		const error = await t.throwsAsync(openai.chat.completions.create({model: 'fast', messages: user(words)}), {
			instanceOf: OpenAI.BadRequestError,
		});
		t.like(error, {code: 'content_blocked'});
		await t.throwsAsync(anthropic.messages.create({model: 'sonnet', max_tokens: 9, messages: user(words)}), {
			instanceOf: Anthropic.BadRequestError,
		});
		t.false(JSON.stringify(error).includes('bomb'));
	}
	t.is(gateway.upstream.requests.length, 0);
	await openai.chat.completions.create({model: 'fast', messages: user('make a bombastic remark')});
	t.is(gateway.upstream.requests.length, 1);
});

test('a rule for requests is not asked of what a provider calls its answer', async t => {
	const phrases = [{name: 'banned', phrases: ['split-7'], on: ['request'], action: 'deny'}];
	const {openai} = await start(t, {phrases}, {models: {seven: ['local/split-7']}});
	const whole = await openai.chat.completions.create({model: 'seven', messages: user('hello')});
	t.is(whole.choices[0]!.message.content, 'You said: hello');
	let text = '';
	for await (const chunk of await openai.chat.completions.create({model: 'seven', stream: true, messages: user('hello')}))
		text += chunk.choices[0]?.delta.content ?? '';
	t.is(text, 'You said: hello');
	await t.throwsAsync(openai.chat.completions.create({model: 'seven', messages: user('a split-7 b')}), {
		instanceOf: OpenAI.BadRequestError,
	});
});

const saying = (text: string) => `say:${Buffer.from(text).toString('base64url')}`;
type Clients = {openai: OpenAI; anthropic: Anthropic};

/** What both clients were shown before the end, and what the end was. */
const streamed = async ({openai, anthropic}: Clients, text: string) => {
	let seen = '';
	let failure: unknown;
	try {
		for await (const chunk of await openai.chat.completions.create({model: `local/${saying(text)}`, stream: true, messages: user('go')}))
			seen += chunk.choices[0]?.delta.content ?? '';
	} catch (error) {
		failure = error;
	}
	let seenToo = '';
	const stream = anthropic.messages.stream({model: `claude/${saying(text)}`, max_tokens: 500, messages: user('go')});
	stream.on('text', delta => {
		seenToo += delta;
	});
	const failureToo = await stream.finalText().then(
		() => undefined,
		(error: unknown) => error,
	);
	return {seen, seenToo, failed: failure instanceof OpenAI.APIError, failedToo: failureToo instanceof Anthropic.APIError};
};

test('an answer that is not JSON is refused, and a stream ends with an error before the first wrong character', async t => {
	const clients = await start(t, {answers: {json: true}});
	const good = '{"city": "Oslo", "degrees": [1, -2.5e1]}';
	t.deepEqual(await streamed(clients, good), {seen: good, seenToo: good, failed: false, failedToo: false});
	const chat = await clients.openai.chat.completions.create({model: `local/${saying(good)}`, messages: user('go')});
	t.is(chat.choices[0]!.message.content, good);
	const message = await clients.anthropic.messages.create({model: `claude/${saying(good)}`, max_tokens: 99, messages: user('go')});
	t.like(message.content, [{text: good}]);
	for (const [text, before] of [
		['Sure! {"a": 1}', ''],
		['{"a": 1} and more words', '{"a": 1} '],
	] as const) {
		const {seen, seenToo, failed, failedToo} = await streamed(clients, text);
		t.true(before.startsWith(seen) && before.startsWith(seenToo), `${seen} | ${seenToo}`);
		t.true(failed && failedToo, text);
		const whole = clients.openai.chat.completions.create({model: `local/${saying(text)}`, messages: user('go')});
		await t.throwsAsync(whole, {instanceOf: OpenAI.BadRequestError});
	}
	const cut = await streamed(clients, '{"a": 1');
	t.true(cut.failed && cut.failedToo);
});

test('no client is shown the end of an answer that is not as its schema wants it', async t => {
	const schema = {type: 'object', required: ['city'], properties: {city: {type: 'string', maxLength: 20}}, additionalProperties: false};
	const clients = await start(t, {answers: {schema}});
	const good = '{"city": "Oslo"}';
	t.deepEqual(await streamed(clients, good), {seen: good, seenToo: good, failed: false, failedToo: false});
	const {seen, seenToo, failed, failedToo} = await streamed(clients, '{"town": "Oslo"}');
	t.true(failed && failedToo);
	for (const each of [seen, seenToo]) t.throws(() => JSON.parse(each));
});

test('an answer that is too long is cut off where the rules say so', async t => {
	const {openai, anthropic} = await start(t, {answers: {maxChars: 25, tooLong: 'strip'}});
	const words = 'one two three four five six seven';
	const expected = `You said: ${words}`.slice(0, 25);
	let text = '';
	for await (const chunk of await openai.chat.completions.create({model: 'fast', stream: true, messages: user(words)}))
		text += chunk.choices[0]?.delta.content ?? '';
	t.is(text, expected);
	t.is(await anthropic.messages.stream({model: 'sonnet', max_tokens: 99, messages: user(words)}).finalText(), expected);
	const whole = await openai.chat.completions.create({model: 'fast', messages: user(words)});
	t.is(whole.choices[0]!.message.content, expected);
});

test('over MCP arguments are refused, results and descriptions masked', async t => {
	const upstream = await hostileUpstream(
		t,
		({id}, res) => {
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text: `${letter}`}]}}));
		},
		[{name: 'say', description: 'about Project Falcon', inputSchema: {type: 'object'}}],
	);
	const {gateway, apiKey} = await start(t, rules, {servers: {one: {url: upstream.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, apiKey);
	const answer = await wire.call('say', {words: 'hello'});
	t.is(wordsOf(answer), clean.replace('bold</b>', '<b onclick="send(4711)">bold</b>'));
	const calls = () => upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call').length;
	t.is(calls(), 1);
	const refused = await wire.call('say', {list: [{deep: 'how to make a bomb'}]});
	t.truthy(refused.body.error);
	t.is(calls(), 1, 'the server never saw it');
	t.true(JSON.stringify((await wire.ask('tools/list')).body).includes('about [CODE-NAME]'));
});

test('what is found can taint, and who observes changes nothing', async t => {
	const gateway = await startGateway(t, {
		plugins: [
			{use: 'virtual-keys'},
			{
				use: 'content-rules',
				config: {phrases: [{name: 'code-name', category: 'confidential', phrases: ['Project Falcon'], action: 'taint'}]},
			},
		],
	});
	const openai = openaiClient(gateway, {apiKey: await gateway.key()});
	const answer = await openai.chat.completions.create({model: 'fast', messages: user('project falcon')});
	t.is(answer.choices[0]!.message.content, 'You said: project falcon');
	t.like((await modelRecords(gateway)).at(-1)!.findings?.[0], {action: 'taint', category: 'confidential'});

	const watching = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'content-rules', mode: 'observe', config: rules}]});
	const other = openaiClient(watching, {apiKey: await watching.key()});
	const seen = await other.chat.completions.create({model: 'fast', messages: user(letter)});
	t.is(seen.choices[0]!.message.content, `You said: ${letter}`);
	t.true((await modelRecords(watching)).at(-1)!.findings?.some(({mode}) => mode === 'observe'));
});

test("by meaning, a real embedding model is asked, at the caller's cost and on the record; without the grant nothing passes", async t => {
	const meaning = {
		model: 'local/embed',
		topics: [{name: 'pay', examples: ['what is the salary of my colleague Ada'], threshold: 0.6, action: 'deny'}],
	};
	const entry = {use: 'content-rules', config: {meaning}};
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {...entry, grants: {models: ['local/embed']}}]});
	const openai = openaiClient(gateway, {apiKey: await gateway.key()});
	const say = (words: string) => openai.chat.completions.create({model: 'fast', messages: user(words)});
	const answer = await say('please tell me about the weather in Oslo tomorrow');
	t.truthy(answer.choices[0]!.message.content);
	await t.throwsAsync(say('the salary of my colleague Ada, what is it'), {instanceOf: OpenAI.BadRequestError});
	const asked = gateway.upstream.requests.filter(({path}) => path.endsWith('/embeddings'));
	t.is(asked.length, 2);
	const records = await modelRecords(gateway);
	t.is(records.filter(({operation, causedBy}) => operation === 'embeddings' && causedBy !== undefined).length, 2);

	const bare = await startGateway(t, {plugins: [{use: 'virtual-keys'}, entry]});
	const other = openaiClient(bare, {apiKey: await bare.key()});
	await t.throwsAsync(other.chat.completions.create({model: 'fast', messages: user('hello to all of you')}), {
		instanceOf: OpenAI.BadRequestError,
	});
	t.is(bare.upstream.requests.length, 0);
});

test('a pattern that cannot be matched in linear time stops the boot, and the message says where and what to write', async t => {
	const error = await t.throwsAsync(start(t, {patterns: [{name: 'twice', pattern: '(\\w+) \\1'}]}));
	t.regex(error!.message, /patterns\.0\.pattern/);
	t.regex(error!.message, /write out what it stands for/);
});
