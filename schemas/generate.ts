import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {configPage} from './config-page.ts';
import {errorsPage} from './errors-page.ts';
import {hooksPage} from './hooks-page.ts';
import {jsonSchemas} from './json-schema.ts';

const folder = 'schemas/json';

/** Every generated file, by its path in the repository. The same schemas give the same bytes. */
export const generated = (): Map<string, string> =>
	new Map([
		...[...jsonSchemas()].map(([name, schema]) => [join(folder, name), `${JSON.stringify(schema, null, '\t')}\n`] as const),
		['docs/config.md', configPage()],
		['docs/errors.md', errorsPage()],
		['docs/hooks.md', hooksPage()],
	]);

const textOf = (file: string): string | undefined => {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw error;
	}
};

/** Files of the schema folder that nothing generates any more. */
const leftOver = (root: string, files: Map<string, string>): string[] =>
	(existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []).map(name => join(folder, name)).filter(file => !files.has(file));

/** The generated files under `root` that are missing, are not what the schemas say, or are left over. */
export const notCurrent = (root: string): string[] => {
	const files = generated();
	const changed = [...files].filter(([file, text]) => textOf(join(root, file)) !== text).map(([file]) => file);
	return [...changed, ...leftOver(root, files)].sort();
};

/** Brings every generated file under `root` up to date. */
export const generate = (root: string): void => {
	const files = generated();
	for (const file of leftOver(root, files)) rmSync(join(root, file));
	for (const [file, text] of files) {
		mkdirSync(dirname(join(root, file)), {recursive: true});
		writeFileSync(join(root, file), text);
	}
};

if (import.meta.main) {
	const root = join(import.meta.dirname, '..');
	if (process.argv.includes('--check')) {
		const stale = notCurrent(root);
		for (const file of stale) console.error(`${file} is not current. Run: npm run schemas`);
		process.exitCode = stale.length > 0 ? 1 : 0;
	} else generate(root);
}
