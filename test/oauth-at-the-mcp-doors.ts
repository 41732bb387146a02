import {UnauthorizedError} from '@modelcontextprotocol/sdk/client/auth.js';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import test, {type ExecutionContext} from 'ava';
import {type AuthorizationServer, startAuthorizationServer} from './helpers/authorization-server.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {everythingOverStdio, legacyClient} from './helpers/mcp-servers.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const start = async (t: ExecutionContext, more: {audience?: string; anonymous?: true} = {}) => {
	const as = await startAuthorizationServer(t);
	const {audience, anonymous} = more;
	const gateway = await startGateway(t, {
		...(anonymous && {anonymous}),
		servers: {one: everythingOverStdio(), two: everythingOverStdio()},
		mcp: {oauth: {authorizationServers: [as.issuer], scopes: ['mcp:use']}},
		plugins: [
			{use: 'virtual-keys'},
			{
				use: 'jwt',
				config: {
					issuer: as.issuer,
					resource: true,
					...(audience && {audience}),
					principal: {tenant: {value: 'acme'}},
					scopes: {claim: 'scope'},
				},
				grants: {http: [as.host]},
			},
			{use: 'scopes', when: {surface: 'mcp'}, config: {servers: {two: 'two:use'}, tools: {'one/echo': ['mcp:use', 'one:echo']}}},
			{use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*'], models: ['*']}}}},
		],
	});
	const tokenFor = (path: string, scope = 'mcp:use', sub = 'ada') => as.token({sub, aud: `${gateway.url}${path}`, scope});
	return {as, gateway, tokenFor};
};

const statusOf = async (gateway: TestGateway, path: string, token: string): Promise<number> =>
	(await wireTo(`${gateway.url}${path}`, token).ask('tools/list')).status;

test('a door says where tokens for it come from, and says the same of servers that there are not', async t => {
	const {as, gateway} = await start(t);
	const metadata = async (path: string) => {
		const response = await fetch(`${gateway.url}/.well-known/oauth-protected-resource${path}`);
		return {status: response.status, body: (await response.json()) as Record<string, unknown>};
	};
	for (const path of ['/mcp', '/mcp/one', '/mcp/nothing-here'])
		t.deepEqual(await metadata(path), {
			status: 200,
			body: {
				resource: `${gateway.url}${path}`,
				authorization_servers: [as.issuer],
				bearer_methods_supported: ['header'],
				scopes_supported: ['mcp:use'],
				resource_name: 'Sallyport',
			},
		});
	for (const path of ['', '/', '/v1', '/mcp/a/b', '/mcp/%22%3E'])
		t.is((await fetch(`${gateway.url}/.well-known/oauth-protected-resource${path}`)).status, 404, path);
	const response = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp`, {headers: {origin: 'https://evil.example'}});
	t.is(response.status, 403);
});

test('without an authorization server in the config there is no metadata, and a refusal names none', async t => {
	const gateway = await startGateway(t, {servers: {one: everythingOverStdio()}});
	t.is((await fetch(`${gateway.url}/.well-known/oauth-protected-resource/mcp`)).status, 404);
	const {status, headers} = await wireTo(`${gateway.url}/mcp`, 'nobody').ask('tools/list');
	t.is(status, 401);
	t.is(headers.get('www-authenticate'), 'Bearer');
});

test('a token is good at the door it was issued for, the common door’s at all, and no other anywhere', async t => {
	const {as, gateway, tokenFor} = await start(t);
	const one = await tokenFor('/mcp/one', 'mcp:use two:use');
	t.is(await statusOf(gateway, '/mcp/one', one), 200);
	// Twice, since what was found out at one door must not be remembered for another.
	for (const path of ['/mcp/two', '/mcp', '/mcp/two']) t.is(await statusOf(gateway, path, one), 401, path);
	t.is(await statusOf(gateway, '/mcp/one', one), 200);
	const all = await tokenFor('/mcp', 'mcp:use two:use');
	for (const path of ['/mcp', '/mcp/one', '/mcp/two']) t.is(await statusOf(gateway, path, all), 200, path);
	for (const aud of [gateway.url, `${gateway.url}/`, `${gateway.url}/mcp/`, 'http://else.example/mcp', undefined, 'sallyport'])
		t.is(await statusOf(gateway, '/mcp', await as.token({sub: 'ada', aud, scope: 'mcp:use'})), 401, String(aud));
	const models = await fetch(`${gateway.url}/v1/models`, {headers: {authorization: `Bearer ${all}`}});
	t.is(models.status, 401, 'a token for the tools opens no models');
});

test('a bad token is 401 on every path, by every method, in every era, and says where to log in', async t => {
	for (const anonymous of [undefined, true] as const) {
		const {as, gateway, tokenFor} = await start(t, {...(anonymous && {anonymous})});
		const good = await tokenFor('/mcp');
		const [head, , signature] = good.split('.');
		const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
		const bad = {
			'nobody’s key': 'Bearer vk_nobody',
			'an empty one': 'Bearer ',
			'no scheme': good,
			'another scheme': `Basic ${Buffer.from('ada:secret').toString('base64')}`,
			'no signature': `Bearer ${good.slice(0, good.lastIndexOf('.') + 1)}`,
			'another’s signature': `Bearer ${good.slice(0, -6)}AAAAAA`,
			'alg none': `Bearer ${encoded({alg: 'none', typ: 'at+jwt'})}.${good.split('.')[1]}.`,
			'another payload': `Bearer ${head}.${encoded({iss: as.issuer, aud: `${gateway.url}/mcp`, sub: 'eve', exp: 9e9})}.${signature}`,
			'another issuer': `Bearer ${head}.${encoded({iss: 'https://evil.example', sub: 'eve', exp: 9e9})}.${signature}`,
			'another audience': `Bearer ${await as.token({sub: 'ada', aud: 'https://else.example/mcp'})}`,
		};
		const bodies = {
			initialize: {jsonrpc: '2.0', id: 1, method: 'initialize', params: {protocolVersion: '2025-11-25', capabilities: {}}},
			batch: [{jsonrpc: '2.0', id: 1, method: 'tools/list'}],
			discover: {jsonrpc: '2.0', id: 1, method: 'server/discover', params: {_meta: {}}},
			junk: 'not json',
		};
		for (const path of ['/mcp', '/mcp/', '/mcp/one', '/mcp/one/', '/mcp/nothing', '/mcp/a/b', '/mcp/..%2fone'])
			for (const [what, authorization] of Object.entries(bad)) {
				const says = async (method: string, body: unknown, version: string): Promise<void> => {
					const {status, headers} = await fetch(`${gateway.url}${path}`, {
						method,
						headers: {authorization, 'content-type': 'application/json', 'mcp-protocol-version': version, 'mcp-method': 'tools/list'},
						...(method === 'POST' && {body: typeof body === 'string' ? body : JSON.stringify(body)}),
					});
					t.is(status, 401, `${what}: ${method} ${path}`);
					const door = path === '/mcp/one' || path === '/mcp/one/' ? '/mcp/one' : path === '/mcp/nothing' ? path : '/mcp';
					const url = `${gateway.url}/.well-known/oauth-protected-resource${door}`;
					t.is(headers.get('www-authenticate'), `Bearer error="invalid_token", resource_metadata="${url}", scope="mcp:use"`);
				};
				const [first] = Object.keys(bad);
				const all = what === first ? Object.values(bodies) : [bodies.initialize, bodies.discover];
				for (const body of all) await says('POST', body, '2026-07-28');
				await says('GET', undefined, '2025-11-25');
				await says('DELETE', undefined, '2025-11-25');
				if (what === first) for (const method of ['PUT', 'PATCH', 'OPTIONS']) await says(method, undefined, '2026-07-28');
			}
	}
});

test('who comes without a token is told where to get one, and not that it was bad', async t => {
	const {gateway} = await start(t);
	const {status, headers} = await fetch(`${gateway.url}/mcp/one`, {method: 'POST', body: '{}'});
	t.is(status, 401);
	t.is(
		headers.get('www-authenticate'),
		`Bearer resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp/one", scope="mcp:use"`,
	);
});

