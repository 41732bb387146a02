import {spawnSync} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import {configFor, folderWith, sallyport, startCommand} from './helpers/cli.ts';

const setup = async (t: ExecutionContext) => {
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const folder = await folderWith(t, configFor(upstream.url));
	const gateway = await startCommand(t, folder);
	const env = {SALLYPORT_URL: gateway.url, SALLYPORT_ADMIN_KEY: gateway.adminKey};
	const run = (...args: string[]) => sallyport(args, {cwd: folder, env});
	/** What a verb that has to work answers. */
	const answer = async (...args: string[]) => {
		const {code, stdout, stderr} = await run(...args);
		t.is(code, 0, stderr);
		return JSON.parse(stdout);
	};
	const status = async (key: string) => (await fetch(`${gateway.url}/v1/models`, {headers: {authorization: `Bearer ${key}`}})).status;
	return {folder, gateway, env, run, answer, status};
};

test.serial('a key is made, shown, turned, blocked, let in again, given an end, and ended', async t => {
	const {answer, status} = await setup(t);
	const made = await answer('keys', 'create', '--name', 'search', '--tenant', 'default', '--team', 'search', '--tags', 'prod,eu');
	t.regex(made.key, /^vk_/);
	t.is(await status(made.key), 200);

	const {id} = made;
	t.like(await answer('keys', 'get', id), {id, name: 'search', tenant: 'default', team: 'search', tags: ['prod', 'eu'], state: 'active'});
	const {keys} = await answer('keys', 'list', '--team', 'search', '--limit', '5');
	t.deepEqual(
		keys.map((key: {id: string}) => key.id),
		[id],
	);
	t.false(JSON.stringify(keys).includes(made.key));

	const turned = await answer('keys', 'rotate', id, '--grace-seconds', '600');
	t.deepEqual([await status(made.key), await status(turned.key)], [200, 200]);
	t.is((await answer('keys', 'block', '--id', id)).state, 'blocked');
	t.is(await status(turned.key), 403);
	t.is((await answer('keys', 'unblock', id)).state, 'active');
	t.is((await answer('keys', 'expire', id, '--at', '2020-01-01T00:00:00Z')).state, 'expired');
	t.is(await status(turned.key), 401);
	t.is((await answer('keys', 'expire', id, '--at', 'never')).state, 'active');
	t.is(await status(turned.key), 200);
	t.is((await answer('keys', 'expire', id)).state, 'expired');
	t.is((await answer('keys', 'revoke', id)).state, 'revoked');
	t.deepEqual([await status(made.key), await status(turned.key)], [401, 401]);
});

test.serial('a verb that cannot be done says why in one line, and ends with 1', async t => {
	const {folder, gateway, env, run} = await setup(t);
	const said = async (args: string[], changed: Record<string, string> = {}) => {
		const {code, stdout, stderr} = await sallyport(args, {cwd: folder, env: {...env, ...changed}});
		t.deepEqual({code, stdout}, {code: 1, stdout: ''});
		t.regex(stderr, /^[^\n]+\n$/);
		return stderr;
	};
	t.regex(await said(['keys', 'list'], {SALLYPORT_ADMIN_KEY: 'adm_wrong'}), /does not take this admin key: look at SALLYPORT_ADMIN_KEY/);
	t.regex(await said(['keys', 'list'], {SALLYPORT_ADMIN_KEY: ''}), /set SALLYPORT_ADMIN_KEY/);
	t.regex(await said(['keys', 'list'], {SALLYPORT_ADMIN_KEY: 'häh'}), /characters that no admin key has/);
	t.regex(await said(['keys', 'list'], {SALLYPORT_URL: 'http://127.0.0.1:9'}), /No gateway answers at http:\/\/127\.0\.0\.1:9 .+ Start it/);
	t.regex(await said(['plugins', 'list'], {SALLYPORT_URL: 'localhost'}), /"localhost" is no address of a gateway/);
	t.regex(await said(['keys', 'get', `key_${'0'.repeat(32)}`]), /no key [^/]*\.\n$/i);
	t.regex(await said(['keys', 'get', gateway.key]), /never the key itself\. Mend the request/);
	t.regex(await said(['keys', 'create', '--tenant', 'a/b']), /tenant/);
	t.regex(await said(['keys', 'block']), /Which key\?/);

	const other = createServer((_, res) => res.end('<html>'));
	await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
	t.teardown(() => other.close());
	const {port} = other.address() as AddressInfo;
	t.regex(await said(['keys', 'list'], {SALLYPORT_URL: `http://127.0.0.1:${port}`}), /is no gateway/);

	const {code, stderr} = await run('keys', 'create', '--ttl-seconds', 'long');
	t.is(code, 1);
	t.regex(stderr, /'long' is invalid\. It is a whole number of seconds, 0 to \d+\./);
});

test.serial('plugins list names what is in force, and act calls any action of any of them', async t => {
	const {folder, env, run, answer} = await setup(t);
	const {code, stdout} = await run('plugins', 'list');
	t.is(code, 0);
	t.is(
		stdout.match(/^(virtual-keys|grants|masking|budgets) \d+\.\d+\.\d+ {2}isolate, inline, enforce {2}sha256:[0-9a-f]{64}$/gm)?.length,
		4,
	);

	const actions = await run('act', 'virtual-keys');
	t.regex(actions.stdout, /^rotate {2}A new secret for a key; .+\n {3}\{id, graceSeconds\??\}$/m);
	t.regex((await answer('act', 'virtual-keys', 'create', '{"tenant": "acme"}')).key, /^vk_/);
	const piped = await sallyport(['act', 'virtual-keys', 'create', '-'], {cwd: folder, env, input: '{"tenant": "acme"}'});
	t.regex(JSON.parse(piped.stdout).key, /^vk_/);
	t.is((await answer('act', 'virtual-keys', 'list', '{"tenant": "acme"}')).keys.length, 2);

	t.regex((await run('act', 'virtual-keys', 'create', '{tenant')).stderr, /^The input is not JSON/);
	t.is(
		(await run('act', 'virtual-keys', 'rotate', '{}')).stderr,
		'id: is missing, and must be a string. Mend the request; the message names the field.\n',
	);
	t.is(
		(await run('act', 'virtual-keys', 'rotate', '{"id": 7}')).stderr,
		'id: must be a string, not a number. Mend the request; the message names the field.\n',
	);
	t.regex((await run('act', 'virtual-keys', 'melt')).stderr, /no action "melt"/);
	t.regex((await run('act', 'nobody')).stderr, /nobody has no actions/);
});

