import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {ConfigError, type Problem} from './problems.ts';
import {type Place, readSource, type Source} from './source.ts';

// Node's type stripping shows tabs as wide as this.
const tabWidth = 4;

/** The column (from 1) of `line` that stands `wide` characters from the left once its tabs are spread out. */
const columnAt = (line: string, wide: number): number => {
	let width = 0;
	for (const [index, character] of [...line].entries()) {
		if (width >= wide) return index + 1;
		width += character === '\t' ? tabWidth - (width % tabWidth) : 1;
	}
	return line.length + 1;
};

const pathOf = (written: string): string => (written.startsWith('file:') ? fileURLToPath(new URL(written)) : written);

/** The place that Node prints above the stack of an error in a module's syntax or imports. */
const placeAbove = (error: Error): (Place & {path: string}) | undefined => {
	const found = /^(\/\S.*?|file:\S+?):(\d+)\n([\s\S]*?)\n([ \t]*)\^+\n/.exec(error.stack ?? '');
	if (!found) return undefined;
	const [, written, line, shown, indent] = found;
	const path = pathOf(written!);
	const source = readFileSync(path, 'utf8').split('\n')[Number(line) - 1] ?? '';
	const untouched = shown!.split('\n').at(-1) === source;
	return {path, line: Number(line), column: untouched ? indent!.length + 1 : columnAt(source, indent!.length)};
};

/** The place of the innermost stack frame inside `path`. */
const placeWithin = (error: Error, path: string): Place | undefined => {
	for (const [, written, line, column] of (error.stack ?? '').matchAll(/(file:[^\s()]+?):(\d+):(\d+)/g)) {
		if (pathOf(written!) === path) return {line: Number(line), column: Number(column)};
	}
	return undefined;
};

const mendFor = (error: Error): string => {
	const {code} = error as NodeJS.ErrnoException;
	if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return 'Node runs this file with its types taken out: use plain JavaScript and types.';
	if (code === 'ERR_MODULE_NOT_FOUND') return 'Look at the path of this import; a file is imported with its ending, like ./shared.ts.';
	const ours = /^(defineConfig|env|optionalEnv) is not defined$/.exec(error.message)?.[1];
	if (ours) return `Import it: import {${ours}} from 'sallyport/plugin-sdk'.`;
	return error instanceof SyntaxError
		? 'Mend the syntax here.'
		: 'A config has no logic in it: write plain values, env() and optionalEnv().';
};

// What Node says, without this machine's paths.
const messageOf = (error: Error): string => error.message.replace(/ imported from .*$/s, '').replace(/\.$/, '');

const importFailed = (thrown: unknown, file: string, path: string, text: string): ConfigError => {
	const error = thrown instanceof Error ? thrown : new Error(`it throws ${typeof thrown}`);
	const above = placeAbove(error);
	const problem = {file, path: '', message: messageOf(error), mend: mendFor(error)};
	if (above) {
		const {path: where, line, column} = above;
		return new ConfigError([{...problem, file: where === path ? file : relative(process.cwd(), where), line, column}]);
	}
	const missing = /^Cannot find (?:module|package) '(.+?)'/.exec(error.message)?.[1];
	const from = missing === undefined ? undefined : placeOfImport(readSource(text), path, missing);
	return new ConfigError([{...problem, ...(from ?? placeWithin(error, path))}]);
};

const placeOfImport = (source: Source, path: string, missing: string): Place | undefined => {
	const near = source.imports.find(({specifier}) => specifier === missing || new URL(specifier, pathToFileURL(path)).pathname === missing);
	return near?.place;
};

/** The default export of the config file at `path`, read afresh every time, with its source; throws a ConfigError. What the file itself imports is read once. */
export const importConfig = async (file: string, path: string): Promise<{value: unknown; source: Source}> => {
	const fail = (message: string, mend: string, place?: Place): never => {
		const problem: Problem = {file, ...place, path: '', message, mend};
		throw new ConfigError([problem]);
	};

	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		const {code} = error as NodeJS.ErrnoException;
		return fail(`this file cannot be read (${code})`, 'Start where gateway.config.ts is, or name another file.');
	}

	let module: Record<string, unknown>;
	try {
		module = await import(`${pathToFileURL(path).href}?load=${randomUUID()}`);
	} catch (error) {
		throw importFailed(error, file, path, text);
	}
	if (!('default' in module)) return fail('there is no default export', 'Write export default defineConfig({…}).', {line: 1, column: 1});
	return {value: module.default, source: readSource(text)};
};
