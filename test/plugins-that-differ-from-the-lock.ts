import {spawnSync} from 'node:child_process';
import {cp, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import test, {type ExecutionContext} from 'ava';

const cli = resolve('core/cli/sallyport.js');
const sdk = resolve('plugin-sdk/index.ts');

const manifest = (capabilities: string[]) =>
	JSON.stringify({name: 'guard', version: '1.0.0', sdk: 1, runtime: 'isolate', capabilities, hooks: {'pre-request': {reads: ['model']}}});
const code = (words: string) =>
	`import * as z from 'zod'; import {definePlugin} from '${sdk}';
	export default definePlugin({config: z.strictObject({}), hooks: {'pre-request': ({model}) => model === '${words}' ? undefined : undefined}});`;

/** A folder with a config and one plugin of its own, locked. */
const locked = async (t: ExecutionContext): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-lock-'));
	t.teardown(() => rm(folder, {recursive: true}));
	await writeFile(
		join(folder, 'gateway.config.ts'),
		`import {defineConfig} from '${sdk}';
export default defineConfig({anonymous: true, plugins: [{use: './guard', grants: {clock: true}}]});`,
	);
	await cp('plugins/grants', join(folder, 'guard'), {recursive: true});
	await writeFile(join(folder, 'guard/manifest.json'), manifest(['clock']));
	await writeFile(join(folder, 'guard/index.ts'), code('a'));
	t.is(run(folder, 'plugins', 'lock').status, 0);
	return folder;
};

const run = (folder: string, ...words: string[]) =>
	spawnSync(process.execPath, [cli, ...words], {cwd: folder, encoding: 'utf8', timeout: 60_000});

test('a locked config is good as long as nothing changes', async t => {
	const folder = await locked(t);
	t.like(run(folder, 'check'), {status: 0});
});

test('a plugin whose code changed does not start, and the difference is told', async t => {
	const folder = await locked(t);
	await writeFile(join(folder, 'guard/index.ts'), code('b'));
	const {status, stderr} = run(folder, 'check');
	t.is(status, 1);
	t.regex(stderr, /gateway\.config\.ts:2:\d+ .*guard is not what was locked: its digest was sha256:\w+ .* and is sha256:\w+/);
	t.regex(stderr, /npx sallyport plugins lock/);
});

test('a plugin that asks for more than was locked does not start', async t => {
	const folder = await locked(t);
	await writeFile(join(folder, 'guard/manifest.json'), manifest(['clock', 'random']));
	const config = await readFile(join(folder, 'gateway.config.ts'), 'utf8');
	await writeFile(join(folder, 'gateway.config.ts'), config.replace('clock: true', 'clock: true, random: true'));
	const {status, stderr} = run(folder, 'check');
	t.is(status, 1);
	t.regex(stderr, /it asks for more: random/);
});

test('the shipped config is good, and its lock is current', t => {
	const {status, stderr} = run('.', 'check');
	t.is(status, 0, stderr);
});
