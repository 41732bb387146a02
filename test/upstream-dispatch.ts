import type {IncomingMessage, RequestListener} from 'node:http';
import test from 'ava';
import {openProvider} from '../core/upstream/dispatch.ts';
import {key, post, raw, web} from './helpers/one-provider.ts';

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

test('early hints are not the answer', async t => {
	const acme = await raw(t, 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
	const reply = await acme.send(post);
	t.is(reply.status, 200);
	t.is((await reply.collect(2)).toString(), 'ok');
});
