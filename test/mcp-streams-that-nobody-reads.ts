import {createServer, type ServerResponse} from 'node:http';
import {type AddressInfo, connect} from 'node:net';
import test from 'ava';
import {openPush} from '../core/mcp/push.ts';
import type {Shared} from '../core/mcp/shared.ts';
import {openStream} from '../core/mcp/stream.ts';

const rowless: Shared = {
	get: () => undefined,
	put: () => undefined,
	drop: () => undefined,
	onChange: () => undefined,
	close: () => undefined,
};

test('on a stream that its client does not read an answer goes out, and a question is refused and not waited for', async t => {
	const got = Promise.withResolvers<ServerResponse>();
	const server = createServer((_, res) => got.resolve(res));
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
	t.teardown(() => {
		socket.destroy();
		server.close();
	});
	socket.pause();
	socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
	const stream = openStream(await got.promise, 'exchange');
	t.true(stream.send({method: 'first'}));
	stream.answer({id: 1, result: {text: 'x'.repeat(20_000_000)}});
	t.true(stream.unread() > 1_048_576);
	t.false(stream.send({method: 'left out'}));
	const before = stream.unread();
	stream.answer({id: 2, result: {text: 'y'.repeat(1_000)}});
	t.true(stream.unread() > before);
	const {answer} = openPush(Buffer.alloc(32), rowless).ask(stream, 'owner', {method: 'roots/list', params: {}});
	await t.throwsAsync(answer, {message: /left before it answered/});
});
