import test, {type ExecutionContext} from 'ava';
import {exportPKCS8, exportSPKI, generateKeyPair} from 'jose';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {client, startAuthorizationServer} from './helpers/authorization-server.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';

type OAuth = NonNullable<NonNullable<GatewayConfigInput['servers']>[string]['oauth']>;

const start = async (t: ExecutionContext, oauth: Partial<OAuth> & Pick<OAuth, 'grant'>) => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {issuer: as.issuer, clientId: client.clientId, ...oauth}}},
		mcp: {oauth: {authorizationServers: [as.issuer]}},
		plugins: [
			{use: 'virtual-keys'},
			{
				use: 'jwt',
				config: {issuer: as.issuer, resource: true, principal: {tenant: {value: 'acme'}}},
				grants: {http: [as.host]},
			},
			{use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*'], resources: ['*']}}}},
		],
	});
	const tokenOf = (sub: string) => as.token({sub, aud: `${gateway.url}/mcp/mail`});
	return {as, server, gateway, tokenOf};
};

const ask = (gateway: TestGateway, key: string) => wireTo(`${gateway.url}/mcp/mail`, key).call('whoami');

const {clientSecret} = client;

test('client credentials: one token for all who ask, shown as the authorization server likes the secret', async t => {
	for (const way of ['client_secret_basic', 'client_secret_post']) {
		const {as, server, gateway} = await start(t, {grant: 'client_credentials', clientSecret, scopes: ['mail:read']});
		as.metadata = {token_endpoint_auth_methods_supported: [way]};
		const keys = await Promise.all(['ada', 'eve', 'bob'].map(user => gateway.key({tenant: 'acme', user})));
		for (const {status, body} of await Promise.all(keys.map(key => ask(gateway, key)))) t.is(status, 200, JSON.stringify(body));
		t.is(wordsOf(await ask(gateway, keys[0]!)), 'the-gateway');
		t.is(as.grants.length, 1);
		t.like(as.grants[0]?.form, {grant_type: 'client_credentials', resource: server.url, scope: 'mail:read'});
		t.is(as.grants[0]?.authorization !== undefined, way === 'client_secret_basic');
		t.is(as.grants[0]?.form.client_secret, way === 'client_secret_post' ? clientSecret : undefined);
		t.false(JSON.stringify(server.seen).includes(clientSecret), 'the secret is not for the server');
		for (const key of keys) t.false(JSON.stringify([server.seen, as.grants]).includes(key));
	}
});

test('client credentials: the gateway signs for itself with a private key', async t => {
	const {publicKey, privateKey} = await generateKeyPair('ES256', {extractable: true});
	const {as, gateway} = await start(t, {grant: 'client_credentials', privateKey: await exportPKCS8(privateKey), algorithm: 'ES256'});
	as.clientKey = await exportSPKI(publicKey);
	t.is(wordsOf(await ask(gateway, await gateway.key())), 'the-gateway');
	t.like(as.grants[0]?.form, {client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_secret: undefined});
});

test('client credentials: a token is renewed before it ends, and after a 401 once', async t => {
	const {as, server, gateway} = await start(t, {grant: 'client_credentials', clientSecret});
	as.lifetimeSeconds = 2;
	const key = await gateway.key();
	t.is(wordsOf(await ask(gateway, key)), 'the-gateway');
	await new Promise(resolve => setTimeout(resolve, 1_100));
	as.lifetimeSeconds = 600;
	t.is(wordsOf(await ask(gateway, key)), 'the-gateway');
	t.is(as.grants.length, 2);
	const revoke = () => {
		for (const {headers} of server.seen) server.revoked.add(headers.authorization?.replace('Bearer ', '') ?? '');
	};
	revoke();
	t.is(wordsOf(await ask(gateway, key)), 'the-gateway');
	t.is(as.grants.length, 3);
	revoke();
	t.like((await ask(gateway, key)).body.error?.data, {code: 'upstream_refused'});
	t.is(as.grants.length, 3, 'a server that takes no token is not given one after another');
});

test('client credentials: whoever is refused while the next token is on its way gets that one', async t => {
	const {as, server, gateway} = await start(t, {grant: 'client_credentials', clientSecret});
	const keys = await Promise.all(Array.from({length: 8}, () => gateway.key()));
	const all = async () => (await Promise.all(keys.map(key => ask(gateway, key)))).map(wordsOf);
	t.deepEqual(await all(), Array(8).fill('the-gateway'));
	for (const {headers} of server.seen) server.revoked.add(headers.authorization?.replace('Bearer ', '') ?? '');
	t.deepEqual(await all(), Array(8).fill('the-gateway'));
	t.is(as.grants.length, 2);
	t.is(server.callers.length, 16);
});

