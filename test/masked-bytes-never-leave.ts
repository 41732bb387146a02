import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startGateway, type TestGateway} from './helpers/gateway.ts';

const secrets = [
	'ada.lovelace@example.com',
	'4111 1111 1111 1111',
	'DE89 3704 0044 0532 0130 00',
	'+49 30 901820',
	'192.168.17.42',
	'ghp_0123456789abcdefghijABCDEFGHIJ012345',
];
const letter = `Dear Ada, write to ${secrets[0]}, pay with ${secrets[1]} or from ${secrets[2]}, call ${secrets[3]}, log in at ${secrets[4]} with ${secrets[5]}. Bye`;
const masked = 'Dear Ada, write to [EMAIL], pay with [CARD] or from [IBAN], call [PHONE], log in at [IP] with [API_KEY]. Bye';

const start = async (t: ExecutionContext, config: Record<string, unknown>) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'masking', config}]});
	const apiKey = await gateway.key();
	return {
		gateway,
		openai: new OpenAI({baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0}),
		anthropic: new Anthropic({baseURL: gateway.url, apiKey, maxRetries: 0}),
		apiKey,
	};
};

/** Any run of eight characters of a secret, which no masked place may hold. */
const traces = secrets.flatMap(secret => Array.from({length: secret.length - 7}, (_, at) => secret.slice(at, at + 8)));

const clean = (t: ExecutionContext, text: string, where: string): void => {
	for (const trace of traces) if (text.includes(trace)) t.fail(`"${trace}" is in ${where}`);
};

const cleanRecords = async (t: ExecutionContext, gateway: TestGateway): Promise<void> => {
	clean(t, JSON.stringify(await gateway.journal()), 'the journal');
	clean(t, gateway.logged(), 'the log');
};

const messages = (content: string) => [{role: 'user' as const, content}];

test('no byte of a masked value reaches the provider, whatever field of the request it stands in', async t => {
	const {gateway, openai} = await start(t, {});
	await openai.chat.completions.create({
		model: 'local/echo',
		user: secrets[0],
		metadata: {contact: secrets[3]!, [secrets[4]!]: 'host'},
		messages: [
			{role: 'system', content: letter},
			{role: 'user', content: [{type: 'text', text: letter}]},
			{
				role: 'assistant',
				content: null,
				tool_calls: [{id: 'call_1', type: 'function', function: {name: 'mail', arguments: JSON.stringify({to: secrets[0]})}}],
			},
			{role: 'tool', tool_call_id: 'call_1', content: letter},
			{role: 'user', name: 'ada', content: letter},
		],
		tools: [
			{
				type: 'function',
				function: {
					name: 'mail',
					description: letter,
					parameters: {type: 'object', properties: {to: {type: 'string', default: secrets[0]}}},
				},
			},
		],
		// A field nobody knows.
		...{extra: {deep: [{note: letter}]}},
	});
	t.is(gateway.upstream.requests.length, 1);
	clean(t, gateway.upstream.requests[0]!.body, 'what the provider got');
	t.true(gateway.upstream.requests[0]!.body.includes('[EMAIL]'));
	await cleanRecords(t, gateway);
});

test('embeddings and token counts are masked like chats', async t => {
	const {gateway, openai, anthropic} = await start(t, {});
	await openai.embeddings.create({model: 'local/embed', input: [letter, 'plain']});
	await anthropic.messages.countTokens({model: 'claude/echo', messages: messages(letter), system: letter});
	t.is(gateway.upstream.requests.length, 2);
	for (const {body} of gateway.upstream.requests) clean(t, body, 'what the provider got');
});

test('no byte of a masked value of a reply reaches the client', async t => {
	const {gateway, openai, anthropic} = await start(t, {in: ['response']});
	const chat = await openai.chat.completions.create({model: 'local/echo', messages: messages(letter)});
	t.is(chat.choices[0]!.message.content, `You said: ${masked}`);
	const message = await anthropic.messages.create({model: 'claude/echo', max_tokens: 500, messages: messages(letter)});
	t.deepEqual(
		message.content.map(part => part.type === 'text' && part.text),
		[`You said: ${masked}`],
	);
	await cleanRecords(t, gateway);
});

