import test from 'ava';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {estimate} from '../core/llm/estimate.ts';
import {costMicroUsd, type Price, priceOf, ratesOf} from '../core/llm/prices.ts';
import {shippedPrices} from '../core/llm/shipped-prices.ts';
import {type Extras, usageFrom} from '../core/llm/usage-parts.ts';
import {type Price as ConfiguredPrice, price as priceSchema} from '../schemas/price.ts';
import {inputParts, outputParts, type Part, type Parts} from '../schemas/usage.ts';
import {seeded} from './helpers/json-values.ts';

const now = Date.UTC(2026, 10, 22);
const used = (parts: Parts, extras?: Extras) => usageFrom(parts, 'reported', extras);
const configured = (price: Partial<ConfiguredPrice>): Price =>
	priceOf('p/m', {speaks: 'openai'}, {'*': priceSchema.parse({inputUsdPerMTok: 1, outputUsdPerMTok: 2, ...price})}, undefined, now)!;
const shippedPrice = async (model: string, speaks: 'openai' | 'anthropic' = 'openai') =>
	priceOf(`p/${model}`, {speaks}, {}, await shippedPrices([{speaks}]), now);

const chat = (fields: object = {}) =>
	openai.requestFacts('chat', {model: 'm', messages: [{role: 'user', content: 'hi'}], max_tokens: 100, ...fields});
const message = (fields: object = {}) =>
	anthropic.requestFacts('messages', {model: 'm', messages: [{role: 'user', content: 'hi'}], max_tokens: 100, ...fields});

test('money is exact to the pico-dollar and rounded up once, however large the figures', t => {
	const {seed, random} = seeded();
	const names: Part[] = [...inputParts, ...outputParts];
	const upTo = (most: number) => Math.floor(random() * (most + 1));
	for (let round = 0; round < 2_000; round += 1) {
		const digits = 10 ** upTo(6);
		const usd = Object.fromEntries(names.map(name => [name, upTo(1_000 * digits) / digits])) as Record<Part, number>;
		const price: Price = {rates: ratesOf({...usd}), above: [], units: {searches: {rate: upTo(1e10)}}, tiers: {}, otherTiers: 'same'};
		const parts = Object.fromEntries(names.map(name => [name, upTo(random() < 0.1 ? 100_000_000 : 5_000)])) as Record<Part, number>;
		const counts = {searches: upTo(20)};
		let pico = BigInt(counts.searches) * BigInt(price.units.searches!.rate);
		for (const name of names) pico += BigInt(parts[name]) * BigInt(Math.round(usd[name] * 1e6));
		t.is(costMicroUsd(price, used(parts, {counts})), Number((pico + 999_999n) / 1_000_000n), `seed ${seed}, round ${round}`);
	}
});

test('a price with more digits than a pico-dollar has is rounded up, and one that only looks so is not', t => {
	t.is(ratesOf({input: 0.1 + 0.2, output: 1}).input, 300_000);
	t.is(ratesOf({input: 0.000_000_1, output: 1}).input, 1);
	t.is(ratesOf({input: 1 / 3, output: 1}).input, 333_334);
});

test('each part has its own price in the config, and else that of what it is a kind of', t => {
	const price = configured({
		cacheReadUsdPerMTok: 0.1,
		cacheWriteUsdPerMTok: 1.25,
		audioInputUsdPerMTok: 32,
		imageOutputUsdPerMTok: 40,
		reasoningUsdPerMTok: 3,
	});
	const of = (parts: Parts) => costMicroUsd(price, used(parts));
	t.is(of({inputAudio: 10}), 320);
	t.is(of({cacheReadAudio: 10}), 320, 'no cached sound has a lower price than was said');
	t.is(of({inputImage: 10}), 10);
	t.is(of({cacheWrite1h: 1_000}), 1_250);
	t.is(of({reasoning: 10, output: 10}), 50);
	t.is(of({outputImage: 10, outputAudio: 10}), 420);
	t.is(costMicroUsd(configured({cacheWrite1hUsdPerMTok: 5}), used({cacheWrite: 10, cacheWrite1h: 10})), 60);
});

