import {setTimeout as sleep} from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {freshFolder} from './helpers/config-file.ts';
import {chunkOf, type DialectName, type Event, guardedGateway, hidden, leakIn, sse, streamOf, values} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {eventually, modelRecords} from './helpers/sdks.ts';

const dialects: DialectName[] = ['openai', 'anthropic'];
const opening: Event = {type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}};
const delta = (dialect: DialectName, content: string): Event =>
	dialect === 'openai' ? chunkOf({delta: {content}}) : {type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: content}};
const begun = (dialect: DialectName): string =>
	dialect === 'openai' ? '' : streamOf(dialect, [opening]).split('event: message_delta')[0]!;
const ended = (dialect: DialectName): string =>
	streamOf(dialect, []).slice(dialect === 'openai' ? 0 : streamOf(dialect, []).indexOf('event: message_delta'));

/** A reader of a stream that has not ended: what has come by now. */
const reading = async (
	t: ExecutionContext,
	{gateway, key}: Awaited<ReturnType<typeof guardedGateway>>,
	dialect: DialectName,
	content: string,
) => {
	const leaving = new AbortController();
	t.teardown(() => leaving.abort());
	const response = await fetch(`${gateway.url}${dialect === 'openai' ? '/v1/chat/completions' : '/v1/messages'}`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({
			model: dialect === 'openai' ? 'local/any' : 'claude/any',
			max_tokens: 50,
			stream: true,
			messages: [{role: 'user', content}],
		}),
		signal: leaving.signal,
	});
	let text = '';
	const whole = (async () => {
		for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) text += piece;
		return text;
	})();
	whole.catch(() => undefined);
	return {came: () => text, whole, leave: () => leaving.abort()};
};