test('client credentials: a refusal says its code and nothing else of what the authorization server said', async t => {
	const {gateway} = await start(t, {grant: 'client_credentials', clientSecret: 'a-wrong-secret-0123456789'});
	const {body} = await ask(gateway, await gateway.key());
	t.like(body.error, {message: 'The authorization server of "mail" gives no token: invalid_client.', data: {code: 'upstream_refused'}});
	t.false(gateway.logged().includes('a-wrong-secret'));
});

test('token exchange: each caller’s token is exchanged for one of its own, and is itself never seen at the server', async t => {
	const {as, server, gateway, tokenOf} = await start(t, {grant: 'token_exchange', clientSecret, audience: 'mail'});
	const [ada, eve] = [await tokenOf('ada'), await tokenOf('eve')];
	const said = await Promise.all([ada, eve, ada, eve, ada].map(token => ask(gateway, token)));
	t.deepEqual(said.map(wordsOf), ['exchanged-ada', 'exchanged-eve', 'exchanged-ada', 'exchanged-eve', 'exchanged-ada']);
	t.is(as.grants.length, 2);
	t.like(as.grants[0]?.form, {
		grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
		subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
		resource: server.url,
		audience: 'mail',
	});
	for (const token of [ada, eve]) t.false(JSON.stringify(server.seen).includes(token));
	t.is(wordsOf(await ask(gateway, await tokenOf('ada'))), 'exchanged-ada', 'the next token of the same user is exchanged as well');
	t.is(as.grants.length, 3);
	t.false(JSON.stringify([...(await gateway.journal()), gateway.logged()]).includes(ada));
});

test('token exchange: two tokens of one user that ask at once are each exchanged for their own', async t => {
	const {as, server, gateway} = await start(t, {grant: 'token_exchange', clientSecret});
	const tokens = await Promise.all(['read', 'admin'].map(scope => as.token({sub: 'ada', aud: `${gateway.url}/mcp/mail`, scope})));
	const read = (which: number) => wireTo(`${gateway.url}/mcp/mail`, tokens[which]!).ask('resources/read', {uri: `asked://${which}`});
	/** What the server was shown with the requests that came in with this token. */
	const shown = (which: number) => [
		...new Set(server.seen.filter(({body}) => body.includes(`"asked://${which}"`)).map(({headers}) => headers.authorization)),
	];
	await read(0);
	await read(1);
	const own = [shown(0), shown(1)];
	t.not(own[0]![0], own[1]![0]);
	for (let round = 0; round < 10; round++) await Promise.all([read(0), read(1)]);
	t.deepEqual([shown(0), shown(1)], own);
	t.is(as.grants.length, 2);
});

test('token exchange: a virtual key is shown to nobody, and is told what to come with', async t => {
	const {as, server, gateway} = await start(t, {grant: 'token_exchange', clientSecret});
	const key = await gateway.key({tenant: 'acme', user: 'ada'});
	t.like((await ask(gateway, key)).body.error?.data, {code: 'denied'});
	t.deepEqual([as.grants, server.seen], [[], []]);
});

test('token exchange: a token endpoint that gives the caller’s own token back is refused', async t => {
	const {as, server, gateway, tokenOf} = await start(t, {grant: 'token_exchange', clientSecret});
	const token = await tokenOf('ada');
	as.tokens = {access_token: token};
	t.like((await ask(gateway, token)).body.error?.data, {code: 'upstream_refused'});
	t.false(JSON.stringify(server.seen).includes(token));
});

test('basic: a server gets the user name and password of the config, and may not repeat them', async t => {
	const password = 'basic-password-0123456789';
	for (const repeats of [false, true]) {
		const server = await hostileUpstream(t, (rpc, res) =>
			res
				.writeHead(200, {'content-type': 'application/json'})
				.end(JSON.stringify({jsonrpc: '2.0', id: rpc.id, result: {content: [{type: 'text', text: repeats ? password : 'fine'}]}})),
		);
		const gateway = await startGateway(t, {
			servers: {mail: {url: server.url, basic: {user: 'gateway', password}}},
			plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
		});
		const said = await wireTo(`${gateway.url}/mcp/mail`, await gateway.key()).call('act');
		t.is(server.seen[0]?.headers.authorization, `Basic ${Buffer.from(`gateway:${password}`).toString('base64')}`);
		if (repeats) t.is(said.body.error?.data?.code, 'upstream_malformed');
		else t.is(wordsOf(said), 'fine');
		t.false(JSON.stringify(said.body).includes(password));
	}
});
