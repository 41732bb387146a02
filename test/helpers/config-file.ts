import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {ConfigError} from '../../core/config.ts';

const sdk = new URL('../../plugin-sdk/index.ts', import.meta.url).href;

/** A fresh folder, gone after the test. */
export const freshFolder = (t: ExecutionContext): string => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
	t.teardown(() => rmSync(folder, {recursive: true}));
	return folder;
};

/** Writes a gateway.config.ts whose line 1 imports the SDK and whose line 2 on is `source`; answers with its path. */
export const writeConfig = (folder: string, source: string): string => {
	const file = join(folder, 'gateway.config.ts');
	writeFileSync(file, `import {defineConfig, env, optionalEnv} from '${sdk}';\n${source}\n`);
	return file;
};

/** What `load` is refused for, one line each, with the file's path cut down to its name. */
export const complaints = async (t: ExecutionContext, file: string, load: () => Promise<unknown>): Promise<string[]> => {
	const error = await t.throwsAsync(load, {instanceOf: ConfigError});
	return (error?.message ?? '').replaceAll(file, 'gateway.config.ts').split('\n');
};
