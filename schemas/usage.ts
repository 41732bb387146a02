import * as z from 'zod';

const tokens = z.int().min(0);

/** The parts of the input, each token in one of them; with `1h`, cache entries that were asked to last longer than the shortest kind. */
export const inputParts = [
	'input',
	'inputAudio',
	'inputImage',
	'cacheRead',
	'cacheReadAudio',
	'cacheReadImage',
	'cacheWrite',
	'cacheWrite1h',
] as const;

/** The parts of the output, likewise. */
export const outputParts = ['output', 'reasoning', 'outputAudio', 'outputImage'] as const;

export type Part = (typeof inputParts)[number] | (typeof outputParts)[number];

/** Whole tokens; a part that is left out is 0. */
export const parts = z.strictObject({
	input: tokens.optional(),
	inputAudio: tokens.optional(),
	inputImage: tokens.optional(),
	cacheRead: tokens.optional(),
	cacheReadAudio: tokens.optional(),
	cacheReadImage: tokens.optional(),
	cacheWrite: tokens.optional(),
	cacheWrite1h: tokens.optional(),
	output: tokens.optional(),
	reasoning: tokens.optional(),
	outputAudio: tokens.optional(),
	outputImage: tokens.optional(),
} satisfies Record<Part, z.ZodType>);
export type Parts = z.output<typeof parts>;

/** What was used, in one vocabulary for every provider. `parts` are disjoint and sum to the totals. */
export const usage = z.strictObject({
	/** All of the input and all of the output. */
	inputTokens: tokens,
	outputTokens: tokens,
	/** Of the input: read from a cache, and written to it. */
	cacheReadTokens: tokens,
	cacheWriteTokens: tokens,
	/** Of the output. */
	reasoningTokens: tokens,
	/** Missing in records of releases that did not know it. */
	parts: parts.optional(),
	/** What is charged by the piece: `webSearches`, `webFetches`, `fileSearches`, `codeExecutions`, and the units of the config. */
	counts: z.record(z.string(), z.int().min(0)).optional(),
	/** What changes the price of every token: a service tier, a speed, `geo-us`. The standard ones are left out. */
	tiers: z.array(z.string()).optional(),
	/** `estimated` when any figure is not the upstream's own; such a figure is never shown as if it were measured. */
	source: z.enum(['reported', 'estimated']),
	/** Why it was estimated: the upstream reported nothing, or what cannot be true, or broke off before it reported. */
	doubt: z.enum(['missing', 'absurd', 'cut']).optional(),
});

export type Usage = z.output<typeof usage>;
