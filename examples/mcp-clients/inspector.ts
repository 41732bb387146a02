import {execFile} from 'node:child_process';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';

const run = promisify(execFile);
const timeoutMs = 60_000;

/** The inspector's command line, a process for each question. Rejects with what it writes where it does not end well. */
export const inspector = (url: string, key: string) => {
	const home = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json'));
	const program = join(home, 'clients', 'launcher', 'build', 'index.js');
	const flags = ['--cli', url, '--transport', 'http', '--header', `Authorization: Bearer ${key}`];
	return async (method: string, ...more: string[]): Promise<Record<string, unknown>> => {
		const {stdout} = await run(process.execPath, [program, ...flags, '--method', method, ...more], {timeout: timeoutMs});
		return JSON.parse(stdout) as Record<string, unknown>;
	};
};
