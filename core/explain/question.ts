import * as z from 'zod';
import type {Principal} from '../../schemas/principal.ts';
import {principal} from '../../schemas/principal.ts';
import type {Catalogue} from '../llm/catalogue.ts';
import type {DialectOperation} from '../llm/dialects/dialect.ts';

const {id, accounts, tags, ...rest} = principal.shape;

/** What an operator asks `explain`: who would ask, for what. */
export const question = z
	.strictObject({
		/** The public id of a key, never the key itself. */
		key: z.string().min(1).max(300).optional(),
		/** In the place of a key: whoever some other plugin would identify. Its accounts follow from its names when they are left out. */
		principal: z
			.strictObject({...rest, id: id.optional(), accounts: accounts.unwrap().optional(), tags: tags.unwrap().optional()})
			.optional(),
		model: z.string().min(1).max(300),
		operation: z.enum(['chat', 'embeddings', 'messages', 'count_tokens'] satisfies DialectOperation[]).optional(),
		/** The most output the request would ask for. */
		maxTokens: z.int().min(1).max(100_000_000).optional(),
		/** What the request would say. It is not kept. */
		text: z.string().min(1).max(100_000).default('Hello.'),
		session: z
			.string()
			.regex(/^[\w.:-]{1,200}$/)
			.optional(),
	})
	.refine(({key, principal}) => (key === undefined) !== (principal === undefined), {path: ['key'], error: 'say key or principal'});
export type Question = z.output<typeof question>;

/** A principal that was spelled out, with what is left out of it. */
export const principalOf = ({tags = [], ...said}: NonNullable<Question['principal']>): Principal => {
	const {tenant, team, user, key} = said;
	const accounts = [
		`tenant:${tenant}`,
		...(team === undefined ? [] : [`team:${tenant}/${team}`]),
		...(user === undefined ? [] : [`user:${tenant}/${user}`]),
		...(key === undefined ? [] : [`key:${key}`]),
	];
	return {id: key ?? user ?? tenant, accounts, ...said, tags};
};

/** The operation that is meant when none is named: what the model's first provider is asked with. */
export const operationOf = ({operation, model}: Question, catalogue: Catalogue): DialectOperation =>
	operation ?? (catalogue.plan(model)[0]?.speaks === 'anthropic' ? 'messages' : 'chat');

/** Anthropic's API demands a maximum; this one stands for a request that would name none. */
const usualMaxTokens = 1_024;

/** The request as a client would write it. */
export const bodyOf = ({model, text, maxTokens}: Question, operation: DialectOperation): Buffer => {
	const messages = [{role: 'user', content: text}];
	const bodies: Record<DialectOperation, object> = {
		chat: {model, messages, ...(maxTokens !== undefined && {max_tokens: maxTokens})},
		messages: {model, messages, max_tokens: maxTokens ?? usualMaxTokens},
		count_tokens: {model, messages},
		embeddings: {model, input: text},
		moderations: {model, input: text},
	};
	return Buffer.from(JSON.stringify(bodies[operation]));
};