test.serial(
	'a new plugin passes its own test wherever it lies, is checked and locked with the config, and is not written over',
	async t => {
		const folder = await folderWith(t, configFor('http://127.0.0.1:9'));
		const run = (...args: string[]) => sallyport(args, {cwd: folder});
		const made = await run('plugins', 'new', 'heron-watch');
		t.is(made.code, 0, made.stderr);
		t.true(made.stdout.includes('npx sallyport plugins test ./plugins/heron-watch'));

		const tested = await run('plugins', 'test', './plugins/heron-watch');
		t.is(tested.code, 0, tested.stdout + tested.stderr);
		t.regex(tested.stdout, /2 tests passed/);

		const file = join(folder, 'gateway.config.ts');
		const entry = /Use it: +(\{.+\}), in/.exec(made.stdout)?.[1];
		await writeFile(file, (await readFile(file, 'utf8')).replace('plugins: [', `plugins: [\n\t\t${entry},`));
		t.regex((await run('check')).stdout, /is good: 5 plugins/);
		t.regex((await run('plugins', 'lock')).stdout, /gateway\.lock\.json pins 5 plugins/);
		t.regex((await run('plugins', 'new', 'another')).stdout, /^Lock it: {2}npx sallyport plugins lock$/m);

		const code = join(folder, 'plugins/heron-watch/index.ts');
		await writeFile(code, (await readFile(code, 'utf8')).replace('part.includes', '!part.includes'));
		const changed = await run('check');
		t.is(changed.code, 1);
		t.regex(changed.stderr, /^gateway\.config\.ts:9:\d+ {2}plugins\[0\]\.use: heron-watch is not what was locked: [^\n]+\n$/);
		const broken = await run('plugins', 'test', './plugins/heron-watch');
		t.is(broken.code, 1);

		t.regex((await run('plugins', 'new', 'heron-watch')).stderr, /is there already/);
		t.regex((await run('plugins', 'new', 'Heron Watch')).stderr, /is no plugin name/);
		t.regex((await run('plugins', 'test', './plugins')).stderr, /There is no test\.ts in/);
		t.regex((await run('plugins', 'test', './nowhere')).stderr, /There is no folder/);
	},
);

test.serial('what a new plugin imports has its types, wherever it lies', async t => {
	const folder = await folderWith(t, configFor('http://127.0.0.1:9'));
	t.is((await sallyport(['plugins', 'new', 'heron-watch', '--in', '.'], {cwd: folder})).code, 0);
	const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
	const types = () => spawnSync(process.execPath, [tsc, '-p', join(folder, 'heron-watch')], {encoding: 'utf8'}).stdout;
	t.is(types(), '');
	const code = join(folder, 'heron-watch/index.ts');
	await writeFile(code, (await readFile(code, 'utf8')).replace('text.some', 'text.sum'));
	t.regex(types(), /heron-watch\/index\.ts\(\d+,\d+\): error TS\d+: Property 'sum' does not exist on type 'string\[\]'/);
});

test.serial('audit prints the last records, verifies a journal that is whole, and points at the line of one that is not', async t => {
	const {folder, gateway, run, status} = await setup(t);
	for (const key of [gateway.key, 'vk_wrong']) await status(key);
	await gateway.end('SIGTERM');

	const {stdout} = await run('audit', 'tail', '-n', '3');
	const records = stdout
		.trim()
		.split('\n')
		.map(line => JSON.parse(line));
	t.is(records.length, 3);
	t.like(records.at(-1), {kind: 'checkpoint'});

	const whole = await run('audit', 'verify');
	t.is(whole.code, 0, whole.stderr);
	const [, known] = /last record (\d+:[0-9a-f]{64})/.exec(whole.stdout) ?? [];
	const journal = join(folder, 'data/journal');
	t.is((await run('audit', 'verify', '--expect', known!, '--public-key', join(journal, 'journal.pub'))).code, 0);
	t.is((await run('audit', 'verify', '--expect', `999:${'0'.repeat(64)}`)).code, 1);

	const segment = /(\S+\.jsonl):\d+/.exec((await run('audit', 'verify', '--expect', `999:${'0'.repeat(64)}`)).stderr)?.[1] ?? '';
	const lines = (await readFile(segment, 'utf8')).split('\n');
	const place = lines.findIndex(line => line.includes('"denied"') || line.includes('"failed"'));
	lines[place] = lines[place]!.replace(/"(denied|failed)"/, '"ok"');
	await writeFile(segment, lines.join('\n'));
	const edited = await run('audit', 'verify');
	t.is(edited.code, 1);
	t.true(edited.stderr.startsWith(`${segment}:${place + 1}  edited_line`), edited.stderr);

	const nothing = await run('audit', 'verify', '--folder', join(folder, 'nowhere'));
	t.is(nothing.code, 1);
	t.regex(nothing.stderr, /^There is no journal in /);
});
