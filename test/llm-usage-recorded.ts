import type {Message} from '@anthropic-ai/sdk/resources/messages';
import test from 'ava';
import type {ChatCompletion} from 'openai/resources/chat/completions';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {costMicroUsd, priceOf} from '../core/llm/prices.ts';
import {shippedPrices} from '../core/llm/shipped-prices.ts';
import {inputParts, outputParts, usage as usageSchema} from '../schemas/usage.ts';
import {recorded} from './helpers/recorded-usage.ts';

const dialects = {openai, anthropic};
const now = Date.UTC(2026, 10, 22);

for (const [what, {speaks, model, body, events, parts, counts, tiers, costMicroUsd: expected}] of Object.entries(recorded)) {
	test(`${what}: its parts, and what they cost by the public price pages`, async t => {
		const dialect = dialects[speaks];
		const stream = dialect.streamUsage();
		for (const event of events ?? []) stream.see(event);
		const usage = body ? dialect.usageOf(body) : stream.usage();
		t.like(usage, {parts, counts, tiers, source: 'reported'});
		t.deepEqual(usage?.parts, parts);
		t.deepEqual(usageSchema.parse(usage), usage);
		const sum = (names: readonly (keyof typeof parts)[]) => names.reduce((total, name) => total + (parts[name] ?? 0), 0);
		t.is(usage?.inputTokens, sum(inputParts));
		t.is(usage?.outputTokens, sum(outputParts));
		const shipped = await shippedPrices([{speaks}]);
		const price = priceOf(`p/${model}`, {speaks}, {}, shipped, now);
		t.not(price, undefined);
		t.is(price && costMicroUsd(price, usage!), expected);
	});
}

test('what the SDKs call usage is what was recorded', t => {
	// No value is looked at: that these compile is what they say.
	const chat = {prompt_tokens: 1, completion_tokens: 2, total_tokens: 3} satisfies ChatCompletion['usage'];
	const message: Pick<
		Message['usage'],
		'input_tokens' | 'output_tokens' | 'cache_creation' | 'server_tool_use' | 'speed' | 'inference_geo'
	> = {
		input_tokens: 1,
		output_tokens: 2,
		cache_creation: {ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0},
		server_tool_use: {web_search_requests: 0, web_fetch_requests: 0},
		speed: 'standard',
		inference_geo: null,
	};
	t.is(openai.usageOf({usage: chat})?.outputTokens, 2);
	t.is(anthropic.usageOf({usage: message})?.outputTokens, 2);
});
