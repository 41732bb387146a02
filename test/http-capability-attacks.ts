import {once} from 'node:events';
import {createServer, type IncomingMessage, type RequestListener} from 'node:http';
import type {AddressInfo} from 'node:net';
import {createServer as createTlsServer} from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import {guardedFetch, type Lookup} from '../core/sandbox/http.ts';
import type {HttpRequest} from '../plugin-sdk/host.ts';

type Site = {port: number; at: string; seen: IncomingMessage[]};

/** A real server, and every request that reached it. */
const site = async (t: ExecutionContext, listener: RequestListener, address = '127.0.0.1', port = 0): Promise<Site> => {
	const seen: IncomingMessage[] = [];
	const server = createServer((request, response) => {
		seen.push(request);
		listener(request, response);
	});
	server.listen(port, address);
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	const bound = server.address() as AddressInfo;
	return {port: bound.port, at: `${address}:${bound.port}`, seen};
};

const ok: RequestListener = (_, response) => response.end('ok');
const to =
	(location: string, status = 302): RequestListener =>
	(_, response) =>
		response.writeHead(status, {location}).end();

const lent = (t: ExecutionContext, hosts: string[], lookup?: Lookup) => {
	const {fetch, close} = guardedFetch({hosts, lookup});
	t.teardown(close);
	return fetch;
};

const resolving = (...answers: string[][]): {lookup: Lookup; asked: string[]} => {
	const asked: string[] = [];
	return {
		asked,
		lookup: async hostname => {
			asked.push(hostname);
			return (answers[asked.length - 1] ?? answers.at(-1)!).map(address => ({address}));
		},
	};
};

const refuses = async (t: ExecutionContext, fetching: Promise<unknown>, code: string, message: RegExp): Promise<void> => {
	const error = await t.throwsAsync(fetching);
	t.like(error, {code});
	t.regex(error?.message ?? '', message);
};

test('a name that resolves to loopback is refused, though the name is on the list', async t => {
	const {seen, port} = await site(t, ok);
	const {lookup} = resolving(['127.0.0.1']);
	const fetch = lent(t, [`inside.example:${port}`], lookup);
	const line = new RegExp(`inside.example:${port} resolves to 127.0.0.1 \\(loopback\\).*grants: \\{http: \\['127.0.0.1:${port}'\\]\\}`);
	await refuses(t, fetch({url: `http://inside.example:${port}/`}), 'denied', line);
	t.is(seen.length, 0);
});

test('localhost by name is refused, and the real resolver is what says so', async t => {
	const {seen, port} = await site(t, ok);
	await refuses(
		t,
		lent(t, [`localhost:${port}`])({url: `http://LOCALHOST.:${port}/`}),
		'denied',
		/\(loopback\), which has to be named itself/,
	);
	t.is(seen.length, 0);
});

test('a name reaches a private address that is named itself, on the named port only', async t => {
	const named = await site(t, ok);
	const other = await site(t, ok);
	const {lookup} = resolving(['127.0.0.1']);
	const fetch = lent(t, [`inside.example:${named.port}`, `inside.example:${other.port}`, named.at], lookup);
	t.is((await fetch({url: `http://inside.example:${named.port}/`})).body, 'ok');
	await refuses(t, fetch({url: `http://inside.example:${other.port}/`}), 'denied', /resolves to 127.0.0.1/);
	t.is(named.seen[0]?.headers.host, `inside.example:${named.port}`);
	t.is(other.seen.length, 0);
});

test('DNS that changes its answer is asked once per connection: what was checked is what is connected to', async t => {
	const good = await site(t, (_, response) => response.setHeader('connection', 'close').end('good'), '127.0.0.2');
	const victim = await site(t, ok, '127.0.0.1', good.port);
	const {lookup, asked} = resolving(['127.0.0.2'], ['127.0.0.1']);
	const fetch = lent(t, [`rebind.example:${good.port}`, good.at], lookup);
	t.is((await fetch({url: `http://rebind.example:${good.port}/`})).body, 'good');
	t.deepEqual(asked, ['rebind.example']);
	await refuses(t, fetch({url: `http://rebind.example:${good.port}/`}), 'denied', /resolves to 127.0.0.1 \(loopback\)/);
	t.is(victim.seen.length, 0);
});

test('one bad address among good ones refuses them all', async t => {
	const good = await site(t, ok, '127.0.0.2');
	const {lookup} = resolving(['127.0.0.2', '8.8.8.8', '10.0.0.1']);
	await refuses(
		t,
		lent(t, [`mixed.example:${good.port}`, good.at], lookup)({url: `http://mixed.example:${good.port}/`}),
		'denied',
		/10\.0\.0\.1 \(private\)/,
	);
	t.is(good.seen.length, 0);
});