const sizes = [1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 53, 67, 97, 150];

test('no byte of a masked value of a stream reaches the client, however the text is cut', async t => {
	const {gateway, openai, anthropic} = await start(t, {in: ['response']});
	for (const size of sizes) {
		let text = '';
		const chunks: string[] = [];
		for await (const chunk of await openai.chat.completions.create({
			model: `local/split-${size}`,
			stream: true,
			messages: messages(letter),
		})) {
			text += chunk.choices[0]?.delta.content ?? '';
			chunks.push(JSON.stringify(chunk));
		}
		t.is(text, `You said: ${masked}`, `OpenAI, cut at every ${size}`);
		clean(t, chunks.join('\n'), 'what the client got');

		const stream = anthropic.messages.stream({model: `claude/split-${size}`, max_tokens: 500, messages: messages(letter)});
		t.is(await stream.finalText(), `You said: ${masked}`, `Anthropic, cut at every ${size}`);
	}
	await cleanRecords(t, gateway);
});

test('a value shifted through every position of a chunk is masked', async t => {
	const {openai} = await start(t, {in: ['response']});
	for (let shift = 0; shift < 12; shift++) {
		let text = '';
		const content = `${'x'.repeat(shift)} ada@example.com`;
		for await (const chunk of await openai.chat.completions.create({model: 'local/split-12', stream: true, messages: messages(content)})) {
			text += chunk.choices[0]?.delta.content ?? '';
		}
		t.is(text, `You said: ${'x'.repeat(shift)} [EMAIL]`);
	}
});

test('raw bytes of the stream hold no masked value, even where network chunks end inside events', async t => {
	const {gateway, apiKey} = await start(t, {in: ['response']});
	for (const size of [1, 7, 64, 1_000]) {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: `local/bytes-${size}`, stream: true, stream_options: {include_usage: true}, messages: messages(letter)}),
		});
		const text = await response.text();
		clean(t, text, `the stream in pieces of ${size} bytes`);
		t.true(text.endsWith('data: [DONE]\n\n'));
	}
});

test('tool call arguments that stream are masked', async t => {
	const {openai} = await start(t, {in: ['response']});
	const tools = [{type: 'function' as const, function: {name: 'mail', parameters: {type: 'object', properties: {to: {type: 'string'}}}}}];
	let args = '';
	const content = `call the tool mail with ${JSON.stringify({to: secrets[0]})}`;
	for await (const chunk of await openai.chat.completions.create({model: 'local/echo', stream: true, tools, messages: messages(content)})) {
		args += chunk.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? '';
	}
	t.deepEqual(JSON.parse(args), {to: '[EMAIL]'});
});

test('reversible: the provider gets placeholders, the client its own values, streamed or not', async t => {
	const {gateway, openai, anthropic} = await start(t, {reversible: true});
	const chat = await openai.chat.completions.create({model: 'local/echo', messages: messages(letter)});
	t.is(chat.choices[0]!.message.content, `You said: ${letter}`);
	for (const size of [1, 3, 8, 20]) {
		let text = '';
		for await (const chunk of await openai.chat.completions.create({
			model: `local/split-${size}`,
			stream: true,
			messages: messages(letter),
		})) {
			text += chunk.choices[0]?.delta.content ?? '';
		}
		t.is(text, `You said: ${letter}`, `cut at every ${size}`);
		const stream = anthropic.messages.stream({model: `claude/split-${size}`, max_tokens: 500, messages: messages(letter)});
		t.is(await stream.finalText(), `You said: ${letter}`, `cut at every ${size}`);
	}
	for (const {body} of gateway.upstream.requests) clean(t, body, 'what the provider got');
	await cleanRecords(t, gateway);
});

test('an upstream error that repeats the request shows the client nothing that was masked', async t => {
	const {gateway, apiKey} = await start(t, {});
	const response = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'local/fault-400', messages: messages(letter)}),
	});
	t.is(response.status, 400);
	clean(t, await response.text(), 'the error');
	await cleanRecords(t, gateway);
});
