import * as z from 'zod';
import {type Category, categories, type Found} from './found.ts';

const action = z.enum(['flag', 'mask', 'deny']);

export type Action = z.output<typeof action>;

/** The config, as the handlers use it. */
export type Settings = {
	request: boolean;
	response: boolean;
	/** What to do about a secret, or nothing for a kind that is left alone. */
	actionOf: (found: Found) => Action | undefined;
};

export const config = z
	.strictObject({
		/** What to do about every secret that `categories` does not name. */
		action: action.default('mask'),
		categories: z.partialRecord(z.enum(categories), action).default({}),
		/** Kinds that are no secret here, such as `mapbox`. */
		ignore: z.array(z.string().min(1).max(60)).max(100).default([]),
		in: z
			.array(z.enum(['request', 'response']))
			.min(1)
			.default(['request', 'response']),
	})
	.transform(({action: usual, categories: named, ignore, in: directions}): Settings => {
		const ignored = new Set(ignore);
		const byCategory: Partial<Record<Category, Action>> = named;
		return {
			request: directions.includes('request'),
			response: directions.includes('response'),
			actionOf: ({category, kind}) => (ignored.has(kind) ? undefined : (byCategory[category] ?? usual)),
		};
	});