for (const address of [
	'169.254.169.254',
	'fd00:ec2::254',
	'100.100.100.200',
	'::ffff:127.0.0.1',
	'64:ff9b::7f00:1',
	'2002:7f00:1::',
	'::',
	'fe80::1%1',
	'localhost',
	'0x7f.1',
	'',
]) {
	test(`a name that resolves to ${JSON.stringify(address)} is refused`, async t => {
		const {lookup} = resolving([address]);
		await refuses(t, lent(t, ['inside.example'], lookup)({url: 'http://inside.example/'}), 'denied', /^inside\.example resolves to /);
	});
}

test('an address in a URL is refused by its kind, with the line to add', async t => {
	const {seen, port} = await site(t, ok);
	const fetch = lent(t, ['allowed.example', '*.example', `*.allowed.example:${port}`]);
	for (const spelt of ['127.0.0.1', '0x7f.1', '2130706433', '017700000001', '127.1', '１２７。0。0。1']) {
		const line = new RegExp(
			`^127.0.0.1:${port} \\(loopback\\) is not .*grants: \\{http: \\['127.0.0.1:${port}'\\]\\} to its entry in gateway.config.ts$`,
		);
		await refuses(t, fetch({url: `http://${spelt}:${port}/`}), 'denied', line);
	}
	await refuses(t, fetch({url: `http://[::ffff:127.0.0.1]:${port}/`}), 'denied', /^\[::ffff:7f00:1\]:\d+ \(loopback\)/);
	await refuses(t, fetch({url: `http://evil.example@127.0.0.1:${port}/`}), 'denied', /has a user name/);
	await refuses(t, fetch({url: 'http://169.254.169.254/latest/meta-data/'}), 'denied', /\(metadata\)/);
	t.is(seen.length, 0);
});

test('a denial echoes neither the password in the URL nor the rest of the list', async t => {
	const error = await t.throwsAsync(lent(t, ['secret-partner.example'])({url: 'http://user:hunter2@other.example/?token=abc'}));
	t.notRegex(error?.message ?? '', /hunter2|secret-partner|abc/);
});

test('a host cannot write itself into the line to add', async t => {
	const fetch = lent(t, ['allowed.example']);
	await refuses(t, fetch({url: "http://a',process.exit(),'b.example/"}), 'invalid_request', /not a URL with a host name/);
});

test('an address that is named is asked, IPv6 included', async t => {
	const six = await site(t, ok, '::1');
	t.is((await lent(t, [`[::1]:${six.port}`])({url: `http://[0:0:0:0:0:0:0:1]:${six.port}/`})).body, 'ok');
});

const elsewhere = [
	'http://169.254.169.254/latest/meta-data/',
	'http://[fd00:ec2::254]/',
	'http://0x7f.1:9/',
	'//2130706433:9/',
	'http://[::ffff:7f00:1]:9/',
	'http://evil.example/',
	'https://user:secret@evil.example/',
	'file:///etc/passwd',
	'ftp://127.0.0.1/',
	'data:text/plain,hello',
	'javascript:alert(1)',
];

for (const location of elsewhere) {
	test(`a redirect to ${location} is refused`, async t => {
		const {at} = await site(t, to(location));
		await refuses(t, lent(t, [at])({url: `http://${at}/`}), 'denied', new RegExp(`^${at} redirected to `));
	});
}

test('a redirect to another port of the same address is refused', async t => {
	const victim = await site(t, ok);
	const {at} = await site(t, to(`http://${victim.at}/`, 307));
	await refuses(t, lent(t, [at])({url: `http://${at}/`, method: 'POST', body: 'x'}), 'denied', /redirected to/);
	t.is(victim.seen.length, 0);
});

test('a redirect to a granted name that resolves to loopback is refused', async t => {
	const victim = await site(t, ok);
	const {at} = await site(t, to(`http://inside.example:${victim.port}/`));
	const {lookup} = resolving(['127.0.0.1']);
	await refuses(t, lent(t, [at, `inside.example:${victim.port}`], lookup)({url: `http://${at}/`}), 'denied', /resolves to 127.0.0.1/);
	t.is(victim.seen.length, 0);
});

