import {type BuildOptions, build, stop} from 'esbuild';

const idleMs = 1_000;

let running = 0;
let ending: NodeJS.Timeout | undefined;

/**
 * The text of the one file that esbuild makes of `options`. It works in a process of its own, which holds 90 MB: that one
 * ends a second after the last build, and comes back for the next.
 */
export const built = async (options: BuildOptions): Promise<string> => {
	running += 1;
	clearTimeout(ending);
	try {
		const {outputFiles} = await build({...options, write: false});
		return outputFiles[0]!.text;
	} finally {
		running -= 1;
		if (running === 0) ending = setTimeout(stop, idleMs).unref();
	}
};
