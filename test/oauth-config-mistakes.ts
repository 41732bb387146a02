import test, {type ExecutionContext} from 'ava';
import {loadConfig} from '../core/config.ts';
import {complaints, freshFolder, writeConfig} from './helpers/config-file.ts';

const refused = async (t: ExecutionContext, source: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
	const file = writeConfig(freshFolder(t), `export default defineConfig(${source});`);
	return (await complaints(t, file, () => loadConfig(file, {env}))).join('\n');
};

const server = (settings: string): string => `{servers: {mail: {url: 'https://mail.example/mcp', ${settings}}}}`;

/** What is wrong, and the words that say so. */
const mistakes: Record<string, [source: string, says: RegExp]> = {
	'a grant of the gateway’s own without an issuer': [
		server("oauth: {grant: 'client_credentials', clientId: 'a', clientSecret: 'b'}"),
		/this grant needs an issuer and a clientId/,
	],
	'a secret for whoever the server says to ask': [
		server("oauth: {grant: 'authorization_code', clientId: 'a', clientSecret: 'b'}"),
		/with a secret or a key goes an issuer/,
	],
	'a secret and a key': [
		server("oauth: {grant: 'client_credentials', issuer: 'https://as.example', clientId: 'a', clientSecret: 'b', privateKey: 'c'}"),
		/write clientSecret or privateKey, not both/,
	],
	'two ways to log in': [
		server("bearer: 'a', oauth: {grant: 'authorization_code'}"),
		/one of bearer, basic, oauth and an authorization header is enough/,
	],
	'a login for a process': ["{servers: {mail: {stdio: {command: 'node'}, bearer: 'a'}}}", /a process gets its secrets in env/],
	'a user name with a colon': [server("basic: {user: 'a:b', password: 'c'}"), /a user name has no colon/],
	'users’ accounts at a gateway that does not know its own address': [
		"{listen: '0.0.0.0:8787', servers: {mail: {url: 'https://mail.example/mcp', oauth: {grant: 'authorization_code'}}}}",
		/it does not know its own address. Add publicUrl/,
	],
	'tokens for a gateway that does not know its own address': [
		"{listen: '0.0.0.0:8787', mcp: {oauth: {authorizationServers: ['https://as.example']}}}",
		/it does not know its own address. Add publicUrl/,
	],
	'an address with a path': ["{publicUrl: 'https://gateway.example/ai'}", /write the origin, like https:\/\/gateway.acme.example/],
	'users’ tokens in a database, and no key for all gateways': [
		"{store: 'postgres://u@127.0.0.1/x', servers: {mail: {url: 'https://mail.example/mcp', oauth: {grant: 'authorization_code'}}}}",
		/all gateways on a database need the same key.*SALLYPORT_SEALING_KEY/,
	],
	'a sealing key that is short': ["{sealingKey: 'short'}", /is shorter than 32 characters/],
};

for (const [mistake, [source, says]] of Object.entries(mistakes))
	test(`${mistake} stops the boot`, async t => {
		t.regex(await refused(t, source), says);
	});

test('secrets of the config are not repeated in a complaint about it', async t => {
	const secret = 'very-secret-0123456789';
	for (const settings of [
		`oauth: {grant: 'nonsense', issuer: 'https://as.example', clientId: 'a', clientSecret: '${secret}'}`,
		`oauth: '${secret}'`,
		`basic: '${secret}'`,
		`bearer: {secret: '${secret}'}`,
		`headers: '${secret}'`,
	])
		t.false((await refused(t, server(settings))).includes(secret), settings);
});

test('a server whose secret is an optional variable that is not set is left out', async t => {
	const file = writeConfig(
		freshFolder(t),
		"export default defineConfig({servers: {mail: {url: 'https://mail.example/mcp', oauth: {grant: 'client_credentials', issuer: 'https://as.example', clientId: 'a', clientSecret: optionalEnv('MAIL_SECRET')}}}});",
	);
	const {config, leftOut} = await loadConfig(file, {env: {}});
	t.deepEqual(config.servers, {});
	t.deepEqual(leftOut, [{kind: 'server', name: 'mail', variable: 'MAIL_SECRET'}]);
	const set = await loadConfig(file, {env: {MAIL_SECRET: 'x'}});
	t.is(set.config.servers.mail?.oauth?.clientSecret, 'x');
});

test('a secret that stands in the config is warned of, except for a server on this machine', async t => {
	const warned = async (url: string): Promise<string[]> => {
		const servers = `{a: {url: '${url}', bearer: 'x'}, b: {url: '${url}', basic: {user: 'u', password: 'x'}}, c: {url: '${url}', oauth: {grant: 'client_credentials', issuer: 'https://as.example', clientId: 'a', clientSecret: 'x'}}}`;
		const {warnings} = await loadConfig(writeConfig(freshFolder(t), `export default defineConfig({servers: ${servers}});`), {env: {}});
		return warnings.map(({path}) => path);
	};
	t.deepEqual(await warned('https://mail.example/mcp'), ['servers.a.bearer', 'servers.b.basic.password', 'servers.c.oauth.clientSecret']);
	t.deepEqual(await warned('http://127.0.0.1:1/mcp'), []);
});