test('a redirect to something that is no URL, or to two at once, is malformed', async t => {
	const broken = await site(t, to('http://[/'));
	await refuses(t, lent(t, [broken.at])({url: `http://${broken.at}/`}), 'upstream_malformed', /not a URL/);
	const two = await site(t, (_, response) => {
		response.writeHead(302, ['location', '/a', 'location', '/b']);
		response.end();
	});
	await refuses(t, lent(t, [two.at])({url: `http://${two.at}/`}), 'upstream_malformed', /not a URL/);
});

test('five redirects are followed, a sixth is not, and a loop ends', async t => {
	const {at, seen} = await site(t, ({url}, response) => {
		const left = Number(url?.slice(1));
		if (left === 0) response.end('there');
		else response.writeHead(302, {location: left === 99 ? '/99' : `/${left - 1}`}).end();
	});
	const fetch = lent(t, [at]);
	t.is((await fetch({url: `http://${at}/5`})).body, 'there');
	await refuses(t, fetch({url: `http://${at}/6`}), 'upstream_failed', /more than 5 times/);
	seen.length = 0;
	await refuses(t, fetch({url: `http://${at}/99`}), 'upstream_failed', /more than 5 times/);
	t.is(seen.length, 6);
});

const badRequests: [string, Partial<HttpRequest>, RegExp][] = [
	['CR and LF in a value', {headers: {'x-a': 'b\r\nx-injected: 1'}}, /values cannot have/],
	['LF alone', {headers: {'x-a': 'b\nx'}}, /values cannot have/],
	['a NUL', {headers: {'x-a': 'b\0'}}, /values cannot have/],
	['a value beyond latin1, which would be cut to a newline', {headers: {'x-a': 'bčċ'}}, /values cannot have/],
	['CR and LF in a name', {headers: {'x-a\r\nx-injected': 'b'}}, /names cannot have/],
	['a name with a colon', {headers: {'x-a:': 'b'}}, /names cannot have/],
	['an empty name', {headers: {'': 'b'}}, /names cannot have/],
	['a name that is there twice', {headers: {'X-A': '1', 'x-a': '2'}}, /twice/],
	['a method with a space', {method: 'GET / HTTP/1.1\r\nx: y'}, /method is not one of/],
	['CONNECT', {method: 'CONNECT'}, /method is not one of/],
	['TRACE', {method: 'trace'}, /method is not one of/],
	['a body with GET', {body: 'x'}, /GET has no body/],
];

for (const [what, request, message] of badRequests) {
	test(`${what}: nothing is sent`, async t => {
		const {at, seen} = await site(t, ok);
		await refuses(t, lent(t, [at])({url: `http://${at}/`, ...request}), 'invalid_request', message);
		t.is(seen.length, 0);
	});
}

for (const name of [
	'Host',
	'Connection',
	'Keep-Alive',
	'TE',
	'Trailer',
	'Transfer-Encoding',
	'Upgrade',
	'Expect',
	'Content-Length',
	'Accept-Encoding',
	'Proxy-Authorization',
	'Proxy-Connection',
]) {
	test(`${name} is not a plugin's to set`, async t => {
		const {at, seen} = await site(t, ok);
		await refuses(t, lent(t, [at])({url: `http://${at}/`, method: 'POST', headers: {[name]: '1'}}), 'invalid_request', /gateway's to set/);
		t.is(seen.length, 0);
	});
}

test('CR and LF in the path arrive escaped or not at all', async t => {
	const {at, seen} = await site(t, ok);
	await lent(t, [at])({url: `http://${at}/a\r\nb c?d\r\n%0d%0ae: f`});
	t.is(seen[0]?.url, '/ab%20c?d%0d%0ae:%20f');
	t.is(seen[0]?.headers.e, undefined);
});

test('TLS says the name, not the address, and a server that cannot prove the name is not talked to', async t => {
	const names: string[] = [];
	const server = createTlsServer({
		SNICallback: (name, done) => {
			names.push(name);
			done(new Error('no certificate'));
		},
	});
	server.on('tlsClientError', () => {});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	const {lookup} = resolving(['127.0.0.1']);
	const fetch = lent(t, [`secure.example:${port}`, `127.0.0.1:${port}`], lookup);
	await refuses(t, fetch({url: `https://secure.example.:${port}/`}), 'upstream_unreachable', /could not be reached/);
	t.deepEqual(names, ['secure.example']);
});

test('a proxy in the environment is not used', async t => {
	const proxy = await site(t, ok);
	const {at} = await site(t, (_, response) => response.end('direct'));
	for (const name of ['http_proxy', 'HTTP_PROXY', 'ALL_PROXY']) process.env[name] = `http://${proxy.at}`;
	t.is((await lent(t, [at])({url: `http://${at}/`})).body, 'direct');
	t.is(proxy.seen.length, 0);
});
