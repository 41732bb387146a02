import * as z from 'zod';
import {asking, channel, channels, rules} from '../opinions/rules.ts';
import {usualTask} from './prompt.ts';

const category = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
const score = z.number().min(0).max(1);

export const config = z.strictObject({
	...asking,
	/** Answers come back up the list: for them a judge stands elsewhere. */
	in: asking.in.unwrap().default(['request']),
	/** How the model is asked, and what its answer looks like. */
	shape: z.enum(['prompt', 'llama-guard', 'prompt-guard', 'moderation']),
	/** When it is asked: where a guard before has found something of this category and is not sure of it; or always. */
	band: z
		.union([z.literal('always'), z.strictObject({category, from: score.default(0.5), to: score.default(0.95)})])
		.default({category: 'injection', from: 0.5, to: 0.95}),
	/** What becomes of what a guard before is surer of than the band reaches: refused without asking, or left to that guard. */
	above: z.enum(['deny', 'leave']).default('deny'),
	channels: z
		.array(channel)
		.min(1)
		.default([...channels]),
	rules: rules.default({'*': {from: 0.5, action: 'deny'}}),
	/** Of `prompt` and `prompt-guard`: what an attack is called in findings. */
	category: category.default('injection'),
	/** Of `prompt`: what an attack is. */
	task: z.string().min(1).max(4_000).default(usualTask),
	answer: z.enum(['json', 'word']).default('json'),
	speaks: z.enum(['openai', 'anthropic']).default('openai'),
	/** What goes with the question, such as `max_completion_tokens` for models that want that word. */
	params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({max_tokens: 100, temperature: 0}),
});

export type Config = z.output<typeof config>;
