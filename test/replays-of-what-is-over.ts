import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {sallyport} from './helpers/cli.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const everything = {models: ['*'], servers: ['*'], tools: ['*']};
const usual: GatewayConfigInput['plugins'] = [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'tenant:default': everything}}}];

const started = async (t: ExecutionContext, config: GatewayConfigInput = {}) => {
	const gateway = await startGateway(t, {plugins: usual, ...config});
	const client = new OpenAI({baseURL: `${gateway.url}/v1`, apiKey: await gateway.key(), maxRetries: 0});
	const ask = (content: string, stream: boolean) =>
		stream
			? client.chat.completions.create({model: 'fast', messages: [{role: 'user', content}], stream}).then(async chunks => {
					for await (const _ of chunks);
				})
			: client.chat.completions.create({model: 'fast', messages: [{role: 'user', content}]});
	return {gateway, ask};
};

/** A word that the answer brought, and the question did not. */
const answeredWord = async (gateway: TestGateway): Promise<string> => {
	const reply = (await gateway.journal()).find(({payload}) => payload?.response)!.payload!.response!;
	const words = reply.find(({channel}) => channel === 'assistant')!.text.split(/\W+/);
	return words.find(word => word.length > 3 && word !== 'hello')!;
};

/** Writes a config beside the journal, and replays with it; answers what was printed. */
const printed = async (t: ExecutionContext, folder: string, plugins: unknown, args: readonly string[] = []) => {
	const home = join(folder, `again-${t.title.replaceAll(/\W+/g, '-').slice(0, 40)}`);
	await mkdir(home, {recursive: true});
	const config = {
		store: join(folder, 'store.db'),
		journal: {folder: join(folder, 'journal')},
		providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: {env: 'PROVIDER_KEY'}}},
		models: {fast: ['local/echo']},
		prices: {'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
		plugins,
	};
	const text = JSON.stringify(config).replace('{"env":"PROVIDER_KEY"}', "env('PROVIDER_KEY')");
	await writeFile(
		join(home, 'gateway.config.ts'),
		`import {defineConfig, env} from 'sallyport/plugin-sdk';\n\nexport default defineConfig(${text});\n`,
	);
	const ran = await sallyport(['replay', ...args], {cwd: home});
	t.is(ran.code, 0, ran.stderr);
	await rm(home, {recursive: true});
	return ran.stdout;
};

const replayed = async (t: ExecutionContext, folder: string, plugins: unknown, args: readonly string[] = []) =>
	JSON.parse(await printed(t, folder, plugins, ['--json', ...args]));

const list = (word: string) => ({use: 'word-list', config: {words: [word], action: 'deny'}});

test('a guard that is not in use yet says which exchanges it would have refused, asked and answered', async t => {
	const {gateway, ask} = await started(t, {journal: {payloads: 'masked'}});
	await ask('what of the falcon project', false);
	await ask('what of the falcon project', true);
	await ask('what of the weather', false);
	const report = await replayed(t, gateway.folder, [...usual!, list('falcon')], ['--plugin', 'word-list']);
	t.is(report.exchanges, 3);
	t.like(report.refused, {before: 0, now: 2, newly: 2});
	t.is(report.examples.length, 2);
	t.like(report.examples[0], {change: 'newly refused', plugin: 'word-list', code: 'content_blocked', model: 'fast'});
	const known = (await gateway.journal()).map(({exchange}) => exchange);
	t.true(report.examples.every(({exchange}: {exchange: string}) => known.includes(exchange)));
	t.false(JSON.stringify(report).includes('falcon project'));
});

test('words that only the answer had are found there', async t => {
	const {gateway, ask} = await started(t, {journal: {payloads: 'masked'}});
	await ask('hello', false);
	const word = await answeredWord(gateway);
	t.truthy(word);
	const report = await replayed(t, gateway.folder, [...usual!, list(word)], ['--plugin', 'word-list']);
	t.like(report.refused, {newly: 1});
});

