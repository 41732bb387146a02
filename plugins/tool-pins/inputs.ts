import * as z from 'zod';
import {server} from './config.ts';
import type {Place} from './rows.ts';

/** As list tells it: characters that are not seen stand there written out. */
const name = z.string().min(1).max(2_400).optional();
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal digits, as list and show tell it');

const named = {server, tool: name, prompt: name, template: name, resource: name, instructions: z.literal(true).optional()};
export type Named = z.output<z.ZodObject<typeof named>>;

const countOf = ({server: _, ...names}: Named): number => Object.values(names).filter(given => given !== undefined).length;
const one = {error: 'one of tool, prompt, template, resource and instructions: true', path: ['tool']};

/** Something that a server shows. */
export const place = z.strictObject(named).refine(asked => countOf(asked) === 1, one);
/** The same, in the state that somebody looked at: another one since then is not what was meant. */
export const stated = z.strictObject({...named, digest}).refine(({digest: _, ...asked}) => countOf(asked) === 1, one);
export const ofServer = z.strictObject({server});
/** Without a name, everything of the server. */
export const forgotten = z.strictObject(named).refine(asked => countOf(asked) <= 1, one);
export const listing = z.strictObject({
	server: server.optional(),
	state: z.enum(['pending', 'pinned', 'rejected']).optional(),
	after: z.string().min(1).max(300).optional(),
	limit: z.int().min(1).max(1_000).default(100),
});

/** Which one is named; undefined where none is. */
export const placeNamed = ({server, instructions, ...names}: Named): Place | undefined => {
	if (instructions) return {server, show: 'instructions', name: ''};
	for (const show of ['tool', 'prompt', 'template', 'resource'] as const) {
		const given = names[show];
		if (given !== undefined) return {server, show, name: given};
	}
	return undefined;
};
