import {isIP} from 'node:net';
import type {Provider} from '../../schemas/config.ts';
import {picoUsd} from './price-sums.ts';
import {shippedTiers} from './price-tiers.ts';
import {type Price, type Rates, ratesOf, type Unit} from './prices.ts';

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

type Entries = Readonly<Record<string, Entry>>;

/** Sounds, and cache entries that last longer, are never priced like what they are not: without a price of their own, they have none. */
const unlike = ['inputAudio', 'cacheReadAudio', 'outputAudio', 'cacheWrite1h'] as const;

const stepOf = (entries: Entries, start: number): Rates | undefined => {
	const usd = (name: string) => at(entries[name], start);
	const input = usd('input_mtok');
	if (input === undefined) return undefined;
	return ratesOf(
		{
			input,
			// Embeddings have no output, and so no price for it.
			output: usd('output_mtok') ?? input,
			inputAudio: usd('input_audio_mtok'),
			inputImage: usd('input_image_mtok'),
			cacheRead: usd('cache_read_mtok'),
			cacheReadAudio: usd('cache_audio_read_mtok'),
			cacheReadImage: usd('cache_image_read_mtok'),
			cacheWrite: usd('cache_write_5m_mtok') ?? usd('cache_write_mtok'),
			cacheWrite1h: usd('cache_write_1h_mtok'),
			reasoning: usd('output_reasoning_mtok'),
			outputAudio: usd('output_audio_mtok'),
			outputImage: usd('output_image_mtok'),
		},
		unlike,
	);
};

/** Prices of a thousand. */
const unitNames: Readonly<Record<string, string>> = {
	requests_kcount: 'requests',
	web_searches_kcount: 'webSearches',
	storage_searches_kcount: 'fileSearches',
	code_executions_kcount: 'codeExecutions',
};

/** Fetching a page costs nothing beside its tokens. https://docs.claude.com/en/docs/agents-and-tools/tool-use/web-fetch-tool */
const freeUnits: Readonly<Record<string, Record<string, Unit>>> = {anthropic: {webFetches: {rate: 0}}};

const unitsOf = (entries: Entries, providerId: string): Record<string, Unit> => {
	const units = {...freeUnits[providerId]};
	for (const [key, name] of Object.entries(unitNames)) {
		const usdPerThousand = at(entries[key], 0);
		if (usdPerThousand !== undefined) units[name] = {rate: picoUsd(usdPerThousand * 1e3)};
	}
	return units;
};

const priceFrom = (entries: Entries, providerId: string, model: string): Price | undefined => {
	const rates = stepOf(entries, 0);
	if (rates === undefined) return undefined;
	const starts = new Set(Object.values(entries).flatMap(entry => (typeof entry === 'object' ? entry.tiers.map(({start}) => start) : [])));
	const above = [...starts]
		.sort((one, other) => one - other)
		.flatMap(start => {
			const step = stepOf(entries, start);
			return step === undefined ? [] : [{inputTokens: start, rates: step}];
		});
	return {rates, above, units: unitsOf(entries, providerId), tiers: shippedTiers(providerId, model), otherTiers: 'unknown'};
};

/** Whether shipped data could know the price of an endpoint: not of one on this machine or in this network. */
export const isPublic = ({baseUrl}: Endpoint): boolean => {
	if (baseUrl === undefined) return true;
	const {hostname} = new URL(baseUrl);
	return hostname.includes('.') && !hostname.startsWith('[') && isIP(hostname) === 0;
};

/**
 * The prices that ship with the release, from `@pydantic/genai-prices`, with what the tiers of their own APIs multiply
 * them by; the data is loaded only when an endpoint could be in it (loading takes some 0.2 s), and nothing is ever
 * fetched. Undefined when no endpoint could. docs/prices.md says what is in them and what is not.
 */
export const shippedPrices = async (endpoints: readonly Endpoint[]): Promise<ShippedPrices | undefined> => {
	if (!endpoints.some(isPublic)) return undefined;
	const {calcPrice, findProvider} = await import('@pydantic/genai-prices');
	const remembered = new Map<string, {until: number; price: Price | undefined}>();

	const look = (model: string, {speaks, baseUrl}: Endpoint, timestamp: number): Price | undefined => {
		const providerId = baseUrl === undefined ? speaks : findProvider({providerApiUrl: baseUrl})?.id;
		const found = providerId === undefined ? null : calcPrice({}, model, {providerId, timestamp: new Date(timestamp)});
		return found === null ? undefined : priceFrom(found.model_price, found.provider.id, model);
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
