import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {rawConnection, rawExchange, repliesIn} from './helpers/raw-http.ts';
import {eventually, modelRecords} from './helpers/sdks.ts';

const body = JSON.stringify({model: 'fast', messages: [{role: 'user', content: 'hi'}]});
const codeOf = ({body}: {body: string}): string => JSON.parse(body).error.code;

/** A request as bytes; `headers` are lines without their ends. */
const request = (key: string, headers: string[], rest: string, line = 'POST /v1/chat/completions HTTP/1.1') =>
	[line, 'host: gateway', 'content-type: application/json', `authorization: Bearer ${key}`, ...headers, '', rest].join('\r\n');

const chunked = (...chunks: string[]): string => chunks.map(chunk => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');

test('one way of saying how long a body is, or none of it is read', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const length = `content-length: ${body.length}`;
	const tricks: Record<string, string> = {
		'a length and chunks': request(key, [length, 'transfer-encoding: chunked'], `${chunked(body)}0\r\n\r\n`),
		'chunks and a length': request(key, ['transfer-encoding: chunked', length], `${chunked(body)}0\r\n\r\n`),
		'two lengths': request(key, [length, 'content-length: 3'], body),
		'two equal lengths': request(key, [length, length], body),
		'a list of lengths': request(key, [`content-length: ${body.length}, ${body.length}`], body),
		'a negative length': request(key, ['content-length: -1'], body),
		'a signed length': request(key, [`content-length: +${body.length}`], body),
		'a length in hexadecimal': request(key, [`content-length: 0x${body.length.toString(16)}`], body),
		'a space before the colon': request(key, [`content-length : ${body.length}`], body),
		'chunked twice': request(key, ['transfer-encoding: chunked', 'transfer-encoding: chunked'], `${chunked(body)}0\r\n\r\n`),
		'chunked, then something else': request(key, ['transfer-encoding: chunked, identity'], `${chunked(body)}0\r\n\r\n`),
		'something else, then chunked': request(key, ['transfer-encoding: gzip, chunked'], `${chunked(body)}0\r\n\r\n`),
		'a misspelt coding': request(key, ['transfer-encoding: xchunked'], `${chunked(body)}0\r\n\r\n`),
		'a hidden coding': request(key, ['transfer-encoding:\x0bchunked', length], body),
		'chunks in HTTP/1.0': request(key, ['transfer-encoding: chunked'], `${chunked(body)}0\r\n\r\n`, 'POST /v1/chat/completions HTTP/1.0'),
		'a chunk size that is no number': request(key, ['transfer-encoding: chunked'], `zz\r\n${body}\r\n0\r\n\r\n`),
		'a negative chunk size': request(key, ['transfer-encoding: chunked'], `-5\r\n${body}\r\n0\r\n\r\n`),
		'a huge chunk size': request(key, ['transfer-encoding: chunked'], `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`),
		'a chunk longer than its size': request(key, ['transfer-encoding: chunked'], `5\r\n${body}\r\n0\r\n\r\n`),
		'a chunk extension with a bare LF': request(
			key,
			['transfer-encoding: chunked'],
			`${body.length.toString(16)};a\nx\r\n${body}\r\n0\r\n\r\n`,
		),
		'a folded header': request(key, ['x-folded: one', ' two', length], body),
		'a NUL in a header': request(key, ['x-nul: a\0b', length], body),
		'a bare CR in a header': request(key, ['x-cr: a\rb', length], body),
		'no host': request(key, [length], body).replace('host: gateway\r\n', ''),
		'two hosts': request(key, ['host: other', length], body),
		'two credentials': request(key, [`authorization: Bearer ${key}`, length], body),
		'no HTTP at all': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
		'HTTP/2 by prior knowledge': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
		'a method that does not exist': request(key, [length], body, 'BREW /v1/chat/completions HTTP/1.1'),
		'a line that is no request': request(key, [length], body, 'POST'),
	};
	for (const [name, bytes] of Object.entries(tricks)) {
		const [reply, ...more] = await rawExchange(gateway.url, bytes);
		t.truthy(reply, name);
		if (!reply) continue;
		t.is(reply.status, 400, name);
		t.is(codeOf(reply), 'bad_http', name);
		t.is(reply.headers['x-should-retry'], 'false');
		t.regex(reply.headers['x-sallyport-exchange'] ?? '', /^ex_/);
		t.deepEqual(more, [], name);
	}
	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({outcome, error}) => `${outcome} ${error?.code}`),
		Object.keys(tricks).map(() => 'denied bad_http'),
	);
	t.is(gateway.upstream.counts().total, 0);
	t.notRegex(gateway.logged() + JSON.stringify(records), new RegExp(key));
});

