import {readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import asc from 'assemblyscript/asc';

/**
 * Compiles an AssemblyScript module; the same source always gives the same bytes. `sources` go before the files of the
 * entry's folder. Throws what the compiler complains about.
 */
export const compile = async (entry: string, sources: Record<string, string> = {}): Promise<Uint8Array> => {
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
		],
		{
			readFile: name => {
				if (Object.hasOwn(sources, name)) return sources[name]!;
				try {
					return readFileSync(join(folder, name), 'utf8');
				} catch {
					return null;
				}
			},
			writeFile: (_name, contents) => {
				binary = contents as Uint8Array;
			},
			listFiles: () => [],
		},
	);
	if (error || !binary) throw new Error(stderr.toString(), {cause: error});
	return binary;
};
