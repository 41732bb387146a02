import {readFile, stat} from 'node:fs/promises';
import {type IncomingHttpHeaders, request} from 'node:http';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {startAuthorizationServer} from './helpers/authorization-server.ts';
import {openBrowser} from './helpers/browser.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {legacyClient} from './helpers/mcp-servers.ts';
import {type Said, wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';

type Overrides = {oauth?: Record<string, unknown>; folder?: string};

const start = async (t: ExecutionContext, {oauth = {}}: Overrides = {}) => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const config = {
		servers: {
			mail: {
				url: server.url,
				oauth: {grant: 'authorization_code' as const, issuer: as.issuer, clientId: 'public', scopes: ['mail:read'], ...oauth},
			},
		},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	};
	const gateway = await startGateway(t, config);
	const keyOf = (user: string) => gateway.key({tenant: 'acme', user});
	return {as, server, config, gateway, keyOf};
};

const ask = (gateway: Pick<TestGateway, 'url'>, key: string): Promise<Said> => wireTo(`${gateway.url}/mcp/mail`, key).call('whoami');
const linkIn = ({body}: Said): string => String(body.error?.data?.link);

/** Connects the account `user` at the authorization server to this key's user. */
const connect = async (gateway: TestGateway, key: string): Promise<string> => {
	const browser = openBrowser();
	const back = await browser.logIn(linkIn(await ask(gateway, key)));
	return (await browser.go(back)).text;
};

test('a user without an account connected gets a link, follows it, and the call goes through in that user’s name', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	const refused = await ask(gateway, key);
	t.is(refused.status, 200);
	t.like(refused.body.error, {code: -32010, data: {code: 'connect_required'}});
	t.true(refused.body.error?.message.includes(linkIn(refused)), 'every client shows the message');
	const browser = openBrowser();
	const page = await browser.go(linkIn(refused));
	t.is(page.status, 200);
	t.regex(page.text, /<b>mail<\/b>.*<b>ada<\/b>/s);
	t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/);
	t.is(page.headers.get('x-frame-options'), 'DENY');
	t.is(as.asked.length, 0, 'nobody is sent on before saying yes');
	const back = await browser.logIn(linkIn(refused));
	t.like(as.asked[0], {
		client_id: 'public',
		redirect_uri: `${gateway.url}/oauth/callback`,
		resource: server.url,
		scope: 'mail:read',
		code_challenge_method: 'S256',
		response_type: 'code',
	});
	t.regex((await browser.go(back)).text, /is connected for <b>ada<\/b>/);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	const record = (await gateway.journal()).find(({annotations}) => annotations?.['oauth.connected'] === 'mail');
	t.like(record, {outcome: 'ok', annotations: {'oauth.who': 'ada'}});
});

test('the SDK’s client sees the link in the error, and the tool once it is connected; so does another key of the same user', async t => {
	const {gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	const client = await legacyClient(t, `${gateway.url}/mcp/mail`, await keyOf('ada'));
	t.like(await client.callTool({name: 'whoami', arguments: {}}), {content: [{text: 'ada'}]});
	await t.throwsAsync(legacyClient(t, `${gateway.url}/mcp/mail`, await keyOf('eve')), {message: /\/oauth\/connect\/mail\?ticket=/});
});

test('at the common door a server that is not connected is named, with the link, beside the tools of the others', async t => {
	const {gateway, keyOf} = await start(t);
	const {body} = await wireTo(`${gateway.url}/mcp`, await keyOf('ada')).ask('tools/list');
	t.like(body.result, {tools: []});
	const meta = body.result?._meta as Record<string, {server: string; error: string; link: string}[]> | undefined;
	const [down] = meta?.['sallyport/unavailable'] ?? [];
	t.like(down, {server: 'mail', error: 'connect_required'});
	t.is((await openBrowser().go(down!.link)).status, 200);
});

test('a token of one user is never used for another, whose sessions at the server are others too', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const [ada, eve] = [await keyOf('ada'), await keyOf('eve')];
	await connect(gateway, ada);
	t.is((await ask(gateway, eve)).body.error?.data?.code, 'connect_required');
	as.user = 'eve';
	await connect(gateway, eve);
	const said = await Promise.all(
		Array.from({length: 30}, async (_, turn) => {
			const [user, key] = turn % 2 ? ['ada', ada] : ['eve', eve];
			return [user, wordsOf(await ask(gateway, key))];
		}),
	);
	for (const [user, answered] of said) t.is(answered, user);
	const sessions = (sub: string) => new Set(server.callers.filter(caller => caller.sub === sub).map(({session}) => session));
	t.true(sessions('ada').isDisjointFrom(sessions('eve')));
	t.is(
		(await wireTo(`${gateway.url}/mcp/mail`, await gateway.key({tenant: 'other', user: 'ada'})).call('whoami')).body.error?.data?.code,
		'connect_required',
	);
});

