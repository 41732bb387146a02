import type {Price as ConfiguredPrice, Provider} from '../../schemas/config.ts';
import type {Usage} from '../../schemas/usage.ts';
import type {ShippedPrices} from './shipped-prices.ts';

/** What one token costs, in whole pico-dollars (10⁻¹² US dollars); one US dollar per million tokens is 1,000,000 of them. */
export type Rates = {input: number; output: number; cacheRead: number; cacheWrite: number; longCacheWrite: number};

/** The price of a deployment. A request whose input is larger than `inputTokens` pays those rates for all of its tokens. */
export type Price = {rates: Rates; above: readonly {inputTokens: number; rates: Rates}[]; maxOutputTokens?: number};

const picoUsd = (usdPerMTok: number): number => Math.ceil(Number((usdPerMTok * 1e6).toFixed(3)));

/** Rates from US dollars per million tokens. A cache price that is not known is the input's, never nothing. */
export const ratesOf = (usd: {input: number; output: number; cacheRead?: number; cacheWrite?: number; longCacheWrite?: number}): Rates => {
	const {input, output, cacheRead = input, cacheWrite = input, longCacheWrite = cacheWrite} = usd;
	return {
		input: picoUsd(input),
		output: picoUsd(output),
		cacheRead: picoUsd(cacheRead),
		cacheWrite: picoUsd(cacheWrite),
		longCacheWrite: picoUsd(longCacheWrite),
	};
};

const configured = (price: ConfiguredPrice): Price => ({
	rates: ratesOf({
		input: price.inputUsdPerMTok,
		output: price.outputUsdPerMTok,
		cacheRead: price.cacheReadUsdPerMTok,
		cacheWrite: price.cacheWriteUsdPerMTok,
	}),
	above: [],
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

/** The same price for requests that write cache entries of an hour: what was written is charged as such in whole. */
export const withLongCacheWrites = (price: Price): Price => {
	const long = (rates: Rates): Rates => ({...rates, cacheWrite: rates.longCacheWrite});
	return {...price, rates: long(price.rates), above: price.above.map(({inputTokens, rates}) => ({inputTokens, rates: long(rates)}))};
};

/** Whole micro-dollars, rounded up. Exact up to 9 · 10¹⁵ pico-dollars (9,007 US dollars). */
export const microUsd = (picoUsdTotal: number): number => Math.min(Math.ceil(picoUsdTotal / 1e6), Number.MAX_SAFE_INTEGER);

const ratesFor = (price: Price, inputTokens: number): Rates => {
	let {rates} = price;
	for (const step of price.above) if (inputTokens > step.inputTokens) rates = step.rates;
	return rates;
};

/** What this usage costs, in whole micro-dollars, rounded up once for the whole exchange. */
export const costMicroUsd = (price: Price, usage: Usage): number => {
	const rates = ratesFor(price, usage.inputTokens);
	const uncached = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens);
	const input = uncached * rates.input + usage.cacheReadTokens * rates.cacheRead + usage.cacheWriteTokens * rates.cacheWrite;
	return microUsd(input + usage.outputTokens * rates.output);
};
