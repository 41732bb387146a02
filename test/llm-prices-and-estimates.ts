import test from 'ava';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {defaultMaxOutputTokens, estimate} from '../core/llm/estimate.ts';
import {costMicroUsd, type Price, priceOf, ratesOf} from '../core/llm/prices.ts';
import {shippedPrices} from '../core/llm/shipped-prices.ts';
import {usageFrom} from '../core/llm/usage-parts.ts';
import {seeded} from './helpers/json-values.ts';

const now = Date.UTC(2026, 10, 22);
const usd = (inputUsdPerMTok: number, outputUsdPerMTok = inputUsdPerMTok) => ({inputUsdPerMTok, outputUsdPerMTok});
const used = (input: number, output: number, cacheRead = 0, cacheWrite = 0) =>
	({
		inputTokens: input,
		outputTokens: output,
		cacheReadTokens: cacheRead,
		cacheWriteTokens: cacheWrite,
		reasoningTokens: 0,
		source: 'reported',
	}) as const;
const plain = {above: [], units: {}, tiers: {}, otherTiers: 'same'} as const;
const flat = (rates: Parameters<typeof ratesOf>[0], maxOutputTokens?: number): Price => ({
	...plain,
	rates: ratesOf(rates),
	maxOutputTokens,
});
const own = (deployment: string, prices: Parameters<typeof priceOf>[2]) =>
	priceOf(deployment, {speaks: 'openai'}, prices, undefined, now)?.rates.input;

test('the longest entry of the config that fits gives the price', t => {
	const prices = {'*': usd(1), 'local/*': usd(2), 'local/llama*': usd(3), 'local/llama3': usd(4), 'local/llama3*': usd(5)};
	t.is(own('other/x', prices), 1_000_000);
	t.is(own('local/x', prices), 2_000_000);
	t.is(own('local/llama2', prices), 3_000_000);
	t.is(own('local/llama3', prices), 4_000_000);
	t.is(own('local/llama3.2', prices), 5_000_000);
	t.is(own('local/x', {'local/': usd(1), local: usd(1)}), undefined);
	t.is(own('__proto__', {}), undefined);
});

test('a price in the config goes before the shipped one', async t => {
	const shipped = await shippedPrices([{speaks: 'openai'}]);
	const price = priceOf('openai/gpt-4o', {speaks: 'openai'}, {'openai/*': usd(0)}, shipped, now);
	t.is(price?.rates.input, 0);
	t.is(price && costMicroUsd(price, used(1_000, 1_000)), 0);
});

test('a cost is rounded up once, and a cache price that is not known is that of input', t => {
	const price = flat({input: 0.15, output: 0.6});
	t.is(costMicroUsd(price, used(0, 0)), 0);
	t.is(costMicroUsd(price, used(1, 0)), 1);
	t.is(costMicroUsd(price, used(10, 1)), 3);
	t.is(costMicroUsd(price, used(1_000_000, 1_000_000)), 750_000);
	t.is(costMicroUsd(price, used(100, 0, 60, 40)), costMicroUsd(price, used(100, 0)));
	t.is(costMicroUsd(flat({input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75}), used(1_000, 100, 600, 300)), 300 + 180 + 1_125 + 1_500);
	t.is(costMicroUsd(flat({input: 0.1, output: 0.2}), used(3, 0)), 1, 'no float dust');
	t.is(costMicroUsd(flat({input: 0.1, output: 0.2}), used(30, 0)), 3, 'no float dust');
});

test('an hour in the cache costs more to write, and is charged only for what lasts so long', t => {
	const price = flat({input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6});
	t.is(costMicroUsd(price, used(100, 0, 0, 100)), 375);
	t.is(costMicroUsd(price, usageFrom({cacheWrite1h: 100}, 'reported')), 600);
	t.is(costMicroUsd(price, usageFrom({cacheWrite: 60, cacheWrite1h: 40}, 'reported')), 225 + 240);
});

test('above a threshold all tokens cost the higher rate', t => {
	const price: Price = {
		...plain,
		rates: ratesOf({input: 3, output: 15}),
		above: [{inputTokens: 200_000, rates: ratesOf({input: 6, output: 22.5})}],
	};
	t.is(costMicroUsd(price, used(200_000, 10)), 600_150);
	t.is(costMicroUsd(price, used(200_001, 10)), 1_200_231);
});

test('shipped prices know the providers of their own APIs, whatever they are called in the config', async t => {
	const shipped = await shippedPrices([{speaks: 'openai'}, {speaks: 'anthropic'}]);
	t.like(priceOf('gpt/gpt-4o', {speaks: 'openai'}, {}, shipped, now)?.rates, {input: 2_500_000, output: 10_000_000, cacheRead: 1_250_000});
	const claude = priceOf('c/claude-haiku-4-5', {speaks: 'anthropic', baseUrl: 'https://api.anthropic.com/v1'}, {}, shipped, now);
	t.like(claude?.rates, {input: 1_000_000, output: 5_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, cacheWrite1h: 2_000_000});
	t.deepEqual(
		priceOf('c/claude-sonnet-4-5', {speaks: 'anthropic'}, {}, shipped, now)?.above.map(({inputTokens, rates}) => [
			inputTokens,
			rates.input,
		]),
		[[200_000, 6_000_000]],
	);
	t.true((priceOf('o/text-embedding-3-small', {speaks: 'openai'}, {}, shipped, now)?.rates.input ?? 0) > 0);
});

