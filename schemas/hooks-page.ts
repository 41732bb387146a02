import * as z from 'zod';
import {type Crossing, type HookName, hookNames, hooks, operation} from './hooks.ts';
import {cell, rowsOf, tableOf} from './page-rows.ts';
import {type Sentences, sentencesOf} from './page-sentences.ts';
import * as verdicts from './verdict.ts';

const {effects} = verdicts;

const code = (words: readonly string[]): string => words.map(word => `\`${word}\``).join(', ');

const jsonOf = (schema: z.ZodType) => z.toJSONSchema(schema, {io: 'input'});

type Option = (typeof hooks)[HookName]['answer']['options'][number];
type Verdict = {schema: Option; name: string; fields: [string, z.ZodType][]; effects: boolean};

const verdictsOf = (hook: HookName): Verdict[] =>
	hooks[hook].answer.options.map(schema => {
		const fields: [string, z.ZodType][] = Object.entries(schema.shape);
		return {
			schema,
			name: schema.shape.verdict.value,
			fields: fields.filter(([field]) => field !== 'verdict' && !(field in effects)),
			effects: 'carry' in schema.shape,
		};
	});

const fieldNames = ({fields}: Verdict): string[] =>
	fields.map(([field, schema]) => (schema.safeParse(undefined).success ? `${field}?` : field));

/** Of a field that has none of its own, what stands above the object that it is in. */
const sentenceOf = (hook: HookName, read: string, said: Sentences): string => {
	const path = `${hook}.input.${read.replace(/\[\]$|\.\*$|\.<name>$/, '')}`;
	const sentence = said.get(path) ?? said.get(path.replace(/\.\w+$/, ''));
	if (sentence === undefined) throw new Error(`${read} at ${hook} has no comment in schemas/hooks.ts. Write above it what it is.`);
	return sentence;
};

const section = (hook: HookName, said: Sentences): string => {
	const reads = (Object.entries(hooks[hook].reads) as [string, Crossing][]).map(
		([path, crossing]) => `| \`${path}\` | ${crossing} | ${cell(sentenceOf(hook, path, said))} |`,
	);
	const rows = verdictsOf(hook).map(
		verdict => `| [\`${verdict.name}\`](#${anchorOf(verdict)}) | ${code(fieldNames(verdict))} | ${verdict.effects ? 'yes' : 'no'} |`,
	);
	return `## ${hook}

${said.get(hook)}

Schemas: [what it can be handed](../schemas/json/${hook}.input.json), [what it may answer](../schemas/json/${hook}.answer.json).

| may read | crosses as | |
|---|---|---|
${reads.join('\n')}

| may answer | with | effects |
|---|---|---|
${rows.join('\n')}
`;
};

/** Each shape of a verdict once, with the hooks that take it. */
const shapes = hookNames
	.flatMap(hook => verdictsOf(hook).map(verdict => ({...verdict, hook})))
	.reduce((all, {hook, ...verdict}) => {
		const known = all.get(verdict.schema);
		return all.set(verdict.schema, {...verdict, hooks: [...(known?.hooks ?? []), hook]});
	}, new Map<Option, Verdict & {hooks: HookName[]}>());

/** `rewrite` is another thing at each hook. */
const titleOf = ({schema, name, hooks: at}: Verdict & {hooks: HookName[]}): string =>
	[...shapes.values()].some(other => other.name === name && other.schema !== schema && other.fields.length > 0)
		? `${name} at ${at.join(', ')}`
		: name;

const anchorOf = ({schema}: Pick<Verdict, 'schema'>): string => {
	const shape = shapes.get(schema)!;
	return shape.fields.length === 0 ? 'answers' : titleOf(shape).replaceAll(',', '').replaceAll(' ', '-');
};

const shapeSection = (shape: Verdict & {hooks: HookName[]}): string => {
	const name = Object.entries(verdicts).find(([, schema]) => schema === shape.schema)![0];
	const said = sentencesOf('verdict.ts', name);
	const sentence = said.get('');
	const rows = rowsOf(jsonOf(z.strictObject(Object.fromEntries(shape.fields))), said);
	return `### ${titleOf(shape)}\n\n${sentence ? `${cell(sentence)}\n\n` : ''}${tableOf(rows)}\n`;
};

/** `docs/hooks.md`, out of `hooks.ts` and `verdict.ts`. */
export const hooksPage = (): string => {
	const said = sentencesOf('hooks.ts', 'hooks');
	const rows = hookNames.map(hook => {
		const {kind, runs} = hooks[hook];
		return `| [\`${hook}\`](#${hook}) | ${kind} | ${runs} | ${code(verdictsOf(hook).map(({name}) => name))} |`;
	});
	return `# The five hooks

<!-- Generated from schemas/hooks.ts and schemas/verdict.ts by \`node schemas/generate.ts\`: change it there. -->

| hook | kind | runs | may answer |
|---|---|---|---|
${rows.join('\n')}

*first*: the first plugin that identifies a principal ends the search. *waterfall*: each plugin sees what the one before left; a deny or a hold
ends it. *observe*: all at once, and no answer changes what the client gets. *down* is the order of the list in \`gateway.config.ts\`, *up* the
reverse.

A plugin's manifest declares which fields its handler is given (\`reads\`); nothing else crosses the wall. \`<name>\` stands for a name of the
plugin's choice. A declared field of which nothing is known is missing; in TypeScript, to read one that is not declared throws, and so refuses.
*plain* crosses as a string, a number or a boolean; *json* as JSON, serialised once per exchange; *text* as one string with the lengths of its parts.

No answer at all means \`allow\`; the shapes of all others are [below](#answers), with [the effects](#effects) that may ride on them. A field with a
question mark may be left out.

${hookNames.map(hook => section(hook, said)).join('\n')}
## Answers

Every answer has a \`verdict\`, its name. \`allow\` has nothing else, but for \`clear\` at \`post-response\`. The plugin SDK makes each with a function of that name.

${[...shapes.values()]
	.filter(({fields}) => fields.length > 0)
	.map(shapeSection)
	.join('\n')}
## Effects

They ride on a verdict, and the host carries out all of them or none.

${tableOf(rowsOf(jsonOf(z.strictObject(effects)), sentencesOf('verdict.ts', 'effects')))}

## Operations

${sentencesOf('hooks.ts', 'operation').get('')}

${code(operation.options)}.
`;
};
