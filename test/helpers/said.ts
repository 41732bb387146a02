import type {ChildProcessByStdio} from 'node:child_process';
import {once} from 'node:events';
import type {Readable} from 'node:stream';

/** What a gateway's process has written so far to its standard output, and to its error output. */
export const saidBy = (child: ChildProcessByStdio<null, Readable, Readable>) => {
	const exited = once(child, 'exit');
	let printed = '';
	let complained = '';
	child.stdout.setEncoding('utf8').on('data', text => {
		printed += text;
	});
	child.stderr.setEncoding('utf8').on('data', text => {
		complained += text;
	});
	return {
		printed: () => printed,
		complained: () => complained,
		/** What it printed, in the group of this pattern. */
		found: (pattern: RegExp): string | undefined => pattern.exec(printed)?.[1],
		/** Resolves once it printed what makes `isUp` true; rejects, with all it said, when it ends before. */
		started: async (isUp: () => boolean): Promise<void> => {
			while (!isUp()) {
				await Promise.race([once(child.stdout, 'data'), exited]);
				if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the gateway did not start:\n${printed}${complained}`);
			}
		},
	};
};
