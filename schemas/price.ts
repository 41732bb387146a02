import * as z from 'zod';

const usdPerMTok = z.number().min(0).max(1e6);

/** US dollars per million tokens. What has no price of its own costs what `input` or `output` does; a cache entry of an hour what any other does. */
const tokenPrices = {
	/** Of input; of cached, spoken and pictured input too, where that has no price of its own. */
	inputUsdPerMTok: usdPerMTok,
	/** Of output; of reasoning, spoken and pictured output too, where that has no price of its own. */
	outputUsdPerMTok: usdPerMTok,
	/** Of input read from the provider's cache. */
	cacheReadUsdPerMTok: usdPerMTok.optional(),
	/** Of input written to the provider's cache. */
	cacheWriteUsdPerMTok: usdPerMTok.optional(),
	/** Of input written to the cache for an hour; else as any other cache write. */
	cacheWrite1hUsdPerMTok: usdPerMTok.optional(),
	/** Of output that is thought and not said. */
	reasoningUsdPerMTok: usdPerMTok.optional(),
	/** Of input that is sound. */
	audioInputUsdPerMTok: usdPerMTok.optional(),
	/** Of sound read from the cache; else as `audioInputUsdPerMTok`. */
	audioCacheReadUsdPerMTok: usdPerMTok.optional(),
	/** Of output that is sound. */
	audioOutputUsdPerMTok: usdPerMTok.optional(),
	/** Of input that is pictures. */
	imageInputUsdPerMTok: usdPerMTok.optional(),
	/** Of pictures read from the cache; else as `imageInputUsdPerMTok`. */
	imageCacheReadUsdPerMTok: usdPerMTok.optional(),
	/** Of output that is pictures. */
	imageOutputUsdPerMTok: usdPerMTok.optional(),
};

/** What the gateway counts by itself. */
export const knownUnits = ['requests', 'webSearches', 'webFetches', 'fileSearches', 'codeExecutions', 'otherModelTokens'] as const;

const unit = z.strictObject({
	/** US dollars for one. */
	usd: z.number().min(0).max(1_000),
	/** Where an answer says how many: `usage.gpu_seconds`. A fraction counts as a whole one. Not for the units the gateway counts. */
	reported: z
		.string()
		.regex(/^[\w-]+(\.[\w-]+)*$/)
		.optional(),
	/** The most one request can use: set aside before it, and charged when the answer does not say. */
	most: z.int().min(0).max(1e9).optional(),
});
export type PricedUnit = z.output<typeof unit>;

const isComplete = (units: Record<string, PricedUnit>): boolean =>
	Object.entries(units).every(([name, {reported, most}]) => {
		const known = (knownUnits as readonly string[]).includes(name);
		return known ? reported === undefined : reported !== undefined && most !== undefined;
	});

/** The price of a deployment; by `provider/model`, where `*` at the end stands for the rest. It stands in the place of the shipped one, as a whole. */
export const price = z.strictObject({
	...tokenPrices,
	/** Other prices for all tokens of a request with more input than this. */
	above: z
		.array(
			z.strictObject({
				/** More than so many tokens of input, cached ones too. */
				inputTokens: z.int().min(1),
				...tokenPrices,
			}),
		)
		.optional(),
	/** What a service tier multiplies every token's price by: `{flex: 0.5, priority: 2}`. One that is not named costs the same. */
	tiers: z.record(z.string(), z.number().min(0).max(1_000)).optional(),
	/** What is charged by the piece. One of the gateway's own that is used and has no price makes the cost unknown. */
	units: z
		.record(z.string().regex(/^[a-z]\w{0,62}$/i), unit)
		.refine(isComplete, 'a unit of your own needs `reported` and `most`; one that the gateway counts takes no `reported`')
		.optional(),
	/** The most output one answer can have, reserved when a request names no maximum. */
	maxOutputTokens: z.int().min(1).optional(),
});
export type Price = z.output<typeof price>;

/** What calls of MCP tools cost; by `server/tool`, where `*` at the end stands for the rest. */
export const toolPrice = z.strictObject({
	/** US dollars for a call, whatever its result. */
	usdPerCall: z.number().min(0).max(1_000).default(0),
	/** US dollars for a million bytes of its result, as JSON. */
	usdPerMB: z.number().min(0).max(1_000).default(0),
	/** The most a result can be, in millions of bytes: paid for before the call, and a larger one is refused. As much as `limits.replyMb` when left out. */
	mostMB: z.number().min(0).max(1_000).optional(),
});
export type ToolPrice = z.output<typeof toolPrice>;
