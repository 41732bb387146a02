import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {type Source, writePlugin} from './helpers/inline-world.ts';

type Entry = NonNullable<GatewayConfigInput['plugins']>[number];

const entryOf = async (t: ExecutionContext, source: Source, more: Partial<Entry> = {}): Promise<Entry> => {
	const parent = await mkdtemp(join(tmpdir(), 'sallyport-hostile-'));
	t.teardown(() => rm(parent, {recursive: true, force: true}));
	const folder = await writePlugin(parent, source);
	const {digest} = await codeOf(folder, 'isolate');
	return {use: folder, tier: 'inline', trust: digest, ...more};
};

const villain: Source = {
	name: 'villain',
	reads: {'pre-request': ['text[]']},
	hooks: "hooks: {'pre-request': ({text}) => { if (text.join().includes('attack')) for (;;); return undefined; }}",
};

const open = async (t: ExecutionContext, plugins: Entry[]) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, ...plugins]});
	const key = await gateway.key({tenant: 'acme'});
	const chat = async (content: string) => {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'fast', messages: [{role: 'user', content}]}),
		});
		return {
			status: response.status,
			headers: response.headers,
			body: (await response.json()) as {error?: {code: string; plugin: string; message: string}},
		};
	};
	return {gateway, chat};
};

test.serial('an exchange whose plugin loops is refused, and every other one passes before, during and after', async t => {
	const {gateway, chat} = await open(t, [await entryOf(t, villain)]);
	t.is((await chat('hello')).status, 200);
	const all = await Promise.all(['hello', 'attack', 'again', 'more', 'words'].map(chat));
	t.deepEqual(
		all.map(({status}) => status),
		[200, 503, 200, 200, 200],
	);
	const {headers, body} = all[1]!;
	t.like(body.error, {code: 'plugin_failed', plugin: 'villain'});
	t.is(headers.get('x-should-retry'), 'true');
	t.notRegex(JSON.stringify(body), /node_modules|core\/|isolate/);
	t.is((await chat('hello')).status, 200);
	const records = await gateway.journal();
	const refused = records.filter(({error}) => error?.code === 'plugin_failed');
	t.is(refused.length, 1);
	t.deepEqual(refused[0]!.rulings, [
		...(refused[0]!.rulings ?? []).filter(({plugin}) => plugin !== 'villain'),
		{plugin: 'villain', hook: 'pre-request', verdict: 'failed'},
	]);
});

test.serial('where a failure may pass, the exchange passes, and its record says that the plugin failed', async t => {
	const {gateway, chat} = await open(t, [await entryOf(t, villain, {onFailure: 'allow'})]);
	t.is((await chat('attack')).status, 200);
	const records = await gateway.journal();
	t.true(
		records.some(
			({kind, rulings}) => kind === 'exchange' && rulings?.some(({plugin, verdict}) => plugin === 'villain' && verdict === 'failed'),
		),
	);
});

test.serial('a plugin that had to be stopped three times is shown as quarantined, and its neighbours go on', async t => {
	const {gateway, chat} = await open(t, [
		await entryOf(t, villain),
		await entryOf(t, {name: 'other', hooks: "hooks: {'pre-request': () => allow({annotate: {other: true}})}"}),
	]);
	const {house} = gateway.gateway;
	const quarantined = () =>
		house
			.introduce()
			.filter(({quarantined: since}) => since !== undefined)
			.map(({name}) => name);
	for (let turn = 0; turn < 3; turn++) {
		t.deepEqual(quarantined(), []);
		t.is((await chat('attack')).status, 503);
	}
	t.deepEqual(quarantined(), ['villain']);
	const {status, body} = await chat('hello');
	t.is(status, 503, 'a guard that is kept out refuses');
	t.is(body.error?.plugin, 'villain');
	t.is((await fetch(`${gateway.url}/healthz`)).status, 200);
	t.truthy(await gateway.key({tenant: 'other'}), 'a neighbour still acts');
});

test.serial("a plugin of one's own is not inline without its digest, nor with another one", async t => {
	const entry = await entryOf(t, villain);
	await t.throwsAsync(open(t, [{...entry, trust: undefined}]), {message: /trust/});
	await t.throwsAsync(open(t, [{...entry, trust: `sha256:${'0'.repeat(64)}`}]), {message: /not what was trusted/});
});

test.serial('a capability asked for and not granted stops the boot, with the line to add', async t => {
	const asks = (capability: string) =>
		entryOf(t, {name: 'asks', capabilities: [capability], hooks: "hooks: {'pre-request': () => undefined}"});
	await t.throwsAsync(open(t, [await asks('kv')]), {message: /asks for kv, which is not granted[\s\S]*grants: \{kv: true\}/});
	await t.throwsAsync(open(t, [await asks('http')]), {message: /grants: \{http: \['host\.example'\]\}/});
	await t.throwsAsync(open(t, [await asks('secrets')]), {message: /grants: \{secrets: \{name: env\('NAME'\)\}\}/});
	const quiet = await entryOf(t, {name: 'quiet', hooks: "hooks: {'pre-request': () => undefined}"}, {grants: {log: true}});
	await t.throwsAsync(open(t, [quiet]), {message: /quiet does not ask for log/});
});

test.serial('a hook without a handler, a handler without a hook and code that throws stop the boot', async t => {
	await t.throwsAsync(open(t, [await entryOf(t, {name: 'empty', hooks: 'hooks: {}'})]), {
		message: /names pre-request in its manifest and has no handler/,
	});
	await t.throwsAsync(
		open(t, [await entryOf(t, {name: 'more', hooks: "hooks: {'pre-request': () => undefined, 'on-audit': () => undefined}"})]),
		{message: /handler for on-audit, which its manifest does not name/},
	);
	await t.throwsAsync(
		open(t, [await entryOf(t, {name: 'throws', before: "throw new Error('told');", hooks: "hooks: {'pre-request': () => undefined}"})]),
		{message: /throws does not start: told/},
	);
});

test.serial("a host that is not on a plugin's list is not reached", async t => {
	const source: Source = {
		name: 'calls',
		capabilities: ['http'],
		reads: {'pre-request': ['text[]']},
		hooks:
			"hooks: {'pre-request': async ({text}, {http}) => { const {error} = await http.fetch({url: text[0]}); return error ? deny({message: error.code + ' ' + error.message}) : undefined; }}",
	};
	const {gateway, chat} = await open(t, [await entryOf(t, source, {grants: {http: ['dlp.example']}})]);
	for (const url of [
		gateway.url,
		gateway.upstream.url,
		'http://169.254.169.254/latest/meta-data',
		'file:///etc/passwd',
		'http://dlp.example.evil/',
	]) {
		const {status, body} = await chat(url);
		t.is(status, 403, url);
		t.regex(body.error!.message, /^(denied|invalid_request) /, url);
	}
});
