import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {anthropicClient, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

type Written = {name: string; hooks: Record<string, {reads: string[]; window?: object; operations?: string[]}>; handlers: string};

/** A gateway with virtual keys and plugins of its own, written for this test. */
const gatewayWith = async (t: ExecutionContext, plugins: Written[], models: Record<string, string[]> = {}): Promise<TestGateway> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-plugins-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	for (const {name, hooks, handlers} of plugins) {
		await mkdir(join(folder, name));
		await writeFile(join(folder, name, 'manifest.json'), JSON.stringify({name, version: '1.0.0', sdk: 1, runtime: 'isolate', hooks}));
		await writeFile(join(folder, name, 'index.ts'), `export default {hooks: {${handlers}}};\n`);
	}
	return startGateway(t, {
		models: {fast: ['local/echo'], sonnet: ['claude/echo'], long: ['local/words-300'], ...models},
		plugins: [{use: 'virtual-keys'}, ...plugins.map(({name}) => ({use: join(folder, name)}))],
	});
};

const toolRules: Written = {
	name: 'tool-rules',
	hooks: {'on-tool-call': {reads: ['tool.name', 'tool.arguments', 'source']}},
	handlers: `'on-tool-call'({tool: {name, arguments: args}, source}) {
		if (name === 'shell') return {verdict: 'deny', message: 'No shell.', rule: 'shell'};
		if (args.city === 'Ghent') return {verdict: 'rewrite', patch: {arguments: {city: 'Bruges', source}}};
	}`,
};

const shell = {type: 'function' as const, function: {name: 'shell', parameters: {type: 'object', properties: {command: {type: 'string'}}}}};

test('a tool call that a model asks for is changed or refused before the client sees any of it, streamed or not', async t => {
	const gateway = await gatewayWith(t, [toolRules]);
	const apiKey = await gateway.key();
	const client = openaiClient(gateway, {apiKey});
	const asking = {model: 'fast', messages: user('call the tool weather with {"city": "Ghent"}'), tools: [weather], n: 2};
	const expected = {city: 'Bruges', source: 'model'};

	const argumentsOf = ({choices}: OpenAI.ChatCompletion) =>
		choices.map(({message}) =>
			message.tool_calls?.map(call => (call.type === 'function' ? JSON.parse(call.function.arguments) : undefined)),
		);
	t.deepEqual(argumentsOf(await client.chat.completions.create(asking)), [[expected], [expected]]);
	t.deepEqual(argumentsOf(await client.chat.completions.stream(asking).finalChatCompletion()), [[expected], [expected]]);

	const refused = {...asking, messages: user('call the tool shell with {"command": "rm -rf /"}'), tools: [shell]};
	const error = await t.throwsAsync(client.chat.completions.create(refused), {instanceOf: OpenAI.PermissionDeniedError});
	t.is(error?.code, 'denied');
	const pieces: string[] = [];
	const inStream = await t.throwsAsync(async () => {
		for await (const chunk of await client.chat.completions.create({...refused, stream: true})) pieces.push(JSON.stringify(chunk));
	});
	t.true(inStream instanceof OpenAI.APIError);
	t.notRegex(pieces.join(''), /shell|rm -rf/);

	const claude = anthropicClient(gateway, {apiKey});
	const calling = {
		model: 'sonnet',
		max_tokens: 100,
		messages: user('call the tool weather with {"city": "Ghent"}'),
		tools: [{name: 'weather', input_schema: {type: 'object' as const, properties: {city: {type: 'string'}}}}],
	};
	t.like((await claude.messages.create(calling)).content.at(-1), {type: 'tool_use', input: expected});
	t.like((await claude.messages.stream(calling).finalMessage()).content.at(-1), {type: 'tool_use', input: expected});
	const shelled = {...calling, messages: user('call the tool shell'), tools: [{name: 'shell', input_schema: {type: 'object' as const}}]};
	await t.throwsAsync(claude.messages.create(shelled), {instanceOf: Anthropic.PermissionDeniedError});
	await t.throwsAsync(claude.messages.stream(shelled).finalMessage(), {instanceOf: Anthropic.APIError});

	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome, error}) => `${outcome} ${error?.code ?? ''} ${error?.rule ?? ''}`.trim()),
		['ok', 'ok', 'denied denied shell', 'denied denied shell', 'ok', 'ok', 'denied denied shell', 'denied denied shell'],
	);
});

const guard: Written = {
	name: 'guard',
	hooks: {'post-response': {reads: ['window', 'text[]'], window: {chars: 64, overlap: 16}}},
	handlers: `'post-response'({window, text}) {
		const words = window ? window.text : (text ?? []).join(' ');
		if (words.includes('word299')) return {verdict: 'deny', code: 'content_blocked', message: 'Not this word.', rule: 'word299'};
	}`,
};