test('headers of 100 KB are refused with a reason', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const many = Array.from({length: 5_000}, (_, index) => `x-header-${index}: value`);
	for (const headers of [[`x-long: ${'x'.repeat(100_000)}`], many]) {
		const [reply] = await rawExchange(gateway.url, request(key, headers, ''));
		t.is(reply?.status, 431);
		t.is(reply && codeOf(reply), 'headers_too_large');
	}
	t.deepEqual(
		(await modelRecords(gateway)).map(({error}) => error?.code),
		['headers_too_large', 'headers_too_large'],
	);
});

test('a header that decides something is found behind three thousand others', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const many = Array.from({length: 3_000}, () => 'a: b');
	const [reply] = await rawExchange(gateway.url, request(key, [...many, 'x-api-key: another', `content-length: ${body.length}`], body));
	t.is(reply?.status, 401);
});

test('a client that sends one byte a second is told that it is too slow', async t => {
	const gateway = await startGateway(t, {limits: {bodyMs: 150, headersMs: 150}});
	const key = await gateway.key();
	const slowBody = await rawConnection(gateway.url);
	slowBody.socket.write(request(key, [`content-length: ${body.length}`], body.slice(0, 3)));
	const slowHead = await rawConnection(gateway.url);
	slowHead.socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: ');
	const [late] = await eventually(() => (repliesIn(slowBody.text()).length > 0 ? repliesIn(slowBody.text()) : undefined));
	t.is(late?.status, 408);
	t.is(late && codeOf(late), 'request_timeout');
	const [lateHead] = await eventually(() => (repliesIn(slowHead.text()).length > 0 ? repliesIn(slowHead.text()) : undefined));
	t.is(lateHead?.status, 408);
	await slowHead.closed;
	await slowBody.closed;
	t.deepEqual(
		(await modelRecords(gateway)).map(({error, outcome}) => `${outcome} ${error?.code}`),
		['denied request_timeout', 'denied request_timeout'],
	);
});

test('a client that leaves in the middle of its body leaves one record, politely or not', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const leave = [
		(socket: import('node:net').Socket) => socket.end(),
		(socket: import('node:net').Socket) => socket.destroy(),
		(socket: import('node:net').Socket) => socket.resetAndDestroy(),
	];
	for (const [place, leaving] of leave.entries()) {
		const {socket} = await rawConnection(gateway.url);
		socket.write(request(key, [`content-length: ${body.length}`], body.slice(0, 10)));
		await eventually(() => (gateway.gateway.running.size === 1 ? true : undefined));
		leaving(socket);
		await eventually(() => (gateway.gateway.running.size === 0 ? true : undefined));
		socket.destroy();
		t.is((await modelRecords(gateway)).length, place + 1);
	}
	t.deepEqual(
		(await modelRecords(gateway)).map(({error, outcome}) => `${outcome} ${error?.code}`),
		leave.map(() => 'aborted client_closed'),
	);
});

