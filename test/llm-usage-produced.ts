import test from 'ava';
import {countTokens as o200k} from 'gpt-tokenizer/encoding/o200k_base';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {openTokens} from '../core/llm/tokens.ts';
import {openProduced} from '../core/llm/usage-produced.ts';
import {seeded} from './helpers/json-values.ts';

const tokens = openTokens();
const gpt = tokens.boundFor('gpt-4o', true);
const claude = tokens.boundFor('claude-opus-4-8', false);
test.before(() => Promise.all([gpt.load(), claude.load()]));

const words = 'It was the best of times, it was the worst of times, naïve "quoted" 1234567.\n\nEnd — 你好 😀'.split(/(?= )/);

const chunk = (delta: object) =>
	openai.event({
		id: 'chatcmpl-D8Z5f52zQqikDBEKQMQoYcWMcWPeU',
		object: 'chat.completion.chunk',
		created: 1_770_933_883,
		model: 'gpt-4.1-nano-2025-04-14',
		service_tier: 'default',
		system_fingerprint: 'fp_de604bd877',
		choices: [{index: 0, delta, logprobs: null, finish_reason: null}],
		obfuscation: 'yS8F3xkQ',
	});

const openaiStream = [
	chunk({role: 'assistant', content: '', refusal: null}),
	...words.map(content => chunk({content})),
	chunk({tool_calls: [{index: 0, id: 'call_1', type: 'function', function: {name: 'weather', arguments: ''}}]}),
	chunk({tool_calls: [{index: 0, function: {arguments: '{"city":"Paris"}'}}]}),
];

const anthropicStream = [
	anthropic.event({
		type: 'message_start',
		message: {id: 'msg_01', type: 'message', role: 'assistant', model: 'claude', content: [], usage: {input_tokens: 3, output_tokens: 1}},
	}),
	anthropic.event({type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}}),
	...words.map(text => anthropic.event({type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text}})),
	anthropic.event({type: 'content_block_delta', index: 1, delta: {type: 'signature_delta', signature: 'EqQBCkYIBBgCKkC'.repeat(40)}}),
	anthropic.event({type: 'content_block_delta', index: 2, delta: {type: 'input_json_delta', partial_json: '{"city":"Paris"}'}}),
];

const said = o200k(words.join('')) + o200k('{"city":"Paris"}');

const seen = (bytes: Buffer, sizes: () => number, bound = gpt): number => {
	const produced = openProduced(bound);
	for (let at = 0; at < bytes.length; ) {
		const to = Math.min(bytes.length, at + sizes());
		produced.see(bytes.subarray(at, to));
		at = to;
	}
	return produced.tokens();
};

for (const [name, stream, bound] of [
	['OpenAI', openaiStream, gpt],
	['Anthropic', anthropicStream, claude],
] as const) {
	test(`${name}: what a stream has said is counted from its bytes, upwards and not much more, without its frame`, t => {
		const bytes = Buffer.from(stream.join(''));
		const counted = seen(bytes, () => bytes.length, bound);
		t.true(counted >= said && counted <= said * (bound === gpt ? 1.5 : 5), `${counted} of ${said}`);
		t.true(counted < bytes.length / 20);
	});

	test(`${name}: wherever a stream is cut, no less is counted`, t => {
		const {seed, random} = seeded();
		const bytes = Buffer.from(stream.join(''));
		t.true(seen(bytes, () => 1, bound) >= said);
		for (let round = 0; round < 200; round += 1) {
			const most = 1 + Math.floor(random() * 300);
			t.true(seen(bytes, () => 1 + Math.floor(random() * most), bound) >= said, `seed ${seed}, round ${round}`);
		}
	});
}

test('lists, keys with blanks before their colon and fields nobody knows count as words, names of the wire do not', t => {
	const counted = (json: string) => seen(Buffer.from(json), () => json.length);
	t.is(counted('{"content": ["one","two"], "novelty" : "three"}'), 3);
	t.is(counted('{"id":"one two three","model":"four","object":"five","signature":"six"}'), 0);
	t.is(counted('{"logprobs":{"content":[{"token":"Paris","top_logprobs":[{"token":"Rome"}]}]}}'), 0);
	t.is(counted('{"content":"a\\"b: \\\\"}'), gpt.text(Buffer.from('a\\"b: \\\\'), 0, 8));
});

test('an answer of a hundred megabytes is counted in bytes once it is longer than any answer is', t => {
	const produced = openProduced(gpt);
	const piece = Buffer.from(chunk({content: 'word '.repeat(10_000)}));
	for (let count = 0; count < 10; count += 1) produced.see(piece);
	t.true(produced.tokens() > 4 * 50_000 && produced.tokens() <= 10 * 50_000, String(produced.tokens()));
});