test('without payloads nobody is said to have read what was not kept', async t => {
	const {gateway, ask} = await started(t);
	await ask('what of the falcon project', false);
	const report = await replayed(t, gateway.folder, [...usual!, list('falcon')]);
	t.like(report, {exchanges: 1, withoutWords: 1});
	t.is(report.refused.now, 0);
});

test('where nothing was said on the record, the report says who was not asked, and what would keep it', async t => {
	const {gateway, ask} = await started(t);
	await ask('what of the falcon project', false);
	const said = await printed(t, gateway.folder, [...usual!, list('falcon')], ['--plugin', 'word-list']);
	t.regex(said, /nothing of what was said in any of these: word-list reads it and was not asked\. journal: \{payloads: 'masked'\}/);
	t.notRegex(await printed(t, gateway.folder, [...usual!], ['--plugin', 'virtual-keys']), /not asked/);
});

test('what the same plugin refused then is not said to pass now, asked or answered, whole or as a stream', async t => {
	const {gateway, ask} = await started(t, {journal: {payloads: 'masked'}});
	await ask('hello', false);
	const word = await answeredWord(gateway);
	t.truthy(word);
	const guarded = [...usual!, {use: 'word-list', config: {words: ['falcon', word], action: 'deny' as const}}];
	const again = await started(t, {journal: {payloads: 'masked'}, plugins: guarded});
	await t.throwsAsync(again.ask('what of the falcon project', false));
	for (const stream of [false, true]) await t.throwsAsync(again.ask('hello', stream));
	const report = await replayed(t, again.gateway.folder, guarded);
	t.like(report.refused, {before: 3, newly: 0, noLonger: 0, notAsked: 3});
	t.deepEqual(report.examples, []);
	t.regex(await printed(t, again.gateway.folder, guarded), /not asked again {3}3 \(100\.0 %\)/);
});

test('a limit is held against what was really spent, at the time it was spent', async t => {
	const {gateway, ask} = await started(t);
	for (let count = 0; count < 4; count += 1) await ask('hello', false);
	const costs = (await gateway.journal()).flatMap(({kind, costMicroUsd}) => (kind === 'exchange' && costMicroUsd ? [costMicroUsd] : []));
	t.is(costs.length, 4);
	const limitUsd = {'*': (costs[0]! + costs[1]!) / 1e6};
	const report = await replayed(
		t,
		gateway.folder,
		[...usual!, {use: 'budgets', config: {window: 'month', limitUsd}}],
		['--plugin', 'budgets'],
	);
	t.like(report.refused, {before: 0, newly: 2});
	t.is(report.examples[0].code, 'budget_exceeded');
});

test('what a plugin had refused and would let pass now is told too, and so is what others refused', async t => {
	const {gateway, ask} = await started(t, {
		journal: {payloads: 'masked'},
		plugins: [...usual!, {use: 'budgets', config: {window: 'month', limitUsd: {'*': 0.000001}}}],
	});
	await t.throwsAsync(ask('hello', false));
	const generous = {use: 'budgets', config: {window: 'month', limitUsd: {'*': 5}}};
	t.like((await replayed(t, gateway.folder, [...usual!, generous], ['--plugin', 'budgets'])).refused, {before: 1, now: 0, noLonger: 1});
	t.is((await replayed(t, gateway.folder, [...usual!, list('hello')], ['--plugin', 'word-list'])).leftOut.refusedByOthers, 1);
});

