import * as z from 'zod';
import type {Channel} from '../../plugin-sdk/index.ts';
import {type Category, categories, type Found} from './found.ts';

const action = z.enum(['flag', 'taint', 'mask', 'deny']);

const byCategory = z.partialRecord(z.enum(categories), action);

const channel = z.enum(['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments']);

export type Action = z.output<typeof action>;

/** The config, as the handlers use it. */
export type Settings = {
	request: boolean;
	response: boolean;
	/** What to do about a secret, or nothing for a kind that is left alone. */
	actionOf: (found: Found, from: Channel) => Action | undefined;
};

export const config = z
	.strictObject({
		/** What to do about every secret that nothing below names: `taint` marks the session for rules, and leaves the text as it is. */
		action: action.default('mask'),
		categories: byCategory.default({}),
		/** What to do where it came from: one action, or one for each category. It goes before `categories`. */
		channels: z.partialRecord(channel, z.union([action, byCategory])).default({}),
		/** Kinds that are no secret here, such as `mapbox`. */
		ignore: z.array(z.string().min(1).max(60)).max(100).default([]),
		in: z
			.array(z.enum(['request', 'response']))
			.min(1)
			.default(['request', 'response']),
	})
	.transform(({action: usual, categories: named, channels, ignore, in: directions}): Settings => {
		const ignored = new Set(ignore);
		const ofCategory: Partial<Record<Category, Action>> = named;
		const ofChannel: Partial<Record<Channel, Action | Partial<Record<Category, Action>>>> = channels;
		const there = (category: Category, from: Channel): Action | undefined => {
			const said = ofChannel[from];
			return typeof said === 'object' ? said[category] : said;
		};
		return {
			request: directions.includes('request'),
			response: directions.includes('response'),
			actionOf: ({category, kind}, from) => (ignored.has(kind) ? undefined : (there(category, from) ?? ofCategory[category] ?? usual)),
		};
	});
