import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import type {Logger} from 'pino';
import {GatewayError} from '../errors.ts';
import {parseBody} from '../llm/body.ts';
import type {JsonObject} from '../llm/json.ts';
import {openDam} from './dam.ts';
import {stamp} from './hop.ts';
import {openLines} from './lines.ts';
import type {Asking, Link, ServerFacts} from './link.ts';
import {idOfOversized} from './oversized.ts';
import {type Message, RpcError, readMessage, rpcCodes} from './rpc.ts';
import {oversized} from './site.ts';
import {greetOverStdio} from './stdio-greeting.ts';
import {openWatched} from './watched.ts';

export type StdioOptions = {
	name: string;
	command: string;
	args: readonly string[];
	/** The whole environment of the process. */
	env: Readonly<Record<string, string>>;
	cwd: string;
	/** The largest message that is read: whoever waits for a larger one gets an error. One larger than `maxBytes` ends the process. */
	largest: number;
	maxBytes: number;
	log: Logger;
};

const mostBackOffMs = 30_000;
const firstBackOffMs = 250;
/** One that lived so long has not failed to start. */
const steadyMs = 10_000;
const patienceMs = 1_000;
/** So many times the largest message may wait to be read. */
const mostUnread = 4;

type Pending = {resolve: (result: JsonObject) => void; reject: (error: Error) => void; onProgress?: Asking['onProgress']};

type Life = {
	child: ChildProcessWithoutNullStreams;
	pending: Map<number, Pending>;
	facts: Promise<ServerFacts>;
	over: boolean;
	/** What it answered that nobody asked. */
	stray: number;
};

const dead = (name: string, why: string): GatewayError => new GatewayError('upstream_failed', `The MCP server "${name}" ${why}.`);

/** The process and all that it has started and that did not leave its group. */
const killAll = ({child}: Pick<Life, 'child'>, signal: NodeJS.Signals): void => {
	try {
		if (child.pid !== undefined) process.kill(-child.pid, signal);
	} catch {
		// Nobody is left.
	}
};

/**
 * A server in a process of its own, started with the first question and again, after a growing pause, when it has ended. Only ids of its
 * own are on its wire; lines that are no message are skipped. `close` ends the process and its children.
 */
