import {spawn} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

/** Makes the folder that the demo's filesystem server shows, beside the config; what is in it stays. */
export const demoFiles = async (config: string): Promise<void> => {
	const folder = join(dirname(config), 'data', 'demo-files');
	await mkdir(folder, {recursive: true});
	const hello = 'Hello from a file. Write to ada@example.com if you can read this.\n';
	await writeFile(join(folder, 'hello.txt'), hello, {flag: 'wx'}).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'EEXIST') throw error;
	});
};

export type Demo = {
	close(): void;
};

const program = fileURLToPath(new URL('../../examples/local-upstream/main.ts', import.meta.url));

/** Starts the built-in model, a server of its own that ends with this process. Rejects when it cannot listen. */
export const startDemo = async (port: string): Promise<Demo> => {
	// In a group of its own, so that Ctrl-C in a terminal does not end it before the exchanges that still read from it.
	const child = spawn(process.execPath, [program, '--port', port, '--with-parent'], {
		stdio: ['pipe', 'pipe', 'pipe'],
		detached: true,
	});
	let said = '';
	child.stderr.setEncoding('utf8').on('data', (text: string) => {
		said = (said + text).slice(0, 4_096);
	});
	await new Promise<void>((ready, fail) => {
		child.once('error', fail);
		child.once('exit', () => {
			const taken = said.includes('EADDRINUSE');
			const why = taken ? `port ${port} is taken` : said.trim();
			const mend = taken
				? 'Is another gateway running? Stop it, or name another port here and in the baseUrl of its providers'
				: 'Mend that';
			fail(new Error(`The built-in model cannot start: ${why}. ${mend} (--demo ${port}).`));
		});
		createInterface({input: child.stdout}).once('line', () => ready());
	});
	child
		.removeAllListeners('exit')
		.once('exit', code => console.error(`The built-in model ended (${code}): its providers fail from now on.`));
	child.stderr.pipe(process.stderr);
	return {
		close() {
			child.removeAllListeners('exit');
			child.kill('SIGTERM');
		},
	};
};
