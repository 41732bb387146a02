import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {startAuthorizationServer} from './helpers/authorization-server.ts';
import {openBrowser} from './helpers/browser.ts';
import {startGateway} from './helpers/gateway.ts';
import {knownAs} from './helpers/known-as.ts';
import {legacyClient} from './helpers/mcp-servers.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';
import {ask, connect, linkIn, gatewayOfUsers as start} from './helpers/users-at-a-server.ts';

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

test('a key that is nobody’s makes itself no user’s: that user’s account stays out of its reach', async t => {
	const {gateway, keyOf} = await start(t);
	const ada = await keyOf('ada');
	await connect(gateway, ada);
	const nobody = await gateway.key({tenant: 'acme', mayMint: true});
	const mint = async (input: object) => {
		const response = await fetch(`${gateway.url}/self/virtual-keys/mint`, {
			method: 'POST',
			headers: {'content-type': 'application/json', authorization: `Bearer ${nobody}`},
			body: JSON.stringify(input),
		});
		return (await response.json()) as {code?: string; key?: string};
	};
	t.is((await mint({user: 'ada'})).code, 'invalid_request');
	const child = (await mint({})).key!;
	t.is((await ask(gateway, child)).body.error?.data?.code, 'connect_required');
	await fetch(`${gateway.url}/oauth/connect/mail`, {method: 'DELETE', headers: {authorization: `Bearer ${child}`}});
	t.is(wordsOf(await ask(gateway, ada)), 'ada');
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
	const go = (path: string, said: Record<string, string>) => knownAs(gateway, 'gateway.example', path, said);
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
