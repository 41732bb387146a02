import {once} from 'node:events';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {pino} from 'pino';
import {ConfigError, type LoadedConfig, loadConfig} from '../core/config.ts';
import {records} from '../core/journal/read.ts';
import {serve} from '../core/main.ts';
import {freePort} from './helpers/free-port.ts';

const sdk = new URL('../plugin-sdk/index.ts', import.meta.url).href;

type Folder = {folder: string; load(config: string, port?: number): Promise<LoadedConfig>; port: number};

/** A folder with a config in it, and a port that is free. */
const place = async (t: ExecutionContext): Promise<Folder> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-boot-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	const port = await freePort();
	return {
		folder,
		port,
		async load(config, at = port) {
			const file = join(folder, 'gateway.config.ts');
			const lines = [
				`import {defineConfig, env} from '${sdk}';`,
				'export default defineConfig({',
				`	listen: '127.0.0.1:${at}', store: ${JSON.stringify(join(folder, 'store.db'))}, journal: {folder: ${JSON.stringify(join(folder, 'journal'))}},`,
				config,
				'});',
			];
			await writeFile(file, `${lines.join('\n')}\n`);
			return loadConfig(file, {env: {}});
		},
	};
};

const isFree = async (port: number): Promise<boolean> => {
	const server = createServer();
	const free = await new Promise<boolean>(resolve => {
		server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
	});
	if (free) await new Promise(resolve => server.close(resolve));
	return free;
};

/** A plugin of one's own in `folder/name`. */
const writePlugin = async (
	folder: string,
	name: string,
	{capabilities = [] as string[], source = '', hooks = {'pre-request': {reads: ['model']}} as object} = {},
) => {
	await mkdir(join(folder, name));
	const manifest = {name, version: '1.0.0', description: 'Says nothing.', sdk: 1, runtime: 'isolate', capabilities, hooks};
	await writeFile(join(folder, name, 'manifest.json'), JSON.stringify(manifest));
	const code = source || "export default definePlugin({hooks: {'pre-request'() { return undefined; }}});";
	await writeFile(join(folder, name, 'index.ts'), `import {definePlugin} from 'sallyport/plugin-sdk';\n${code}\n`);
	return JSON.stringify(join(folder, name));
};

const silent = pino({level: 'silent'});

/** Boots, and answers what stopped it, as lines `line: path: message`. */
const refusals = async (t: ExecutionContext, loaded: LoadedConfig): Promise<string[]> => {
	const error = await t.throwsAsync(serve(loaded, silent), {instanceOf: ConfigError});
	return (error?.problems ?? []).map(({line, path, message}) => `${line}: ${path}: ${message}`);
};

test('a plugin that is not there, not granted, not known or wrongly configured stops the boot at its line, all at once', async t => {
	const {folder, load, port} = await place(t);
	const curious = await writePlugin(folder, 'curious', {capabilities: ['secrets', 'clock']});
	const loaded = await load(
		[
			'	plugins: [',
			"		{use: 'virtual-keys'},",
			"		{use: './nowhere'},",
			"		{use: 'budgetz'},",
			`		{use: ${curious}},`,
			"		{use: 'grants', grants: {http: ['example.com']}},",
			'	],',
		].join('\n'),
	);
	const found = await refusals(t, loaded);
	t.regex(found[0] ?? '', /^6: plugins\[1\]\.use: ".*\/nowhere" is not a plugin: there is no /);
	t.regex(found[1] ?? '', /^7: plugins\[2\]\.use: "budgetz" is not a plugin/);
	t.regex(found[2] ?? '', /^8: plugins\[3\]: curious asks for secrets, which is not granted/);
	t.regex(found[3] ?? '', /^8: plugins\[3\]: curious asks for clock, which is not granted/);
	t.regex(found[4] ?? '', /^9: plugins\[4\]\.grants\.http: grants does not ask for http/);
	t.is(found.length, 5);
	t.true(await isFree(port));
});

test('two plugins of one name stop the boot, whether the config or a manifest says the name', async t => {
	const {folder, load, port} = await place(t);
	const namesake = await writePlugin(folder, 'virtual-keys');
	const found = await refusals(t, await load(`	plugins: [\n		{use: 'virtual-keys'},\n		{use: ${namesake}},\n	],`));
	t.deepEqual(found, ['6: plugins[1].use: there are two plugins named virtual-keys']);
	const twice = await t.throwsAsync(load("	plugins: [{use: 'virtual-keys'}, {use: 'virtual-keys'}],"), {instanceOf: ConfigError});
	t.regex(twice?.message ?? '', /plugins\[1\]\.use: "virtual-keys" is already the name of plugins\[0\]/);
	t.true(await isFree(port));
});

