import {createServer, type Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {Logger} from 'pino';
import {createApp} from './app.ts';
import {type Booted, boot} from './boot.ts';
import type {LoadedConfig} from './config.ts';
import {GatewayError} from './errors.ts';
import {openExchange} from './exchange.ts';
import {failWith, finish, type Gateway} from './gateway.ts';
import {refusal} from './refusal.ts';

export type Running = Booted & {
	/** `http://127.0.0.1:8787` */
	url: string;
	/** Takes nothing new, lets running exchanges end (at most `limits.drainMs`), and closes everything. */
	stop(): Promise<void>;
};

/** Boots, and listens only when everything is checked. */
export const serve = async (loaded: LoadedConfig, log: Logger): Promise<Running> => {
	const booted = await boot(loaded, log);
	const {gateway, close} = booted;
	const {limits, listen} = loaded.config;
	// A body's time is kept by whoever reads it; node's own answer would be no error of ours and leave no record.
	const server = createServer({headersTimeout: limits.headersMs, requestTimeout: 0, keepAliveTimeout: 65_000, noDelay: true, maxHeaderSize: 32_768, connectionsCheckingInterval: Math.min(limits.headersMs, 1_000)});
	server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => void refuseHttp(gateway, error, socket));
	try {
		server.on('request', createApp(gateway).callback());
		await listening(server, listen);
	} catch (error) {
		await close();
		throw error;
	}
	const {address, port, family} = server.address() as AddressInfo;
	let stopped: Promise<void> | undefined;

	const stop = async (): Promise<void> => {
		gateway.stopping = true;
		const closed = new Promise(resolve => server.close(resolve));
		server.closeIdleConnections();
		await drained(gateway, limits.drainMs);
		server.closeAllConnections();
		await closed;
		await close();
	};

	return {
		...booted,
		url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
		stop: () => (stopped ??= stop()),
	};
};

const listening = (server: Server, listen: string): Promise<void> =>
	new Promise((resolve, reject) => {
		const colon = listen.lastIndexOf(':');
		server.once('error', reject);
		server.listen({host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1))}, () => {
			server.off('error', reject);
			resolve();
		});
	});

/** Waits for what runs; what is left after `drainMs` is cut with an error its client can read, and recorded. */
const drained = async ({running}: Gateway, drainMs: number): Promise<void> => {
	const until = performance.now() + drainMs;
	while (running.size > 0 && performance.now() < until) await pause(10);
	for (const exchange of running) exchange.cut?.(new GatewayError('shutting_down', 'This gateway is stopping.'));
	const patience = performance.now() + 2_000;
	while (running.size > 0 && performance.now() < patience) await pause(10);
};

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

const errorOf = ({code}: NodeJS.ErrnoException): GatewayError => {
	if (code === 'HPE_HEADER_OVERFLOW') return new GatewayError('headers_too_large', 'The headers are larger than 32 KiB.');
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new GatewayError('request_timeout', 'The headers did not arrive in time.');
	return new GatewayError('bad_http', 'This is not well-formed HTTP/1.1.');
};

/** What never became a request is refused, typed, and on the record too. */
const refuseHttp = async (gateway: Gateway, cause: NodeJS.ErrnoException, socket: Socket): Promise<void> => {
	if (cause.code === 'ECONNRESET' || !socket.writable) {
		socket.destroy();
		return;
	}
	const exchange = openExchange({method: '', path: '', ip: socket.remoteAddress ?? '', surface: 'openai'});
	const {status, headers, body} = refusal(exchange, failWith(gateway, exchange, errorOf(cause)));
	await finish(gateway, exchange).catch(error => gateway.log.error({err: error}, 'the record could not be written'));
	const lines = Object.entries({...headers, 'x-sallyport-exchange': exchange.id, 'content-length': Buffer.byteLength(body), connection: 'close'});
	socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body.toString()}`);
};
