import {createServer, type IncomingMessage, type Server, STATUS_CODES} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {Logger} from 'pino';
import {createApp, lastTurnOn} from './app.ts';
import {type Booted, boot} from './boot.ts';
import type {LoadedConfig} from './config.ts';
import {GatewayError} from './errors.ts';
import {openExchange} from './exchange.ts';
import {failWith, finish, type Gateway} from './gateway.ts';
import {refusal} from './refusal.ts';
import {type Address, addressOf} from './workers/address.ts';
import {alone, type Seat} from './workers/seat.ts';

export type Running = Booted & {
	/** `http://127.0.0.1:8787` */
	url: string;
	/** Takes nothing new, lets running exchanges end (at most `limits.drainMs`), and closes everything. */
	stop(): Promise<void>;
};

/** Boots, and listens only when everything is checked. */
export const serve = async (loaded: LoadedConfig, log: Logger, seat: Seat = alone): Promise<Running> => {
	const booted = await boot(loaded, log, seat);
	const {gateway, close} = booted;
	const {limits, listen} = loaded.config;
	// A body's time is kept by whoever reads it; node's own answer would be no error of ours and leave no record.
	const server = createServer({
		headersTimeout: limits.headersMs,
		requestTimeout: 0,
		keepAliveTimeout: 65_000,
		noDelay: true,
		maxHeaderSize: 32_768,
		requireHostHeader: false,
		connectionsCheckingInterval: Math.min(limits.headersMs, 1_000),
	});
	// No header is dropped in silence; their size is limited, not their number.
	server.maxHeadersCount = 0;
	const refused = new WeakSet<Socket>();
	server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
		// Whatever else comes in is an error again.
		if (refused.has(socket)) return;
		refused.add(socket);
		void broken(gateway, error, socket);
	});
	server.on('connect', ({method}: IncomingMessage, socket: Socket) => {
		// Node hands the connection over, and with it its errors: one that nobody hears ends the process.
		socket.on('error', () => socket.destroy());
		void refuseHttp(gateway, new GatewayError('method_not_allowed', `This is not a proxy: ${method} is not taken.`), socket);
	});
	try {
		const take = createApp(gateway).callback();
		server.on('request', take);
		// What a client expects beside 100-continue is not ours to know; node's own answer would leave no record.
		server.on('checkExpectation', take);
		await listening(server, seat.address ?? addressOf(listen));
	} catch (error) {
		await close();
		throw error;
	}
	const {address, port, family} = server.address() as AddressInfo;
	let stopped: Promise<void> | undefined;

	const stop = async (): Promise<void> => {
		gateway.stopping = true;
		gateway.mcp.endStreams();
		gateway.holds.close();
		const closed = new Promise(resolve => server.close(resolve));
		server.closeIdleConnections();
		await drained(gateway, limits.drainMs);
		server.closeAllConnections();
		await closed;
		await close();
	};

	const keepsKey = await booted.keepAdminKey().catch(async error => {
		await stop();
		throw error;
	});
	if (!keepsKey) {
		await stop();
		return serve(loaded, log, seat);
	}
	return {
		...booted,
		url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
		stop: () => (stopped ??= stop()),
	};
};

const listening = (server: Server, address: Address): Promise<void> =>
	new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(address, () => {
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

/** A connection that went wrong: in the middle of a request it ends that exchange, between two it is one of its own. */
const broken = async (gateway: Gateway, cause: NodeJS.ErrnoException, socket: Socket): Promise<void> => {
	const turn = lastTurnOn(socket);
	const isReading = turn !== undefined && !turn.req.complete;
	const isAnswered = isReading && turn.res.writableEnded;
	// A client that hangs up, also one that does so politely in the middle of its body, has nobody to tell why.
	const hasLeft = cause.code === 'ECONNRESET' || !socket.writable || (isReading && cause.code === 'HPE_INVALID_EOF_STATE');
	if (hasLeft || isAnswered) {
		socket.destroy();
		return;
	}
	if (isReading) {
		turn.res.once('finish', () => socket.end());
		turn.exchange.cut?.(errorOf(cause));
		return;
	}
	// What was asked before on this connection is answered before.
	if (turn && !turn.res.writableFinished) await new Promise(resolve => turn.res.once('close', resolve));
	await refuseHttp(gateway, errorOf(cause), socket);
};

/** What never became a request is refused, typed, and on the record too. */
const refuseHttp = async (gateway: Gateway, error: GatewayError, socket: Socket): Promise<void> => {
	const exchange = openExchange({method: '', path: '', ip: socket.remoteAddress ?? '', surface: 'openai'});
	const {status, headers, body} = refusal(exchange, failWith(gateway, exchange, error));
	await finish(gateway, exchange).catch(thrown => gateway.log.error({err: thrown}, 'the record could not be written'));
	const own = {...headers, 'x-sallyport-exchange': exchange.id, 'content-length': Buffer.byteLength(body), connection: 'close'};
	const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`);
	if (socket.writable) socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body.toString()}`);
	// A client that goes on sending is not listened to for ever.
	setTimeout(() => socket.destroy(), lingerMs).unref();
};

const lingerMs = 2_000;
