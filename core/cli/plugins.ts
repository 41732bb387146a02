import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {dirname, relative, resolve, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import type {Introduction} from '../plugins/house.ts';
import {lockOf} from '../plugins/lock.ts';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {lock} from './lock.ts';
import {newPlugin} from './new-plugin.ts';
import {configFile} from './places.ts';

const ava = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.js', import.meta.url));
const testConfig = fileURLToPath(new URL('plugin-tests.config.js', import.meta.url));

/** `./plugins/guard`: the folder as seen from another. */
const written = (from: string, folder: string): string => {
	const way = relative(from, folder).split(sep).join('/');
	return way.startsWith('.') ? way : `./${way}`;
};

/** Runs the tests in `folder`; answers ava's exit code. */
const runTests = async (folder: string): Promise<number> => {
	const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
		throw error.code === 'ENOENT' || error.code === 'ENOTDIR' ? new Error(`There is no folder ${folder}.`) : error;
	});
	const tests = names.filter(name => name === 'test.ts' || name.endsWith('.test.ts')).map(name => resolve(folder, name));
	if (tests.length === 0) throw new Error(`There is no test.ts in ${folder}.`);
	const child = spawn(process.execPath, [ava, '--config', testConfig, ...tests], {stdio: 'inherit', cwd: folder});
	const [code] = await once(child, 'exit');
	return typeof code === 'number' ? code : 1;
};

/** `sallyport plugins …`: what runs, a new plugin, its tests, and the lock. */
export const plugins = (program: Command): void => {
	const group = program.command('plugins').description('what runs; a new plugin, its tests; the lock');

	withAdmin(group.command('list').description('the plugins in force on a running gateway')).action(async (options: AdminOptions) => {
		const {plugins: list} = (await adminCall(options, 'GET', '/admin/plugins')) as {plugins: Introduction[]};
		for (const {name, version, runtime, tier, mode, digest, quarantined} of list) {
			const kept = quarantined ? `  quarantined since ${quarantined}` : '';
			console.log(`${name} ${version}  ${runtime}, ${tier}, ${mode}  ${digest}${kept}`);
		}
	});

	group
		.command('new')
		.argument('<name>', 'lower-case letters, digits and dashes')
		.description('write a plugin that passes its own test')
		.option('--in <folder>', 'the folder that its folder goes into', 'plugins')
		.action(async (name: string, {in: parent}: {in: string}) => {
			const folder = resolve(parent, name);
			for (const file of await newPlugin(name, folder)) console.log(file);
			const use = written(dirname(resolve(configFile(program))), folder);
			console.log(`\nTest it:  npx sallyport plugins test ${written(process.cwd(), folder)}`);
			console.log(`Use it:   {use: '${use}', config: {word: 'heron'}}, in the plugins of ${configFile(program)}`);
			if (existsSync(lockOf(configFile(program)))) console.log('Lock it:  npx sallyport plugins lock');
		});

	group
		.command('test')
		.argument('<folder>', "a plugin's folder")
		.description("run a plugin's tests in the real sandbox")
		.action(async (folder: string) => {
			process.exitCode = await runTests(resolve(folder));
		});

	lock(program, group);
};
