#!/usr/bin/env node
// Plain JavaScript, so that an old Node can read it and hand over to the right one.
import {spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import module from 'node:module';
import {constants} from 'node:os';
import {fileURLToPath} from 'node:url';

const handOver = () => {
	const own = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
	if (!existsSync(own)) {
		console.error(
			`Sallyport needs Node 24.12 or newer; this is ${process.versions.node}. Run npm install in its folder, which brings one.`,
		);
		process.exit(1);
	}
	const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {stdio: 'inherit'});
	for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
	child.on('error', error => {
		console.error(`${own} does not start: ${error.message}`);
		process.exit(1);
	});
	// As a shell reports what a signal ended.
	child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
};

/**
 * V8's default for what has just been made is 32 MB and more, of which a gateway keeps nearly nothing; and what lives longer may grow to several
 * times itself before it is looked through: together 200 MB less memory (docs/performance.md).
 */
const lessMemory = ['--max-semi-space-size=8', '--heap-growing-percent=30'];

/** The same process again with these flags, which only a start of node can take. Not where somebody has set one, or where that cannot be done. */
const withLessMemory = () => {
	const {execArgv, env, platform, execve} = process;
	const isSet = `${execArgv.join(' ')} ${env.NODE_OPTIONS ?? ''}`.replaceAll('_', '-').includes('semi-space-size');
	if (isSet || platform === 'win32' || !execve || process.send) return;
	execve.call(process, process.execPath, [process.execPath, ...lessMemory, ...execArgv, ...process.argv.slice(1)], env);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
	if (process.argv.includes('start')) withLessMemory();
	// What was stripped of its types and compiled at the last start: a third of the work of this one. Where nothing can be written, nothing is kept.
	module.enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/sallyport', import.meta.url)));
	await import('./main.ts');
} else handOver();
