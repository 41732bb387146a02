import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openStore} from '../core/store/open.ts';
import {startAuthorizationServer} from './helpers/authorization-server.ts';
import {openBrowser} from './helpers/browser.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {type Said, wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';
import {eventually} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, {isFound = false, hosts = true} = {}) => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const gateway = await startGateway(t, {
		servers: {
			mail: {
				url: server.url,
				oauth: {grant: 'authorization_code', clientId: 'public', ...(isFound ? {hosts: hosts ? [as.host] : []} : {issuer: as.issuer})},
			},
		},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	const link = async (user: string) => String((await ask(gateway, await gateway.key({tenant: 'acme', user}))).body.error?.data?.link);
	return {as, server, gateway, link};
};

const ask = (gateway: TestGateway, key: string): Promise<Said> => wireTo(`${gateway.url}/mcp/mail`, key).call('whoami');

/** Somebody who must never be asked anything. */
const bystander = async (t: ExecutionContext) => {
	const asked: string[] = [];
	const server = createServer((req, res) => {
		asked.push(req.url!);
		res.writeHead(200, {'content-type': 'application/json'}).end('{}');
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => server.close());
	return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked};
};

test('the way back is good once, in the browser that left, for what left there, and as nobody changed it', async t => {
	const {as, link} = await start(t);
	const browser = openBrowser();
	const back = new URL(await browser.logIn(await link('ada')));
	const state = back.searchParams.get('state')!;
	const ticket = new URL(await link('ada')).searchParams.get('ticket')!;
	const changed = (edit: (query: URLSearchParams) => void): string => {
		const url = new URL(back);
		edit(url.searchParams);
		return url.href;
	};
	const forged = {
		'no state': changed(query => query.delete('state')),
		'a state of somebody’s own': changed(query => query.set('state', Buffer.from('{"server":"mail"}').toString('base64url'))),
		'a state with a letter changed': changed(query =>
			query.set('state', `${state.slice(0, -8)}${state.at(-8) === 'A' ? 'B' : 'A'}${state.slice(-7)}`),
		),
		'a link’s ticket as the state': changed(query => query.set('state', ticket)),
		'two states': `${back.href}&state=${state}`,
		'two codes': `${back.href}&code=other`,
		'two issuers': `${back.href}&iss=${encodeURIComponent('https://evil.example')}`,
	};
	for (const [what, url] of Object.entries(forged)) {
		const {status, text} = await browser.go(url);
		t.is(status, 403, what);
		t.false(text.includes('is connected'));
	}
	t.is((await openBrowser().go(back.href)).status, 403, 'another browser');
	t.is(as.grants.length, 0, 'no code was redeemed');
	t.is((await browser.go(back.href)).status, 200);
	t.is((await browser.go(back.href)).status, 403, 'a second time');
	t.is(as.grants.length, 1);
});

test('an answer of another authorization server is refused before its code is shown to anybody', async t => {
	const {as, link} = await start(t);
	for (const iss of ['https://evil.example', undefined, '']) {
		as.redirect = {iss};
		const browser = openBrowser();
		const {status, text} = await browser.go(await browser.logIn(await link('ada')));
		t.is(status, 403);
		t.regex(text, /Another authorization server answered/);
		t.is(as.grants.length, 0);
	}
});

test('a refusal of the authorization server is told by its code alone, and escaped', async t => {
	const {as, link} = await start(t);
	for (const error of ['access_denied', '<script>alert(1)</script>']) {
		as.redirect = {error, code: undefined};
		const browser = openBrowser();
		const {status, text} = await browser.go(await browser.logIn(await link('ada')));
		t.is(status, 403);
		t.is(text.includes('access_denied'), error === 'access_denied');
		t.false(text.includes('<script'));
	}
});

test('a link is for its server and its user, cannot be made up, and another page cannot send a browser on', async t => {
	const {gateway, link} = await start(t);
	const good = await link('ada');
	for (const url of [
		`${gateway.url}/oauth/connect/mail`,
		good.replace('ticket=', 'ticket=x'),
		good.replace('/mail?', '/nothing?'),
		`${good.slice(0, -6)}AAAAAA`,
	])
		t.true([403, 404].includes((await fetch(url)).status), url);
	const submit = (headers: Record<string, string>) => fetch(good, {method: 'POST', redirect: 'manual', headers});
	for (const headers of [
		{},
		{origin: 'https://evil.example'},
		{origin: 'null'},
		{origin: gateway.url, 'sec-fetch-site': 'cross-site'},
	] as Record<string, string>[])
		t.is((await submit(headers)).status, 403, JSON.stringify(headers));
	t.is((await submit({origin: gateway.url})).status, 303);
});

test('whoever follows the link of another user is told whose it is before anything happens', async t => {
	const {as, link} = await start(t);
	t.regex(
		(await openBrowser().go(await link('mallory'))).text,
		/only if you asked for this yourself a moment ago and <b>mallory<\/b> is you/,
	);
	t.is(as.asked.length, 0);
});

/** What a hostile MCP server says of where to log in. */
const pointers = (bystanderUrl: string) => ({
	'the metadata service of a cloud': 'http://169.254.169.254/latest',
	'the same with TLS': 'https://169.254.169.254/',
	'the same in IPv6': 'https://[::ffff:169.254.169.254]/',
	'the same as a number': 'https://2852039166/',
	loopback: bystanderUrl,
	'loopback by name': bystanderUrl.replace('127.0.0.1', 'localhost'),
	'loopback with TLS': bystanderUrl.replace('http:', 'https:'),
	'loopback in IPv6': 'https://[::1]/',
	'a private address': 'https://10.0.0.1/',
	'plain http': 'http://login.example.com/',
	'a script': 'javascript:alert(1)',
	'a file': 'file:///etc/passwd',
	'a command': 'https://$(touch pwned).example.com/',
	'a password': 'https://user:password@login.example.com/',
	nothing: '',
});

test('an MCP server that sends the gateway elsewhere to log in leads nowhere', async t => {
	const {url, asked} = await bystander(t);
	const {as, server, link} = await start(t, {isFound: true, hosts: false});
	const lures = Object.entries(pointers(url)).flatMap(([what, pointer]) => [
		{what, pointer, metadata: {authorization_servers: [pointer]}, challenge: 'Bearer error="invalid_token"'},
		...(URL.canParse(pointer)
			? [{what: `${what}, in the challenge`, pointer, metadata: {}, challenge: `Bearer resource_metadata="${pointer}"`}]
			: []),
	]);
	for (const {what, pointer, metadata, challenge} of lures) {
		Object.assign(server, {metadata, challenge});
		const {status, text} = await openBrowser().go(await link('ada'));
		t.is(status, 502, what);
		t.false(pointer !== '' && text.includes(pointer), what);
		t.deepEqual([asked, as.asked], [[], []], what);
	}
});

test('metadata for another resource is refused, and so is that of an authorization server which names another issuer', async t => {
	const {as, server, link} = await start(t, {isFound: true});
	server.metadata = {resource: 'https://bank.example/mcp'};
	t.is((await openBrowser().go(await link('ada'))).status, 502);
	server.metadata = {};
	for (const metadata of [{issuer: 'https://evil.example'}, {issuer: `${as.issuer}/`}, {issuer: undefined}]) {
		as.metadata = metadata;
		t.is((await openBrowser().go(await link('ada'))).status, 502, JSON.stringify(metadata));
	}
	as.metadata = {};
	t.is((await openBrowser().go(await link('ada'))).status, 200);
});

test('an authorization server that points elsewhere, or knows no PKCE, is not used', async t => {
	const {url, asked} = await bystander(t);
	const {as, link} = await start(t);
	const bad: Record<string, unknown>[] = Object.values(pointers(url)).flatMap(pointer => [
		{authorization_endpoint: pointer},
		{token_endpoint: pointer},
	]);
	bad.push({code_challenge_methods_supported: ['plain']}, {code_challenge_methods_supported: undefined});
	for (const metadata of bad) {
		as.metadata = metadata;
		const {status, text} = await openBrowser().go(await link('ada'));
		t.is(status, 502, JSON.stringify(metadata));
		t.false(/javascript:|\$\(|169\.254/.test(text));
	}
	t.deepEqual(asked, []);
});

test('redirects are not followed, neither for metadata nor for a token', async t => {
	const {url, asked} = await bystander(t);
	const as = await startAuthorizationServer(t);
	const redirecting = createServer((req, res) => {
		if (req.url === '/token' || req.url?.startsWith('/all')) return void res.writeHead(307, {location: `${url}${req.url}`}).end();
		const own = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
		const metadata = {
			issuer: own,
			authorization_endpoint: `${own}/authorize`,
			token_endpoint: `${own}/token`,
			response_types_supported: ['code'],
		};
		if (req.url === '/.well-known/oauth-authorization-server') return void res.writeHead(200).end(JSON.stringify(metadata));
		res.writeHead(302, {location: `${url}${req.url}`}).end();
	});
	await new Promise<void>(resolve => redirecting.listen(0, '127.0.0.1', resolve));
	t.teardown(() => redirecting.close());
	const own = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`;
	const server = await protectedServer(t, as);
	const oauth = {
		grant: 'client_credentials' as const,
		clientId: 'gateway',
		clientSecret: 'client-secret-0123456789',
		hosts: [new URL(url).host],
	};
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {...oauth, issuer: own}}, other: {url: server.url, oauth: {...oauth, issuer: `${own}/all`}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	const key = await gateway.key();
	for (const name of ['mail', 'other'])
		t.is((await wireTo(`${gateway.url}/mcp/${name}`, key).call('whoami')).body.error?.data?.code, 'upstream_refused', name);
	t.deepEqual(asked, []);
});

test('tokens that could not stand in a header, or are of another kind, are not taken', async t => {
	const {as, gateway, link} = await start(t);
	for (const tokens of [
		{access_token: 'a\r\nx-evil: 1'},
		{access_token: 'a b'},
		{access_token: ''},
		{access_token: 7},
		{token_type: 'mac'},
		{refresh_token: 'a\nb'},
	]) {
		as.tokens = tokens;
		const browser = openBrowser();
		const {text} = await browser.go(await browser.logIn(await link('ada')));
		t.false(text.includes('is connected'), JSON.stringify(tokens));
		t.is((await ask(gateway, await gateway.key({tenant: 'acme', user: 'ada'}))).body.error?.data?.code, 'connect_required');
	}
});

test('a server that repeats a user’s token has answered nothing that a client may see', async t => {
	const {server, gateway, link} = await start(t);
	const browser = openBrowser();
	await browser.go(await browser.logIn(await link('ada')));
	server.repeats = true;
	const said = await ask(gateway, await gateway.key({tenant: 'acme', user: 'ada'}));
	t.is(said.body.error?.data?.code, 'upstream_malformed');
	t.is(wordsOf(said), '');
});

test('tokens of one user in the store are nothing in the row of another', async t => {
	const {gateway, link} = await start(t);
	const browser = openBrowser();
	await browser.go(await browser.logIn(await link('ada')));
	const eve = await gateway.key({tenant: 'acme', user: 'eve'});
	const store = await openStore(join(gateway.folder, 'store.db'), {process: 'another'});
	t.teardown(() => store.close());
	const rows = async () => (await store.kvAll()).filter(({plugin}) => plugin === '@oauth');
	const [adas] = await rows();
	const other = openBrowser();
	await other.go(await other.logIn(await link('eve')));
	const eves = (await rows()).find(({key}) => key !== adas!.key)!;
	t.not(wordsOf(await ask(gateway, eve)), '');
	await store.kvPut('@oauth', {[eves.key]: adas!.value});
	const code = await eventually(async () => (await ask(gateway, eve)).body.error?.data?.code);
	t.is(code, 'connect_required');
});
