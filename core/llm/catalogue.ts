import type {ResolvedConfig} from '../config.ts';
import type {Deployment as Target} from '../upstream/deployments.ts';
import {openProvider, type Provider} from '../upstream/dispatch.ts';
import {type Price, priceOf} from './prices.ts';
import {isPublic, shippedPrices} from './shipped-prices.ts';
import {openTokens, type TokenBound} from './tokens.ts';

export type Speaks = 'openai' | 'anthropic';
export type Deployment = Target & {upstream: Provider; speaks: Speaks; key?: string; price?: Price; bound: TokenBound};

/** What can be asked for, and who serves it. */
export type Catalogue = {
	/** Best first; empty when nobody serves the name. A client may ask for an alias, or for `provider/model`. */
	plan(model: string): readonly Deployment[];
	/** One deployment by its name, when its provider is known. */
	deployment(name: string): Deployment | undefined;
	/** The aliases, in the order of the config. */
	models: readonly string[];
	close(): Promise<void>;
};

/** Names of deployments nobody configured that are remembered; more, and the oldest are worked out again. */
const remembered = 1_000;

/** Connects to nobody yet; prices are those of today. */
export const openCatalogue = async ({providers, models, prices}: ResolvedConfig, now = Date.now): Promise<Catalogue> => {
	const shipped = await shippedPrices(Object.values(providers));
	const upstreams = new Map(Object.entries(providers).map(([name, provider]) => [name, openProvider({...provider, name})]));
	const tokens = openTokens();
	const known = new Map<string, Deployment>();

	const deployment = (name: string): Deployment | undefined => {
		const found = known.get(name);
		if (found) return found;
		const slash = name.indexOf('/');
		const provider = name.slice(0, Math.max(0, slash));
		const upstream = upstreams.get(provider);
		const model = name.slice(slash + 1);
		if (!upstream || model === '') return undefined;
		const {speaks, key, baseUrl} = providers[provider]!;
		const made: Deployment = {
			name,
			provider,
			model,
			upstream,
			speaks,
			key,
			price: priceOf(name, {speaks, baseUrl}, prices, shipped, now()),
			bound: tokens.boundFor(model, speaks === 'openai' && isPublic({speaks, baseUrl})),
		};
		if (known.size >= remembered) known.clear();
		known.set(name, made);
		return made;
	};

	const planned = (names: readonly string[]): Deployment[] => names.map(deployment).filter(found => found !== undefined);
	const plans = new Map(Object.entries(models).map(([alias, names]) => [alias, planned(names)]));

	return {
		plan: model => plans.get(model) ?? planned([model]),
		deployment,
		models: [...plans.keys()],
		async close() {
			await Promise.all([...upstreams.values()].map(upstream => upstream.close()));
		},
	};
};