test('an expired token is 401 with the way to a new one', async t => {
	const {as, gateway, tokenFor} = await start(t);
	as.lifetimeSeconds = -3_600;
	const {status, headers} = await wireTo(`${gateway.url}/mcp`, await tokenFor('/mcp')).ask('tools/list');
	t.is(status, 401);
	t.regex(headers.get('www-authenticate') ?? '', /error="invalid_token", resource_metadata="/);
});

test('a scope that is lacking is 403 and named, beside those the token has; with it the call goes through', async t => {
	const {gateway, tokenFor} = await start(t);
	const url = `${gateway.url}/mcp/one`;
	const poor = wireTo(url, await tokenFor('/mcp/one'));
	const refused = await poor.call('echo', {message: 'hi'});
	t.is(refused.status, 403);
	t.is(
		refused.headers.get('www-authenticate'),
		`Bearer error="insufficient_scope", resource_metadata="${gateway.url}/.well-known/oauth-protected-resource/mcp/one", scope="mcp:use one:echo"`,
	);
	t.like(refused.body.error?.data, {code: 'insufficient_scope', plugin: 'scopes', rule: 'one/echo', scopes: ['one:echo']});
	const rich = wireTo(url, await tokenFor('/mcp/one', 'mcp:use one:echo'));
	t.is(wordsOf(await rich.call('echo', {message: 'hi'})), 'Echo: hi');
	const listed = await poor.ask('tools/list');
	t.true(JSON.stringify(listed.body).includes('"echo"'), 'it is shown, or nobody could ask for it');
	t.is(await statusOf(gateway, '/mcp/two', await tokenFor('/mcp/two')), 403, 'a server’s scope counts for its lists too');
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	t.like(records[0], {outcome: 'denied', error: {code: 'insufficient_scope', plugin: 'scopes', rule: 'one/echo'}});
});

test('virtual keys open the same doors beside tokens, and are asked for no scope', async t => {
	const {gateway} = await start(t);
	t.is(
		wordsOf(await wireTo(`${gateway.url}/mcp/one`, await gateway.key({tenant: 'acme', user: 'ada'})).call('echo', {message: 'hi'})),
		'Echo: hi',
	);
});

test('a session begun with one user’s token is not there for another’s', async t => {
	const {gateway, tokenFor} = await start(t);
	const [ada, eve] = [await tokenFor('/mcp/one'), await tokenFor('/mcp/one', 'mcp:use', 'eve')];
	const session = await wireTo(`${gateway.url}/mcp/one`, ada).begin();
	const list = (token: string) =>
		wireTo(`${gateway.url}/mcp/one`, token).send({jsonrpc: '2.0', id: 1, method: 'tools/list'}, {'mcp-session-id': session});
	t.is((await list(ada)).status, 200);
	t.is((await list(eve)).status, 404);
	// The next token of the same user goes on with it.
	t.is((await list(await tokenFor('/mcp/one'))).status, 200);
});

/** Logs in by itself, as somebody at a browser would. */
const login = (as: AuthorizationServer, redirectUrl: string) => {
	const kept: {code?: string; verifier?: string; tokens?: object; asked: number} = {asked: 0};
	return {
		kept,
		provider: {
			redirectUrl,
			clientMetadata: {redirect_uris: [redirectUrl], client_name: 'test'},
			clientInformation: () => ({client_id: 'public', issuer: as.issuer}),
			tokens: () => kept.tokens as never,
			saveTokens(tokens: object) {
				// Without a way to refresh them, it has to ask its user.
				kept.tokens = {...tokens, refresh_token: undefined};
			},
			saveCodeVerifier(verifier: string) {
				kept.verifier = verifier;
			},
			codeVerifier: () => kept.verifier!,
			async redirectToAuthorization(url: URL) {
				kept.asked += 1;
				const response = await fetch(url, {redirect: 'manual'});
				kept.code = new URL(response.headers.get('location')!).searchParams.get('code')!;
			},
		},
	};
};

test('the SDK’s client finds the authorization server, logs in for the door, and calls a tool', async t => {
	const {as, gateway} = await start(t);
	const url = new URL(`${gateway.url}/mcp/one`);
	const {provider, kept} = login(as, 'http://127.0.0.1:1/back');
	const transport = () => new StreamableHTTPClientTransport(url, {authProvider: provider});
	const first = transport();
	const connect = (over: StreamableHTTPClientTransport) => {
		const client = new Client({name: 'test', version: '1'});
		return client.connect(over as Parameters<Client['connect']>[0]).then(() => client);
	};
	await t.throwsAsync(connect(first), {instanceOf: UnauthorizedError});
	t.like(as.asked[0], {resource: url.href, scope: 'mcp:use', code_challenge_method: 'S256'});
	await first.finishAuth(kept.code!);
	const client = await connect(transport());
	t.teardown(() => client.close());
	t.true((await client.listTools()).tools.some(({name}) => name === 'echo'));
	// The step up: it asks for what the refusal named.
	await t.throwsAsync(client.callTool({name: 'echo', arguments: {message: 'hi'}}));
	t.is(as.asked[1]?.scope, 'mcp:use one:echo');
	const other = await legacyClient(t, url.href, await as.token({sub: 'ada', aud: url.href, scope: as.asked[1]?.scope}));
	t.like(await other.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{text: 'Echo: hi'}]});
});