test('above a size of the input all tokens have other prices, in whatever order the config has them', t => {
	const price = configured({
		above: [
			{inputTokens: 500, inputUsdPerMTok: 4, outputUsdPerMTok: 8, cacheReadUsdPerMTok: 1},
			{inputTokens: 200, inputUsdPerMTok: 2, outputUsdPerMTok: 4},
		],
	});
	t.is(costMicroUsd(price, used({input: 200, output: 10})), 220);
	t.is(costMicroUsd(price, used({input: 101, cacheRead: 100, output: 10})), 442);
	t.is(costMicroUsd(price, used({input: 1, cacheRead: 500, output: 10})), 4 + 500 + 80);
});

test('a service tier multiplies the prices of tokens, not of searches; one that is not named costs the same', t => {
	const price = configured({tiers: {flex: 0.5, priority: 2}, units: {webSearches: {usd: 0.01}}});
	const of = (tiers: string[]) => costMicroUsd(price, used({input: 101, output: 10}, {tiers, counts: {webSearches: 1}}));
	t.is(of([]), 121 + 10_000);
	t.is(of(['flex']), 61 + 10_000);
	t.is(of(['priority']), 242 + 10_000);
	t.is(of(['flex', 'priority']), 121 + 10_000);
	t.is(of(['turbo']), 121 + 10_000);
});

test('what is charged by the request is charged once for each, and is set aside before it', t => {
	const price = configured({units: {requests: {usd: 0.005}}});
	t.is(costMicroUsd(price, used({})), 5_000);
	t.is(costMicroUsd(price, used({input: 10})), 5_010);
	t.is(estimate(10, chat(), price).maxCostMicroUsd, 5_000 + 10 + 200);
});

test('what is charged by the piece and has no price makes the cost unknown, never smaller', t => {
	const price = configured({});
	t.is(costMicroUsd(price, used({input: 10}, {counts: {webSearches: 1}})), undefined);
	t.is(costMicroUsd(price, used({input: 10}, {counts: {webSearches: 0}})), 10);
	t.is(costMicroUsd(price, used({input: 10}, {counts: {constructor: 1}})), undefined);
	const searching = message({tools: [{type: 'web_search_20250305', name: 'web_search', max_uses: 3}]});
	t.is(estimate(10, searching, price).maxCostMicroUsd, undefined);
	t.is(estimate(10, chat({web_search_options: {}}), price).maxCostMicroUsd, undefined);
	const priced = configured({units: {webSearches: {usd: 0.01}}});
	const {inputTokens, maxCostMicroUsd} = estimate(10, searching, priced);
	t.is(maxCostMicroUsd, inputTokens + 200 + 30_000);
	t.is(estimate(10, chat({web_search_options: {}, n: 2}), priced).maxCostMicroUsd, 10 + 400 + 20_000);
});

test('what a request lets a provider do on its own is allowed for: searches by their number, tools of its own, other servers', t => {
	const input = (tools: object[], more: object = {}) => estimate(0, message({tools, ...more}), undefined).inputTokens;
	const own = {name: 'f', input_schema: {type: 'object'}};
	t.is(input([own]), 1_000);
	t.is(input([{type: 'web_search_20250305', name: 'web_search', max_uses: 2}]), 2_000 + 100_000);
	t.is(input([{type: 'web_search_20250305', name: 'web_search'}]), 2_000 + 500_000);
	t.is(input([{type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 1}]), 2_000 + 100_000);
	t.true(input([own], {mcp_servers: [{type: 'url', url: 'https://example.org/mcp', name: 'x'}]}) >= 500_000);
	t.is(estimate(0, message(), undefined).inputTokens, 0);
});

