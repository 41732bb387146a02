import * as z from 'zod';

/** What becomes of what nobody has seen before: kept as it is, put before somebody, or hidden for good. */
export const policy = z.enum(['trust', 'ask', 'deny']);
export type Policy = z.output<typeof policy>;

/** What may be found in the words of a definition; `unread` is too large to be looked through, and always hidden. */
export const kinds = ['hidden', 'control', 'padding', 'other-server', 'instructions', 'long', 'odd-name', 'unread'] as const;
export type Kind = (typeof kinds)[number];

const treatment = z.enum(['flag', 'hide']);

export const server = z
	.string()
	.max(32)
	.regex(/^[a-z][a-z0-9-]*$/, 'a server, like files');

const firstOf = z.union([z.literal('*'), server]);

export const config = z.strictObject({
	/** By server; `*` is every other one. */
	first: z.record(firstOf, policy).default({'*': 'ask'}),
	/** What `trust` does with what is found: `flag` says so in the record, `hide` waits for an approval. */
	findings: z
		.strictObject({
			hidden: treatment.default('hide'),
			control: treatment.default('hide'),
			padding: treatment.default('flag'),
			'other-server': treatment.default('flag'),
			instructions: treatment.default('hide'),
			long: treatment.default('flag'),
			'odd-name': treatment.default('flag'),
		})
		.prefault({}),
	/** What is pinned beside tools and instructions. */
	also: z.array(z.enum(['prompts', 'templates', 'resources'])).default(['prompts', 'templates', 'resources']),
	/** The words of a definition may be so long before they are found `long`. */
	maxChars: z.int().min(100).max(60_000).default(10_000),
});
export type Config = z.output<typeof config>;

export const policyOf = ({first}: Config, name: string): Policy => (Object.hasOwn(first, name) ? first[name]! : (first['*'] ?? 'ask'));

export const isHiding = ({findings}: Config, kind: Kind): boolean => kind === 'unread' || findings[kind] === 'hide';

/** Of what was found, written as `kind: what`, that which hides. */
export const hidingIn = (found: readonly string[] = [], config: Config): string[] =>
	found.filter(one => kinds.some(kind => one.startsWith(`${kind}:`) && isHiding(config, kind)));
