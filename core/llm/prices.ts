import type {Provider} from '../../schemas/config.ts';
import type {Price as ConfiguredPrice, PricedUnit} from '../../schemas/price.ts';
import {inputParts, outputParts, type Part, type Usage} from '../../schemas/usage.ts';
import {microUsd, picoUsd, type Sum, sumOf, timesPico} from './price-sums.ts';
import type {ShippedPrices} from './shipped-prices.ts';
import {partsOf} from './usage-parts.ts';

/** What one token of each part costs, in whole pico-dollars (10⁻¹² US dollars); one US dollar per million tokens is 1,000,000 of them. Undefined where it is not known. */
export type Rates = Record<Part, number | undefined>;

/** What one piece of something costs, in whole pico-dollars, and where a unit of the config's own is reported. */
export type Unit = {rate: number; reported?: string; most?: number};

/** The price of a deployment. A request whose input is larger than `inputTokens` pays those rates for all of its tokens. */
export type Price = {
	rates: Rates;
	above: readonly {inputTokens: number; rates: Rates}[];
	units: Readonly<Record<string, Unit>>;
	/** What a tier multiplies all rates by. */
	tiers: Readonly<Record<string, number>>;
	/** Whether a tier that is not among `tiers` costs the same, or nobody knows what. */
	otherTiers: 'same' | 'unknown';
	maxOutputTokens?: number;
};

/** US dollars per million tokens. */
export type UsdPerMTok = Partial<Record<Part, number>> & {input: number; output: number};

/**
 * Rates from US dollars per million tokens. A part whose price is not given costs what the part it is a kind of does,
 * never nothing; those of `unlike` are not known then.
 */
export const ratesOf = (usd: UsdPerMTok, unlike: readonly Part[] = []): Rates => {
	const or = (part: Part, ...others: readonly Part[]): number | undefined => {
		const given = usd[part];
		if (given !== undefined) return picoUsd(given);
		const [next, ...rest] = others;
		return next === undefined || unlike.includes(part) ? undefined : or(next, ...rest);
	};
	return {
		input: or('input'),
		inputAudio: or('inputAudio', 'input'),
		inputImage: or('inputImage', 'input'),
		cacheRead: or('cacheRead', 'input'),
		cacheReadAudio: or('cacheReadAudio', 'inputAudio', 'cacheRead', 'input'),
		cacheReadImage: or('cacheReadImage', 'inputImage', 'cacheRead', 'input'),
		cacheWrite: or('cacheWrite', 'input'),
		cacheWrite1h: or('cacheWrite1h', 'cacheWrite', 'input'),
		output: or('output'),
		reasoning: or('reasoning', 'output'),
		outputAudio: or('outputAudio', 'output'),
		outputImage: or('outputImage', 'output'),
	};
};

type TokenPrices = Omit<ConfiguredPrice, 'above' | 'tiers' | 'units' | 'maxOutputTokens'>;

const configuredRates = (price: TokenPrices): Rates =>
	ratesOf({
		input: price.inputUsdPerMTok,
		output: price.outputUsdPerMTok,
		cacheRead: price.cacheReadUsdPerMTok,
		cacheWrite: price.cacheWriteUsdPerMTok,
		cacheWrite1h: price.cacheWrite1hUsdPerMTok,
		reasoning: price.reasoningUsdPerMTok,
		inputAudio: price.audioInputUsdPerMTok,
		cacheReadAudio: price.audioCacheReadUsdPerMTok,
		outputAudio: price.audioOutputUsdPerMTok,
		inputImage: price.imageInputUsdPerMTok,
		cacheReadImage: price.imageCacheReadUsdPerMTok,
		outputImage: price.imageOutputUsdPerMTok,
	});

const unitOf = ({usd, reported, most}: PricedUnit): Unit => ({
	rate: picoUsd(usd * 1e6),
	...(reported && {reported}),
	...(most !== undefined && {most}),
});

