import {exec} from 'node:child_process';
import {readdir, readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import {configFor, folderWith, sallyport, startCommand} from './helpers/cli.ts';

const inShell = promisify(exec);

const setup = async (t: import('ava').ExecutionContext) => {
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	return {upstream, folder: await folderWith(t, configFor(upstream.url))};
};

/** Every byte below a folder. */
const everythingIn = async (folder: string): Promise<string> => {
	const entries = await readdir(folder, {recursive: true, withFileTypes: true});
	const files = entries.filter(entry => entry.isFile()).map(entry => readFile(join(entry.parentPath, entry.name), 'latin1'));
	return (await Promise.all(files)).join('\n');
};

test.serial('the boot tree says of each plugin what it is, what it reads, what it may use and how long it took', async t => {
	const {folder} = await setup(t);
	const {printed, url} = await startCommand(t, folder);
	t.regex(url, /^http:\/\/127\.0\.0\.1:\d+$/);
	for (const name of ['virtual-keys', 'grants', 'masking', 'budgets']) {
		t.regex(printed, new RegExp(`[├└]─ ${name} \\d+\\.\\d+\\.\\d+  isolate, inline  \\d+ ms`));
	}
	t.regex(printed, /virtual-keys .*\n.* pre-auth {2}reads credential\.sha256.*\n.* pre-request {2}reads .*\n.* may use kv, clock, random/);
	t.regex(
		printed,
		/budgets .*\n.* pre-request {2}reads .*\n.* on-tool-call {2}reads .*\n.* post-response {2}reads .*\n.* may use .*ledger/,
	);
});

test.serial('the keys of the first start are shown once, and no file holds them', async t => {
	const {folder} = await setup(t);
	const first = await startCommand(t, folder);
	t.regex(first.adminKey, /^adm_/);
	t.regex(first.key, /^vk_/);
	const answered = await fetch(`${first.url}/v1/models`, {headers: {authorization: `Bearer ${first.key}`}});
	t.is(answered.status, 200);
	t.is((await first.end('SIGTERM')).code, 0);

	const kept = await everythingIn(join(folder, 'data'));
	t.true(kept.length > 1_000);
	t.false(kept.includes(first.adminKey));
	t.false(kept.includes(first.key));

	const second = await startCommand(t, folder);
	t.notRegex(second.printed, /adm_|vk_|curl/);
	const again = await fetch(`${second.url}/v1/models`, {headers: {authorization: `Bearer ${first.key}`}});
	t.is(again.status, 200);
});

test.serial('a terminal that is closed breaks off no answer', async t => {
	const {folder} = await setup(t);
	const gateway = await startCommand(t, folder);
	const response = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'long', stream: true, messages: [{role: 'user', content: 'go on'}]}),
	});
	const ended = gateway.end('SIGHUP');
	t.regex(await response.text(), /word40/);
	t.is((await ended).code, 0);
});

