import {spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {loadConfig, printProblem} from '../core/config.ts';
import {freshFolder, writeConfig} from './helpers/config-file.ts';

const load = async (t: ExecutionContext, source: string, env: NodeJS.ProcessEnv = {}) => {
	const folder = freshFolder(t);
	const file = writeConfig(folder, source);
	return {folder, ...(await loadConfig(file, {env}))};
};

const two = `export default defineConfig({
	providers: {
		openai: {speaks: 'openai', key: optionalEnv('OPENAI_API_KEY')},
		local: {speaks: 'openai', baseUrl: 'http://127.0.0.1:11434/v1/'},
	},
	models: {fast: ['openai/gpt-5-mini', 'local/llama'], best: ['openai/gpt-5']},
	prices: {'openai/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2}},
	plugins: [{use: 'masking', when: {model: 'best'}}],
});`;

test('an empty config gets every default, and its files lie beside it', async t => {
	const {config, folder, leftOut, warnings} = await load(t, 'export default defineConfig({});');
	t.is(config.listen, '127.0.0.1:8787');
	t.is(config.store, join(folder, 'data/gateway.db'));
	t.deepEqual(config.journal, {folder: join(folder, 'data/journal'), payloads: 'digest', payloadKb: 64, segmentMb: 64});
	t.deepEqual([leftOut, warnings], [[], []]);
});

test('relative paths are those of the config, absolute ones stay, names of shipped plugins stay names', async t => {
	const {config, folder} = await load(
		t,
		`export default defineConfig({
	store: 'sqlite:state/a.db',
	journal: {folder: '/var/journal'},
	plugins: [{use: 'budgets'}, {use: './acme/dlp'}, {use: '../dlp'}, {use: '/opt/dlp'}],
});`,
	);
	t.is(config.store, join(folder, 'state/a.db'));
	t.is(config.journal.folder, '/var/journal');
	t.deepEqual(
		config.plugins.map(({use}) => use),
		['budgets', join(folder, 'acme/dlp'), join(folder, '../dlp'), '/opt/dlp'],
	);
});

test('env() and optionalEnv() become the values of their variables', async t => {
	const {config} = await load(
		t,
		`export default defineConfig({
	providers: {a: {speaks: 'openai', key: env('A')}, b: {speaks: 'anthropic', key: optionalEnv('B')}},
	plugins: [{use: 'dlp', grants: {secrets: {token: env('C')}}}],
});`,
		{A: 'one', B: 'two', C: 'three'},
	);
	t.is(config.providers.a?.key, 'one');
	t.is(config.providers.b?.key, 'two');
	t.deepEqual(config.plugins[0]?.grants, {secrets: {token: 'three'}});
});

test("a provider without a base URL is its company's own API, and a slash at the end is taken off", async t => {
	const {config} = await load(
		t,
		"export default defineConfig({providers: {o: {speaks: 'openai'}, a: {speaks: 'anthropic'}, l: {speaks: 'openai', baseUrl: 'http://l:1/v1/'}}});",
	);
	t.deepEqual(
		Object.values(config.providers).map(({baseUrl}) => baseUrl),
		['https://api.openai.com/v1', 'https://api.anthropic.com/v1', 'http://l:1/v1'],
	);
});

test('a provider whose optional key is not set is left out, with its deployments and the models that had no other', async t => {
	for (const env of [{}, {OPENAI_API_KEY: ''}]) {
		const {config, leftOut, warnings} = await load(t, two, env);
		t.deepEqual(Object.keys(config.providers), ['local']);
		t.deepEqual(config.models, {fast: ['local/llama']});
		t.deepEqual(leftOut, [
			{kind: 'provider', name: 'openai', variable: 'OPENAI_API_KEY'},
			{kind: 'deployment', name: 'openai/gpt-5-mini of fast', variable: 'OPENAI_API_KEY'},
			{kind: 'deployment', name: 'openai/gpt-5 of best', variable: 'OPENAI_API_KEY'},
			{kind: 'model', name: 'best', variable: 'OPENAI_API_KEY'},
		]);
		t.deepEqual(warnings, []);
	}
});

test('the same provider is served, with nothing left out, when its key is set', async t => {
	const {config, leftOut} = await load(t, two, {OPENAI_API_KEY: 'sk'});
	t.deepEqual(config.models, {fast: ['openai/gpt-5-mini', 'local/llama'], best: ['openai/gpt-5']});
	t.deepEqual(leftOut, []);
});

test('an optional secret that is not set is not lent', async t => {
	const {config, leftOut} = await load(
		t,
		"export default defineConfig({plugins: [{use: 'dlp', grants: {secrets: {token: optionalEnv('T')}}}]});",
	);
	t.deepEqual(config.plugins[0]?.grants, {secrets: {}});
	t.deepEqual(leftOut, [{kind: 'secret', name: 'token of dlp', variable: 'T'}]);
});

test('a secret written into the config is a warning at its place that does not repeat it', async t => {
	const {config, warnings, file} = await load(
		t,
		"export default defineConfig({\n\tproviders: {a: {speaks: 'openai', key: 'sk-123'}},\n\tplugins: [{use: 'x', grants: {secrets: {token: 'abc'}}}],\n});",
	);
	t.is(config.providers.a?.key, 'sk-123');
	t.deepEqual(
		warnings.map(warning => printProblem(warning).replace(file, 'gateway.config.ts')),
		[
			"gateway.config.ts:3:41  providers.a.key: a secret is written into the config. Put it into a variable and write env('NAME').",
			"gateway.config.ts:4:49  plugins[0].grants.secrets.token: a secret is written into the config. Put it into a variable and write env('NAME').",
		],
	);
});

test('a rule of a plugin about a server that is not there is a warning, for it is about nothing', async t => {
	const rules = "[{name: 'writes', tools: ['file/write_*', 'files/read', '*', 'send_mail', '*/delete']}]";
	const allow = "{'*': {servers: ['files', 'fiels', 'f*'], tools: ['*'], models: ['openai/gpt']}}";
	const {warnings} = await load(
		t,
		`export default defineConfig({servers: {files: {url: 'http://127.0.0.1:1'}}, plugins: [{use: 'approvals', config: {rules: ${rules}}}, {use: 'grants', config: {allow: ${allow}}}]});`,
	);
	t.deepEqual(
		warnings.map(({path, message, mend}) => [path, message, mend]),
		[
			['plugins[0].config.rules[0].tools[0]', 'there is no server "file"', 'Did you mean "files"?'],
			['plugins[1].config.allow["*"].servers[1]', 'there is no server "fiels"', 'Did you mean "files"?'],
		],
	);
});

test('a store may be a PostgreSQL database, whose URL the environment has; written down with its password, it is a warning', async t => {
	const url = 'postgres://gateway:word@db.example/sallyport?sslmode=require';
	const fromEnv = await load(t, "export default defineConfig({store: env('DATABASE_URL')});", {DATABASE_URL: url});
	t.deepEqual([fromEnv.config.store, fromEnv.warnings], [url, []]);
	const file = await load(t, "export default defineConfig({store: env('STORE')});", {STORE: 'sqlite:state/a.db'});
	t.is(file.config.store, join(file.folder, 'state', 'a.db'));
	const {config, warnings} = await load(t, `export default defineConfig({store: '${url}'});`);
	t.is(config.store, url);
	t.like(warnings, [{path: 'store', message: 'a secret is written into the config'}]);
	t.false(warnings.map(printProblem).join().includes('word'));
	t.deepEqual((await load(t, "export default defineConfig({store: 'postgresql://gateway@db.example/sallyport'});")).warnings, []);
});

test('a scope that names a model nobody can ask for is a warning', async t => {
	const {warnings} = await load(
		t,
		"export default defineConfig({\n\tproviders: {l: {speaks: 'openai'}},\n\tmodels: {fast: ['l/a']},\n\tplugins: [{use: 'x', when: {model: ['fast', 'fats', 'l/b', 'gpt-*']}}],\n});",
	);
	t.like(warnings, [{line: 5, column: 46, path: 'plugins[0].when.model[1]', mend: 'Did you mean "fast"?'}]);
	t.is(warnings.length, 1);
});

test("what belongs together is accepted: one plugin twice under two names, hosts of every form, a digest for one's own plugin inline", async t => {
	const {config} = await load(
		t,
		`export default defineConfig({
	listen: '[::1]:0',
	plugins: [
		{use: 'budgets'},
		{use: 'budgets', as: 'budgets-of-tools', config: {limitUsd: {'*': 20}, env: {env: 'production'}, list: [1, true, null, 'x']}},
		{use: './dlp', tier: 'inline', trust: 'sha256:${'a'.repeat(64)}', grants: {http: ['a.example', '*.b.example', 'c:8443', '127.0.0.1:1', '[::1]:2']}},
	],
});`,
	);
	t.is(config.plugins.length, 3);
	t.deepEqual(config.plugins[1]?.config?.env, {env: 'production'});
});

test('a config that changed is read anew by the same process', async t => {
	const folder = freshFolder(t);
	const file = writeConfig(folder, "export default defineConfig({listen: '127.0.0.1:1'});");
	t.is((await loadConfig(file, {env: {}})).config.listen, '127.0.0.1:1');
	writeConfig(folder, "export default defineConfig({listen: '127.0.0.1:2',,});");
	await t.throwsAsync(loadConfig(file, {env: {}}), {message: /:2:52 {2}/});
	writeConfig(folder, "export default defineConfig({listen: '127.0.0.1:2'});");
	t.is((await loadConfig(file, {env: {}})).config.listen, '127.0.0.1:2');
});

test('two loads of one file share nothing', async t => {
	const {file, config} = await load(t, "export default defineConfig({plugins: [{use: 'a', config: {words: ['x']}}]});");
	const again = await loadConfig(file, {env: {}});
	t.deepEqual(config, again.config);
	t.not(config.plugins[0]?.config, again.config.plugins[0]?.config);
});

test('reading a config, right or wrong, prints nothing', async t => {
	const folder = freshFolder(t);
	const core = new URL('../core/config.ts', import.meta.url).href;
	const file = writeConfig(folder, "export default defineConfig({listen: 'x'});");
	const script = `import {loadConfig} from '${core}'; await loadConfig(${JSON.stringify(file)}, {env: {}}).then(() => process.exit(1), () => undefined);`;
	const {status, stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', script], {encoding: 'utf8'});
	t.deepEqual({status, stdout, stderr}, {status: 0, stdout: '', stderr: ''});
});

test('the shipped config loads with every line in it that is there to be uncommented', async t => {
	const shipped = readFileSync(new URL('../gateway.config.ts', import.meta.url), 'utf8');
	const sdk = new URL('../plugin-sdk/index.ts', import.meta.url).href;
	const whole = shipped.replace(/^(\t+)\/\/ (\{use: .+|\w+: \{.+)$/gm, '$1$2').replace('./plugin-sdk/index.ts', sdk);
	const file = join(freshFolder(t), 'gateway.config.ts');
	writeFileSync(file, whole);
	const env = Object.fromEntries([...whole.matchAll(/\b(?:env|optionalEnv)\('(\w+)'\)/g)].map(([, name]) => [name!, 'set']));
	const {config} = await loadConfig(file, {env});
	t.true(config.plugins.some(({use}) => use === 'webhooks'));
});

test('a server whose program is not there is warned of, and one whose program is there is not', async t => {
	const source = (command: string) => `export default defineConfig({servers: {files: {stdio: {command: '${command}'}}}});`;
	const env = {PATH: dirname(process.execPath)};
	for (const command of ['node', process.execPath]) t.deepEqual((await load(t, source(command), env)).warnings, [], command);
	for (const command of ['nodee', './nodee', '/nowhere/node']) {
		const {warnings} = await load(t, source(command), env);
		t.regex(
			warnings.map(printProblem).join('\n'),
			/:2:\d+ {2}servers\.files\.stdio\.command: there is no such program\. Install it, /,
			command,
		);
	}
});