test('requests in one go are answered one after the other, and what follows a bad one is not', async t => {
	const gateway = await startGateway(t, {models: {fast: ['local/echo'], slow: ['local/fault-slow-200']}});
	const key = await gateway.key();
	const asking = (model: string, words: string) => {
		const own = JSON.stringify({model, messages: [{role: 'user', content: words}]});
		return request(key, [`content-length: ${own.length}`], own);
	};
	const three = await rawExchange(gateway.url, asking('slow', 'one') + asking('fast', 'two') + asking('fast', 'three'), {replies: 3});
	t.deepEqual(
		three.map(reply => JSON.parse(reply.body).choices[0].message.content),
		['You said: one', 'You said: two', 'You said: three'],
	);
	const mixed = await rawExchange(gateway.url, `${asking('slow', 'one')}NONSENSE\r\n\r\n${asking('fast', 'three')}`, {
		replies: 3,
		withinMs: 1_000,
	});
	t.deepEqual(
		mixed.map(({status}) => status),
		[200, 400],
	);
	t.is((await modelRecords(gateway)).length, 5);
});

test('a client that leaves ends what it had asked for in one go, all of it', async t => {
	const gateway = await startGateway(t, {models: {slow: ['local/fault-slow-9000']}});
	const key = await gateway.key();
	const own = JSON.stringify({model: 'slow', messages: [{role: 'user', content: 'hi'}]});
	const {socket} = await rawConnection(gateway.url);
	socket.write(request(key, [`content-length: ${own.length}`], own).repeat(3));
	await eventually(() => (gateway.upstream.counts().inFlight === 3 ? true : undefined));
	socket.destroy();
	await eventually(() => (gateway.upstream.counts().aborted === 3 ? true : undefined));
	await eventually(() => (gateway.gateway.running.size === 0 ? true : undefined));
	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome}) => outcome),
		['aborted', 'aborted', 'aborted'],
	);
});

test('a GET with a body, an unusual target, CONNECT, Expect and Upgrade are answered and recorded', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const length = `content-length: ${body.length}`;
	const cases: [bytes: string, status: number][] = [
		[request(key, ['content-length: 3'], 'abc', 'GET /v1/models HTTP/1.1'), 200],
		[request(key, [], '', 'GET http://elsewhere/v1/models HTTP/1.1'), 200],
		[request(key, [], '', 'GET /v1/models?limit=1#x HTTP/1.1'), 200],
		[request(key, [], '', 'OPTIONS * HTTP/1.1'), 404],
		[request(key, [], '', 'GET /v1/../admin/plugins HTTP/1.1'), 404],
		[request(key, [], '', 'GET //admin/plugins HTTP/1.1'), 404],
		[request(key, [], '', 'GET /admin/plugins/%zz/actions/x HTTP/1.1'), 405],
		[request(key, [], '', 'GET /admin/plugins HTTP/1.1'), 401],
		[request(key, ['connection: upgrade', 'upgrade: websocket', length], body), 200],
		[request(key, ['expect: a-miracle', length], body), 200],
		['CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\n\r\n', 405],
	];
	for (const [bytes, status] of cases) {
		const [reply] = await rawExchange(gateway.url, bytes);
		t.is(reply?.status, status, bytes.slice(0, 60));
		t.regex(reply?.headers['x-sallyport-exchange'] ?? '', /^ex_/);
	}
	for (let times = 0; times < 5; times += 1) {
		const {socket} = await rawConnection(gateway.url);
		socket.write('CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\n\r\n', () => socket.resetAndDestroy());
	}
	const {socket, text} = await rawConnection(gateway.url);
	socket.write(request(key, ['expect: 100-continue', length], ''));
	await eventually(() => (text().startsWith('HTTP/1.1 100 Continue\r\n\r\n') ? true : undefined));
	socket.write(body);
	await eventually(() => (text().includes('HTTP/1.1 200') ? true : undefined));
	socket.destroy();
	const records = (await gateway.journal()).filter(({kind, path}) => kind === 'exchange' && !path?.endsWith('/create'));
	t.is(records.filter(({error}) => error?.code !== 'method_not_allowed').length, cases.length - 1);
});
