import type {Usage} from '../../../schemas/usage.ts';

/** No answer of any model comes near; a larger figure is an error of the provider's. */
const absurd = 100_000_000;

/** A number of tokens as a provider reports it, or undefined when it cannot be one. */
export const tokens = (value: unknown): number | undefined =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= absurd ? value : undefined;

/** The same for a figure that may be left out: missing and null are 0. */
export const optionalTokens = (value: unknown): number | undefined => (value === undefined || value === null ? 0 : tokens(value));

type Parts = {input?: number; cacheRead?: number; cacheWrite?: number; output?: number; reasoning?: number};

/** Usage as reported; undefined when a part is missing or the parts cannot add up. `input` includes both cache parts. */
export const reported = ({input, cacheRead, cacheWrite, output, reasoning}: Parts): Usage | undefined => {
	if (input === undefined || cacheRead === undefined || cacheWrite === undefined) return undefined;
	if (output === undefined || reasoning === undefined) return undefined;
	if (cacheRead + cacheWrite > input || reasoning > output) return undefined;
	return {
		inputTokens: input,
		cacheReadTokens: cacheRead,
		cacheWriteTokens: cacheWrite,
		outputTokens: output,
		reasoningTokens: reasoning,
		source: 'reported',
	};
};
