import {once} from 'node:events';
import {createServer, type IncomingHttpHeaders, type RequestListener} from 'node:http';
import {type AddressInfo, createServer as createSocketServer, type Socket} from 'node:net';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {guardedFetch, type Lookup} from '../core/sandbox/http.ts';

type Seen = {method?: string; url?: string; headers: IncomingHttpHeaders; body: string};

const listening = async (t: ExecutionContext, server: ReturnType<typeof createSocketServer>): Promise<string> => {
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => sockets.add(socket));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const site = async (t: ExecutionContext, listener: RequestListener) => {
	const seen: Seen[] = [];
	const server = createServer(async (request, response) => {
		const {method, url, headers} = request;
		seen.push({method, url, headers, body: (await request.setEncoding('utf8').toArray()).join('')});
		listener(request, response);
	});
	return {at: await listening(t, server), seen};
};

/** Sends `text` to whoever connects, and leaves the connection to `after`. */
const raw = (t: ExecutionContext, text: string, after: (socket: Socket) => void = () => {}): Promise<string> =>
	listening(
		t,
		createSocketServer(socket => {
			socket.on('error', () => {});
			socket.once('data', () => socket.write(text, 'latin1', () => after(socket)));
		}),
	);

const lent = (t: ExecutionContext, hosts: string[], lookup?: Lookup) => {
	const guarded = guardedFetch({hosts, lookup});
	t.teardown(guarded.close);
	return guarded;
};

const failing = async (t: ExecutionContext, fetching: Promise<unknown>, code: string): Promise<void> => {
	t.like(await t.throwsAsync(fetching), {code});
};

const mb = 1_000_000;

test('a POST arrives as it was written, and its answer comes back whole', async t => {
	const {at, seen} = await site(t, (_, response) => response.writeHead(418, {'x-one': '1', 'set-cookie': ['a=1', 'b=2']}).end('čaj ☕'));
	const {fetch} = lent(t, [at]);
	const headers = {'Content-Type': 'application/json', Authorization: 'Bearer abc', 'x-latin': 'é'};
	const answer = await fetch({url: `http://${at}/tea?kind=a%20b#part`, method: 'post', headers, body: '{"a":"ž"}'});
	t.like(answer, {status: 418, body: 'čaj ☕', headers: {'x-one': '1', 'set-cookie': 'a=1, b=2'}});
	t.like(seen[0], {method: 'POST', url: '/tea?kind=a%20b', body: '{"a":"ž"}'});
	t.like(seen[0]?.headers, {
		host: at,
		'content-type': 'application/json',
		authorization: 'Bearer abc',
		'accept-encoding': 'identity',
		'user-agent': 'sallyport',
	});
});

test('no cookie is kept between two requests', async t => {
	const {at, seen} = await site(t, (_, response) => response.setHeader('set-cookie', 'a=1').end());
	const {fetch} = lent(t, [at]);
	await fetch({url: `http://${at}/`});
	await fetch({url: `http://${at}/`});
	t.is(seen[1]?.headers.cookie, undefined);
});

test('a header named __proto__ is a header', async t => {
	const at = await raw(t, 'HTTP/1.1 200 OK\r\n__proto__: x\r\n__proto__: y\r\nconstructor: z\r\ncontent-length: 2\r\n\r\nok');
	const {headers} = await lent(t, [at]).fetch({url: `http://${at}/`});
	t.is(Object.getPrototypeOf(headers), Object.prototype);
	t.is(Object.getOwnPropertyDescriptor(headers, '__proto__')?.value, 'x, y');
	t.is(headers.constructor as unknown, 'z');
});

const rewrites: [number, string, string, string][] = [
	[301, 'POST', 'GET', ''],
	[302, 'POST', 'GET', ''],
	[303, 'POST', 'GET', ''],
	[303, 'PUT', 'GET', ''],
	[301, 'PUT', 'PUT', 'body'],
	[302, 'DELETE', 'DELETE', 'body'],
	[307, 'POST', 'POST', 'body'],
	[308, 'PATCH', 'PATCH', 'body'],
];

