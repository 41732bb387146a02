import * as z from 'zod';

/**
 * What an upstream reports having used, in one vocabulary. The parts are disjoint: input = uncached + cacheRead +
 * cacheWrite, and `outputTokens` includes `reasoningTokens`.
 */
export const usage = z.strictObject({
	inputTokens: z.int().min(0),
	cacheReadTokens: z.int().min(0),
	cacheWriteTokens: z.int().min(0),
	outputTokens: z.int().min(0),
	reasoningTokens: z.int().min(0),
	/** `estimated` when the upstream reported nothing; such a figure is never shown as if it were measured. */
	source: z.enum(['reported', 'estimated']),
});

export type Usage = z.output<typeof usage>;
