import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join, resolve, sep} from 'node:path';
import {built, builtOnce, house} from './built.ts';

const own = [join(house, 'core') + sep, join(house, 'plugins') + sep];

/** esbuild names a CommonJS module by its path, which is another one where packages are linked to, or laid out differently. */
const modulePath = /(?<=var require_[\w$]+=__commonJS\(\{)"[^"\n]*"(?=\()/g;

/** One self-contained classic script out of a module and all it imports; it leaves its exports in `globalName`. */
export const bundle = async (entry: string, globalName: string): Promise<string> => {
	const isOwn = own.some(folder => resolve(entry).startsWith(folder));
	const text = await (isOwn ? builtOnce : built)({
		entryPoints: [entry],
		bundle: true,
		format: 'iife',
		globalName,
		platform: 'neutral',
		mainFields: ['module', 'main'],
		conditions: ['import'],
		target: 'es2024',
		minifyWhitespace: true,
		legalComments: 'none',
		charset: 'utf8',
		banner: {js: '"use strict";'},
		nodePaths: [join(house, 'node_modules')],
		alias: {
			'sallyport/plugin-sdk': join(house, 'plugin-sdk/index.ts'),
			'sallyport/plugin-sdk/pattern': join(house, 'plugin-sdk/pattern.ts'),
		},
		logLevel: 'silent',
	});
	// The same bytes wherever the checkout and its packages lie, for the digest.
	return text.replace(modulePath, '"module"');
};

const sha256 = (...parts: (string | Buffer)[]): string => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest('hex');
};

/** What will run, and its digest: manifest and code together. */
export const codeOf = async (folder: string, runtime: 'isolate' | 'wasm'): Promise<{code: string | Buffer; digest: string}> => {
	const manifest = await readFile(join(folder, 'manifest.json'));
	const code =
		runtime === 'isolate' ? await bundle(join(folder, 'index.ts'), 'sallyportPlugin') : await readFile(join(folder, 'plugin.wasm'));
	return {code, digest: `sha256:${sha256(manifest, '\0', code)}`};
};

/** The two scripts of ours that run inside isolates. */
export const wallScripts = async (): Promise<{guest: string; dispatcher: string}> => {
	const [guest, dispatcher] = await Promise.all([
		bundle(join(house, 'core/sandbox/guest.ts'), 'sallyportGuest'),
		bundle(join(house, 'core/sandbox/dispatcher.ts'), 'sallyportDispatcher'),
	]);
	return {guest, dispatcher};
};
export type WallScripts = Awaited<ReturnType<typeof wallScripts>>;