export const openStdio = ({name, command, args, env, cwd, largest, maxBytes, log}: StdioOptions): Link => {
	const listeners = new Set<(method: string, params: JsonObject) => void>();
	let life: Life | undefined;
	let ids = 0;
	let failures = 0;
	let notBefore = 0;
	let closed = false;
	const killOnExit = () => life && killAll(life, 'SIGKILL');
	process.once('exit', killOnExit);

	const write = ({child}: Life, message: JsonObject): void => {
		if (child.stdin.writable) child.stdin.write(`${JSON.stringify({jsonrpc: '2.0', ...message})}\n`);
	};

	const heard = (own: Life, message: Message): void => {
		if (message.kind === 'answer') {
			const pending = typeof message.id === 'number' ? own.pending.get(message.id) : undefined;
			if (!pending) {
				// Once is enough: who writes them writes many.
				if (own.stray++ === 0) log.warn({server: name}, 'an MCP server answered what nobody asked');
				return;
			}
			own.pending.delete(message.id as number);
			if (message.error)
				pending.reject(new RpcError(message.error.code, message.error.message, {data: message.error.data, isTheirs: true}));
			else pending.resolve(message.result ?? {});
			return;
		}
		if (message.kind === 'request') {
			if (message.method === 'ping') write(own, {id: message.id, result: {}});
			else write(own, {id: message.id, error: {code: rpcCodes.unknownMethod, message: 'This client does not offer that.'}});
			return;
		}
		const {progressToken} = message.params;
		if (message.method !== 'notifications/progress') for (const listener of listeners) listener(message.method, message.params);
		else if (typeof progressToken === 'number') own.pending.get(progressToken)?.onProgress?.(message.params);
	};

	/** A line that is too large: the process is everybody's, and is not ended for one answer. */
	const unread = (own: Life, line: Buffer): void => {
		const id = idOfOversized(line);
		log.warn({server: name, bytes: line.length}, 'an MCP server wrote a message that is too large');
		const pending = id === undefined ? undefined : own.pending.get(id);
		if (!pending) return;
		own.pending.delete(id!);
		pending.reject(oversized(name, largest));
	};

	const ended = (own: Life, why: GatewayError): void => {
		if (own.over) return;
		own.over = true;
		killAll(own, 'SIGKILL');
		if (life === own) life = undefined;
		for (const {reject} of own.pending.values()) reject(why);
		own.pending.clear();
	};

	const send = (own: Life, method: string, params: JsonObject, {waiting, timeoutMs, onProgress}: Asking): Promise<JsonObject> =>
		new Promise((resolve, reject) => {
			if (waiting?.left) return reject(new GatewayError('client_closed', 'The client left before the answer.'));
			// Whoever waits for an answer gives up some day; what was written for it stays until it is read.
			if (own.child.stdin.writableLength > maxBytes * mostUnread)
				return reject(new GatewayError('upstream_unreachable', `The MCP server "${name}" does not read what it is sent.`));
			const id = ++ids;
			const over = <T>(settle: (value: T) => void) => {
				return (value: T) => {
					clearTimeout(timer);
					if (waiting?.onLeft === left) waiting.onLeft = undefined;
					settle(value);
				};
			};
			const giveUp = (error: GatewayError) => {
				if (!own.pending.delete(id)) return;
				if (method !== 'initialize') write(own, {method: 'notifications/cancelled', params: {requestId: id, reason: error.code}});
				over(reject)(error);
			};
			const left = () => giveUp(new GatewayError('client_closed', 'The client left before the answer.'));
			const timer = setTimeout(
				() => giveUp(new GatewayError('upstream_timeout', `The MCP server "${name}" did not answer within ${timeoutMs} ms.`)),
				timeoutMs,
			);
			if (waiting) waiting.onLeft = left;
			own.pending.set(id, {resolve: over(resolve), reject: over(reject), onProgress});
			const meta = onProgress && {_meta: {...(params._meta as JsonObject | undefined), progressToken: id}};
			write(own, {id, method, params: {...params, ...meta}});
			return undefined;
		});

	const start = (timeoutMs: number): Life => {
		const wait = notBefore - Date.now();
		if (closed) throw new GatewayError('shutting_down', 'This gateway is stopping.');
		if (wait > 0) {
			const message = `The MCP server "${name}" has ended, and is started again in a moment.`;
			throw new GatewayError('upstream_unreachable', message, {retryAfterMs: wait});
		}
		const begun = Date.now();
		// A group of its own, so that its children can be ended with it, and Ctrl-C is for the gateway alone to hear.
		const child = spawn(command, args, {cwd, env: {...env}, stdio: 'pipe', detached: true, windowsHide: true});
		const own: Life = {child, pending: new Map(), over: false, stray: 0, facts: Promise.resolve({} as ServerFacts)};
		life = own;
		const gone = (why: string) => {
			if (own.over) return;
			failures = Date.now() - begun > steadyMs ? 1 : failures + 1;
			notBefore = Date.now() + Math.min(mostBackOffMs, firstBackOffMs * 2 ** (failures - 1));
			if (!closed) log.warn({server: name, why, failures}, 'an MCP server has ended');
			ended(own, dead(name, why));
		};
		const lines = openLines(maxBytes, line => {
			if (line.length > largest) return unread(own, line);
			let message: Message;
			try {
				message = readMessage(parseBody(line).json);
			} catch {
				// Many servers print to stdout what belongs on stderr.
				log.debug({server: name, bytes: line.length}, 'an MCP server wrote what is no message');
				return;
			}
			heard(own, message);
		});
		const isBorne = openDam(maxBytes);
		child.stdout.on('data', (chunk: Buffer) => {
			if (own.over) return;
			if (!isBorne(chunk.length)) gone('writes without an end');
			else if (!lines(chunk)) gone('sent a message that is too large');
		});
		// Read, or it would stop when the pipe is full; never kept.
		child.stderr.resume();
		for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
		child.once('error', () => gone('could not be started'));
		child.once('exit', () => gone('has ended'));
		own.facts = greetOverStdio({
			name,
			ask: (method, params) => send(own, method, params, {timeoutMs}),
			tell: method => write(own, {method}),
		});
		own.facts.catch(() => gone('did not say hello'));
		return own;
	};

	const alive = async (asking: Pick<Asking, 'timeoutMs'>): Promise<Life> => {
		const own = life ?? start(asking.timeoutMs);
		await own.facts;
		return own;
	};

	const watched = openWatched({
		async tell(method, uri) {
			const own = await alive({timeoutMs: patienceMs * 30});
			await send(own, method, {uri}, {timeoutMs: patienceMs * 5});
		},
		onNotice(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
	});

	return {
		facts: async asking => (await alive(asking)).facts,
		async request(method, params, asking) {
			const own = await alive(asking);
			const {era} = await own.facts;
			return send(own, method, era === 'stateless' ? stamp(params, asking) : params, asking);
		},
		// The process is everybody's: what one client tells of itself is not for it to hear.
		tell: () => undefined,
		watch: watched.watch,
		onNotice(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		async close() {
			closed = true;
			process.off('exit', killOnExit);
			const own = life;
			if (!own) return;
			const exited = new Promise(resolve => own.child.once('close', resolve));
			const after = (ms: number) => Promise.race([exited, new Promise(resolve => setTimeout(resolve, ms).unref())]);
			own.child.stdin.end();
			killAll(own, 'SIGTERM');
			await after(patienceMs);
			ended(own, new GatewayError('shutting_down', 'This gateway is stopping.'));
			await after(patienceMs);
		},
	};
};
