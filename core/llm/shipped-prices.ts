import {isIP} from 'node:net';
import type {Provider} from '../../schemas/config.ts';
import {type Price, ratesOf} from './prices.ts';

type Endpoint = Pick<Provider, 'speaks' | 'baseUrl'>;

/** The price of `model` at an endpoint, at a time (milliseconds since 1970), or undefined when it is not known. */
export type ShippedPrices = (model: string, endpoint: Endpoint, at: number) => Price | undefined;

type Tiers = {base: number; tiers: readonly {start: number; price: number}[]};
type Entry = number | Tiers | undefined;

/** A price that changes with the time of day or from a date on is looked up again after so long. */
const freshMs = 60_000;
const mostRemembered = 1_000;

/** The last tier that begins at or below `start`. */
const at = (entry: Entry, start: number): number | undefined => {
	if (typeof entry === 'number' || entry === undefined) return entry;
	let last = {start: -1, price: entry.base};
	for (const tier of entry.tiers) if (tier.start <= start && tier.start > last.start) last = tier;
	return last.price;
};

const dearest = (...prices: readonly (number | undefined)[]): number | undefined => {
	const known = prices.filter(price => price !== undefined);
	return known.length === 0 ? undefined : Math.max(...known);
};

/** Usage does not tell sounds and pictures from text, so the dearest of them is charged. */
const stepOf = (entries: Readonly<Record<string, Entry>>, start: number) => {
	const usd = (name: string) => at(entries[name], start);
	const input = dearest(usd('input_mtok'), usd('input_audio_mtok'), usd('input_image_mtok'));
	if (input === undefined) return undefined;
	return ratesOf({
		input,
		// Embeddings have no output, and so no price for it.
		output: dearest(usd('output_mtok'), usd('output_audio_mtok'), usd('output_image_mtok')) ?? input,
		cacheRead: dearest(usd('cache_read_mtok'), usd('cache_audio_read_mtok'), usd('cache_image_read_mtok')),
		cacheWrite: usd('cache_write_mtok'),
		longCacheWrite: usd('cache_write_1h_mtok'),
	});
};

const priceFrom = (entries: Readonly<Record<string, Entry>>): Price | undefined => {
	// What is charged by the call cannot be said in prices per token.
	if (entries.requests_kcount !== undefined) return undefined;
	const rates = stepOf(entries, 0);
	if (rates === undefined) return undefined;
	const starts = new Set(Object.values(entries).flatMap(entry => (typeof entry === 'object' ? entry.tiers.map(({start}) => start) : [])));
	const above = [...starts]
		.sort((one, other) => one - other)
		.flatMap(start => {
			const step = stepOf(entries, start);
			return step === undefined ? [] : [{inputTokens: start, rates: step}];
		});
	return {rates, above};
};

/** Whether shipped data could know the price of an endpoint: not of one on this machine or in this network. */
const isPublic = ({baseUrl}: Endpoint): boolean => {
	if (baseUrl === undefined) return true;
	const {hostname} = new URL(baseUrl);
	return hostname.includes('.') && !hostname.startsWith('[') && isIP(hostname) === 0;
};

/**
 * The prices that ship with the release, from `@pydantic/genai-prices`; it is loaded only when an endpoint could be in
 * it (loading takes some 0.2 s), and nothing is ever fetched. They are those of the
 * standard tier: priority and fast tiers, regional surcharges and tools the provider charges by the call are not in them. Undefined when no endpoint could.
 */
export const shippedPrices = async (endpoints: readonly Endpoint[]): Promise<ShippedPrices | undefined> => {
	if (!endpoints.some(isPublic)) return undefined;
	const {calcPrice, findProvider} = await import('@pydantic/genai-prices');
	const remembered = new Map<string, {until: number; price: Price | undefined}>();

	const look = (model: string, {speaks, baseUrl}: Endpoint, timestamp: number): Price | undefined => {
		const providerId = baseUrl === undefined ? speaks : findProvider({providerApiUrl: baseUrl})?.id;
		const found = providerId === undefined ? null : calcPrice({}, model, {providerId, timestamp: new Date(timestamp)});
		return found === null ? undefined : priceFrom(found.model_price);
	};

	return (model, endpoint, timestamp) => {
		if (!isPublic(endpoint)) return undefined;
		const key = `${endpoint.speaks} ${endpoint.baseUrl ?? ''} ${model}`;
		const known = remembered.get(key);
		if (known !== undefined && timestamp < known.until && timestamp >= known.until - freshMs) return known.price;
		if (remembered.size >= mostRemembered) remembered.clear();
		const price = look(model, endpoint, timestamp);
		remembered.set(key, {until: timestamp + freshMs, price});
		return price;
	};
};
