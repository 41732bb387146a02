import cluster from 'node:cluster';
import {ConfigError, type LoadedConfig} from '../config.ts';
import type {Begin, FromWorker, ToWorker} from './messages.ts';
import {readSample, type Sample} from './metrics-text.ts';

/** One process of a worker, from its start to its end. */
export type Life = {
	readonly pid: number | undefined;
	/** Resolves with its URL when it takes requests; rejects, with the words to say, when it ends before. */
	readonly ready: Promise<string>;
	/** Resolves when the process is gone. */
	readonly ended: Promise<{code: number | null; signal: NodeJS.Signals | null}>;
	/** What it counts, as far as it says so within a second: else what it said last. */
	count(): Promise<Sample | undefined>;
	/** What it said last. */
	readonly counted: Sample | undefined;
	/** Finishes what it does, and ends. */
	stop(): void;
	kill(): void;
};

const countMs = 1_000;

type Options = {
	begin: Begin;
	/** Gives the mistakes in the config their lines. */
	complain: LoadedConfig['complain'];
	/** The metrics of all, which this one was asked for. */
	sum(): Promise<string>;
};

export const startLife = ({begin, complain, sum}: Options): Life => {
	const worker = cluster.fork();
	const ready = Promise.withResolvers<string>();
	ready.promise.catch(() => {}); // The end of the process is what its supervisor acts on, and not everybody asks why.
	const ended = Promise.withResolvers<{code: number | null; signal: NodeJS.Signals | null}>();
	const asked = new Map<number, () => void>();
	let asks = 0;
	let counted: Sample | undefined;

	// A worker that has gone is told nothing; that it has, its `exit` says.
	const send = (message: ToWorker): void => {
		if (worker.isConnected()) worker.send(message, () => {});
	};

	const hear = (message: FromWorker): void => {
		if (message.kind === 'hello') send({kind: 'begin', ...begin});
		if (message.kind === 'ready') ready.resolve(message.url);
		if (message.kind === 'failed') {
			const {message: words, complaints} = message;
			ready.reject(complaints.length > 0 ? new ConfigError(complain(complaints)) : new Error(words));
		}
		if (message.kind === 'counted') {
			counted = readSample(message.text);
			asked.get(message.ask)?.();
		}
		if (message.kind === 'sum') {
			const {ask} = message;
			void sum().then(text => send({kind: 'sum', ask, text}));
		}
	};

	worker.on('message', hear);
	// Of a process that could not be started, or be sent anything.
	worker.on('error', error => ready.reject(error));
	worker.on('exit', (code: number | null, signal: NodeJS.Signals | null) => {
		const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
		ready.reject(new Error(`A worker ${how} before it took requests.`));
		for (const done of asked.values()) done();
		ended.resolve({code, signal});
	});

	return {
		pid: worker.process.pid,
		ready: ready.promise,
		ended: ended.promise,
		get counted() {
			return counted;
		},
		async count() {
			const ask = ++asks;
			await new Promise<void>(resolve => {
				asked.set(ask, resolve);
				setTimeout(resolve, countMs).unref();
				if (worker.isConnected()) send({kind: 'count', ask});
				else resolve();
			});
			asked.delete(ask);
			return counted;
		},
		stop: () => send({kind: 'stop'}),
		kill: () => void worker.process.kill('SIGKILL'),
	};
};
