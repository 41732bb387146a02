import * as z from 'zod';
import {GatewayError} from '../errors.ts';

const question = z.strictObject({
	/** In which call of a hook, by the name that the plugin was told. */
	asking: z.string().max(100).optional(),
	model: z.string().min(1).max(300),
	operation: z.enum(['chat', 'messages', 'embeddings', 'moderations']).default('chat'),
	body: z.record(z.string(), z.json()),
	timeoutMs: z.int().min(1).max(60_000).default(10_000),
});

/** What a plugin asks a model. */
export type Question = z.output<typeof question>;

const mostChars = 1_000_000;

/** Reads a question that came over the wall. Throws where it is none, or longer than 1,000,000 characters. */
export const questionIn = (json: string): Question => {
	if (json.length > mostChars) throw new GatewayError('invalid_request', `a question to a model has ${mostChars} characters at most`);
	return question.parse(JSON.parse(json));
};