test('an estimate takes the tier that was asked for, or the standard one if that is dearer', t => {
	const price = configured({tiers: {flex: 0.5, priority: 2}});
	const most = (service_tier?: string) => estimate(100, chat({service_tier}), price).maxCostMicroUsd;
	t.is(most(), 300);
	t.is(most('auto'), 300);
	t.is(most('flex'), 300, 'nobody knows that it will be served so');
	t.is(most('priority'), 600);
});

test('what is heard or spoken is set aside at the price of sound', t => {
	const price = configured({audioInputUsdPerMTok: 32, audioOutputUsdPerMTok: 64});
	const sound = [{role: 'user', content: [{type: 'input_audio', input_audio: {data: '', format: 'wav'}}]}];
	const heard = estimate(100, chat({messages: sound}), price);
	t.is(heard.maxCostMicroUsd, heard.inputTokens * 32 + 100 * 64);
	t.is(estimate(100, chat({modalities: ['text', 'audio']}), price).maxCostMicroUsd, 3_200 + 6_400);
	t.is(estimate(100, chat(), price).maxCostMicroUsd, 100 + 200);
});

test('no cost within what was allowed for is larger than the estimate, whatever tokens turn out to be', t => {
	const {seed, random} = seeded();
	const upTo = (most: number) => Math.floor(random() * (most + 1));
	const usd = () => Math.round(random() * 40_000) / 1_000;
	for (let round = 0; round < 1_000; round += 1) {
		const price = configured({
			...{
				inputUsdPerMTok: usd(),
				outputUsdPerMTok: usd(),
				cacheReadUsdPerMTok: usd(),
				cacheWriteUsdPerMTok: usd(),
				imageInputUsdPerMTok: usd(),
			},
			...{audioInputUsdPerMTok: usd(), audioOutputUsdPerMTok: usd(), reasoningUsdPerMTok: usd(), cacheWrite1hUsdPerMTok: usd()},
			above: [{inputTokens: 1 + upTo(3_000), inputUsdPerMTok: usd(), outputUsdPerMTok: usd()}],
			tiers: {priority: random() * 4},
			units: {webSearches: {usd: 0.01}, requests: {usd: 0.001}},
		});
		const facts = {...chat({modalities: ['audio'], web_search_options: {}, service_tier: 'priority'}), longCacheWrites: true};
		const body = upTo(5_000);
		const {maxCostMicroUsd = -1} = estimate(body, facts, price);
		const share = (names: readonly Part[], total: number): Parts => {
			let left = total;
			return Object.fromEntries(
				names.map(name => {
					const tokens = upTo(left);
					left -= tokens;
					return [name, tokens];
				}),
			);
		};
		const parts = {...share(inputParts, body), ...share(outputParts, 100)};
		const cost = costMicroUsd(price, used(parts, {counts: {webSearches: upTo(1)}, tiers: random() < 0.5 ? ['priority'] : []}));
		t.true(cost !== undefined && cost <= maxCostMicroUsd, `seed ${seed}, round ${round}: ${cost} > ${maxCostMicroUsd}`);
	}
});

test('shipped prices have searches, cache entries by their length, sounds, sizes and tiers', async t => {
	const claude = await shippedPrice('claude-opus-4-6', 'anthropic');
	t.like(claude, {
		rates: {input: 5_000_000, output: 25_000_000, cacheRead: 500_000, cacheWrite: 6_250_000, cacheWrite1h: 10_000_000},
		units: {webSearches: {rate: 1e10}, webFetches: {rate: 0}},
		tiers: {batch: 0.5, fast: 6, 'geo-us': 1.1},
	});
	t.like((await shippedPrice('gpt-realtime'))?.rates, {inputAudio: 32_000_000, cacheReadAudio: 400_000, outputAudio: 64_000_000});
	t.like(await shippedPrice('gpt-5.4'), {
		rates: {input: 2_500_000},
		above: [{inputTokens: 271_999, rates: {input: 5_000_000, cacheRead: 500_000, output: 22_500_000}}],
		tiers: {flex: 0.5, batch: 0.5, priority: 2, fast: 2},
	});
});