test('what the client came with is never seen at the server or at the authorization server', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	await ask(gateway, key);
	t.false(JSON.stringify([server.seen, as.asked, as.grants]).includes(key));
});

test('tokens stand in no file of the gateway’s, in no log and in no record; the key they are sealed with is for its owner alone', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	await ask(gateway, key);
	const shown = server.seen.flatMap(({headers}) => headers.authorization?.replace('Bearer ', '') ?? []);
	t.true(shown.length > 0);
	const files = await Promise.all(
		['store.db', 'store.db-wal'].map(name => readFile(join(gateway.folder, name)).catch(() => Buffer.alloc(0))),
	);
	const everything = Buffer.concat([...files, Buffer.from(gateway.logged()), Buffer.from(JSON.stringify(await gateway.journal()))]);
	for (const token of shown) t.false(everything.includes(token));
	t.false(everything.includes('refreshToken'));
	t.true(as.grants.length > 0);
	t.is((await stat(join(gateway.folder, 'sealing.key'))).mode & 0o777, 0o600);
});

test('a token is refreshed before it ends, and what the refresh brought is used from then on', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	await new Promise(resolve => setTimeout(resolve, 1_100));
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	t.deepEqual(
		as.grants.map(({form}) => form.grant_type),
		['authorization_code', 'refresh_token'],
	);
	t.is(as.grants[1]?.form.resource, server.url);
	t.is(server.seen.filter(({headers}) => headers.authorization !== undefined).length > 2, true);
});

test('a 401 is answered with a refreshed token; when that is refused as well, the user is asked to connect again', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	const revoke = () => {
		for (const {headers} of server.seen) server.revoked.add(headers.authorization?.replace('Bearer ', '') ?? '');
	};
	await new Promise(resolve => setTimeout(resolve, 5_000));
	revoke();
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	t.is(as.grants.length, 2);
	revoke();
	t.is((await ask(gateway, key)).body.error?.data?.code, 'connect_required', 'one that came a moment ago is not refreshed at once');
	t.is(as.grants.length, 2);
	t.is(server.callers.length, 2, 'the tool ran once for each call that was answered');
});

