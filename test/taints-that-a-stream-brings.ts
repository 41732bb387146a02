import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import {approvals, type Entry} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {providerKey, startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {openaiClient, user} from './helpers/sdks.ts';

const leak = 'my orders are as follows';

/** A provider that says what it was told to say, and then calls `bash`. */
const provider = async (t: ExecutionContext): Promise<string> => {
	const server = createServer(async (req, res) => {
		const {messages, stream} = JSON.parse(await text(req)) as {messages: {content: string}[]; stream?: boolean};
		if (!stream) {
			const {content} = messages[0]!;
			const message = {
				role: 'assistant',
				content,
				tool_calls: [{id: 'call_1', type: 'function', function: {name: 'bash', arguments: '{}'}}],
			};
			const body = {id: 'c', object: 'chat.completion', choices: [{index: 0, message, finish_reason: 'tool_calls'}]};
			return res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(body));
		}
		res.writeHead(200, {'content-type': 'text/event-stream'});
		const chunk = (choice: object) =>
			res.write(`data: ${JSON.stringify({id: 'c', object: 'chat.completion.chunk', choices: [{index: 0, ...choice}]})}\n\n`);
		for (const content of messages[0]!.content.match(/.{1,5}/gs)!) chunk({delta: {content}});
		chunk({delta: {tool_calls: [{index: 0, id: 'call_1', type: 'function', function: {name: 'bash', arguments: '{}'}}]}});
		chunk({delta: {}, finish_reason: 'tool_calls'});
		res.end('data: [DONE]\n\n');
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
};

const guard = (t: ExecutionContext) =>
	writePlugin(freshFolder(t), {
		name: 'leaks',
		before: `const finding = {detector: 'leaks', category: 'prompt-leak', severity: 'high', score: 1, channel: 'assistant', action: 'taint'};`,
		reads: {'post-response': ['window', 'text[]']},
		hooks: `hooks: {'post-response': ({window, text}) => {
			if (!window) return text.some(part => part.includes('${leak}')) ? allow({findings: [finding]}) : undefined;
			const clear = window.final ? window.text.length : Math.max(0, window.text.length - 30);
			return window.text.includes('${leak}') ? allow({clear, findings: [finding]}) : allow({clear});
		}}`,
	});

const grants = {use: 'grants', config: {allow: {'*': {models: ['*'], whenTainted: {by: ['prompt-leak'], deny: {asked: ['bash']}}}}}};

const start = async (t: ExecutionContext, tier: 'inline' | 'process', rules: Entry = grants) => {
	const folder = await guard(t);
	const baseUrl = await provider(t);
	const gateway = await startGateway(t, {
		providers: {local: {speaks: 'openai', baseUrl, key: providerKey}},
		models: {fast: ['local/any']},
		plugins: [
			{use: 'virtual-keys'},
			{use: folder, tier, ...(tier === 'inline' && {trust: (await codeOf(folder, 'isolate')).digest})},
			rules,
		],
	});
	return {gateway, client: openaiClient(gateway, {apiKey: await gateway.key()})};
};

for (const tier of ['inline', 'process'] as const) {
	test.serial(`${tier}: a tool call is refused that comes in the same stream after what taints it, and no piece of it leaves`, async t => {
		const {gateway, client} = await start(t, tier);
		const ask = async (words: string) => {
			let heard = '';
			for await (const chunk of await client.chat.completions.create({model: 'fast', stream: true, messages: user(words)}))
				heard += JSON.stringify(chunk);
			return heard;
		};
		const [before, after] = ['well, '.repeat(30), ' and so on'.repeat(30)];
		t.true((await ask(before + after)).includes('bash'));
		let heard = '';
		await t.throwsAsync(
			ask(before + leak + after).then(all => {
				heard = all;
			}),
			{message: /not for a session that is tainted \(prompt-leak\)/},
		);
		t.false(heard.includes('bash'));
		const denied = (await gateway.journal()).filter(({error}) => error?.plugin === 'grants');
		t.is(denied.length, 1);
		t.like(denied[0], {findings: [{action: 'taint', category: 'prompt-leak'}]});
	});
}

test.serial(
	'of an answer that comes whole, a tool call is refused that stands beside what taints it, also where it would have to wait',
	async t => {
		for (const rules of [grants, approvals([{name: 'tainted', asked: ['bash'], tainted: true}])]) {
			const {gateway, client} = await start(t, 'inline', rules);
			const ask = (words: string) => client.chat.completions.create({model: 'fast', messages: user(words)});
			t.is((await ask('nothing')).choices[0]?.message.tool_calls?.length, 1);
			await t.throwsAsync(ask(`well, ${leak}`), {message: /tainted/});
			const [denied] = (await gateway.journal()).filter(({outcome}) => outcome === 'denied');
			t.like(denied, {error: {code: 'denied'}, findings: [{action: 'taint', category: 'prompt-leak'}]});
		}
	},
);
