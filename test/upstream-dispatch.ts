import {once} from 'node:events';
import {createServer, type IncomingMessage, type RequestListener} from 'node:http';
import {type AddressInfo, createServer as createSocketServer, type Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {GatewayError} from '../core/errors.ts';
import {openProvider, type ProviderOptions} from '../core/upstream/dispatch.ts';
import {leave, type Reply, type Sink, type Waiting} from '../core/upstream/reply.ts';

const key = 'sk-operator-key-0123456789';

const listening = async (t: ExecutionContext, server: ReturnType<typeof createSocketServer>): Promise<string> => {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const provider = (t: ExecutionContext, baseUrl: string, options: Partial<ProviderOptions> = {}) => {
	const opened = openProvider({name: 'acme', speaks: 'openai', baseUrl, key, timeoutMs: 5_000, idleMs: 5_000, connections: 8, ...options});
	t.teardown(() => opened.close());
	return opened;
};

const web = async (t: ExecutionContext, listener: RequestListener, options: Partial<ProviderOptions> = {}) => {
	const server = createServer(listener);
	t.teardown(() => server.closeAllConnections());
	return provider(t, `${await listening(t, server)}/v1/`, options);
};

/** Sends `text` to whoever asks; `after` decides what becomes of the connection. */
const raw = async (
	t: ExecutionContext,
	text: string,
	after: (socket: Socket) => void = () => {},
	options: Partial<ProviderOptions> = {},
) => {
	const sockets = new Set<Socket>();
	const server = createSocketServer(socket => {
		sockets.add(socket);
		socket.on('error', () => {});
		socket.once('data', () => socket.write(text, () => after(socket)));
	});
	t.teardown(() => {
		for (const socket of sockets) socket.destroy();
	});
	return provider(t, await listening(t, server), options);
};

const post = {path: '/chat/completions', method: 'POST', headers: {'content-type': 'application/json'}, body: '{"a":1}'} as const;

const read = (reply: Reply): Promise<{text: string; error?: GatewayError}> =>
	new Promise(resolve => {
		let text = '';
		const sink: Sink = {
			data: chunk => {
				text += chunk.toString('latin1');
			},
			end: () => resolve({text}),
			fail: error => resolve({text, error}),
		};
		reply.read(sink);
	});

const failed = async (t: ExecutionContext, sent: Promise<unknown>, code: string): Promise<GatewayError> => {
	const error = await t.throwsAsync(sent, {instanceOf: GatewayError, code});
	t.notRegex(`${error.message} ${JSON.stringify(error)} ${error.cause}`, new RegExp(key));
	t.notRegex(error.message, /127\.0\.0\.1/);
	return error;
};

test('a body arrives whole, with status and lower-case headers', async t => {
	const acme = await web(t, (_, res) => res.writeHead(201, {'X-Request-Id': 'r1'}).end('{"ok":true}'));
	const reply = await acme.send(post);
	t.is(reply.status, 201);
	t.is(reply.headers['x-request-id'], 'r1');
	t.is((await reply.collect(100)).toString(), '{"ok":true}');
});

test('an empty body and one in many pieces are collected alike', async t => {
	const acme = await web(t, async (req, res) => {
		if (req.url?.endsWith('/empty')) {
			res.writeHead(204).end();
			return;
		}
		for (let index = 0; index < 50; index++) {
			res.write(`piece ${index};`);
			await new Promise(setImmediate);
		}
		res.end();
	});
	t.is((await (await acme.send({...post, path: '/empty'})).collect(10)).length, 0);
	const text = Array.from({length: 50}, (_, index) => `piece ${index};`).join('');
	t.is((await (await acme.send(post)).collect(10_000)).toString(), text);
});

test('the key goes into the one header its provider reads; nothing of the client’s connection or credentials goes along', async t => {
	const seen: IncomingMessage[] = [];
	const listener: RequestListener = (req, res) => {
		seen.push(req);
		res.end();
	};
	const headers = {
		authorization: 'Bearer vk_client',
		'x-api-key': 'vk_client',
		cookie: 'a=b',
		host: 'evil',
		connection: 'close',
		te: 'x',
		'x-own': '1',
	};
	for (const options of [{}, {speaks: 'anthropic'}, {speaks: 'anthropic', key: undefined}] as const) {
		const acme = await web(t, listener, options);
		await (await acme.send({...post, headers})).collect(0);
	}
	const [openai, anthropic, keyless] = seen.map(req => req.headers);
	t.like(openai, {authorization: `Bearer ${key}`, 'accept-encoding': 'identity', 'x-own': '1', connection: 'keep-alive'});
	t.like(anthropic, {'x-api-key': key, 'anthropic-version': '2023-06-01'});
	t.false('x-api-key' in openai! || 'authorization' in anthropic! || 'authorization' in keyless! || 'x-api-key' in keyless!);
	for (const sent of [openai, anthropic, keyless]) t.notRegex(JSON.stringify(sent), /vk_client|evil|a=b/);
	t.is(seen[0]?.url, '/v1/chat/completions');
});

test('a client’s anthropic-version wins over ours', async t => {
	const acme = await web(t, (req, res) => res.end(req.headers['anthropic-version']), {speaks: 'anthropic'});
	const reply = await acme.send({...post, headers: {'anthropic-version': '2099-01-01'}});
	t.is((await reply.collect(100)).toString(), '2099-01-01');
});

test('connections are used again, whether a body was read or dropped', async t => {
	const ports = new Set<number | undefined>();
	const acme = await web(t, (req, res) => {
		ports.add(req.socket.remotePort);
		res.end('x'.repeat(1_000));
	});
	for (let times = 0; times < 12; times++) {
		const reply = await acme.send(post);
		if (times % 2 === 0) await reply.collect(1_000);
		else reply.drop();
	}
	t.true(ports.size <= 2, 'undici rests a connection for a turn of the event loop');
});

test('a bad base URL does not open', t => {
	for (const baseUrl of ['https://user:pass@example.com/v1', 'https://example.com/v1?key=1', 'nonsense']) {
		t.throws(() => openProvider({name: 'acme', speaks: 'openai', baseUrl, timeoutMs: 1, idleMs: 1, connections: 1}));
	}
});

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

test('a reader that pauses gets no byte until it resumes, and the upstream is held back', async t => {
	const total = 32 * 1_048_576;
	let written = 0;
	let stuck = () => {};
	const full = new Promise<void>(resolve => {
		stuck = resolve;
	});
	const acme = await web(t, (_, res) => {
		const chunk = Buffer.alloc(65_536, 'z');
		const more = () => {
			while (written < total) {
				written += chunk.length;
				if (!res.write(chunk)) {
					setTimeout(stuck, 100).unref();
					res.once('drain', more);
					return;
				}
			}
			res.end();
		};
		more();
	});
	const reply = await acme.send(post);
	let bytes = 0;
	const body = new Promise<void>((resolve, reject) => {
		reply.read({
			data: chunk => {
				bytes += chunk.length;
				reply.pause();
				if (bytes > 1_000_000) reply.resume();
			},
			end: resolve,
			fail: reject,
		});
	});
	await full;
	const before = bytes;
	await new Promise(setImmediate);
	t.is(bytes, before);
	t.true(written < total, 'the upstream cannot have written everything');
	while (bytes <= 1_000_000) {
		reply.resume();
		await new Promise(setImmediate);
	}
	await body;
	t.is(bytes, total);
});

test('an upstream that ends while the reader pauses loses nothing', async t => {
	const acme = await raw(t, `HTTP/1.1 200 OK\r\n\r\n${'0123456789'.repeat(500)}`, socket => socket.end());
	const reply = await acme.send(post);
	let text = '';
	await new Promise<void>((resolve, reject) => {
		reply.read({
			data: chunk => {
				text += chunk;
				reply.pause();
				setTimeout(reply.resume, 20);
			},
			end: resolve,
			fail: reject,
		});
	});
	t.is(text, '0123456789'.repeat(500));
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

test('early hints are not the answer', async t => {
	const acme = await raw(t, 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
	const reply = await acme.send(post);
	t.is(reply.status, 200);
	t.is((await reply.collect(2)).toString(), 'ok');
});

test('closing a provider fails what still runs with shutting_down', async t => {
	const acme = await web(t, (_, res) => res.write('x'));
	const reply = await acme.send(post);
	const body = reply.collect(100);
	await Promise.all([failed(t, body, 'shutting_down'), acme.close()]);
	await failed(t, acme.send(post), 'shutting_down');
});
