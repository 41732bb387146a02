import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type BuildOptions, build, stop, version} from 'esbuild';
import {type Made, openKeptTexts} from './kept-texts.ts';

/** The folder of the product. */
export const house = resolve(fileURLToPath(import.meta.url), '../../..');

/** What esbuild makes of our own files also depends on these. */
const settings = ['package.json', 'tsconfig.json'];
/** Not something that a plugin of esbuild made up: that begins with the name of its namespace. */
const isFile = (input: string): boolean => !/^[\w()-]{2,}:/.test(input);
const idleMs = 1_000;
const kept = openKeptTexts(house, join(house, 'node_modules/.cache/sallyport'));

let running = 0;
let ending: NodeJS.Timeout | undefined;

/** esbuild works in a process of its own, which holds 90 MB: that one ends a second after the last build, and comes back for the next. */
const make = async (options: BuildOptions): Promise<Made> => {
	running += 1;
	clearTimeout(ending);
	try {
		const {outputFiles, metafile} = await build({...options, absWorkingDir: house, write: false, metafile: true});
		return {text: outputFiles![0]!.text, files: [...Object.keys(metafile!.inputs).filter(isFile), ...settings]};
	} finally {
		running -= 1;
		if (running === 0) ending = setTimeout(stop, idleMs).unref();
	}
};

/** The text of the one file that esbuild makes of `options`. */
export const built = async (options: BuildOptions): Promise<string> => (await make(options)).text;

/** The same of files of our own, which is kept from one start to the next. `options` are all JSON, but for what `about` tells apart. */
export const builtOnce = (options: BuildOptions, about = ''): Promise<string> =>
	kept(JSON.stringify([version, options, about]), () => make(options));
