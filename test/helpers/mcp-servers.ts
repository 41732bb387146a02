import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';

const require = createRequire(import.meta.url);
const programOf = (name: string): string => join(dirname(require.resolve(`${name}/package.json`)), 'dist', 'index.js');

const everything = programOf('@modelcontextprotocol/server-everything');
const filesystem = programOf('@modelcontextprotocol/server-filesystem');

/** The reference server, which has one of everything, as a process of the gateway's. */
export const everythingOverStdio = (env: Record<string, string> = {}) => ({
	stdio: {command: process.execPath, args: [everything, 'stdio'], env},
});

/** A filesystem server on a fresh folder that holds `files`. */
export const filesOverStdio = (t: ExecutionContext, files: Record<string, string>) => {
	const folder = folderOf(t, files);
	return {stdio: {command: process.execPath, args: [filesystem, folder]}};
};

/** A fresh folder with these files in it, gone after the test. */
export const folderOf = (t: ExecutionContext, files: Record<string, string>): string => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-files-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(folder, name)), {recursive: true});
		writeFileSync(join(folder, name), text);
	}
	return folder;
};
