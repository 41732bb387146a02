import {spawn} from 'node:child_process';
import type {Logger} from 'pino';
import {GatewayError} from '../errors.ts';
import {numberIn, parseExactly} from '../llm/exact.ts';
import type {JsonObject} from '../llm/json.ts';
import {openDam} from './dam.ts';
import {openLines} from './lines.ts';
import type {Asking, Notice} from './link.ts';
import {idOfOversized} from './oversized.ts';
import {type Message, RpcError, readMessage, rpcCodes} from './rpc.ts';
import {oversized} from './site.ts';

export type Program = {
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

/** One process that speaks MCP, from its start to its end. Only ids of its own are on its wire; lines that are no message are skipped. */
export type McpProcess = {
	/** Rejects as Link.request does. */
	ask(method: string, params: JsonObject, asking: Pick<Asking, 'waiting' | 'timeoutMs' | 'onProgress'>): Promise<JsonObject>;
	/** A request whose answer is its end, of which nobody is told. Answers how to end it. */
	open(method: string, params: JsonObject): () => void;
	tell(method: string): void;
	/** Ends it as one that is not fit to go on. */
	fail(why: string): void;
	/** Asks it to end. */
	stop(): void;
	/** Ends it and all that it has started and that did not leave its group; whoever waits for an answer is told `why`. */
	end(why: GatewayError): void;
	/** Resolves when it is gone, and everything that it wrote was read. */
	gone: Promise<unknown>;
};

type Told = {
	onNotice: Notice;
	/** Once, when it has ended by itself or was not fit to go on. */
	onEnd: (why: string) => void;
};

/** So many times the largest message may wait to be read. */
const mostUnread = 4;

type Pending = {resolve: (result: JsonObject) => void; reject: (error: Error) => void; onProgress?: Asking['onProgress']};

/** Starts a program. Throws where there is no process at once; of one that could not be started otherwise `onEnd` is told. */
export const startProcess = ({name, command, args, env, cwd, largest, maxBytes, log}: Program, {onNotice, onEnd}: Told): McpProcess => {
	const pending = new Map<number, Pending>();
	let ids = 0;
	let over = false;
	/** What it answered that nobody asked. */
	let stray = 0;

	// A group of its own, so that its children can be ended with it, and Ctrl-C is for the gateway alone to hear.
	const child = spawn(command, args, {cwd, env: {...env}, stdio: 'pipe', detached: true, windowsHide: true});
	if (!child.stdout) {
		child.once('error', () => undefined);
		throw new Error('no file is free for its pipes');
	}
	const gone = new Promise(resolve => child.once('close', resolve));

	const kill = (signal: NodeJS.Signals): void => {
		try {
			if (child.pid !== undefined) process.kill(-child.pid, signal);
		} catch {
			// Nobody is left.
		}
	};
	const killOnExit = () => kill('SIGKILL');
	process.once('exit', killOnExit);

	const write = (message: JsonObject): void => {
		if (child.stdin.writable) child.stdin.write(`${JSON.stringify({jsonrpc: '2.0', ...message})}\n`);
	};

	/** Whoever waits for an answer gives up some day; what was written for it stays until it is read. */
	const isBehind = (): boolean => child.stdin.writableLength > maxBytes * mostUnread;

	const taken = (id: unknown): Pending | undefined => {
		const found = typeof id === 'number' ? pending.get(id) : undefined;
		if (found) pending.delete(id as number);
		return found;
	};

	const heard = (message: Message): void => {
		if (message.kind === 'answer') {
			const {id, error, result = {}} = message;
			const asked = taken(id);
			if (error) asked?.reject(new RpcError(error.code, error.message, {data: error.data, isTheirs: true}));
			else asked?.resolve(result);
			// Once is enough: who writes them writes many.
			if (!asked && stray++ === 0) log.warn({server: name}, 'an MCP server answered what nobody asked');
			return;
		}
		if (message.kind === 'request') {
			if (message.method === 'ping') write({id: message.id, result: {}});
			else write({id: message.id, error: {code: rpcCodes.unknownMethod, message: 'This client does not offer that.'}});
			return;
		}
		const progressToken = numberIn(message.params.progressToken);
		if (message.method !== 'notifications/progress') onNotice(message.method, message.params);
		else if (progressToken !== undefined) pending.get(progressToken)?.onProgress?.(message.params);
	};

	/** A line that is too large: the process is everybody's, and is not ended for one answer. */
	const unread = (line: Buffer): void => {
		log.warn({server: name, bytes: line.length}, 'an MCP server wrote a message that is too large');
		taken(idOfOversized(line))?.reject(oversized(name, largest));
	};

	const end = (why: GatewayError): void => {
		if (over) return;
		over = true;
		process.off('exit', killOnExit);
		kill('SIGKILL');
		for (const {reject} of pending.values()) reject(why);
		pending.clear();
	};

	const fail = (why: string): void => {
		if (over) return;
		onEnd(why);
		end(new GatewayError('upstream_failed', `The MCP server "${name}" ${why}.`));
	};

	const lines = openLines(maxBytes, line => {
		if (line.length > largest) return unread(line);
		let message: Message;
		try {
			message = readMessage(parseExactly(line));
		} catch {
			// Many servers print to stdout what belongs on stderr.
			log.debug({server: name, bytes: line.length}, 'an MCP server wrote what is no message');
			return;
		}
		heard(message);
	});
	const isBorne = openDam(maxBytes);
	child.stdout.on('data', (chunk: Buffer) => {
		if (over) return;
		if (!isBorne(chunk.length)) fail('writes without an end');
		else if (!lines(chunk)) fail('sent a message that is too large');
	});
	// Read, or it would stop when the pipe is full; never kept.
	child.stderr.resume();
	for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
	child.once('error', () => fail('could not be started'));
	child.once('exit', () => fail('has ended'));

	return {
		ask: (method, params, {waiting, timeoutMs, onProgress}) =>
			new Promise((resolve, reject) => {
				if (waiting?.left) return reject(new GatewayError('client_closed', 'The client left before the answer.'));
				if (isBehind()) return reject(new GatewayError('upstream_unreachable', `The MCP server "${name}" does not read what it is sent.`));
				const id = ++ids;
				const settled = <T>(settle: (value: T) => void) => {
					return (value: T) => {
						clearTimeout(timer);
						if (waiting?.onLeft === left) waiting.onLeft = undefined;
						settle(value);
					};
				};
				const giveUp = (error: GatewayError) => {
					if (!pending.delete(id)) return;
					if (method !== 'initialize') write({method: 'notifications/cancelled', params: {requestId: id, reason: error.code}});
					settled(reject)(error);
				};
				const left = () => giveUp(new GatewayError('client_closed', 'The client left before the answer.'));
				const late = `The MCP server "${name}" did not answer within ${timeoutMs} ms.`;
				const timer = setTimeout(() => giveUp(new GatewayError('upstream_timeout', late)), timeoutMs);
				if (waiting) waiting.onLeft = left;
				pending.set(id, {resolve: settled(resolve), reject: settled(reject), onProgress});
				const meta = onProgress && {_meta: {...(params._meta as JsonObject | undefined), progressToken: id}};
				write({id, method, params: {...params, ...meta}});
				return undefined;
			}),
		open(method, params) {
			if (isBehind()) return () => undefined;
			const id = ++ids;
			pending.set(id, {resolve: () => undefined, reject: () => undefined});
			write({id, method, params});
			return () => {
				if (pending.delete(id)) write({method: 'notifications/cancelled', params: {requestId: id}});
			};
		},
		tell: method => write({method}),
		fail,
		stop() {
			child.stdin.end();
			kill('SIGTERM');
		},
		end,
		gone,
	};
};