for (const [status, method, then, body] of rewrites) {
	test(`${status} turns ${method} into ${then}, ${body ? 'with' : 'without'} its body`, async t => {
		const {at, seen} = await site(t, ({url}, response) => {
			if (url === '/') response.writeHead(status, {location: 'next?x'}).end('moved');
			else response.end('there');
		});
		const headers = {'content-type': 'text/plain', 'content-language': 'cs', authorization: 'Bearer abc', 'x-kept': '1'};
		const answer = await lent(t, [at]).fetch({url: `http://${at}/`, method, headers, body: 'body'});
		t.is(answer.body, 'there');
		t.like(seen[1], {method: then, url: '/next?x', body});
		t.like(seen[1]?.headers, {'content-type': (body && 'text/plain') || undefined, authorization: 'Bearer abc', 'x-kept': '1'});
		t.is(seen[1]?.headers['content-language'], body ? 'cs' : undefined);
	});
}

test('HEAD stays HEAD over 303, and 304 and a 302 without location are answers', async t => {
	const {at, seen} = await site(t, ({url}, response) => {
		if (url === '/') response.writeHead(303, {location: '/head'});
		if (url === '/304') response.writeHead(304, {location: '/head'});
		if (url === '/302') response.writeHead(302);
		response.end();
	});
	const {fetch} = lent(t, [at]);
	t.is((await fetch({url: `http://${at}/`, method: 'HEAD'})).status, 200);
	t.is(seen[1]?.method, 'HEAD');
	t.is((await fetch({url: `http://${at}/304`})).status, 304);
	t.is((await fetch({url: `http://${at}/302`})).status, 302);
});

test('credentials do not cross origins, and do not come back when the way does', async t => {
	const other = await site(t, (_, response) => response.writeHead(307, {location: `http://${at}/back`}).end());
	const {at, seen} = await site(t, ({url}, response) => {
		if (url === '/') response.writeHead(307, {location: `http://${other.at}/`}).end();
		else response.end('there');
	});
	const secrets = {
		Authorization: 'Bearer abc',
		Cookie: 'a=1',
		'X-Api-Key': 'k',
		'api-key': 'k',
		'x-auth-token': 't',
		'x-amz-security-token': 't',
	};
	await lent(t, [at, other.at]).fetch({url: `http://${at}/`, method: 'POST', headers: {...secrets, 'x-kept': '1'}, body: 'b'});
	for (const name of Object.keys(secrets)) {
		t.truthy(seen[0]?.headers[name.toLowerCase()], name);
		t.is(other.seen[0]?.headers[name.toLowerCase()], undefined, name);
		t.is(seen[1]?.headers[name.toLowerCase()], undefined, name);
	}
	t.like(other.seen[0], {method: 'POST', body: 'b'});
	t.is(other.seen[0]?.headers['x-kept'], '1');
});

test('an answer of exactly 5 MB is taken, twice over one connection; one more byte is not', async t => {
	const {at} = await site(t, ({url}, response) => response.end(Buffer.alloc(Number(url?.slice(1)), 'a')));
	const {fetch} = lent(t, [at]);
	t.is((await fetch({url: `http://${at}/${5 * mb}`})).body.length, 5 * mb);
	t.is((await fetch({url: `http://${at}/${5 * mb}`})).body.length, 5 * mb);
	await failing(t, fetch({url: `http://${at}/${5 * mb + 1}`}), 'upstream_too_large');
	t.is((await fetch({url: `http://${at}/3`})).body, 'aaa');
});

test('an answer without end is cut, and its connection closed', async t => {
	const closed = Promise.withResolvers<void>();
	const {at} = await site(t, (_, response) => {
		const more = (): void => {
			while (response.write(Buffer.alloc(65_536, 'a')));
		};
		response.on('drain', more).on('close', closed.resolve);
		more();
	});
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`}), 'upstream_too_large');
	await closed.promise;
	t.pass();
});

test('headers without end are cut', async t => {
	const at = await raw(t, `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`);
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`}), 'upstream_malformed');
});