const configured = (price: ConfiguredPrice): Price => ({
	rates: configuredRates(price),
	above: (price.above ?? [])
		.map(({inputTokens, ...prices}) => ({inputTokens, rates: configuredRates(prices)}))
		.sort((one, other) => one.inputTokens - other.inputTokens),
	units: Object.fromEntries(Object.entries(price.units ?? {}).map(([name, unit]) => [name, unitOf(unit)])),
	tiers: price.tiers ?? {},
	otherTiers: 'same',
	...(price.maxOutputTokens !== undefined && {maxOutputTokens: price.maxOutputTokens}),
});

/** A deployment's own entry, else the longest entry with `*` at its end that it begins with. */
const overrideOf = (deployment: string, overrides: Readonly<Record<string, ConfiguredPrice>>): Price | undefined => {
	const exact = Object.hasOwn(overrides, deployment) ? overrides[deployment] : undefined;
	if (exact) return configured(exact);
	const [longest] = Object.keys(overrides)
		.filter(pattern => pattern.endsWith('*') && deployment.startsWith(pattern.slice(0, -1)))
		.sort((one, other) => other.length - one.length);
	const price = longest === undefined ? undefined : overrides[longest];
	return price && configured(price);
};

/**
 * The price of `provider/model` at `at` (milliseconds since 1970): the config's, else the shipped one of the provider
 * that `speaks` and `baseUrl` name, else undefined. Never zero for want of knowledge.
 */
export const priceOf = (
	deployment: string,
	{speaks, baseUrl}: Pick<Provider, 'speaks' | 'baseUrl'>,
	overrides: Readonly<Record<string, ConfiguredPrice>>,
	shipped: ShippedPrices | undefined,
	at: number,
): Price | undefined =>
	overrideOf(deployment, overrides) ?? shipped?.(deployment.slice(deployment.indexOf('/') + 1), {speaks, baseUrl}, at);

/** What these tiers together multiply every rate by; undefined where nobody knows. */
export const factorOf = (price: Price, tiers: readonly string[] = []): number | undefined => {
	let factor = 1;
	for (const tier of tiers) {
		const own = Object.hasOwn(price.tiers, tier) ? price.tiers[tier] : undefined;
		if (own === undefined && price.otherTiers === 'unknown') return undefined;
		factor *= own ?? 1;
	}
	return factor;
};

/** A rate in a tier, in whole pico-dollars, upwards, but for the dust of floating point. */
export const inTier = (rate: number, factor: number): number => (factor === 1 ? rate : picoUsd((rate * factor) / 1e6));

const ratesFor = (price: Price, inputTokens: number): Rates => {
	let {rates} = price;
	for (const step of price.above) if (inputTokens > step.inputTokens) rates = step.rates;
	return rates;
};

const allParts: readonly Part[] = [...inputParts, ...outputParts];

/** What was used of each unit: every exchange is one request. */
const unitsUsed = (price: Price, {counts = {}}: Usage): Record<string, number> =>
	'requests' in price.units ? {requests: 1, ...counts} : counts;

/** What this usage costs, in whole micro-dollars, rounded up once for the whole exchange; undefined when the price of anything in it is not known. */
export const costMicroUsd = (price: Price, usage: Usage): number | undefined => {
	const factor = factorOf(price, usage.tiers);
	if (factor === undefined) return undefined;
	const rates = ratesFor(price, usage.inputTokens);
	const parts = partsOf(usage);
	let cost: Sum = sumOf();
	for (const part of allParts) {
		const tokens = parts[part] ?? 0;
		if (tokens === 0) continue;
		const rate = rates[part];
		if (rate === undefined) return undefined;
		cost = timesPico(cost, tokens, inTier(rate, factor));
	}
	for (const [name, count] of Object.entries(unitsUsed(price, usage))) {
		if (count === 0) continue;
		const unit = Object.hasOwn(price.units, name) ? price.units[name] : undefined;
		if (unit === undefined) return undefined;
		cost = timesPico(cost, count, unit.rate);
	}
	return microUsd(cost);
};