test('a wrong config of a plugin stops the boot at the very field', async t => {
	const {load, port} = await place(t);
	const loaded = await load(
		[
			'	plugins: [',
			"		{use: 'virtual-keys'},",
			"		{use: 'budgets', config: {",
			"			window: 'fortnight',",
			"			limitUsd: {'*': 20},",
			'		}},',
			"		{use: 'grants', config: {alow: {}}},",
			'	],',
		].join('\n'),
	);
	const found = await refusals(t, loaded);
	t.is(found.length, 2);
	t.regex(found[0] ?? '', /^7: plugins\[1\]\.config\.window: /);
	t.regex(found[1] ?? '', /^10: plugins\[2\]\.config\.alow: unknown key/);
	t.true(await isFree(port));
});

test('a plugin whose code does not start, or does not do what its manifest says, stops the boot', async t => {
	const {folder, load, port} = await place(t);
	const throwing = await writePlugin(folder, 'throwing', {source: "throw new Error('not today');"});
	const silentOne = await writePlugin(folder, 'silent', {source: 'export default definePlugin({hooks: {}});'});
	const unnamed = await writePlugin(folder, 'unnamed', {
		source: "export default definePlugin({hooks: {'pre-request'() {}, 'post-response'() {}} as never});",
	});
	const broken = await writePlugin(folder, 'broken', {source: 'export default {'});
	for (const [use, reason] of [
		[throwing, /throwing does not start: .*not today/],
		[silentOne, /silent names pre-request in its manifest and has no handler/],
		[unnamed, /unnamed has a handler for post-response, which its manifest does not name/],
		[broken, /the code of broken cannot be read/],
	] as const) {
		const found = await refusals(t, await load(`	anonymous: true,\n	plugins: [{use: ${use}}],`));
		t.is(found.length, 1);
		t.regex(found[0] ?? '', reason);
	}
	t.true(await isFree(port));
});

test('a plugin that is to run inline, and that nobody has trusted, is told with the digest that would be', async t => {
	const {folder, load, port} = await place(t);
	const own = await writePlugin(folder, 'own');
	const entry = (trust: string) => `	anonymous: true,\n	plugins: [{use: ${own}, tier: 'inline'${trust}}],`;
	const error = await t.throwsAsync(serve(await load(entry('')), silent), {instanceOf: ConfigError});
	const trust = /add (trust: 'sha256:[0-9a-f]{64}'), or leave tier out\.$/.exec(error?.message ?? '')?.[1];
	t.truthy(trust, error?.message);
	t.true(await isFree(port));
	await (await serve(await load(entry(`, ${trust}`)), silent)).stop();
});

test('a gateway that would refuse everybody does not start, and one that lets everybody in has to be told so', async t => {
	const {load, port} = await place(t);
	t.regex((await refusals(t, await load('	plugins: [],')))[0] ?? '', /no plugin says who is asking/);
	t.regex((await refusals(t, await load("	plugins: [{use: 'grants'}],")))[0] ?? '', /no plugin says who is asking/);
	t.true(await isFree(port));
	const running = await serve(await load('	anonymous: true, plugins: [],'), silent);
	t.is((await fetch(`${running.url}/v1/models`)).status, 200);
	await running.stop();
});

test('a port that is taken is said to be, and everything that was opened is closed again', async t => {
	const {folder, load, port} = await place(t);
	const other = createServer().listen(port, '127.0.0.1');
	await once(other, 'listening');
	const error = await t.throwsAsync(serve(await load("	plugins: [{use: 'virtual-keys'}],"), silent));
	t.regex(String(error?.message), new RegExp(`127\\.0\\.0\\.1:${port}`));
	t.regex(String(error?.message), /in use/);
	other.close();
	await once(other, 'close');

	// The store and the journal are free again, and the chain says that it was stopped.
	const running = await serve(await load("	plugins: [{use: 'virtual-keys'}],"), silent);
	await running.stop();
	const events: unknown[] = [];
	for await (const {kind, event} of records(join(folder, 'journal'))) if (kind === 'gateway') events.push((event as {what: string}).what);
	t.deepEqual(events, ['started', 'stopped', 'started', 'stopped']);
});

test('a gateway says whether it lives and whether it takes requests', async t => {
	const {load} = await place(t);
	const running = await serve(await load('	anonymous: true, plugins: [],'), silent);
	t.deepEqual(await (await fetch(`${running.url}/healthz`)).json(), {status: 'ok'});
	t.deepEqual(await (await fetch(`${running.url}/readyz`)).json(), {status: 'ready'});
	t.regex(await (await fetch(`${running.url}/metrics`)).text(), /sallyport_exchanges_running 0/);
	const stopped = running.stop();
	t.is(running.stop(), stopped);
	await stopped;
	await t.throwsAsync(fetch(`${running.url}/healthz`));
});
