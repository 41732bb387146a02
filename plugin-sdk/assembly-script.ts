import {readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import asc from 'assemblyscript/asc';

const readIn = (folder: string, name: string): string | null => {
	try {
		return readFileSync(join(folder, name), 'utf8');
	} catch {
		return null;
	}
};

/**
 * Compiles an AssemblyScript module; the same source always gives the same bytes. `./host` and `./json` are those in assembly/ here, unless the
 * entry's folder has its own; `sources` go before both. `options` are more of the compiler's. Throws what the compiler complains about.
 */
export const compile = async (
	entry: string,
	sources: Record<string, string> = {},
	options: readonly string[] = [],
): Promise<Uint8Array> => {
	let binary: Uint8Array | undefined;
	const folder = dirname(entry);
	const {error, stderr} = await asc.main(
		[
			basename(entry),
			'--outFile',
			'plugin.wasm',
			'--optimizeLevel',
			'3',
			'--shrinkLevel',
			'1',
			'--runtime',
			'incremental',
			'--use',
			'abort=host/abort',
			...options,
		],
		{
			readFile: name =>
				Object.hasOwn(sources, name) ? sources[name]! : (readIn(folder, name) ?? readIn(join(import.meta.dirname, 'assembly'), name)),
			writeFile: (_name, contents) => {
				binary = contents as Uint8Array;
			},
			listFiles: () => [],
		},
	);
	if (error || !binary) throw new Error(stderr.toString(), {cause: error});
	return binary;
};
