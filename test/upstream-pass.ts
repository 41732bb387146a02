import {once} from 'node:events';
import {createServer, get, type IncomingMessage, type RequestListener, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {GatewayError} from '../core/errors.ts';
import {openProvider} from '../core/upstream/dispatch.ts';
import {type Passage, type Passed, pass} from '../core/upstream/pass.ts';

const serve = async (t: ExecutionContext, listener: RequestListener): Promise<string> => {
	const server = createServer(listener);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** An upstream, and a door before it that passes everything on. `passed` resolves for the first exchange. */
const doorTo = async (
	t: ExecutionContext,
	upstream: RequestListener,
	passage: (res: ServerResponse) => Passage = () => ({}),
	idleMs = 5_000,
) => {
	const baseUrl = await serve(t, upstream);
	const provider = openProvider({name: 'acme', speaks: 'openai', baseUrl, timeoutMs: 5_000, idleMs, connections: 300});
	t.teardown(() => provider.close());
	let first: (passed: Passed) => void = () => {};
	const passed = new Promise<Passed>(resolve => {
		first = resolve;
	});
	const url = await serve(t, async (req, res) => {
		const reply = await provider.send({path: req.url ?? '/', method: 'GET', headers: {}});
		res.writeHead(reply.status, {'content-type': 'text/event-stream'});
		first(await pass(reply, res, passage(res)));
	});
	return {url, passed};
};

const fetched = (url: string): Promise<IncomingMessage> =>
	new Promise((resolve, reject) => get(url, {agent: false}, resolve).on('error', reject));

/** What a client reads, and whether the reply came to its proper end. */
const body = async (url: string): Promise<{text: string; whole: boolean}> => {
	const res = await fetched(url);
	let text = '';
	res.setEncoding('utf8').on('data', chunk => {
		text += chunk;
	});
	res.on('error', () => {});
	await new Promise(resolve => res.once('close', resolve));
	return {text, whole: res.complete};
};

const later = (): {promise: Promise<void>; resolve: () => void} => Promise.withResolvers<void>();

test('256 concurrent streams of 50 chunks lose and reorder nothing', async t => {
	const event = (stream: string, index: number) => `data: {"stream":"${stream}","index":${index},"pad":"${'ü'.repeat(index)}"}\n\n`;
	const indices = Array.from({length: 50}, (_, index) => index);
	const {url} = await doorTo(t, async (req, res) => {
		for (const index of indices) {
			res.write(event(req.url ?? '', index));
			if (index % 3 === 0) await new Promise(setImmediate);
		}
		res.end('data: [DONE]\n\n');
	});
	const bodies = await Promise.all(Array.from({length: 256}, (_, stream) => body(`${url}/${stream}`)));
	for (const [stream, {text, whole}] of bodies.entries()) {
		t.true(whole);
		t.is(text, `${indices.map(index => event(`/${stream}`, index)).join('')}data: [DONE]\n\n`);
	}
});

test('the reply does not end before beforeEnd resolves, and its last event waits with it', async t => {
	const recorded = later();
	const asked = later();
	const read = later();
	const {url, passed} = await doorTo(
		t,
		async (_, res) => {
			res.write('data: 1\n\n');
			await read.promise;
			res.end('data: [DONE]\n\n');
		},
		() => ({
			onChunk: chunk => chunk.includes('[DONE]'),
			beforeEnd: async error => {
				t.is(error, undefined);
				asked.resolve();
				await recorded.promise;
				return undefined;
			},
		}),
	);
	const res = await fetched(url);
	let text = '';
	res.on('data', chunk => {
		text += chunk;
	});
	await once(res, 'data');
	read.resolve();
	await asked.promise;
	await new Promise(resolve => setTimeout(resolve, 50));
	t.is(text, 'data: 1\n\n');
	recorded.resolve();
	await once(res, 'end');
	t.is(text, 'data: 1\n\ndata: [DONE]\n\n');
	t.deepEqual(await passed, {bytes: text.length, error: undefined});
});

test('a record that cannot be written breaks the reply off before its last event', async t => {
	const {url, passed} = await doorTo(
		t,
		(_, res) => res.end('data: [DONE]\n\n'),
		() => ({onChunk: () => true, beforeEnd: () => Promise.reject(new GatewayError('journal_unavailable', 'No.'))}),
	);
	await t.throwsAsync(async () => {
		const {text, whole} = await body(url);
		t.is(text, '');
		if (!whole) throw new Error('broken off');
	});
	t.is((await passed).error?.code, 'journal_unavailable');
});

test('an upstream that keeps its connection open after the last event does not keep the client', async t => {
	const {url, passed} = await doorTo(
		t,
		(_, res) => res.write('data: [DONE]\n\n'),
		() => ({onChunk: chunk => chunk.includes('[DONE]')}),
	);
	t.deepEqual(await body(url), {text: 'data: [DONE]\n\n', whole: true});
	t.is((await passed).error, undefined);
});

test('a stream that breaks ends with the closing bytes of beforeEnd, or its connection is closed', async t => {
	const breaking: RequestListener = (_, res) => {
		res.write('data: 1\n\n', () => setImmediate(() => res.destroy()));
	};
	const said = await doorTo(t, breaking, () => ({beforeEnd: async error => `data: {"error":"${error?.code}"}\n\n`}));
	t.deepEqual(await body(said.url), {text: 'data: 1\n\ndata: {"error":"upstream_failed"}\n\n', whole: true});
	const silent = await doorTo(t, breaking);
	t.deepEqual(await body(silent.url), {text: 'data: 1\n\n', whole: false});
	t.is((await silent.passed).error?.code, 'upstream_failed');
});

test('a stream that falls silent is upstream_timeout', async t => {
	const {url, passed} = await doorTo(t, (_, res) => res.write('data: 1\n\n'), undefined, 50);
	t.false((await body(url)).whole);
	t.is((await passed).error?.code, 'upstream_timeout');
});

test('a client that leaves closes the upstream’s connection at once, and is recorded as having left', async t => {
	const gone = later();
	const ends: (string | undefined)[] = [];
	const {url, passed} = await doorTo(
		t,
		(req, res) => {
			req.socket.once('close', gone.resolve);
			res.write('data: 1\n\n');
		},
		() => ({
			beforeEnd: async error => {
				ends.push(error?.code);
				return 'never sent';
			},
		}),
	);
	const res = await fetched(url);
	res.on('error', () => {});
	await once(res, 'data');
	res.destroy();
	await gone.promise;
	t.is((await passed).error?.code, 'client_closed');
	t.deepEqual(ends, ['client_closed']);
});

test('a client that does not read slows the upstream down, and counts as gone in the end', async t => {
	let written = 0;
	const gone = later();
	const {url, passed} = await doorTo(
		t,
		(req, res) => {
			req.socket.once('close', gone.resolve);
			const more = () => {
				while (written < 64 * 1_048_576) {
					written += 65_536;
					if (!res.write(Buffer.alloc(65_536))) {
						res.once('drain', more);
						return;
					}
				}
				res.end();
			};
			more();
		},
		() => ({stallMs: 200}),
	);
	const res = await fetched(url);
	res.on('error', () => {});
	res.pause();
	await gone.promise;
	t.true(written < 64 * 1_048_576);
	t.is((await passed).error?.code, 'client_closed');
});

test('a slow reader gets every byte of a large body', async t => {
	const large = Buffer.alloc(8 * 1_048_576, 'abcdefghij');
	const {url} = await doorTo(t, (_, res) => res.end(large));
	const res = await fetched(url);
	const chunks: Buffer[] = [];
	for await (const chunk of res) {
		chunks.push(chunk);
		if (chunks.length % 10 === 0) await new Promise(setImmediate);
	}
	t.true(Buffer.concat(chunks).equals(large));
});

test('rewritten chunks go out in order, however long each takes, and the end follows the last', async t => {
	const {url} = await doorTo(
		t,
		async (_, res) => {
			for (let index = 0; index < 30; index++) {
				res.write(`<${index}>`);
				await new Promise(setImmediate);
			}
			res.end();
		},
		() => {
			let calls = 0;
			return {
				rewrite: chunk => {
					const text = chunk.toString().replaceAll('<', '[').replaceAll('>', ']');
					calls++;
					return calls % 3 === 0 ? text : new Promise(resolve => setTimeout(resolve, 5 - (calls % 5), text));
				},
				beforeEnd: async () => 'fin',
			};
		},
	);
	t.deepEqual(await body(url), {text: `${Array.from({length: 30}, (_, index) => `[${index}]`).join('')}fin`, whole: true});
});

test('what a rewrite throws cuts the reply: the upstream is closed and nothing more goes out', async t => {
	for (const late of [false, true]) {
		const gone = later();
		const {url, passed} = await doorTo(
			t,
			(req, res) => {
				req.socket.once('close', gone.resolve);
				res.write('bad');
			},
			() => ({
				rewrite: () => {
					const cut = new GatewayError('content_blocked', 'No.');
					if (late) return Promise.reject(cut);
					throw cut;
				},
				beforeEnd: async error => `cut: ${error?.code}`,
			}),
		);
		t.deepEqual(await body(url), {text: 'cut: content_blocked', whole: true});
		await gone.promise;
		t.is((await passed).error?.code, 'content_blocked');
	}
});
