import * as z from 'zod';
import {asking, channel, channels, type Policy, rules} from '../opinions/rules.ts';

export const config = z.strictObject({
	...asking,
	channels: z
		.array(channel)
		.min(1)
		.default([...channels]),
	/** From which score of a category on what is done, where `request`, `response` or `byChannel` do not say so. */
	rules: rules.default({'*': {from: 0.5, action: 'deny'}}),
	/** In the place of `rules`, for one way. */
	request: rules.optional(),
	response: rules.optional(),
	/** In the place of all of these, for texts of one origin. */
	byChannel: z.partialRecord(channel, rules).default({}),
	/** Of an answer that streams: asked about all of it when it ends, or piece by piece before each goes on. */
	streams: z.enum(['end', 'window']).default('end'),
	/** Most questions about one answer that streams piece by piece. */
	questionsPerStream: z.int().min(1).max(1_000).default(30),
});

export type Config = z.output<typeof config>;

export const policyOf = ({rules: usual, byChannel, onUncertain, ...ways}: Config, way: 'request' | 'response'): Policy => ({
	rulesFor: from => byChannel[from] ?? ways[way] ?? usual,
	onUncertain,
});
