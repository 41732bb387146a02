/** No answer of any model comes near; a larger figure is an error of the provider's. */
const absurd = 100_000_000;

/** A number of tokens as a provider reports it, or undefined when it cannot be one. */
export const tokens = (value: unknown): number | undefined =>
	typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= absurd ? value : undefined;

/** The same for a figure that may be left out: missing and null are 0. */
export const optionalTokens = (value: unknown): number | undefined => (value === undefined || value === null ? 0 : tokens(value));

/** What can be relied on in figures that do not make sense together: never bill less. */
export type Sure = {inputTokens: number; outputTokens: number};

/** Tiers that every provider means by its listed price. https://docs.claude.com/en/api/service-tiers */
const standard: ReadonlySet<string> = new Set([
	'default',
	'standard',
	'auto',
	'on_demand',
	'scale',
	'standard_only',
	'global',
	'not_available',
	'',
]);

/** The names of `values` that change a price; what is no name is `unknown`, which has no price. */
export const tiersOf = (...values: readonly unknown[]): string[] => {
	const names: string[] = [];
	for (const value of values) {
		if (value === undefined || value === null || (typeof value === 'string' && standard.has(value.toLowerCase()))) continue;
		names.push(typeof value === 'string' && /^[\w.-]{1,40}$/.test(value) ? value.toLowerCase() : 'unknown');
	}
	return names;
};