test.serial('the curl line that is printed works when pasted into sh, in the API its provider speaks', async t => {
	const {upstream, folder} = await setup(t);
	const openai = await startCommand(t, folder);
	const {stdout} = await inShell(/^ *(curl .*)$/m.exec(openai.printed)![1]!);
	t.is(JSON.parse(stdout).choices[0].message.content, 'You said: Hello! My address is [EMAIL].');
	t.notRegex(upstream.requests.at(-1)?.body ?? '', /ada@example/);

	const config = configFor(upstream.url).replace("speaks: 'openai'", "speaks: 'anthropic'").replace('demo:', '"it\'s new":');
	const anthropic = await startCommand(t, await folderWith(t, config));
	const answer = await inShell(/^ *(curl .*)$/m.exec(anthropic.printed)![1]!);
	t.is(JSON.parse(answer.stdout).content[0].text, 'You said: Hello! My address is [EMAIL].');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
	test.serial(`${signal} lets a running stream finish, takes nothing new, and leaves a journal that verifies`, async t => {
		const {folder} = await setup(t);
		const gateway = await startCommand(t, folder);
		const asking = (model: string) =>
			fetch(`${gateway.url}/v1/chat/completions`, {
				method: 'POST',
				headers: {authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json'},
				body: JSON.stringify({model, stream: true, messages: [{role: 'user', content: 'go on'}]}),
			});
		const response = await asking('long');
		const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
		let text = (await reader.read()).value ?? '';
		const ended = gateway.end(signal);
		// Said again within a second, as npm and a terminal do, it is the same wish.
		gateway.child.kill(signal);
		for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
		t.true(text.includes('word40'));
		t.true(text.endsWith('data: [DONE]\n\n'));
		const {code, stdout} = await ended;
		t.is(code, 0);
		t.regex(stdout, new RegExp(`${signal}: finishing 1 exchange`));
		await t.throwsAsync(asking('demo'));

		const verified = await sallyport(['audit', 'verify'], {cwd: folder});
		t.is(verified.code, 0, verified.stderr);
		const {stdout: records} = await sallyport(['audit', 'tail', '-n', '20'], {cwd: folder});
		const exchange = records
			.trim()
			.split('\n')
			.map(line => JSON.parse(line))
			.find(({kind}) => kind === 'exchange');
		t.like(exchange, {outcome: 'ok', status: 200, stream: true});
	});
}

test.serial('the built-in model runs beside the gateway and ends with it', async t => {
	const free = await startLocalUpstream();
	const {port} = new URL(free.url);
	await free.close();
	const folder = await folderWith(t, configFor(`http://127.0.0.1:${port}`));
	const gateway = await startCommand(t, folder, {args: ['--demo', port]});
	t.is((await fetch(`http://127.0.0.1:${port}/_counts`)).status, 200);
	t.is((await gateway.end('SIGTERM')).code, 0);
	await t.throwsAsync(async () => {
		for (let tries = 0; tries < 200; tries++) {
			await fetch(`http://127.0.0.1:${port}/_counts`);
			await new Promise(resolve => setTimeout(resolve, 10));
		}
	});
});

test.serial('a port that is taken ends the start with what to do, and leaves nothing running', async t => {
	const other = createServer();
	await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
	t.teardown(() => other.close());
	const {port} = other.address() as AddressInfo;
	const {upstream} = await setup(t);
	const folder = await folderWith(t, configFor(upstream.url).replace('127.0.0.1:0', `127.0.0.1:${port}`));

	const taken = await sallyport(['start', '--demo', '0'], {cwd: folder});
	t.is(taken.code, 1);
	t.is(taken.stderr, `127.0.0.1:${port} is taken. Is another gateway running? Stop it, or write another port at listen.\n`);

	const noDemo = await sallyport(['start', '--demo', String(port)], {cwd: folder});
	t.is(noDemo.code, 1);
	t.regex(noDemo.stderr, new RegExp(`^The built-in model cannot start: port ${port} is taken\\.[^\n]+\n$`));
});

test.serial('two gateways on one journal: the second does not start', async t => {
	const {folder} = await setup(t);
	await startCommand(t, folder);
	const second = await sallyport(['start'], {cwd: folder});
	t.is(second.code, 1);
	t.regex(second.stderr, /^Process \d+ is writing the journal in [^\n]+\n$/);
});

test.serial('a lost admin key is replaced while the gateway is stopped, on the record', async t => {
	const {folder} = await setup(t);
	const before = await sallyport(['admin-key'], {cwd: folder});
	t.is(before.code, 1);
	t.regex(before.stderr, /the first start makes it/);

	const first = await startCommand(t, folder);
	const during = await sallyport(['admin-key'], {cwd: folder});
	t.is(during.code, 1);
	t.regex(during.stderr, /^Process \d+ is writing the journal/);
	await first.end('SIGTERM');

	const replaced = await sallyport(['admin-key'], {cwd: folder});
	t.is(replaced.code, 0, replaced.stderr);
	const adminKey = replaced.stdout.trim();
	t.regex(adminKey, /^adm_[\w-]{43}$/);
	t.false((await everythingIn(join(folder, 'data'))).includes(adminKey));
	const {stdout} = await sallyport(['audit', 'tail', '-n', '3'], {cwd: folder});
	t.regex(stdout, /"kind":"admin".*admin key replaced/);

	const {url} = await startCommand(t, folder);
	const status = async (key: string) => (await fetch(`${url}/admin/plugins`, {headers: {authorization: `Bearer ${key}`}})).status;
	t.is(await status(adminKey), 200);
	t.is(await status(first.adminKey), 401);
});
