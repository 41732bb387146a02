import test from 'ava';
import {openExchange} from '../core/exchange.ts';
import type {Asked} from '../core/llm/asked.ts';
import type {Deployment} from '../core/llm/catalogue.ts';
import {anthropic} from '../core/llm/dialects/anthropic.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import {priceOf} from '../core/llm/prices.ts';
import {countUsage} from '../core/llm/spend.ts';
import {openTokens} from '../core/llm/tokens.ts';
import {unitsReported} from '../core/llm/usage-units.ts';
import type {Price as ConfiguredPrice} from '../schemas/price.ts';
import {inputParts, outputParts, type Usage, usage as usageSchema} from '../schemas/usage.ts';
import {pick, seeded} from './helpers/json-values.ts';

const dialects = {openai, anthropic};
type Speaks = keyof typeof dialects;

const perToken: ConfiguredPrice = {inputUsdPerMTok: 1, outputUsdPerMTok: 2};
const words = [{role: 'user', content: 'hi'}];

const request = (speaks: Speaks, fields: object = {}, price = perToken) => {
	const dialect = dialects[speaks];
	const json = {model: 'm', max_tokens: 100, messages: words, ...fields};
	const operation = speaks === 'openai' ? 'chat' : 'messages';
	const deployment = {
		name: 'p/m',
		price: priceOf('p/m', {speaks}, {'*': price}, undefined, 0),
		bound: openTokens().boundFor('m', false),
	} as Deployment;
	const asked: Asked = {
		operation,
		dialect,
		bytes: Buffer.from(JSON.stringify(json)),
		json,
		facts: dialect.requestFacts(operation, json),
		plan: [deployment],
		edited: false,
	};
	return {asked, deployment, dialect};
};

/** What is billed for a whole reply that says `usage`, of which `produced` tokens were seen. */
const billed = (speaks: Speaks, usage: unknown, produced = 7, fields: object = {}, price = perToken) => {
	const {asked, deployment, dialect} = request(speaks, fields, price);
	const exchange = openExchange({method: 'POST', path: '/', ip: '', surface: speaks});
	const reply = {usage};
	countUsage(exchange, asked, deployment, dialect.usageOf(reply), {
		known: () => ({produced, sure: dialect.sureOf(reply), doubt: 'absurd'}),
		units: unitsReported(reply, deployment.price),
	});
	return {usage: exchange.usage!, costMicroUsd: exchange.costMicroUsd};
};

const holds = ({parts = {}, ...usage}: Usage): boolean => {
	const sum = (names: readonly (keyof typeof parts)[]) => names.reduce((total, name) => total + (parts[name] ?? 0), 0);
	return usage.inputTokens === sum(inputParts) && usage.outputTokens === sum(outputParts);
};

const absurd: unknown[] = [
	-1,
	-1e9,
	0.5,
	Number.NaN,
	Number.POSITIVE_INFINITY,
	1e15,
	2 ** 53,
	'12',
	'',
	null,
	undefined,
	true,
	[],
	[5],
	{},
	99_999_999,
	0,
	3,
	40,
	41,
];

const openaiUsage = (figure: () => unknown) => ({
	prompt_tokens: figure(),
	completion_tokens: figure(),
	total_tokens: figure(),
	prompt_tokens_details: {cached_tokens: figure(), audio_tokens: figure(), image_tokens: figure(), cache_write_tokens: figure()},
	completion_tokens_details: {reasoning_tokens: figure(), audio_tokens: figure()},
});
const anthropicUsage = (figure: () => unknown) => ({
	input_tokens: figure(),
	cache_read_input_tokens: figure(),
	cache_creation_input_tokens: figure(),
	cache_creation: {ephemeral_5m_input_tokens: figure(), ephemeral_1h_input_tokens: figure()},
	output_tokens: figure(),
	output_tokens_details: {thinking_tokens: figure()},
	server_tool_use: {web_search_requests: figure()},
	iterations: [{type: 'compaction', input_tokens: figure(), output_tokens: figure()}],
});

const sane = (value: unknown): number =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 100_000_000 ? value : 0;

test('whatever a provider reports, the parts sum to the totals, nothing sure is left unbilled, and what was made up says so', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 4_000; round += 1) {
		const speaks = pick(random, ['openai', 'anthropic'] as const);
		const figure = () => (random() < 0.5 ? Math.floor(random() * 50) : absurd[Math.floor(random() * absurd.length)]);
		const usage = speaks === 'openai' ? openaiUsage(figure) : anthropicUsage(figure);
		const message = `seed ${seed}, round ${round}: ${speaks} ${JSON.stringify(usage)}`;
		const {asked, dialect} = request(speaks);
		const {usage: counted, costMicroUsd} = billed(speaks, usage);
		t.deepEqual(usageSchema.parse(counted), counted, message);
		t.true(holds(counted), message);
		const input = 'prompt_tokens' in usage ? sane(usage.prompt_tokens) : sane(usage.input_tokens) + sane(usage.cache_read_input_tokens);
		const output = sane('completion_tokens' in usage ? usage.completion_tokens : usage.output_tokens);
		t.true(counted.inputTokens >= input && counted.outputTokens >= output, message);
		if (costMicroUsd !== undefined) t.true(costMicroUsd >= input + 2 * output, message);
		const reported = dialect.usageOf({usage});
		t.is(counted.source, reported ? 'reported' : 'estimated', message);
		t.is(counted.doubt, reported ? undefined : 'absurd', message);
		if (!reported) t.true(counted.inputTokens >= Math.min(asked.bytes.length, 20) && counted.outputTokens >= 7, message);
	}
});

