import {execFileSync, spawnSync} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';

export type Command = [program: string, ...leading: string[]];

/** The load generator and the responder: compiled from C where a compiler is, otherwise their slower twins in Node. */
export interface Tools {
	load: Command;
	responder: Command;
	language: string;
}

const here = (file: string) => join(import.meta.dirname, file);

function works(program: string, args: string[]) {
	return spawnSync(program, args, {stdio: 'ignore'}).status === 0;
}

export function makeTools(folder: string, wantNode: boolean): Tools {
	const compiler = wantNode ? undefined : ['cc', 'gcc', 'clang'].find(name => works(name, ['--version']));
	if (!compiler) {
		const twin = (file: string): Command => [process.execPath, here(file)];
		return {load: twin('load.ts'), responder: twin('responder.ts'), language: 'Node (no C compiler: they may be the limit)'};
	}
	const compile = (name: string): Command => {
		const program = join(folder, name);
		execFileSync(compiler, ['-O2', '-o', program, here(`${name}.c`)]);
		return [program];
	};
	return {load: compile('load'), responder: compile('responder'), language: 'C'};
}

export interface Cores {
	tested: number;
	harness: number;
}

/** Two cores to pin to, or undefined where that cannot be done: then the numbers include the scheduler's moods. */
export function findCores(): Cores | undefined {
	if (availableParallelism() < 2 || !works('taskset', ['-p', `${process.pid}`])) return undefined;
	const allowed =
		execFileSync('taskset', ['-cp', `${process.pid}`], {encoding: 'utf8'})
			.split(':')
			.at(-1) ?? '';
	const list = allowed
		.trim()
		.split(',')
		.flatMap(range => {
			const [from = 0, to = from] = range.split('-').map(Number);
			return Array.from({length: to - from + 1}, (_, i) => from + i);
		});
	const [harness, tested] = list;
	return harness === undefined || tested === undefined ? undefined : {harness, tested};
}

export const pinned = (command: Command, core: number | undefined): Command =>
	core === undefined ? command : ['taskset', '-c', `${core}`, ...command];
