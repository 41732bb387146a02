import {createServer as createSocketServer} from 'node:net';
import test from 'ava';
import {GatewayError} from '../core/errors.ts';
import {leave, type Waiting} from '../core/upstream/reply.ts';
import {failed, listening, post, provider, raw, read, web} from './helpers/one-provider.ts';

test('nobody listening, no such name and no TLS are upstream_unreachable', async t => {
	const server = createSocketServer();
	const closed = await listening(t, server);
	await new Promise(resolve => server.close(resolve));
	await failed(t, provider(t, closed).send(post), 'upstream_unreachable');
	await failed(t, provider(t, 'http://no-such-host.invalid').send(post), 'upstream_unreachable');
	const plain = createSocketServer(socket => socket.on('error', () => {}).end('not TLS'));
	await failed(t, provider(t, (await listening(t, plain)).replace('http', 'https')).send(post), 'upstream_unreachable');
});

const malformed: [string, string][] = [
	['is not HTTP', '220 mail ready\r\n\r\n'],
	['has two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
	['has a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\nab'],
	['has a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n'],
	['has headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
	['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
	['is compressed all the same', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc'],
];

for (const [what, text] of malformed) {
	test(`an answer that ${what} is upstream_malformed`, async t => {
		const acme = await raw(t, text);
		await failed(t, acme.send(post), 'upstream_malformed');
	});
}

test('a bad chunk in the middle is upstream_malformed, and its bytes are not in the error', async t => {
	const acme = await raw(t, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nPRIVATE CONTENT\r\n');
	const {text, error} = await read(await acme.send(post));
	t.is(text, 'ab');
	t.is(error?.code, 'upstream_malformed');
	t.notRegex(`${error?.message} ${error?.cause}`, /PRIVATE/);
});

test('a connection that closes before the first byte is upstream_failed', async t => {
	const acme = await raw(t, '', socket => socket.resetAndDestroy());
	await failed(t, acme.send(post), 'upstream_failed');
	const polite = await raw(t, '', socket => socket.end());
	await failed(t, polite.send(post), 'upstream_failed');
});

for (const [how, head] of [
	['with a length', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'],
	['with a length, on a connection that is to close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10\r\n\r\nabc'],
	['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
	['in chunks, on a connection that is to close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
] as const) {
	test(`a body ${how} that breaks off is upstream_failed, after the bytes that came`, async t => {
		const acme = await raw(t, head, socket => socket.end());
		const {text, error} = await read(await acme.send(post));
		t.is(text, 'abc');
		t.is(error?.code, 'upstream_failed');
		await failed(
			t,
			acme.send(post).then(reply => reply.collect(100)),
			'upstream_failed',
		);
	});
}

test('no first byte within timeoutMs and silence longer than idleMs are upstream_timeout', async t => {
	const silent = await raw(t, '', () => {}, {timeoutMs: 50});
	await failed(t, silent.send(post), 'upstream_timeout');
	const own = await raw(t, '');
	await failed(t, own.send(post, {timeoutMs: 50}), 'upstream_timeout');
	const stuck = await raw(t, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', () => {}, {idleMs: 50});
	const {text, error} = await read(await stuck.send(post));
	t.is(text, 'abc');
	t.is(error?.code, 'upstream_timeout');
});

test('waiting for a free connection counts as waiting, and does not cost the connection', async t => {
	const ports = new Set<number | undefined>();
	const arrived = Promise.withResolvers<() => void>();
	const acme = await web(
		t,
		(req, res) => {
			ports.add(req.socket.remotePort);
			if (req.headers['x-slow']) arrived.resolve(() => res.end('slow'));
			else res.end('fast');
		},
		{connections: 1},
	);
	const slow = acme.send({...post, headers: {'x-slow': '1'}});
	const release = await arrived.promise;
	await failed(t, acme.send(post, {timeoutMs: 50}), 'upstream_timeout');
	release();
	t.is((await (await slow).collect(10)).toString(), 'slow');
	t.is((await (await acme.send(post)).collect(10)).toString(), 'fast');
	t.is(ports.size, 1);
});

test('a body larger than allowed is upstream_too_large, announced or not', async t => {
	const acme = await web(t, (req, res) => {
		if (req.headers['x-announced']) res.writeHead(200, {'content-length': 1_000}).write('x');
		else res.end('x'.repeat(200_000));
	});
	await failed(
		t,
		acme.send(post).then(reply => reply.collect(199_999)),
		'upstream_too_large',
	);
	await failed(
		t,
		acme.send({...post, headers: {'x-announced': '1'}}).then(reply => reply.collect(999)),
		'upstream_too_large',
	);
	t.is((await (await acme.send(post)).collect(200_000)).length, 200_000);
});

test('a client that leaves before the answer, in the middle of it or while queued closes the upstream’s connection', async t => {
	for (const inTheMiddle of [false, true]) {
		let seen = () => {};
		const arrived = new Promise<void>(resolve => {
			seen = resolve;
		});
		let gone = () => {};
		const closed = new Promise<void>(resolve => {
			gone = resolve;
		});
		const acme = await web(t, (req, res) => {
			req.socket.once('close', gone);
			if (inTheMiddle) res.write('some');
			seen();
		});
		const waiting: Waiting = {left: false};
		const sent = acme.send(post, {waiting});
		const result = inTheMiddle ? read(await sent).then(({error}) => Promise.reject(error)) : sent;
		await arrived;
		leave(waiting);
		await failed(t, result, 'client_closed');
		await closed;
		await failed(t, acme.send(post, {waiting}), 'client_closed');
	}
});

test('what a reader throws ends the reply, as it is when it is one of ours', async t => {
	const acme = await web(t, (_, res) => res.write('data'));
	for (const [thrown, code] of [
		[new GatewayError('content_blocked', 'No.'), 'content_blocked'],
		[new TypeError('x'), 'internal'],
	] as const) {
		const reply = await acme.send(post);
		const error = await new Promise<GatewayError>(resolve => {
			reply.read({
				data: () => {
					throw thrown;
				},
				end: () => {},
				fail: resolve,
			});
		});
		t.is(error.code, code);
	}
});

test('closing a provider fails what still runs with shutting_down', async t => {
	const acme = await web(t, (_, res) => res.write('x'));
	const reply = await acme.send(post);
	const body = reply.collect(100);
	await Promise.all([failed(t, body, 'shutting_down'), acme.close()]);
	await failed(t, acme.send(post), 'shutting_down');
});