test('an authorization server that is down is not asked again at once, and nobody is sent to connect again for it', async t => {
	const {as, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	const key = await keyOf('ada');
	await connect(gateway, key);
	await new Promise(resolve => setTimeout(resolve, 2_100));
	as.failing = 503;
	const down = await ask(gateway, key);
	t.like(down.body.error?.data, {code: 'upstream_refused'});
	t.false(JSON.stringify(down.body).includes('ticket='));
	const grants = as.grants.length;
	t.like((await ask(gateway, key)).body.error?.data, {code: 'upstream_refused'});
	t.is(as.grants.length, grants, 'it is not asked again at once');
});

test('a refresh token that was used is the end of it: the user is asked to connect again', async t => {
	const {as, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	as.tokens = {refresh_token: 'used'};
	const key = await keyOf('ada');
	await connect(gateway, key);
	await new Promise(resolve => setTimeout(resolve, 2_100));
	const refused = await ask(gateway, key);
	t.is(refused.body.error?.data?.code, 'connect_required');
	as.tokens = {};
	as.lifetimeSeconds = 600;
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
});

test('two replicas that need a new token at once spend the refresh token once, and both go on', async t => {
	const {as, config, gateway, keyOf} = await start(t);
	const folder = gateway.folder;
	const other = await startGateway(t, {
		...config,
		store: join(folder, 'store.db'),
		journal: {folder: join(folder, 'other-journal')},
	});
	as.lifetimeSeconds = 3;
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	await t.notThrowsAsync(async () => {
		for (let tries = 0; wordsOf(await ask(other, key)) !== 'ada'; tries++) {
			if (tries > 50) throw new Error('the other replica never heard of it');
			await new Promise(resolve => setTimeout(resolve, 50));
		}
	});
	await new Promise(resolve => setTimeout(resolve, 3_100));
	const before = as.grants.length;
	as.lifetimeSeconds = 600;
	const answers = await Promise.all([gateway, other, gateway, other, other, gateway].map(one => ask(one, key)));
	t.deepEqual(
		answers.map(wordsOf),
		Array.from({length: 6}, () => 'ada'),
	);
	t.is(as.grants.length, before + 1);
});

test('a scope that the server asks for is asked of the user, beside those there were', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	server.needs = 'mail:send';
	const refused = await ask(gateway, key);
	t.is(refused.body.error?.data?.code, 'connect_required');
	const browser = openBrowser();
	await browser.go(await browser.logIn(linkIn(refused)));
	t.deepEqual(new Set(as.asked.at(-1)?.scope?.split(' ')), new Set(['mail:read', 'mail:send']));
	t.is(wordsOf(await ask(gateway, key)), 'ada');
});

test('without an issuer in the config the server says where to log in, and a gateway that nobody registered names itself', async t => {
	const {as, gateway, keyOf} = await start(t);
	as.metadata = {client_id_metadata_document_supported: true};
	t.truthy(gateway);
	const own = await startGateway(t, {
		servers: {mail: {url: (await protectedServer(t, as)).url, oauth: {grant: 'authorization_code', hosts: [as.host]}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	t.truthy(await keyOf('ada'));
	const link = linkIn(await ask(own, await own.key({tenant: 'acme', user: 'ada'})));
	await openBrowser().logIn(link);
	const clientId = as.asked.at(-1)!.client_id!;
	t.is(clientId, `${own.url}/oauth/client.json`);
	t.like((await (await fetch(clientId)).json()) as object, {client_id: clientId, redirect_uris: [`${own.url}/oauth/callback`]});
});

test('a user’s account is forgotten when that user says so, and nobody else’s', async t => {
	const {gateway, keyOf} = await start(t);
	const [ada, eve] = [await keyOf('ada'), await keyOf('eve')];
	await connect(gateway, ada);
	await connect(gateway, eve);
	const forget = async (key: string, server = 'mail') =>
		(await fetch(`${gateway.url}/oauth/connect/${server}`, {method: 'DELETE', headers: {authorization: `Bearer ${key}`}})).status;
	t.deepEqual([await forget('nobody'), await forget(ada, 'nothing'), await forget(ada)], [401, 404, 200]);
	t.is((await ask(gateway, ada)).body.error?.data?.code, 'connect_required');
	t.not(wordsOf(await ask(gateway, eve)), '');
	t.truthy((await gateway.journal()).find(({annotations}) => annotations?.['oauth.disconnected'] === 'mail'));
});

test('behind a name of its own, links, redirects and cookies are of that name and TLS, and no other name is listened to', async t => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const publicUrl = 'https://gateway.example';
	const gateway = await startGateway(t, {
		publicUrl,
		servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', issuer: as.issuer, clientId: 'public'}}},
		mcp: {oauth: {authorizationServers: [as.issuer]}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	const link = new URL(linkIn(await ask(gateway, await gateway.key({tenant: 'acme', user: 'ada'}))));
	t.is(link.origin, publicUrl);
	const go = (path: string, {method = 'GET', ...headers}: Record<string, string>) =>
		new Promise<{status: number | undefined; headers: IncomingHttpHeaders; text: string}>((resolve, reject) => {
			const {port} = new URL(gateway.url);
			request({host: '127.0.0.1', port, path, method, headers: {host: 'gateway.example', ...headers}}, async response => {
				resolve({status: response.statusCode, headers: response.headers, text: await text(response)});
			})
				.on('error', reject)
				.end();
		});
	const path = `${link.pathname}${link.search}`;
	t.is((await go(path, {})).status, 200);
	t.is((await go(path, {host: 'evil.example'})).status, 403);
	t.is((await go(path, {method: 'POST', origin: gateway.url})).status, 403);
	const leaving = await go(path, {method: 'POST', origin: publicUrl});
	t.is(leaving.status, 303);
	t.regex(String(leaving.headers['set-cookie']), /^__Host-sallyport-connect=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=900; Secure$/);
	const to = new URL(String(leaving.headers.location));
	t.is(to.searchParams.get('redirect_uri'), `${publicUrl}/oauth/callback`);
	const back = new URL((await fetch(to, {redirect: 'manual'})).headers.get('location')!);
	const cookie = String(leaving.headers['set-cookie']).split(';')[0]!;
	t.is((await go(`${back.pathname}${back.search}`, {cookie: cookie.replace('__Host-', '')})).status, 403);
	t.regex((await go(`${back.pathname}${back.search}`, {cookie})).text, /is connected/);
	const metadata = JSON.parse((await go('/.well-known/oauth-protected-resource/mcp/mail', {})).text) as {resource: string};
	t.is(metadata.resource, `${publicUrl}/mcp/mail`);
});

test('where clients register by themselves, the gateway does so once, and keeps what it was given sealed', async t => {
	for (const methods of [['none'], ['client_secret_basic'], ['client_secret_post']]) {
		const as = await startAuthorizationServer(t);
		as.metadata = {registration_endpoint: `${as.issuer}/register`, token_endpoint_auth_methods_supported: methods};
		as.secretless = methods[0] === 'none';
		const server = await protectedServer(t, as);
		const gateway = await startGateway(t, {
			servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', hosts: [as.host]}}},
			plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
		});
		as.lifetimeSeconds = 2;
		const [ada, eve] = await Promise.all(['ada', 'eve'].map(user => gateway.key({tenant: 'acme', user})));
		t.regex(await connect(gateway, ada!), /is connected/);
		t.regex(await connect(gateway, eve!), /is connected/);
		t.is(as.registered.size, 1);
		await new Promise(resolve => setTimeout(resolve, 1_100));
		t.is(wordsOf(await ask(gateway, ada!)), 'ada');
		t.is(as.grants.at(-1)?.form.grant_type, 'refresh_token');
		const [secret = ''] = as.registered.values();
		const stored = await readFile(join(gateway.folder, 'store.db'));
		t.false(Buffer.concat([stored, Buffer.from(gateway.logged())]).includes(secret));

		// The authorization server forgets all its clients: the gateway begins anew.
		as.registered.clear();
		await new Promise(resolve => setTimeout(resolve, 1_100));
		t.is((await ask(gateway, ada!)).body.error?.data?.code, 'connect_required');
		t.regex(await connect(gateway, ada!), /is connected/);
		t.is(as.registered.size, 1);
	}
});

test('where to log in, and for what, may stand in the challenge of the server alone', async t => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', clientId: 'public', hosts: [as.host]}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	server.hidden = true;
	server.challenge = `Bearer resource_metadata="http://${server.host}/elsewhere", scope="mail:some mail:more"`;
	const key = await gateway.key({tenant: 'acme', user: 'ada'});
	t.regex(await connect(gateway, key), /is connected/);
	t.is(as.asked[0]?.scope, 'mail:some mail:more');
	t.is(wordsOf(await ask(gateway, key)), 'ada');
});

test('a server that moved to another authorization server has its users connect there, and what the first one issued is shown to no other', async t => {
	const [first, second] = [await startAuthorizationServer(t), await startAuthorizationServer(t)];
	const server = await protectedServer(t, first);
	for (const as of [first, second])
		as.metadata = {registration_endpoint: `${as.issuer}/register`, token_endpoint_auth_methods_supported: ['client_secret_basic']};
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', hosts: [first.host, second.host]}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	const key = await gateway.key({tenant: 'acme', user: 'ada'});
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	server.as = second;
	server.metadata = {authorization_servers: [second.issuer]};
	t.is((await ask(gateway, key)).body.error?.data?.code, 'connect_required');
	t.deepEqual(second.grants, []);
	await connect(gateway, key);
	t.is(second.registered.size, 1);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	const [secret = ''] = first.registered.values();
	t.false(JSON.stringify(second.grants).includes(secret));
});