test('a guard that refuses the very end of an answer refuses it, although the upstream has ended well', async t => {
	const gateway = await gatewayWith(t, [guard]);
	const client = openaiClient(gateway, {apiKey: await gateway.key()});
	for (const model of ['long', 'local/bytes-100000']) {
		const messages = user(model === 'long' ? 'hi' : 'word299');
		let streamed = '';
		let finished = false;
		const error = await t.throwsAsync(async () => {
			for await (const {choices} of await client.chat.completions.create({model, messages, stream: true})) {
				streamed += choices[0]?.delta.content ?? '';
				finished ||= typeof choices[0]?.finish_reason === 'string';
			}
		});
		t.true(error instanceof OpenAI.APIError, String(error));
		t.notRegex(streamed, /word299/);
		t.false(finished);
		await t.throwsAsync(client.chat.completions.create({model, messages}), {instanceOf: OpenAI.BadRequestError});
	}
	const records = await modelRecords(gateway);
	t.is(records.length, 4);
	for (const record of records) t.like(record, {outcome: 'denied', error: {code: 'content_blocked', plugin: 'guard', rule: 'word299'}});
	t.true(records.every(({costMicroUsd}) => (costMicroUsd ?? 0) > 0));
});

const answering: Written = {
	name: 'answering',
	hooks: {'pre-request': {reads: ['text[]'], operations: ['chat', 'messages']}},
	handlers: `'pre-request'({text}) {
		if (text.includes('fixed')) return {verdict: 'respond', response: {body: {choices: [{message: {role: 'assistant', content: 'the word is tulip'}}]}}};
		if (text.includes('greet')) return {verdict: 'respond', response: {text: 'the word is tulip'}};
		if (text.includes('elsewhere')) return {verdict: 'route', plan: ['local/words-2']};
		if (text.includes('other')) return {verdict: 'rewrite', patch: {model: 'long', params: {max_tokens: 3, note: {said: 'tulip'}}}};
	}`,
};

const gardener: Written = {
	name: 'gardener',
	hooks: {
		'post-response': {reads: ['text[]', 'principal.tenant'], operations: ['chat', 'messages']},
		'pre-request': {reads: ['text[]', 'principal.tenant'], operations: ['chat', 'messages']},
	},
	handlers: `'post-response': ({text, principal}) => picked(text, principal), 'pre-request': ({text, principal}) => picked(text, principal)`,
};
gardener.handlers = gardener.handlers.replaceAll(
	'picked(text, principal)',
	`{
		if (principal.tenant !== 'acme') return undefined;
		const patch = {};
		for (const [index, words] of (text ?? []).entries()) if (words.includes('tulip')) patch[index] = words.replace('tulip', 'rose');
		return {verdict: 'rewrite', patch: {text: patch}};
	}`,
);

test('an answer of a plugin’s own passes the guards, and one exchange’s never shows in another’s', async t => {
	const gateway = await gatewayWith(t, [answering, gardener]);
	const acme = openaiClient(gateway, {apiKey: await gateway.key({tenant: 'acme'})});
	const other = openaiClient(gateway, {apiKey: await gateway.key({tenant: 'other'})});
	const say = async (client: OpenAI, content: string) =>
		(await client.chat.completions.create({model: 'fast', messages: user(content)})).choices[0]?.message.content;
	for (const words of ['fixed', 'greet', 'fixed', 'greet']) {
		t.is(await say(acme, words), 'the word is rose');
		t.is(await say(other, words), 'the word is tulip');
	}
	t.is(gateway.upstream.counts().total, 0);
	t.is(await acme.chat.completions.stream({model: 'fast', messages: user('greet')}).finalContent(), 'the word is rose');
	const claude = anthropicClient(gateway, {apiKey: await gateway.key({tenant: 'other'})});
	t.is(await claude.messages.stream({model: 'sonnet', max_tokens: 9, messages: user('greet')}).finalText(), 'the word is tulip');
	for (const record of await modelRecords(gateway)) t.like(record, {outcome: 'ok', status: 200, costMicroUsd: 0});

	for (const [client, word] of [
		[acme, 'rose'],
		[other, 'tulip'],
		[acme, 'rose'],
		[other, 'tulip'],
	] as const) {
		gateway.upstream.reset();
		t.is((await say(client, 'other'))?.trim(), 'word1 word2');
		t.like(JSON.parse(gateway.upstream.requests[0]?.body ?? ''), {model: 'words-300', max_tokens: 3, note: {said: word}});
	}
	t.is(await say(other, 'elsewhere'), 'word1 word2');
	t.like((await modelRecords(gateway)).at(-1), {model: 'fast', deployment: 'local/words-2'});
});
