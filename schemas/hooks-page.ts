import {readFileSync} from 'node:fs';
import type * as z from 'zod';
import {type Crossing, type HookName, hookNames, hooks} from './hooks.ts';
import {effects} from './verdict.ts';

const crossings: Record<Crossing, string> = {
	plain: 'a string, number or boolean',
	json: 'JSON, serialised once per exchange',
	text: 'one string with the lengths of its parts',
};

const code = (words: readonly string[]): string => words.map(word => `\`${word}\``).join(', ');

/** The sentence above each hook in hooks.ts. */
const sentences = (): Map<string, string> => {
	const source = readFileSync(new URL('hooks.ts', import.meta.url), 'utf8');
	return new Map([...source.matchAll(/\/\*\* ([^\n]+) \*\/\n\t'([\w-]+)': \{/g)].map(([, sentence, hook]) => [hook!, sentence!]));
};

type Verdict = {name: string; fields: string[]; effects: boolean};

const verdictsOf = (hook: HookName): Verdict[] =>
	hooks[hook].answer.options.map(({shape}) => {
		const fields: [string, z.ZodType][] = Object.entries(shape);
		return {
			name: shape.verdict.value,
			fields: fields
				.filter(([field]) => field !== 'verdict' && !(field in effects))
				.map(([field, schema]) => (schema.safeParse(undefined).success ? `${field}?` : field)),
			effects: 'carry' in shape,
		};
	});

const section = (hook: HookName, sentence: string): string => {
	const reads = Object.entries(hooks[hook].reads).map(([path, crossing]) => `| \`${path}\` | ${crossings[crossing as Crossing]} |`);
	const verdicts = verdictsOf(hook).map(({name, fields, effects}) => `| \`${name}\` | ${code(fields)} | ${effects ? 'yes' : 'no'} |`);
	return `## ${hook}

${sentence}

Schemas: [what it can be handed](../schemas/json/${hook}.input.json), [what it may answer](../schemas/json/${hook}.answer.json).

| may read | crosses as |
|---|---|
${reads.join('\n')}

| may answer | with | effects |
|---|---|---|
${verdicts.join('\n')}
`;
};

/** `docs/hooks.md`, out of `hooks.ts` and `verdict.ts`. */
export const hooksPage = (): string => {
	const said = sentences();
	const rows = hookNames.map(hook => {
		const {kind, runs} = hooks[hook];
		return `| [\`${hook}\`](#${hook}) | ${kind} | ${runs} | ${code(verdictsOf(hook).map(({name}) => name))} |`;
	});
	return `# The five hooks

<!-- Generated from schemas/hooks.ts by \`node schemas/generate.ts\`: change it there. -->

| hook | kind | runs | may answer |
|---|---|---|---|
${rows.join('\n')}

*first*: the first plugin that identifies a principal ends the search. *waterfall*: each plugin sees what the one before left; a deny or a hold
ends it. *observe*: all at once, and no answer changes what the client gets. *down* is the order of the list in \`gateway.config.ts\`, *up* the
reverse.

A plugin's manifest declares which fields its handler is given (\`reads\`); nothing else crosses the wall. \`<name>\` stands for a name of the
plugin's choice. A field with a question mark may be left out. No answer at all means \`allow\`.

Effects ride on a verdict, and the host carries out all of them or none: ${code(Object.keys(effects))}.

${hookNames.map(hook => section(hook, said.get(hook) ?? '')).join('\n')}`;
};
