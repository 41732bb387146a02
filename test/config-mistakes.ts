import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {loadConfig} from '../core/config.ts';
import {complaints, freshFolder, writeConfig} from './helpers/config-file.ts';

const refused = async (t: ExecutionContext, source: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> => {
	const file = writeConfig(freshFolder(t), source);
	return complaints(t, file, () => loadConfig(file, {env}));
};

/** One mistake: the config from line 2 of the file on, and the one line it is refused with. */
const mistakes: Record<string, [source: string, complaint: string]> = {
	'an unknown key is pointed at, with the key that was meant': [
		"export default defineConfig({\n\tlisten: '127.0.0.1:0',\n\tpluggins: [],\n});",
		'gateway.config.ts:4:2  pluggins: unknown key. Did you mean "plugins"?',
	],
	'an unknown key deep in the file is pointed at': [
		"export default defineConfig({\n\tproviders: {\n\t\tlocal: {speaks: 'openai', baseURL: 'http://127.0.0.1:1/v1'},\n\t},\n});",
		'gateway.config.ts:4:29  providers.local.baseURL: unknown key. Did you mean "baseUrl"?',
	],
	"an unknown key in a scope is compared with that scope's keys": [
		"export default defineConfig({\n\tplugins: [{use: 'budgets', when: {temas: 'x'}}],\n});",
		'gateway.config.ts:3:36  plugins[0].when.temas: unknown key. Did you mean "team"?',
	],
	"a plugin's own setting beside its config is sent there": [
		"export default defineConfig({plugins: [{use: 'budgets', limitUsd: 20}]});",
		"gateway.config.ts:2:57  plugins[0].limitUsd: unknown key. Known here: use, as, config, mode, when, onFailure, tier, trust, grants; a plugin's own settings stand in its config.",
	],
	'a misspelt choice gets the right one': [
		"export default defineConfig({\n\tplugins: [\n\t\t{use: 'a'},\n\t\t{use: 'b'},\n\t\t{use: 'c', mode: 'enforced'},\n\t],\n});",
		'gateway.config.ts:6:20  plugins[2].mode: "enforced" is not one of enforce, observe. Did you mean "enforce"?',
	],
	'an API that no upstream of ours speaks': [
		"export default defineConfig({providers: {g: {speaks: 'gemini'}}});",
		"gateway.config.ts:2:54  providers.g.speaks: \"gemini\" is not one of openai, anthropic. Write speaks: 'openai' or speaks: 'anthropic', whichever API it answers to.",
	],
	'a missing key is reported at the object it belongs into': [
		"export default defineConfig({\n\tplugins: [{mode: 'observe'}],\n});",
		"gateway.config.ts:3:12  plugins[0].use: is missing. Write use: 'name' for a shipped plugin, or use: './folder' for one of your own.",
	],
	'a value of the wrong type': [
		'export default defineConfig({listen: 8787});',
		"gateway.config.ts:2:38  listen: must be a string, not a number. Write host:port, like '127.0.0.1:8787'.",
	],
	'an object where a list belongs': [
		"export default defineConfig({plugins: {use: 'budgets'}});",
		"gateway.config.ts:2:39  plugins: must be a list, not an object. Write a list: plugins: [{use: 'virtual-keys'}].",
	],
	'a fraction where a whole number belongs': [
		"export default defineConfig({providers: {a: {speaks: 'openai', timeoutMs: 1.5}}});",
		'gateway.config.ts:2:75  providers.a.timeoutMs: must be a whole number, not 1.5. Write timeoutMs: with a whole number.',
	],
	'a number below the least': [
		'export default defineConfig({limits: {bodyMs: 1}});',
		'gateway.config.ts:2:47  limits.bodyMs: 1 is too small. Write 10 or more.',
	],
	'a number above the most': [
		"export default defineConfig({providers: {a: {speaks: 'openai', connections: 5000}}});",
		'gateway.config.ts:2:77  providers.a.connections: 5000 is too large. Write 4096 or less.',
	],
	'false where only true may stand': [
		'export default defineConfig({anonymous: false});',
		'gateway.config.ts:2:41  anonymous: false cannot stand here. Write anonymous: true, or leave it out.',
	],
	'an address without a port': [
		"export default defineConfig({listen: 'localhost'});",
		'gateway.config.ts:2:38  listen: "localhost" is not in the right form: write host:port, like 127.0.0.1:8787. Write host:port, like \'127.0.0.1:8787\'.',
	],
	'a port that does not exist': [
		"export default defineConfig({listen: '127.0.0.1:70000'});",
		'gateway.config.ts:2:38  listen: there is no port 70000. Write a port up to 65535; 0 takes any free one.',
	],
	'a store of a kind that is not there': [
		"export default defineConfig({store: 'mysql://db/gateway'});",
		"gateway.config.ts:2:37  store: \"mysql:\" is no store of this release. Write the path of a SQLite file, like 'data/gateway.db', or env('DATABASE_URL') for a PostgreSQL database.",
	],
	'a provider name in capitals is pointed at by its key': [
		"export default defineConfig({providers: {OpenAI: {speaks: 'openai'}}});",
		'gateway.config.ts:2:42  providers.OpenAI: "OpenAI" cannot be a name here: a provider name is lower-case letters, digits and dashes. Rename it, to "openai" perhaps.',
	],
	'a base URL that ends with what the gateway adds itself': [
		"export default defineConfig({providers: {a: {speaks: 'openai', baseUrl: 'https://a.example/v1/chat/completions'}}});",
		'gateway.config.ts:2:73  providers.a.baseUrl: goes too far: the gateway adds "/chat/completions" itself. Leave "/chat/completions" out.',
	],
	'a model without deployments': [
		'export default defineConfig({models: {fast: []}});',
		"gateway.config.ts:2:45  models.fast: is an empty list. Write a list of deployments, best first: ['provider/model'].",
	],
	'a deployment of an unknown provider': [
		"export default defineConfig({\n\tproviders: {openai: {speaks: 'openai'}},\n\tmodels: {'gpt-5.1': ['openai/gpt-5.1', 'opnai/gpt-5']},\n});",
		'gateway.config.ts:4:41  models["gpt-5.1"][1]: there is no provider "opnai". Did you mean "openai"?',
	],
	'a price of an unknown provider': [
		"export default defineConfig({providers: {local: {speaks: 'openai'}}, prices: {'lokal/a': {inputUsdPerMTok: 0, outputUsdPerMTok: 0}}});",
		'gateway.config.ts:2:79  prices["lokal/a"]: there is no provider "lokal". Did you mean "local"?',
	],
	'a price of a tool of an unknown server': [
		"export default defineConfig({servers: {github: {url: 'http://127.0.0.1:1'}}, toolPrices: {'*': {}, 'githup/search': {usdPerCall: 1}}});",
		'gateway.config.ts:2:100  toolPrices["githup/search"]: there is no server "githup". Did you mean "github"?',
	],
	'two plugins of one name': [
		"export default defineConfig({plugins: [\n\t{use: 'budgets'},\n\t{use: 'masking', as: 'budgets'},\n]});",
		'gateway.config.ts:4:23  plugins[1].as: "budgets" is already the name of plugins[0]. Give each instance a name of its own with as: \'another-name\'.',
	],
	'the same folder twice without names': [
		"export default defineConfig({plugins: [{use: './acme/dlp'}, {use: './acme/../acme/dlp'}]});",
		'gateway.config.ts:2:67  plugins[1].use: "./acme/../acme/dlp" is already the name of plugins[0]. Give each instance a name of its own with as: \'another-name\'.',
	],
	'a list in a scope with a wrong entry': [
		"export default defineConfig({plugins: [{use: 'a', when: {team: ['x', 1]}}]});",
		'gateway.config.ts:2:70  plugins[0].when.team[1]: must be a string, not a number. Write a name.',
	],
	'a scope that is neither a name nor a list': [
		"export default defineConfig({plugins: [{use: 'a', when: {team: 1}}]});",
		'gateway.config.ts:2:64  plugins[0].when.team: must be a string or a list, not a number. Write a name or a list of names.',
	],
	'a guard scoped to an operation that does not exist': [
		"export default defineConfig({plugins: [{use: 'masking', when: {operation: ['messages', 'chats']}}]});",
		'gateway.config.ts:2:88  plugins[0].when.operation[1]: "chats" is not one of chat, embeddings, messages, count_tokens, moderations, models, initialize, server/discover, ping, notifications, logging/setLevel, completion/complete, stream, end, batch, tools/list, tools/call, resources/list, resources/templates/list, resources/read, prompts/list, prompts/get, resources/subscribe, resources/unsubscribe, subscriptions/listen, elicitation/create, sampling/createMessage, roots/list, so this plugin would never be asked. Did you mean "chat"?',
	],
	'a guard scoped to a surface that does not exist': [
		"export default defineConfig({plugins: [{use: 'masking', when: {surface: 'opneai'}}]});",
		'gateway.config.ts:2:73  plugins[0].when.surface: "opneai" is not one of openai, anthropic, mcp, admin, gateway, so this plugin would never be asked. Did you mean "openai"?',
	],
	'a guard scoped to a server that does not exist': [
		"export default defineConfig({servers: {files: {url: 'http://127.0.0.1:1'}}, plugins: [{use: 'masking', when: {server: ['f*', 'fils']}}]});",
		'gateway.config.ts:2:126  plugins[0].when.server[1]: "fils" is not one of files, so this plugin would never be asked. Did you mean "files"?',
	],
	'an unknown capability': [
		"export default defineConfig({plugins: [{use: 'a', grants: {htpp: ['a.example']}}]});",
		'gateway.config.ts:2:60  plugins[0].grants.htpp: unknown key. Did you mean "http"?',
	],
	'a URL where a host belongs': [
		"export default defineConfig({plugins: [{use: 'a', grants: {http: ['https://dlp.acme.example/check']}}]});",
		"gateway.config.ts:2:67  plugins[0].grants.http[0]: is not a host. Write 'dlp.acme.example'.",
	],
	'every host at once': [
		"export default defineConfig({plugins: [{use: 'a', grants: {http: ['*']}}]});",
		"gateway.config.ts:2:67  plugins[0].grants.http[0]: is not a host. Write hosts: 'dlp.acme.example', 'dlp.acme.example:8443' or '*.acme.example'.",
	],
	'a model for a plugin to ask that nobody serves': [
		"export default defineConfig({plugins: [{use: 'a', grants: {models: ['guards']}}], providers: {local: {speaks: 'openai'}}, models: {guard: ['local/guard']}});",
		'gateway.config.ts:2:69  plugins[0].grants.models[0]: nobody serves "guards". Did you mean "guard"?',
	],
	'a digest for a shipped plugin': [
		`export default defineConfig({plugins: [{use: 'budgets', trust: 'sha256:${'0'.repeat(64)}'}]});`,
		'gateway.config.ts:2:64  plugins[0].trust: "budgets" is a shipped plugin, trusted by the digest it ships with. Leave trust out.',
	],
	'a digest that is none': [
		"export default defineConfig({plugins: [{use: './dlp', trust: 'abc'}]});",
		"gateway.config.ts:2:62  plugins[0].trust: \"abc\" is not in the right form. Write 'sha256:' and the 64 hexadecimal digits of the plugin's digest.",
	],
	"env() in a plugin's config": [
		"export default defineConfig({plugins: [{use: 'a', config: {token: env('TOKEN')}}]});",
		"gateway.config.ts:2:67  plugins[0].config.token: env() is not read inside a plugin's config. Lend it as a secret: grants: {secrets: {token: env('…')}}.",
	],
	"what is not JSON in a plugin's config": [
		"export default defineConfig({plugins: [{use: 'a', config: {words: [/x/]}}]});",
		"gateway.config.ts:2:68  plugins[0].config.words[0]: a plugin's config is JSON, and this is a RegExp. Write strings, numbers, true, false, null, lists and objects.",
	],
	'env() where no secret belongs': [
		"export default defineConfig({listen: env('LISTEN')});",
		"gateway.config.ts:2:38  listen: env() is not read here. It stands only for the store, the sealingKey, a provider's key, a server's secrets and headers, and a plugin's grants.secrets; write a string here.",
	],
	'a store whose variable is not set': [
		"export default defineConfig({store: env('DATABASE_URL_NOT_SET')});",
		'gateway.config.ts:2:37  store: the environment variable DATABASE_URL_NOT_SET is not set. Set it.',
	],
	'a variable that is not set': [
		"export default defineConfig({\n\tproviders: {\n\t\tclaude: {speaks: 'anthropic', key: env('ANTHROPIC_API_KEY')},\n\t},\n});",
		"gateway.config.ts:4:38  providers.claude.key: the environment variable ANTHROPIC_API_KEY is not set. Set it, or write optionalEnv('ANTHROPIC_API_KEY') to run without this provider.",
	],
	'a key that an object names twice': [
		"export default defineConfig({\n\tplugins: [{use: 'masking'}],\n\tplugins: [],\n});",
		'gateway.config.ts:4:2  plugins: this key stands here twice. Join the two, or take one out: only the last one counts.',
	],
	'a mistake behind a constant, a spread and types': [
		"const own = {mode: 'observed' as 'observe'} as const;\nconst plugins = [...[{use: 'a'}], {use: 'b', ...own}];\nexport default defineConfig({plugins} satisfies object);",
		'gateway.config.ts:2:20  plugins[1].mode: "observed" is not one of enforce, observe. Did you mean "observe"?',
	],
	'a config that is no object': [
		'export default 5;',
		'gateway.config.ts:2:16  must be an object, not a number. Write export default defineConfig({…}).',
	],
	'no default export': [
		'export const config = defineConfig({});',
		'gateway.config.ts:1:1  there is no default export. Write export default defineConfig({…}).',
	],
	'a missing comma': [
		"export default defineConfig({\n\tlisten: '127.0.0.1:0'\n\tstore: 'a.db',\n});",
		"gateway.config.ts:4:2  Expected ',', got 'ident'. Mend the syntax here.",
	],
	'TypeScript that Node cannot strip': [
		'enum Port { open = 1 }\nexport default defineConfig({});',
		'gateway.config.ts:2:1  TypeScript enum is not supported in strip-only mode. Node runs this file with its types taken out: use plain JavaScript and types.',
	],
	'a name that is not defined': [
		'export default defineConfig({\n\tlisten: port,\n});',
		'gateway.config.ts:3:10  port is not defined. A config has no logic in it: write plain values, env() and optionalEnv().',
	],
	'an import that a file does not export': [
		"import {sep as one, nothing} from 'node:path';\nexport default defineConfig({});",
		"gateway.config.ts:2:21  The requested module 'node:path' does not provide an export named 'nothing'. Mend the syntax here.",
	],
};

for (const [title, [source, complaint]] of Object.entries(mistakes)) {
	test(title, async t => {
		t.deepEqual(await refused(t, source), [complaint]);
	});
}

test('an import of a file that is not there is pointed at', async t => {
	const folder = freshFolder(t);
	const file = writeConfig(folder, "import {shared} from './shared.ts';\nexport default defineConfig({models: shared});");
	const [complaint] = await complaints(t, file, () => loadConfig(file, {env: {}}));
	t.true(complaint?.startsWith("gateway.config.ts:2:1  Cannot find module '"), complaint);
	t.true(complaint?.endsWith('Look at the path of this import; a file is imported with its ending, like ./shared.ts.'), complaint);
});

test('a file that is not there is named, with the reason', async t => {
	const file = `${freshFolder(t)}/gateway.config.ts`;
	t.deepEqual(await complaints(t, file, () => loadConfig(file, {env: {}})), [
		'gateway.config.ts  this file cannot be read (ENOENT). Start where gateway.config.ts is, or name another file.',
	]);
});

test('several mistakes are reported at once, in the order of the file', async t => {
	const lines = await refused(
		t,
		"export default defineConfig({\n\tplugins: [{use: 1}],\n\tlisten: 'x:1',\n\tlimits: {drainMs: -1},\n\tproviders: {a: {speaks: 'x'}},\n});",
	);
	t.deepEqual(
		lines.map(line => line.split('  ')[0]),
		['gateway.config.ts:3:18', 'gateway.config.ts:5:20', 'gateway.config.ts:6:26'],
	);
});

test('every unset variable is reported at once, and one set to nothing counts as unset', async t => {
	const lines = await refused(
		t,
		"export default defineConfig({\n\tproviders: {a: {speaks: 'openai', key: env('A')}},\n\tplugins: [{use: 'x', grants: {secrets: {token: env('B')}}}],\n});",
		{A: ''},
	);
	t.deepEqual(lines, [
		"gateway.config.ts:3:41  providers.a.key: the environment variable A is not set. Set it, or write optionalEnv('A') to run without this provider.",
		"gateway.config.ts:4:49  plugins[0].grants.secrets.token: the environment variable B is not set. Set it, or write optionalEnv('B') to run without this secret.",
	]);
});

test('no complaint quotes what stands in the place of a secret', async t => {
	const secret = 'sk-live-0123456789';
	const lines = await refused(
		t,
		`export default defineConfig({
	providers: {
		a: {speaks: 'openai', key: env('${secret}')},
		b: {speaks: 'openai', key: ['${secret}']},
		c: '${secret}' as never,
		d: {speaks: 'openai', baseUrl: 'ftp://user:${secret}@d.example'},
	},
	plugins: [{use: 'x', grants: {secrets: {token: {value: '${secret}'}, other: 5}}}],
});`,
	);
	t.is(lines.length, 6 + 1, lines.join('\n'));
	t.false(lines.join('\n').includes(secret), lines.join('\n'));
});

test('what a config calls and does not import is told where it comes from', async t => {
	const file = join(freshFolder(t), 'gateway.config.ts');
	writeFileSync(file, "export default {\n\tstore: env('DATABASE_URL'),\n};\n");
	const [said] = await complaints(t, file, () => loadConfig(file, {env: {}}));
	t.is(said, "gateway.config.ts:2:9  env is not defined. Import it: import {env} from 'sallyport/plugin-sdk'.");
});
