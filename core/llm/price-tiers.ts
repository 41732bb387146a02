type Tiers = Readonly<Record<string, number>>;
type Table = readonly (readonly [models: RegExp, tiers: Tiers])[];

/**
 * https://openai.com/api-priority-processing/ and https://platform.openai.com/docs/pricing, read in November 2026: what
 * priority processing (also asked for as `fast`) costs against the standard price. Flex and batch are half of it.
 */
const openai: Table = [
	[/^gpt-5\.5(?!-pro)/, {priority: 2.5}],
	[/^gpt-5\.4(-mini)?(-\d|$)/, {priority: 2}],
	[/^gpt-5(\.1)?(-chat-latest|-codex)?(-\d|$)/, {priority: 2}],
	[/^gpt-5\.2(-\d|$)/, {priority: 2}],
	[/^gpt-5-mini(-\d|$)/, {priority: 1.8}],
	[/^gpt-4\.1(-mini)?(-\d|$)/, {priority: 1.75}],
	[/^gpt-4\.1-nano/, {priority: 2}],
	[/^gpt-4o-2024-05-13$/, {priority: 1.75}],
	[/^gpt-4o(-2024-(08-06|11-20))?$/, {priority: 1.7}],
	[/^gpt-4o-mini(-2024-07-18)?$/, {priority: 5 / 3}],
	[/^o3(-\d|$)/, {priority: 1.75}],
	[/^o4-mini(-\d|$)/, {priority: 2 / 1.1}],
];

/**
 * https://platform.claude.com/docs/en/build-with-claude/fast-mode and https://platform.claude.com/docs/en/about-claude/pricing,
 * read in November 2026: fast mode, and inference in the United States alone.
 */
const anthropic: Table = [
	[/^claude-opus-4-[67]/, {fast: 6, 'geo-us': 1.1}],
	[/^claude-opus-5(-2|$)/, {fast: 2, 'geo-us': 1.1}],
	[/^claude-[a-z]+-(4-[6-9]|[5-9])/, {'geo-us': 1.1}],
];

const half: Tiers = {flex: 0.5, batch: 0.5};

/** What the tiers of a provider's own API multiply the price of a model by, where it is published. */
export const shippedTiers = (providerId: string, model: string): Tiers => {
	if (providerId === 'openai') {
		const {priority} = openai.find(([models]) => models.test(model))?.[1] ?? {};
		return priority === undefined ? half : {...half, priority, fast: priority};
	}
	if (providerId !== 'anthropic') return {};
	return {batch: 0.5, ...anthropic.find(([models]) => models.test(model))?.[1]};
};
