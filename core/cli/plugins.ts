import {spawnSync} from 'node:child_process';
import {readdir} from 'node:fs/promises';
import {resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import type {Introduction} from '../plugins/house.ts';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {lock} from './lock.ts';
import {newPlugin} from './new-plugin.ts';

/** `sallyport plugins …`: what runs, a new plugin, and its tests. */
export const plugins = (program: Command): void => {
	const group = program.command('plugins').description('plugins');
	lock(program, group);

	withAdmin(group.command('list').description('the plugins in force on a running gateway')).action(async (options: AdminOptions) => {
		const {plugins: list} = (await adminCall(options, 'GET', '/admin/plugins')) as {plugins: Introduction[]};
		for (const {name, version, runtime, tier, mode, digest, quarantined} of list) {
			console.log(
				`${name} ${version}  ${runtime}, ${tier}, ${mode}  ${digest.slice(0, 19)}${quarantined ? `  quarantined since ${quarantined}` : ''}`,
			);
		}
	});

	group
		.command('new <name>')
		.description('write a plugin that passes its own test')
		.option('--in <folder>', 'where', 'plugins')
		.action(async (name: string, {in: folder}: {in: string}) => {
			const written = await newPlugin(name, resolve(folder, name));
			console.log(
				`${written.join('\n')}\n\nTest it: npx sallyport plugins test ${resolve(folder, name)}\nUse it:  {use: './${folder}/${name}'} in gateway.config.ts`,
			);
		});

	group
		.command('test <folder>')
		.description("run a plugin's tests in the real sandbox")
		.action(async (folder: string) => {
			const place = resolve(folder);
			const files = (await readdir(place))
				.filter(file => file === 'test.ts' || file.endsWith('.test.ts'))
				.map(file => resolve(place, file));
			if (files.length === 0) throw new Error(`There is no test.ts in ${place}.`);
			const ava = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
			const {status} = spawnSync(process.execPath, [ava, ...files], {
				stdio: 'inherit',
				cwd: fileURLToPath(new URL('../..', import.meta.url)),
			});
			process.exitCode = status ?? 1;
		});
};