test('what shipped prices do not know has no price, not the price nought', async t => {
	const shipped = await shippedPrices([{speaks: 'openai'}]);
	t.is(priceOf('openai/no-such-model', {speaks: 'openai'}, {}, shipped, now), undefined);
	t.is(priceOf('local/gpt-4o', {speaks: 'openai', baseUrl: 'http://127.0.0.1:11434/v1'}, {}, shipped, now), undefined);
	t.is(priceOf('other/gpt-4o', {speaks: 'openai', baseUrl: 'https://llm.example.org/v1'}, {}, shipped, now), undefined);
	t.is(priceOf('claude/gpt-4o', {speaks: 'anthropic'}, {}, shipped, now), undefined);
});

test('shipped prices are not even loaded for endpoints on this machine or in this network', async t => {
	for (const baseUrl of [
		'http://127.0.0.1:1/v1',
		'http://[::1]:1/v1',
		'http://localhost/v1',
		'http://10.0.0.7/v1',
		'http://ollama:11434/v1',
	]) {
		t.is(await shippedPrices([{speaks: 'openai', baseUrl}]), undefined);
	}
});

const chat = (fields: object) => openai.requestFacts('chat', {model: 'm', messages: [{role: 'user', content: 'hi'}], ...fields});

test('an estimate takes each byte for a token, the named maximum for each answer, and the dearest kind of input', t => {
	const price = flat({input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2});
	t.deepEqual(estimate(1_000, chat({max_tokens: 50, n: 2}), price), {
		inputTokens: 1_000,
		maxOutputTokens: 100,
		maxCostMicroUsd: 2_000 + 1_000,
	});
	t.is(estimate(1_000, chat({}), flat({input: 1, output: 1}, 7)).maxOutputTokens, 7);
	t.is(estimate(1_000, chat({n: 3}), flat({input: 1, output: 1}, 7)).maxOutputTokens, 21);
	t.deepEqual(estimate(1_000, chat({n: 2}), undefined), {inputTokens: 1_000, maxOutputTokens: 2 * defaultMaxOutputTokens});
});

test('an estimate allows for what pictures, files and predictions count beyond their bytes', t => {
	const picture = {type: 'image_url', image_url: {url: 'https://example.org/a.png'}};
	const file = {type: 'file', file: {file_id: 'file-1'}};
	t.is(estimate(100, chat({messages: [{role: 'user', content: [picture, picture]}]}), undefined).inputTokens, 80_100);
	t.is(estimate(100, chat({messages: [{role: 'user', content: [file]}]}), undefined).inputTokens, 1_000_100);
	t.true(estimate(100, chat({max_tokens: 1, prediction: {type: 'content', content: 'x'.repeat(500)}}), undefined).maxOutputTokens > 500);
});

test('counting tokens costs nothing, and needs no price', t => {
	const facts = anthropic.requestFacts('count_tokens', {model: 'm', messages: [{role: 'user', content: 'hi'}]});
	t.deepEqual(estimate(100, facts, undefined), {inputTokens: 100, maxOutputTokens: 0, maxCostMicroUsd: 0});
});

test('no usage within its bounds costs more than the estimate', t => {
	const {seed, random} = seeded();
	const upTo = (most: number) => Math.floor(random() * (most + 1));
	for (let round = 0; round < 2_000; round += 1) {
		const rates = () =>
			ratesOf({
				input: random() * 20,
				output: random() * 100,
				cacheRead: random() * 5,
				cacheWrite: random() * 30,
				cacheWrite1h: random() * 40,
			});
		const price: Price = {...plain, rates: rates(), above: [{inputTokens: upTo(5_000), rates: rates()}]};
		const facts = {...chat({max_tokens: 1 + upTo(2_000)}), longCacheWrites: random() < 0.5};
		const bytes = upTo(10_000);
		const {maxCostMicroUsd = -1, maxOutputTokens} = estimate(bytes, facts, price);
		const input = upTo(bytes);
		const read = upTo(input);
		const written = upTo(input - read);
		const lasting = facts.longCacheWrites ? upTo(written) : 0;
		const parts = {input: input - read - written, cacheRead: read, cacheWrite: written - lasting, cacheWrite1h: lasting};
		const cost = costMicroUsd(price, usageFrom({...parts, output: upTo(maxOutputTokens)}, 'reported')) ?? Number.POSITIVE_INFINITY;
		t.true(cost <= maxCostMicroUsd, `seed ${seed}, round ${round}: ${cost} > ${maxCostMicroUsd}`);
	}
});
