import cluster from 'node:cluster';
import type {Logger} from 'pino';
import type {Complaint} from '../config/problems.ts';
import type {LoadedConfig} from '../config.ts';
import type {Running} from '../main.ts';
import type {Begin, FromWorker, ToWorker} from './messages.ts';

type Options = {
	log: Logger;
	/** Says what runs and what the first start made, before anything can fail. */
	greet(running: Running, loaded: LoadedConfig): Promise<void>;
	/** Words for an error that a listening socket met. */
	wordsOf(loaded: LoadedConfig, error: unknown): string;
};

/** How long a start may go on for nobody. */
const startMs = 5_000;

const send = (message: FromWorker): Promise<void> =>
	new Promise(resolve => {
		// Nobody to tell: that the supervisor has gone, `disconnect` says.
		if (!process.send || !process.connected) resolve();
		else process.send(message, undefined, undefined, () => resolve());
	});

const end = async (code: number, last: FromWorker[]): Promise<never> => {
	for (const message of last) await send(message);
	process.exit(code);
};

/**
 * One of several gateway processes on a port: starts when its supervisor tells it with what, and when that says so, or is gone,
 * finishes what it does and ends. Ends with code 1 when it cannot start, which it tells the supervisor alone.
 */
export const openWorker = ({log, greet, wordsOf}: Options): void => {
	const own = cluster.worker;
	if (!own) throw new Error('A worker is started by `sallyport start`, when the config says workers.');
	// Otherwise node ends this process the moment its parent is gone, with everything that runs here.
	own.exitedAfterDisconnect = true;

	let starting: Promise<Running> | undefined;
	let started: Running | undefined;
	let stopping = false;
	const sums = new Map<number, (text: string) => void>();
	let asks = 0;

	const metricsOfAll = (): Promise<string> =>
		new Promise(resolve => {
			const ask = ++asks;
			sums.set(ask, resolve);
			void send({kind: 'sum', ask});
		});

	const begin = async ({kind: _, greets, chain, address, ...given}: {kind: 'begin'} & Begin): Promise<void> => {
		const complaints: Complaint[] = [];
		const loaded: LoadedConfig = {
			...given,
			warnings: [],
			complain: heard => {
				complaints.push(...heard);
				return [];
			},
		};
		try {
			const {serve} = await import('../main.ts');
			starting = serve(loaded, log.child({worker: Number(chain)}), {chain, address, metricsOfAll});
			started = await starting;
			if (greets) await greet(started, loaded);
			await send({kind: 'ready', url: started.url});
		} catch (error) {
			await end(1, [{kind: 'failed', message: wordsOf(loaded, error), complaints}]);
		}
	};

	const stop = async (): Promise<void> => {
		if (stopping) return;
		stopping = true;
		// Where the supervisor hands on connections, one that has gone hands on no listening either: that start never ends.
		if (!process.connected) setTimeout(() => !started && process.exit(1), startMs);
		try {
			const running = await starting;
			if (!running) return await end(0, []);
			await running.stop();
			await end(0, [{kind: 'counted', ask: 0, text: await running.gateway.metrics.own()}]);
		} catch (error) {
			log.error({err: error}, 'a worker could not close');
			await end(1, []);
		}
	};

	const count = async (ask: number): Promise<void> => {
		await send({kind: 'counted', ask, text: started ? await started.gateway.metrics.own() : ''});
	};

	process.on('message', (message: ToWorker) => {
		if (message.kind === 'begin') void begin(message);
		if (message.kind === 'count') void count(message.ask);
		if (message.kind === 'sum') {
			sums.get(message.ask)?.(message.text);
			sums.delete(message.ask);
		}
		if (message.kind === 'stop') void stop();
	});
	process.on('disconnect', stop).on('SIGTERM', stop);
	// Ctrl-C in a terminal, and its end, reach every process; it is for the supervisor to say what they mean.
	for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
	void send({kind: 'hello'});
};
