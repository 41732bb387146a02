import type * as z from 'zod';
import {jsonSchemas} from './json-schema.ts';
import {cell, type Row, rowsOf, tableOf} from './page-rows.ts';
import {sentencesOf} from './page-sentences.ts';

/** `limits` of `limits.bodyMb`, `plugins` of `plugins[].use`. */
const sectionOf = (path: string): string => /^\w+/.exec(path)![0];

/** `docs/config.md`, out of `config.ts` and what it is made of. */
export const configPage = (): string => {
	const schema = jsonSchemas().get('config.json') as z.core.JSONSchema.JSONSchema;
	const rows = rowsOf(schema, sentencesOf('config.ts', 'gatewayConfig'));
	const whole = rows.filter(({path}) => sectionOf(path) === path);
	const sections = whole.flatMap(({path: name, sentence}): {name: string; sentence: string; rows: Row[]}[] => {
		const inner = rows.filter(({path}) => path !== name && sectionOf(path) === name);
		return inner.length > 0 ? [{name, sentence, rows: inner}] : [];
	});
	const top = whole.map(row =>
		sections.some(({name}) => name === row.path) ? {...row, type: `[${row.type}](#${row.path.toLowerCase()})`} : row,
	);
	return `# gateway.config.ts

<!-- Generated from schemas/config.ts and what it includes by \`node schemas/generate.ts\`: change it there. -->

Every key that \`defineConfig()\` takes. An unknown one stops the boot, and \`npx sallyport check\` names its line. Without a default a key may be
left out, unless it is *needed*. \`<name>\` is a name of your choice, \`[]\` an entry of a list. Where a type says \`env(…)\`, \`env('NAME')\` or
\`optionalEnv('NAME')\` of \`sallyport/plugin-sdk\` takes the value from the environment. A MiB is 1,048,576 bytes, a KiB 1,024.

What stands at a plugin's \`config\` is in its README: \`plugins/<name>/README.md\`.

${tableOf(top)}

${sections.map(({name, sentence, rows: inner}) => `## ${name}\n\n${cell(sentence)}\n\n${tableOf(inner)}\n`).join('\n')}`;
};
