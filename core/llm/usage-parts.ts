import {inputParts, outputParts, type Part, type Parts, type Usage} from '../../schemas/usage.ts';

const sum = (parts: Parts, names: readonly Part[]): number => names.reduce((total, name) => total + (parts[name] ?? 0), 0);

export type Extras = Pick<Usage, 'counts' | 'tiers' | 'doubt'>;

/** Usage from its disjoint parts: the totals are their sums, so that nothing can be counted twice or not at all. */
export const usageFrom = (parts: Parts, source: Usage['source'], {counts, tiers, doubt}: Extras = {}): Usage => ({
	inputTokens: sum(parts, inputParts),
	cacheReadTokens: sum(parts, ['cacheRead', 'cacheReadAudio', 'cacheReadImage']),
	cacheWriteTokens: sum(parts, ['cacheWrite', 'cacheWrite1h']),
	outputTokens: sum(parts, outputParts),
	reasoningTokens: parts.reasoning ?? 0,
	parts,
	...(counts && Object.keys(counts).length > 0 && {counts}),
	...(tiers && tiers.length > 0 && {tiers}),
	source,
	...(doubt && {doubt}),
});

/** The disjoint parts of any usage, those of records that have none included. */
export const partsOf = (usage: Usage): Parts =>
	usage.parts ?? {
		input: Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens),
		cacheRead: usage.cacheReadTokens,
		cacheWrite: usage.cacheWriteTokens,
		output: Math.max(0, usage.outputTokens - usage.reasoningTokens),
		reasoning: usage.reasoningTokens,
	};

/** The parts of the input alone. */
export const inputOnly = (parts: Parts): Parts =>
	Object.fromEntries(inputParts.flatMap(name => (parts[name] === undefined ? [] : [[name, parts[name]]])));

/** The parts that are not 0: what a record says. */
export const filled = (parts: Parts): Parts => Object.fromEntries(Object.entries(parts).filter(([, tokens]) => tokens > 0));