for (const dialect of dialects) {
	test(`${dialect}: what guards have cleared goes on while its provider is silent, and what they hold does not`, async t => {
		const world = await guardedGateway(t, 'mask');
		const {promise, resolve} = Promise.withResolvers<void>();
		const word = hidden['word-list'];
		// Fewer characters than word-list gathers, and the beginning of its word.
		const first = `${begun(dialect)}${sse(dialect, delta(dialect, `Slow is smooth. ${word.slice(0, 8)}`))}`;
		const second = `${sse(dialect, delta(dialect, `${word.slice(8)} goes`))}${ended(dialect)}`;
		const content = world.script({pieces: [first, second], between: piece => (piece === 0 ? promise : sleep(0))});
		const {came, whole} = await reading(t, world, dialect, content);
		await eventually(() => (came().includes('Slow is smooth. ') ? true : undefined));
		await sleep(300);
		t.false(came().includes(word.slice(0, 8)), 'held as long as it may be a value');
		resolve();
		const text = await whole;
		t.is(leakIn({headers: '', text}), undefined);
		t.regex(text, /\*\*\*/);
		t.regex(text, dialect === 'openai' ? /\[DONE\]\n\n$/ : /message_stop"\}\n\n$/);
	});

	test(`${dialect}: a value that is complete while its provider is silent is masked, or cuts the stream there and then`, async t => {
		for (const action of ['mask', 'deny'] as const) {
			const world = await guardedGateway(t, action);
			const {promise, resolve} = Promise.withResolvers<void>();
			const first = `${begun(dialect)}${sse(dialect, delta(dialect, `See ${hidden['word-list']} and`))}`;
			const content = world.script({pieces: [first, ended(dialect)], between: piece => (piece === 0 ? promise : sleep(0))});
			const {came, whole} = await reading(t, world, dialect, content);
			await eventually(() => (came().includes(action === 'mask' ? '***' : 'content_blocked') ? true : undefined));
			t.is(leakIn({headers: '', text: came()}), undefined);
			resolve();
			const text = await whole;
			t.is(/\[DONE\]|message_stop/.test(text), action === 'mask');
			if (action === 'mask') continue;
			const record = (await modelRecords(world.gateway)).at(-1);
			t.like(record, {outcome: 'denied', error: {code: 'content_blocked', plugin: 'word-list'}});
		}
	});

	test(`${dialect}: no clock is left behind by streams that end, break, are cut or are left`, async t => {
		const world = await guardedGateway(t, 'deny');
		const clocks = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
		const some = sse(dialect, delta(dialect, 'Some words that wait '));
		const ways: (string | null)[] = [ended(dialect), '', sse(dialect, delta(dialect, hidden.herons)), null];
		const run = async () => {
			for (const way of ways) {
				const content = world.script({
					pieces: [begun(dialect) + some, way ?? '', ended(dialect)],
					between: piece => sleep(way === null && piece === 1 ? 200 : 0),
				});
				const {came, whole, leave} = await reading(t, world, dialect, content);
				if (way === null) {
					await eventually(() => (came() === '' ? undefined : true));
					leave();
				}
				await whole.catch(() => undefined);
			}
			await eventually(async () => ((await modelRecords(world.gateway)).length % ways.length === 0 ? true : undefined));
		};
		await run();
		await sleep(300);
		const before = clocks();
		for (let round = 0; round < 5; round++) await run();
		await eventually(() => (clocks() <= before + 2 ? true : undefined));
		t.pass();
	});
}

test('a stream that no guard looks at travels as the very bytes that came', async t => {
	const elsewhere = {tenant: 'elsewhere'};
	const bare = await guardedGateway(t, 'deny', {
		plugins: [
			{use: 'virtual-keys'},
			{use: 'masking', config: {mask: ['email']}, when: elsewhere},
			{use: 'word-list', config: {words: ['Ada'], action: 'deny'}, when: elsewhere},
		],
	});
	const odd = `\ufeffid: 1\r\nevent: x\r\ndata:{ "choices":[{"index":0,"delta":{"content":"caf\\u00e9 ${hidden.masking} Ada"},"logprobs":{"content":[ ]}}],"x":1.0}\r\n\r\n: note\n\ndata: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}\n\ndata: [DONE]\n\n`;
	const {text} = await bare.seen('openai', {pieces: [...Buffer.from(odd)].map(byte => Buffer.from([byte]))});
	t.is(text, odd.slice(1));
});

test('guards that only observe see everything and change no byte, streamed or not', async t => {
	const mode = 'observe' as const;
	const world = await guardedGateway(t, 'deny', {
		plugins: [
			{use: 'virtual-keys'},
			{use: 'masking', config: {mask: ['email']}, mode},
			{use: 'word-list', config: {words: ['Ada'], action: 'deny'}, mode},
		],
	});
	const two = (name: string) => `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"${name}"}}]}}]}\n\n`;
	const said = `: note\n\nid: 1\ndata: { "choices":[{"index":0,"delta":{"content":"caf\\u00e9 ${hidden.masking} Ada "},"logprobs":{"content":[ ]}}],"x":1.0}\n\n`;
	const end = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}\n\ndata: [DONE]\n\n`;
	const {text} = await world.seen('openai', {pieces: [said + end]});
	t.is(text, `:\n\n${said.slice(8)}${end}`);
	const seen = (await modelRecords(world.gateway)).at(-1);
	t.deepEqual(
		seen?.rulings?.filter(({mode}) => mode).map(({plugin, verdict, mode}) => [plugin, verdict, mode]),
		[
			['word-list', 'deny', 'observe'],
			['masking', 'rewrite', 'observe'],
		],
	);
	t.is(seen?.outcome, 'ok');

	const odd = said + two('a') + two('b') + end;
	t.is((await world.seen('openai', {pieces: [odd]})).text, `:\n\n${odd.slice(8)}`);
	const blind = (await modelRecords(world.gateway)).at(-1);
	t.like(blind, {outcome: 'ok'});
	t.true(
		['masking', 'word-list'].every(name => blind?.rulings?.some(({plugin, verdict}) => plugin === name && verdict === 'failed')),
		'they have not seen the rest',
	);

	const whole = `{ "id":"x", "choices":[{"index":0,"message":{"content":"Ada ${hidden.masking}"},"logprobs":{"content":[{"token":"?"}]}}]}`;
	t.is((await world.seen('openai', {headers: {'content-type': 'application/json'}, pieces: [whole]}, false)).text, whole);
});

test('a guard that only observes finds what comes in pieces, alone and beside one that acts', async t => {
	const mode = 'observe' as const;
	const masking = {use: 'masking', config: {mask: ['email']}, mode};
	for (const others of [[], [{use: 'word-list', config: {words: ['zebra'], action: 'mask'}}]]) {
		const world = await guardedGateway(t, 'deny', {plugins: [{use: 'virtual-keys'}, masking, ...others]});
		const event = (content: string) => `data: ${JSON.stringify({choices: [{index: 0, delta: {content}}]})}\n\n`;
		const end = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6}}\n\ndata: [DONE]\n\n`;
		const {text} = await world.seen('openai', {pieces: [...[...`write to ${hidden.masking} today`].map(event), end]});
		const said = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join('');
		t.is(said, `write to ${hidden.masking} today`);
		const {findings} = (await modelRecords(world.gateway)).at(-1)!;
		t.deepEqual(
			findings?.map(({detector, mode}) => [detector, mode]),
			[['email', 'observe']],
		);
	}
});