test('calls of tools are asked about with the arguments and results that were kept', async t => {
	const server = await hostileServer(t, {
		tools: [{name: 'act', inputSchema: {type: 'object'}}],
		call: {content: [{type: 'text', text: 'the heron flew'}]},
	});
	const gateway = await startGateway(t, {plugins: usual, journal: {payloads: 'masked'}, servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const said = await wire.call('act', {about: 'a falcon'});
	t.falsy(said.body.error);
	for (const word of ['falcon', 'heron']) {
		const report = await replayed(t, gateway.folder, [...usual!, list(word)], ['--plugin', 'word-list']);
		t.like(report.refused, {newly: 1}, word);
		t.like(report.examples[0], {tool: 'act'});
	}
});

test('a long number in a call of a tool is asked about digit by digit', async t => {
	const server = await hostileServer(t, {tools: [{name: 'act', inputSchema: {type: 'object'}}], call: {content: []}});
	const gateway = await startGateway(t, {plugins: usual, journal: {payloads: 'masked'}, servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const params = '{"name":"act","arguments":{"account":1234567890123456789}}';
	await wire.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`, {'mcp-session-id': await wire.begin()});
	for (const [word, newly] of [
		['1234567890123456789', 1],
		['1234567890123456790', 0],
		['1234567890123456800', 0],
	] as const) {
		const report = await replayed(t, gateway.folder, [...usual!, list(word)], ['--plugin', 'word-list']);
		t.like(report.refused, {newly}, word);
	}
});

test('nothing of a replay stands in the journal or in the store', async t => {
	const {gateway, ask} = await started(t, {journal: {payloads: 'masked'}});
	await ask('hello', false);
	const before = await gateway.journal();
	const used = gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'month');
	await replayed(t, gateway.folder, [...usual!, {use: 'budgets', config: {window: 'month', limitUsd: {'*': 5}}}]);
	t.is((await gateway.journal()).length, before.length);
	t.deepEqual(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'month'), used);
});

test("a plugin of one's own is meant by its manifest's name, and by its path from here or from the config", async t => {
	const {gateway, ask} = await started(t, {journal: {payloads: 'masked'}});
	await ask('what of the falcon project', false);
	const cwd = gateway.folder;
	const home = join(cwd, 'home');
	t.is((await sallyport(['plugins', 'new', 'own-guard', '--in', home])).code, 0);
	const plugins = (own: string) => `{use: 'virtual-keys'}, ${own}`;
	const config = (own: string) =>
		`export default {store: '../store.db', journal: {folder: '../journal'}, providers: {local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: 'none'}}, models: {fast: ['local/echo']}, prices: {'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2}}, plugins: [${plugins(own)}]};\n`;
	const run = async (own: string, name: string, ...args: string[]) => {
		await writeFile(join(home, 'own.config.ts'), config(own));
		return sallyport(['--config', 'home/own.config.ts', 'replay', '--json', '--plugin', name, ...args], {cwd});
	};
	const entry = "{use: './own-guard', config: {word: 'falcon'}}";
	for (const name of ['own-guard', './own-guard', './home/own-guard']) {
		const {code, stdout, stderr} = await run(entry, name);
		t.is(code, 0, stderr);
		t.like(JSON.parse(stdout), {refused: {newly: 1}}, name);
	}
	// Complained of where it stands: in the file, or on the command line.
	t.regex(
		(await run("{use: './own-guard', config: {word: 1}}", 'own-guard')).stderr,
		/^home\/own\.config\.ts:1:\d{3} {2}plugins\[1\]\.config\.word: /,
	);
	t.regex((await run("{use: 'grants'}", './home/own-guard')).stderr, /^--plugin \.\/home\/own-guard {2}config\.word: is missing/);
	t.regex((await run(entry, 'own-guard', '--settings', '{}')).stderr, /^--settings {2}word: is missing/);
	t.regex((await run(entry, 'own-gard')).stderr, /^--plugin own-gard {2}use: "own-gard" is not a plugin/);
});

test('settings without their plugin, and times that are none, are refused', async t => {
	const {gateway} = await started(t);
	const cwd = gateway.folder;
	await writeFile(join(cwd, 'gateway.config.ts'), "export default {plugins: [{use: 'virtual-keys'}]};\n");
	t.regex((await sallyport(['replay', '--settings', '{}'], {cwd})).stderr, /name it with --plugin/);
	t.regex((await sallyport(['replay', '--since', 'long ago'], {cwd})).stderr, /Write it like 7d/);
	t.regex((await sallyport(['replay', '--plugin', 'falcon-guard', '--folder', join(cwd, 'journal')], {cwd})).stderr, /is not a plugin/);
});
