import test from 'ava';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import type {JsonObject} from '../core/llm/json.ts';

const notZero = (parts: Record<string, number>) => Object.fromEntries(Object.entries(parts).filter(([, tokens]) => tokens !== 0));

const of = (inputTokens: number, cacheReadTokens: number, cacheWriteTokens: number, outputTokens: number, reasoningTokens: number) => ({
	...{inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens},
	parts: notZero({
		input: inputTokens - cacheReadTokens - cacheWriteTokens,
		cacheRead: cacheReadTokens,
		cacheWrite: cacheWriteTokens,
		output: outputTokens - reasoningTokens,
		reasoning: reasoningTokens,
	}),
	source: 'reported',
});

const openaiReply = (usage: unknown): JsonObject => ({
	id: 'chatcmpl-C0ffee',
	object: 'chat.completion',
	created: 1_780_000_000,
	model: 'gpt-5-mini-2025-08-07',
	choices: [{index: 0, message: {role: 'assistant', content: 'Paris.', refusal: null, annotations: []}, finish_reason: 'stop'}],
	usage,
	service_tier: 'default',
	system_fingerprint: null,
});

const details = {accepted_prediction_tokens: 0, audio_tokens: 0, rejected_prediction_tokens: 0};

const openaiCases: Record<string, [usage: unknown, expected: object | undefined]> = {
	'a plain answer': [{prompt_tokens: 19, completion_tokens: 10, total_tokens: 29}, of(19, 0, 0, 10, 0)],
	'cached input and reasoning': [
		{
			prompt_tokens: 2_006,
			completion_tokens: 300,
			total_tokens: 2_306,
			prompt_tokens_details: {cached_tokens: 1_920, audio_tokens: 0},
			completion_tokens_details: {...details, reasoning_tokens: 256},
		},
		of(2_006, 1_920, 0, 300, 256),
	],
	'cache writes': [
		{
			prompt_tokens: 2_000,
			completion_tokens: 1,
			total_tokens: 2_001,
			prompt_tokens_details: {cached_tokens: 500, cache_write_tokens: 1_000},
		},
		of(2_000, 500, 1_000, 1, 0),
	],
	embeddings: [{prompt_tokens: 8, total_tokens: 8}, of(8, 0, 0, 0, 0)],
	'a provider that names cache hits its own way': [
		{prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36},
		of(100, 64, 0, 5, 0),
	],
	'a provider that counts reasoning only in the total': [
		{prompt_tokens: 100, completion_tokens: 5, total_tokens: 405, completion_tokens_details: {reasoning_tokens: 300}},
		of(100, 0, 0, 305, 300),
	],
	'details that are null': [
		{prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: null, completion_tokens_details: null},
		of(1, 0, 0, 2, 0),
	],
	'no usage': [undefined, undefined],
	null: [null, undefined],
	'a negative figure': [{prompt_tokens: -1, completion_tokens: 2}, undefined],
	'half a token': [{prompt_tokens: 1.5, completion_tokens: 2}, undefined],
	'a figure in quotes': [{prompt_tokens: '1', completion_tokens: 2}, undefined],
	'an absurd figure': [{prompt_tokens: 1e15, completion_tokens: 2}, undefined],
	'more cached than sent': [{prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: {cached_tokens: 11}}, undefined],
	'more reasoning than output': [{prompt_tokens: 10, completion_tokens: 2, completion_tokens_details: {reasoning_tokens: 3}}, undefined],
	'no prompt tokens': [{completion_tokens: 2}, undefined],
};
for (const [what, [usage, expected]] of Object.entries(openaiCases))
	test(`OpenAI: ${what}`, t => {
		t.deepEqual<unknown, unknown>(openai.usageOf(openaiReply(usage)), expected);
	});

const anthropicReply = (usage: unknown): JsonObject => ({
	id: 'msg_01Aq9w938a90dw8q',
	type: 'message',
	role: 'assistant',
	model: 'claude-sonnet-4-5-20250929',
	content: [{type: 'text', text: 'Paris.'}],
	stop_reason: 'end_turn',
	stop_sequence: null,
	usage,
});

