import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {configFor, folderWith, sallyport} from './helpers/cli.ts';

const good = configFor('http://127.0.0.1:9');

test.serial('a good config is good, and checking leaves nothing behind', async t => {
	const folder = await folderWith(t, good);
	const {code, stdout, stderr} = await sallyport(['check'], {cwd: folder});
	t.deepEqual({code, stdout, stderr}, {code: 0, stdout: 'gateway.config.ts is good: 4 plugins, 1 provider, 3 models.\n', stderr: ''});
	t.deepEqual(await readdir(folder), ['gateway.config.ts']);
});

test.serial('a config in another folder is named with --config, before or after the verb', async t => {
	const file = join(await folderWith(t, good), 'gateway.config.ts');
	t.is((await sallyport(['--config', file, 'check'])).code, 0);
	t.is((await sallyport(['check', '-c', file])).code, 0);
});

test.serial('what an unset variable leaves out is said, and a secret in the file is warned of without being shown', async t => {
	const config = good
		.replace('providers: {', "providers: {openai: {speaks: 'openai', key: optionalEnv('OPENAI_API_KEY')}, ")
		.replace("env('PROVIDER_KEY')", "'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz'")
		.replace(/http:\/\/127\.0\.0\.1:\d+/, 'https://models.example');
	const {code, stdout, stderr} = await sallyport(['check'], {cwd: await folderWith(t, config)});
	t.is(code, 0, stderr);
	t.regex(stdout, /provider openai is left out: OPENAI_API_KEY is not set/);
	t.regex(stderr, /^warning: gateway\.config\.ts:5:\d+ {2}providers\.local\.key: a secret is written into the config\. .+\n$/);
	t.notRegex(stdout + stderr, /0123456789abcdef/);
});

/** One mistake: what becomes what in the good config, and what is said of it, from the line number on. */
const mistakes: Record<string, [good: string | RegExp, bad: string, said: RegExp]> = {
	'a misspelt key': ['models:', 'modles:', /^6:2 {2}modles: unknown key\. Did you mean "models"\?$/],
	'a value that is not allowed': [
		"speaks: 'openai'",
		"speaks: 'openia'",
		/^5:30 {2}providers\.local\.speaks: "openia" is not one of .+ Did you mean "openai"\?$/,
	],
	'a provider that nobody configured': [
		"'local/echo'",
		"'locla/echo'",
		/^6:18 {2}models\.demo\[0\]: there is no provider "locla"\. Did you mean "local"\?$/,
	],
	'an environment variable that is not set': [
		"env('PROVIDER_KEY')",
		"env('NOT_SET_ANYWHERE')",
		/^5:\d+ {2}providers\.local\.key: the environment variable NOT_SET_ANYWHERE is not set\. Set it, .+$/,
	],
	'broken syntax': ['models: {', 'models: {{', /^6:\d+ {2}.+ Mend the syntax here\.$/],
	"a plugin that isn't there": ["{use: 'grants'", "{use: 'grnats'", /^10:\d+ {2}plugins\[1\]\.use: "grnats" is not a plugin: .+$/],
	"a plugin's own setting, misspelt": [
		"config: {mask: ['email']}",
		"config: {maks: ['email']}",
		/^11:\d+ {2}plugins\[2\]\.config.*maks.*$/,
	],
	"a plugin's own setting with a wrong value": ["mask: ['email']", "mask: ['emial']", /^11:\d+ {2}plugins\[2\]\.config\.mask\[0\]: .+$/],
	'a grant that no plugin asked for': [
		"{use: 'virtual-keys'}",
		"{use: 'virtual-keys', grants: {http: ['example.com']}}",
		/^9:\d+ {2}plugins\[0\]\.grants\.http: virtual-keys does not ask for http\. .+$/,
	],
	'nobody who says who is asking': [
		"{use: 'virtual-keys'},",
		'',
		/^8:\d+ {2}plugins: no plugin says who is asking.+ Add \{use: 'virtual-keys'\}.+$/,
	],
	'two plugins of one name': [
		"{use: 'grants'",
		"{use: 'virtual-keys'}, {use: 'grants'",
		/^10:\d+ {2}plugins\[1\].*: .*virtual-keys.* as: .+$/,
	],
};

for (const [name, [right, wrong, said]] of Object.entries(mistakes)) {
	// One after another: each starts a whole gateway's plugins.
	test.serial(`${name} is pointed at in one line, with its mend, by check and by start`, async t => {
		const folder = await folderWith(t, good.replace(right, wrong));
		for (const verb of ['check', 'start']) {
			const {code, stdout, stderr} = await sallyport([verb], {cwd: folder});
			t.is(code, 1);
			t.is(stdout, '');
			t.regex(stderr, /^gateway\.config\.ts:[^\n]+\n$/);
			t.regex(stderr.trim().replace('gateway.config.ts:', ''), said);
		}
	});
}

test.serial('two mistakes are two lines', async t => {
	const folder = await folderWith(t, good.replace('models:', 'modles:').replace('prices:', 'pricse:'));
	const {code, stderr} = await sallyport(['check'], {cwd: folder});
	t.is(code, 1);
	t.regex(stderr, /^gateway\.config\.ts:6:2 .+\ngateway\.config\.ts:7:2 .+\n$/);
});

test.serial('no config is one line, whatever the verb', async t => {
	const folder = await folderWith(t, good);
	for (const args of [['check'], ['start'], ['audit', 'verify'], ['plugins', 'lock'], ['admin-key']]) {
		const {code, stdout, stderr} = await sallyport([...args, '--config', 'nowhere.ts'], {cwd: folder});
		t.deepEqual({code, stdout}, {code: 1, stdout: ''});
		t.regex(stderr, /^nowhere\.ts {2}this file cannot be read \(ENOENT\)\. [^\n]+\n$/);
	}
});