test('what makes no sense together is no report, for either provider', t => {
	const reports = (speaks: Speaks, usage: unknown) => dialects[speaks].usageOf({usage});
	const chat = {prompt_tokens: 10, completion_tokens: 5, total_tokens: 15};
	t.is(reports('openai', {...chat, prompt_tokens_details: {cached_tokens: 6, cache_write_tokens: 5}}), undefined);
	t.is(reports('openai', {...chat, prompt_tokens_details: {audio_tokens: 11}}), undefined);
	t.is(reports('openai', {...chat, completion_tokens_details: {reasoning_tokens: 3, audio_tokens: 3}}), undefined);
	t.is(
		reports('openai', {...chat, prompt_tokens_details: {cache_write_tokens: 2, cache_write_tokens_details: {ttl_12h_tokens: 3}}}),
		undefined,
	);
	const message = {input_tokens: 10, output_tokens: 5};
	t.is(reports('anthropic', {...message, cache_creation_input_tokens: 5, cache_creation: {ephemeral_1h_input_tokens: 6}}), undefined);
	t.is(reports('anthropic', {...message, output_tokens_details: {thinking_tokens: 6}}), undefined);
	t.is(reports('anthropic', {...message, iterations: [{type: 'compaction', input_tokens: -1, output_tokens: 0}]}), undefined);
	t.is(reports('anthropic', []), undefined);
	t.is(reports('openai', 'none'), undefined);
});

test('what was cached, heard and seen of the input is told apart as far as the figures go, and never counted twice', t => {
	const parts = (prompt_tokens: number, details: object) =>
		openai.usageOf({usage: {prompt_tokens, completion_tokens: 0, prompt_tokens_details: details}})?.parts;
	t.deepEqual(parts(100, {cached_tokens: 40, audio_tokens: 30}), {input: 30, inputAudio: 30, cacheRead: 40});
	t.deepEqual(parts(100, {cached_tokens: 90, audio_tokens: 30}), {inputAudio: 10, cacheRead: 70, cacheReadAudio: 20});
	t.deepEqual(parts(100, {cached_tokens: 50, audio_tokens: 30, cached_tokens_details: {audio_tokens: 20}}), {
		input: 40,
		inputAudio: 10,
		cacheRead: 30,
		cacheReadAudio: 20,
	});
	t.deepEqual(parts(100, {image_tokens: 60, cache_write_tokens: 20, cache_write_tokens_details: {ttl_12h_tokens: 5}}), {
		input: 20,
		inputImage: 60,
		cacheWrite: 15,
		cacheWrite1h: 5,
	});
});

test('a provider that says only how much it wrote to the cache wrote it for as long as it was asked to', t => {
	const message = {input_tokens: 10, cache_creation_input_tokens: 100, output_tokens: 0};
	const lasting = {system: [{type: 'text', text: 'x', cache_control: {type: 'ephemeral', ttl: '1h'}}]};
	const price = {...perToken, cacheWriteUsdPerMTok: 3, cacheWrite1hUsdPerMTok: 5};
	t.is(billed('anthropic', message, 0, {}, price).costMicroUsd, 10 + 300);
	t.is(billed('anthropic', message, 0, lasting, price).costMicroUsd, 10 + 500);
	const split = {...message, cache_creation: {ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 0}};
	t.is(billed('anthropic', split, 0, lasting, price).costMicroUsd, 10 + 300);
});

test('a unit of the config is taken from the answer, upwards, and counts for the most it can be where the answer does not say', t => {
	const price: ConfiguredPrice = {...perToken, units: {gpuSeconds: {usd: 0.001, reported: 'usage.timing.gpu_seconds', most: 60}}};
	const chat = {prompt_tokens: 10, completion_tokens: 5};
	const said = billed('openai', {...chat, timing: {gpu_seconds: 1.2}}, 0, {}, price);
	t.deepEqual(said.usage.counts, {gpuSeconds: 2});
	t.is(said.usage.source, 'reported');
	t.is(said.costMicroUsd, 10 + 10 + 2_000);
	for (const gpu_seconds of [undefined, -1, '3', Number.NaN, 1e300]) {
		const silent = billed('openai', {...chat, timing: {gpu_seconds}}, 0, {}, price);
		t.like(silent.usage, {counts: {gpuSeconds: 60}, source: 'estimated', doubt: 'missing'});
		t.is(silent.costMicroUsd, 10 + 10 + 60_000);
	}
});

test('nothing that is an estimate calls itself a report: not by what is missing, nor by what broke off', t => {
	for (const doubt of ['missing', 'absurd', 'cut'] as const) {
		const {asked, deployment} = request('openai');
		const exchange = openExchange({method: 'POST', path: '/', ip: '', surface: 'openai'});
		countUsage(exchange, asked, deployment, undefined, {known: () => ({doubt, produced: 1_000_000})});
		t.like(exchange.usage, {source: 'estimated', doubt, outputTokens: 100});
		countUsage(exchange, asked, deployment, undefined, {
			known: () => ({doubt, produced: 3, sure: {inputTokens: 5_000, outputTokens: 400}}),
		});
		t.like(exchange.usage, {inputTokens: 5_000, outputTokens: 400});
	}
});