/** https://openai.com/api-priority-processing/ */
const priority: Record<string, [input: number, cached: number, output: number]> = {
	'gpt-5.5': [12.5, 1.25, 75],
	'gpt-5.4': [5, 0.5, 30],
	'gpt-5.4-mini': [1.5, 0.15, 9],
	'gpt-5.2': [3.5, 0.35, 28],
	'gpt-5.1': [2.5, 0.25, 20],
	'gpt-5': [2.5, 0.25, 20],
	'gpt-5-mini': [0.45, 0.045, 3.6],
	'gpt-5-codex': [2.5, 0.25, 20],
	'gpt-4.1': [3.5, 0.875, 14],
	'gpt-4.1-mini': [0.7, 0.175, 2.8],
	'gpt-4.1-nano': [0.2, 0.05, 0.8],
	'gpt-4o': [4.25, 2.125, 17],
	'gpt-4o-2024-08-06': [4.25, 2.125, 17],
	'gpt-4o-mini': [0.25, 0.125, 1],
	o3: [3.5, 0.875, 14],
	'o4-mini': [2, 0.5, 8],
};
for (const [model, [input, cached, output]] of Object.entries(priority)) {
	test(`${model} with priority costs what OpenAI's page says`, async t => {
		const price = (await shippedPrice(model))!;
		const million = (parts: Parts) => costMicroUsd(price, used(parts, {tiers: ['priority']}));
		t.is(million({input: 100_000}), input * 100_000);
		t.is(million({cacheRead: 100_000}), cached * 100_000);
		t.is(million({output: 100_000}), output * 100_000);
	});
}

test('what the shipped prices do not know of a model they know has no price either', async t => {
	const price = (await shippedPrice('gpt-4o'))!;
	t.is(costMicroUsd(price, used({input: 1}, {tiers: ['turbo']})), undefined);
	t.is(costMicroUsd(price, used({input: 1, inputAudio: 1})), undefined);
	t.is(costMicroUsd(price, used({cacheWrite1h: 1})), undefined);
	t.is(costMicroUsd((await shippedPrice('gpt-4-turbo'))!, used({input: 1}, {tiers: ['priority']})), undefined);
	const searches = openai.usageOf({model: 'gpt-4o-search-preview', usage: {prompt_tokens: 1, completion_tokens: 1}});
	t.deepEqual(searches?.counts, {webSearches: 1});
	t.is(costMicroUsd((await shippedPrice('gpt-4o-search-preview'))!, searches!), undefined);
	t.is(estimate(1, chat({model: 'gpt-4o-search-preview'}), (await shippedPrice('gpt-4o-search-preview'))!).maxCostMicroUsd, undefined);
});

test('a unit of one’s own says where it is reported and how many there can be; one the gateway counts does not', t => {
	const parse = (units: object) => priceSchema.safeParse({inputUsdPerMTok: 1, outputUsdPerMTok: 1, units}).success;
	t.true(parse({webSearches: {usd: 0.01}, gpuSeconds: {usd: 0.1, reported: 'usage.gpu_seconds', most: 5}}));
	t.false(parse({gpuSeconds: {usd: 0.1}}));
	t.false(parse({gpuSeconds: {usd: 0.1, reported: 'usage.gpu_seconds'}}));
	t.false(parse({webSearches: {usd: 0.01, reported: 'usage.x', most: 1}}));
	t.false(parse({webSearches: {usd: -1}}));
	t.is(
		estimate(0, chat(), configured({units: {gpuSeconds: {usd: 0.1, reported: 'usage.gpu_seconds', most: 5}}})).maxCostMicroUsd,
		200 + 500_000,
	);
});
