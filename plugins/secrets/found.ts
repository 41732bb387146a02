/** What is done about a secret goes by its category. */
export const categories = ['provider-key', 'private-key', 'connection-string', 'jwt', 'webhook', 'assignment'] as const;

export type Category = (typeof categories)[number];

/** A secret in a text, `text.slice(start, end)`, and what it is: never what it says. */
export type Found = {
	readonly start: number;
	readonly end: number;
	readonly category: Category;
	readonly kind: string;
	/** A check within the key itself came out right. */
	readonly sure?: boolean;
};