const anthropicCases: Record<string, [usage: unknown, expected: object | undefined]> = {
	'a plain answer': [{input_tokens: 14, output_tokens: 6, service_tier: 'standard'}, of(14, 0, 0, 6, 0)],
	'input read from and written to the cache comes on top': [
		{
			input_tokens: 21,
			cache_creation_input_tokens: 188_086,
			cache_read_input_tokens: 1_000,
			cache_creation: {ephemeral_5m_input_tokens: 188_086, ephemeral_1h_input_tokens: 0},
			output_tokens: 393,
		},
		{...of(189_107, 1_000, 188_086, 393, 0), parts: {input: 21, cacheRead: 1_000, cacheWrite: 188_086, cacheWrite1h: 0, output: 393}},
	],
	thinking: [{input_tokens: 14, output_tokens: 600, output_tokens_details: {thinking_tokens: 512}}, of(14, 0, 0, 600, 512)],
	'cache figures that are null': [
		{input_tokens: 14, cache_creation_input_tokens: null, cache_read_input_tokens: null, output_tokens: 6},
		of(14, 0, 0, 6, 0),
	],
	'no output': [{input_tokens: 14}, undefined],
	'a negative cache': [{input_tokens: 14, cache_read_input_tokens: -14, output_tokens: 6}, undefined],
	'no usage': [undefined, undefined],
};
for (const [what, [usage, expected]] of Object.entries(anthropicCases))
	test(`Anthropic: ${what}`, t => {
		t.deepEqual<unknown, unknown>(anthropic.usageOf(anthropicReply(usage)), expected);
	});

const anthropicStart = {
	type: 'message_start',
	message: anthropicReply({input_tokens: 25, cache_creation_input_tokens: 0, cache_read_input_tokens: 100, output_tokens: 1}),
};

test('OpenAI: a stream that reports in its last chunk, or running totals in each', t => {
	const asked = openai.streamUsage();
	for (const usage of [null, null, undefined]) asked.see(openaiReply(usage));
	t.is(asked.usage(), undefined);
	t.is(asked.input(), undefined);
	asked.see({...openaiReply({prompt_tokens: 19, completion_tokens: 10, total_tokens: 29}), choices: []});
	t.deepEqual<unknown, unknown>(asked.usage(), of(19, 0, 0, 10, 0));
	const running = openai.streamUsage();
	for (const completion_tokens of [1, 2, 3]) running.see(openaiReply({prompt_tokens: 19, completion_tokens}));
	t.is(running.usage()?.outputTokens, 3);
});

test('Anthropic: a stream reports its input at the start and its output at the end, and later figures replace earlier ones', t => {
	const stream = anthropic.streamUsage();
	stream.see(anthropicStart);
	t.is(stream.usage(), undefined, 'the first figure for output is not the whole');
	t.deepEqual(stream.input(), {input: 25, cacheRead: 100});
	stream.see({type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: 'Paris.'}});
	stream.see({type: 'message_delta', delta: {stop_reason: 'tool_use'}, usage: {output_tokens: 15}});
	t.deepEqual<unknown, unknown>(stream.usage(), of(125, 100, 0, 15, 0));
	stream.see({
		type: 'message_delta',
		delta: {stop_reason: 'end_turn'},
		usage: {input_tokens: 4_000, cache_read_input_tokens: null, output_tokens: 40},
	});
	t.deepEqual<unknown, unknown>(stream.usage(), of(4_100, 100, 0, 40, 0));
});

test('Anthropic: a stream with figures that cannot be true reports nothing', t => {
	const stream = anthropic.streamUsage();
	stream.see(anthropicStart);
	stream.see({type: 'message_delta', delta: {}, usage: {output_tokens: -1}});
	t.is(stream.usage(), undefined);
	t.deepEqual(stream.input(), {input: 25, cacheRead: 100});
	t.deepEqual(stream.sure(), {inputTokens: 125, outputTokens: 0});
});
