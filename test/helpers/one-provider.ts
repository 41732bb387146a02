import {once} from 'node:events';
import {createServer, type RequestListener} from 'node:http';
import {type AddressInfo, createServer as createSocketServer, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {GatewayError} from '../../core/errors.ts';
import {openProvider, type ProviderOptions} from '../../core/upstream/dispatch.ts';
import type {Reply, Sink} from '../../core/upstream/reply.ts';

/** The operator's key of the provider, which no error may show. */
export const key = 'sk-operator-key-0123456789';

/** Where the server listens until the end of the test. */
export const listening = async (t: ExecutionContext, server: ReturnType<typeof createSocketServer>): Promise<string> => {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** The provider `acme` at this address, closed after the test. */
export const provider = (t: ExecutionContext, baseUrl: string, options: Partial<ProviderOptions> = {}) => {
	const opened = openProvider({name: 'acme', speaks: 'openai', baseUrl, key, timeoutMs: 5_000, idleMs: 5_000, connections: 8, ...options});
	t.teardown(() => opened.close());
	return opened;
};

/** The provider `acme`, answered for by `listener`. */
export const web = async (t: ExecutionContext, listener: RequestListener, options: Partial<ProviderOptions> = {}) => {
	const server = createServer(listener);
	t.teardown(() => server.closeAllConnections());
	return provider(t, `${await listening(t, server)}/v1/`, options);
};

/** The provider `acme`, which sends `text` to whoever asks; `after` decides what becomes of the connection. */
export const raw = async (
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

export const post = {path: '/chat/completions', method: 'POST', headers: {'content-type': 'application/json'}, body: '{"a":1}'} as const;

/** What a reader is given, and the error at its end if there is one. */
export const read = (reply: Reply): Promise<{text: string; error?: GatewayError}> =>
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

/** The error that `sent` rejects with: of this code, without the key or the address in it. */
export const failed = async (t: ExecutionContext, sent: Promise<unknown>, code: string): Promise<GatewayError> => {
	const error = await t.throwsAsync(sent, {instanceOf: GatewayError, code});
	t.notRegex(`${error.message} ${JSON.stringify(error)} ${error.cause}`, new RegExp(key));
	t.notRegex(error.message, /127\.0\.0\.1/);
	return error;
};