test('the events of one chunk are one question for each string that grows', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'counting',
		reads: {'post-response': ['window', 'carried']},
		window: {chars: 0, overlap: 0},
		hooks: `hooks: {
			'post-response': ({window, carried}) => {
				const asked = Number(carried ?? 0) + 1;
				return allow({clear: window ? window.text.length : 0, carry: String(asked), annotate: {asked}});
			},
		}`,
	});
	const {gateway, seen} = await guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use: folder, tier: 'process'}]});
	const events = Array.from({length: 64}, (_, at) => [
		chunkOf({delta: {content: `word ${at} `}}),
		chunkOf({index: 1, delta: {reasoning: `thought ${at} `}}),
	]).flat();
	const {text} = await seen('openai', {pieces: [streamOf('openai', events)]});
	t.true(text.includes('word 0 word 1 '));
	t.true(text.includes('thought 63 '));
	const record = (await modelRecords(gateway)).at(-1);
	// Names, two strings that end, the usage; a chunk of TCP more or less.
	t.true(Number(record?.annotations?.['counting.asked']) <= 9, JSON.stringify(record?.annotations));
});

test('the official SDKs raise an error when a guard cuts, and never see an end', async t => {
	const {gateway, key, script} = await guardedGateway(t, 'deny');
	const openai = new OpenAI({baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0});
	const anthropic = new Anthropic({baseURL: gateway.url, apiKey: key, maxRetries: 0});
	for (const value of values) {
		const stream = (dialect: DialectName) =>
			script({
				pieces: [
					`${begun(dialect)}${sse(dialect, delta(dialect, 'Fine so far. '))}`,
					sse(dialect, delta(dialect, `And ${value}.`)),
					ended(dialect),
				],
				between: () => sleep(5),
			});
		let text = '';
		const ends: unknown[] = [];
		const messages = (dialect: DialectName) => [{role: 'user' as const, content: stream(dialect)}];
		const chunks = await openai.chat.completions.create({model: 'local/any', stream: true, messages: messages('openai')});
		const openaiError = await t.throwsAsync(async () => {
			for await (const {choices} of chunks) {
				text += choices[0]?.delta.content ?? '';
				ends.push(choices[0]?.finish_reason);
			}
		});
		t.true(openaiError instanceof OpenAI.APIError);
		t.like(openaiError, {code: 'content_blocked'});
		t.true(ends.every(end => end === null || end === undefined));
		await t.throwsAsync(openai.chat.completions.stream({model: 'local/any', messages: messages('openai')}).finalChatCompletion());

		const events: string[] = [];
		const claude = anthropic.messages.stream({model: 'claude/any', max_tokens: 50, messages: messages('anthropic')});
		claude
			.on('streamEvent', ({type}) => void events.push(type))
			.on('text', piece => {
				text += piece;
			});
		const anthropicError = await t.throwsAsync(claude.finalMessage());
		t.true(anthropicError instanceof Anthropic.APIError, String(anthropicError));
		t.regex(String(anthropicError?.message), /content_blocked/);
		t.false(events.includes('message_stop') || events.includes('message_delta'));
		t.is(leakIn({headers: '', text}), undefined);
	}
	const records = await modelRecords(gateway);
	t.is(records.length, values.length * 3);
	for (const record of records) t.like(record, {outcome: 'denied', error: {code: 'content_blocked'}});
});
