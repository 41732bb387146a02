import {execFile, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import {configFor, folderWith, launcher, sallyport, startCommand} from './helpers/cli.ts';

const run = promisify(execFile);

/** A Node on the path that is too old to run the gateway, where the machine has one. */
const oldNode = (process.env.PATH ?? '')
	.split(delimiter)
	.map(folder => join(folder, 'node'))
	.filter(file => existsSync(file))
	.find(file => {
		const major = Number(/^v(\d+)/.exec(spawnSync(file, ['--version'], {encoding: 'utf8'}).stdout ?? '')?.[1]);
		return major >= 20 && major < 24;
	});

test('help is there for every verb, and a verb that is none is met with the one that was meant', async t => {
	const {code, stdout} = await sallyport(['--help']);
	t.is(code, 0);
	for (const verb of ['start', 'check', 'keys', 'plugins', 'act', 'audit', 'admin-key']) {
		t.regex(stdout, new RegExp(`^  ${verb} `, 'm'));
		const own = await sallyport([verb, '--help']);
		t.is(own.code, 0);
		t.regex(own.stdout, new RegExp(`^Usage: sallyport ${verb}`));
	}
	const wrong = await sallyport(['strat']);
	t.is(wrong.code, 1);
	t.regex(wrong.stderr, /unknown command 'strat'\n\(Did you mean start\?\)/);
	const none = await sallyport([]);
	t.is(none.code, 1);
	t.regex(none.stderr, /^Usage: sallyport/);
});

test('the file can be run as it is, so that npx leaves a checkout untouched', async t => {
	const {stdout} = await run(launcher, ['--version']);
	t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('npx finds the command in a checkout, without installing anything', async t => {
	const home = await mkdtemp(join(tmpdir(), 'sallyport-home-'));
	t.teardown(() => rm(home, {recursive: true, force: true}));
	const {PATH} = process.env;
	const options = {cwd: join(launcher, '../../..'), env: {PATH, HOME: home}};
	const {stdout} = await run('npx', ['--offline', 'sallyport', '--version'], options);
	t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('an older Node hands over to the one that npm install brought: its signals, output and exit code come back', async t => {
	if (!oldNode) {
		t.log('skipped: there is no older Node on the path');
		return t.pass();
	}
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const folder = await folderWith(t, configFor(upstream.url));
	t.is((await sallyport(['check'], {cwd: folder, node: oldNode})).code, 0);
	t.is((await sallyport(['check', '-c', 'nowhere.ts'], {cwd: folder, node: oldNode})).code, 1);

	const gateway = await startCommand(t, folder, {node: oldNode});
	const response = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'long', stream: true, messages: [{role: 'user', content: 'go on'}]}),
	});
	const ended = gateway.end('SIGTERM');
	t.regex(await response.text(), /word40/);
	const {code, stdout} = await ended;
	t.is(code, 0);
	t.regex(stdout, /SIGTERM: finishing 1 exchange/);
	t.is((await sallyport(['audit', 'verify'], {cwd: folder, node: oldNode})).code, 0);
});