test('a compressed answer is not unpacked: it is refused', async t => {
	const {at} = await site(t, (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50 * mb))));
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`}), 'upstream_malformed');
});

test('a server that never answers runs into the time limit', async t => {
	const {at} = await site(t, () => {});
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`, timeoutMs: 100}), 'upstream_timeout');
});

test('a server that answers a byte at a time runs into the time limit, and its connection is closed', async t => {
	const closed = Promise.withResolvers<void>();
	const {at} = await site(t, (_, response) => {
		const drip = setInterval(() => response.write('a'), 10);
		response.on('close', () => {
			clearInterval(drip);
			closed.resolve();
		});
	});
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`, timeoutMs: 200}), 'upstream_timeout');
	await closed.promise;
});

test('the time limit is for all hops together', async t => {
	const {at} = await site(t, ({url}, response) => {
		if (url === '/') response.writeHead(302, {location: '/slow'}).end();
	});
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`, timeoutMs: 100}), 'upstream_timeout');
});

test('a resolver that never answers runs into the time limit, and nothing is sent when it answers after all', async t => {
	const {at, seen} = await site(t, (_, response) => response.end());
	const answer = Promise.withResolvers<{address: string}[]>();
	const port = at.split(':')[1];
	const {fetch} = lent(t, [`slow.example:${port}`, at], () => answer.promise);
	const error = await t.throwsAsync(fetch({url: `http://slow.example:${port}/late`, timeoutMs: 100}));
	t.like(error, {code: 'upstream_timeout', message: `slow.example:${port} did not answer within 100 ms.`});
	answer.resolve([{address: '127.0.0.1'}]);
	t.is((await fetch({url: `http://slow.example:${port}/`})).status, 200);
	t.deepEqual(
		seen.map(({url}) => url),
		['/'],
	);
});

test('no server, no name, no address: unreachable', async t => {
	const gone = createSocketServer().listen(0, '127.0.0.1');
	await once(gone, 'listening');
	const at = `127.0.0.1:${(gone.address() as AddressInfo).port}`;
	gone.close();
	await failing(t, lent(t, [at]).fetch({url: `http://${at}/`}), 'upstream_unreachable');
	const missing = Object.assign(new Error('getaddrinfo ENOTFOUND'), {code: 'ENOTFOUND'});
	await failing(t, lent(t, ['a.example'], () => Promise.reject(missing)).fetch({url: 'http://a.example/'}), 'upstream_unreachable');
	await failing(t, lent(t, ['a.example'], async () => []).fetch({url: 'http://a.example/'}), 'upstream_unreachable');
});

test('an answer that breaks off has failed, and one that is not HTTP is malformed', async t => {
	const hangsUp = await raw(t, '', socket => socket.destroy());
	await failing(t, lent(t, [hangsUp]).fetch({url: `http://${hangsUp}/`}), 'upstream_failed');
	const half = await raw(t, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', socket => socket.end());
	await failing(t, lent(t, [half]).fetch({url: `http://${half}/`}), 'upstream_failed');
	const smtp = await raw(t, '220 mail.example ESMTP\r\n');
	await failing(t, lent(t, [smtp]).fetch({url: `http://${smtp}/`}), 'upstream_malformed');
});

test('closing ends what runs, and nothing begins after it', async t => {
	const arrived = Promise.withResolvers<void>();
	const {at} = await site(t, () => arrived.resolve());
	const {fetch, close} = lent(t, [at]);
	const running = failing(t, fetch({url: `http://${at}/`}), 'shutting_down');
	await arrived.promise;
	await close();
	await running;
	await failing(t, fetch({url: `http://${at}/`}), 'shutting_down');
});

test('fifty at once are all answered', async t => {
	const {at} = await site(t, ({url}, response) => response.end(url));
	const {fetch} = lent(t, [at]);
	const bodies = await Promise.all(Array.from({length: 50}, async (_, index) => (await fetch({url: `http://${at}/${index}`})).body));
	t.deepEqual(
		bodies,
		Array.from({length: 50}, (_, index) => `/${index}`),
	);
});
