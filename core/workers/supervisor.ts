import cluster from 'node:cluster';
import type {Logger} from 'pino';
import type {LoadedConfig} from '../config.ts';
import {sharedAddress} from './address.ts';
import {type Life, startLife} from './life.ts';
import {growing, type Sample, together, writeSample} from './metrics-text.ts';

/** Several gateway processes on one port. */
export type Supervisor = {
	/** `http://127.0.0.1:8787` */
	url: string;
	/** Tells all of them to finish what they do; resolves when the last is gone, with whether each ended as it should. */
	stop(): Promise<boolean>;
	/** Ends all of them at once; what they were doing is in their journals as crashed. */
	kill(): void;
};

type Options = {
	/** The script that every worker runs, and its arguments: in the end `openWorker`. */
	exec: string;
	args: string[];
	log: Logger;
};

type Ended = {code: number | null; signal: NodeJS.Signals | null; livedMs: number};

const shortestRestMs = 100;
const longestRestMs = 10_000;
const calmMs = 30_000;
/** On top of `drainMs`, for what is cut to be recorded and everything to be closed. */
const closingMs = 10_000;

/**
 * Starts `workers` gateway processes and keeps them alive, without doing any of their work. The first one starts alone: what
 * a first start makes, it makes once. Rejects, with none of them left, when one cannot start.
 */
export const supervise = async (loaded: LoadedConfig, {exec, args, log}: Options): Promise<Supervisor> => {
	const {file, config, leftOut, complain} = loaded;
	const address = await sharedAddress(config.listen);
	// Where the kernel does not deal out connections, node does, one after the other, in this process.
	cluster.schedulingPolicy = cluster.SCHED_RR;
	cluster.setupPrimary({exec, args, stdio: ['ignore', 'inherit', 'inherit', 'ipc']});

	const lives = new Map<number, Life>();
	const restMs = new Map<number, number>();
	const rests = new Set<NodeJS.Timeout>();
	/** What workers that have ended had counted. */
	let buried: Sample = new Map();
	let restarts = 0;
	let started = false;
	let stopping = false;
	let endedWell = true;

	const metricsOfAll = async (): Promise<string> => {
		const samples = (await Promise.all([...lives.values()].map(life => life.count()))).filter(sample => sample !== undefined);
		const own = [
			`# HELP sallyport_workers Gateway processes that are alive.\n# TYPE sallyport_workers gauge\nsallyport_workers ${lives.size}\n`,
			`# HELP sallyport_worker_restarts_total Gateway processes that ended and were started again.\n# TYPE sallyport_worker_restarts_total counter\nsallyport_worker_restarts_total ${restarts}\n`,
		];
		return [writeSample(together([...samples, buried])), ...own].join('\n');
	};

	const begin = (index: number, greets: boolean): Life => {
		const begun = performance.now();
		const life = startLife({begin: {file, leftOut, config, chain: String(index), address, greets}, complain, sum: metricsOfAll});
		lives.set(index, life);
		void life.ended.then(({code, signal}) => {
			lives.delete(index);
			if (life.counted) buried = together([buried, growing(life.counted)]);
			if (stopping) endedWell &&= code === 0;
			else void onEnded(index, life, {code, signal, livedMs: performance.now() - begun});
		});
		return life;
	};

	/** One that was told to end by an operator, or had lived for long, is there again at once. */
	const startAgain = (index: number, isCalm: boolean): number => {
		const againInMs = isCalm ? shortestRestMs : (restMs.get(index) ?? shortestRestMs);
		restMs.set(index, Math.min(againInMs * 2, longestRestMs));
		const timer = setTimeout(() => {
			rests.delete(timer);
			restarts += 1;
			begin(index, false);
		}, againInMs);
		rests.add(timer);
		return againInMs;
	};

	const onEnded = async (index: number, {ready}: Life, {code, signal, livedMs}: Ended): Promise<void> => {
		const [{reason}] = (await Promise.allSettled([ready])) as [{reason?: unknown}];
		// The first start of each has no second try: whoever waits for it is told why.
		if (reason !== undefined && !started) return;
		const againInMs = startAgain(index, code === 0 || livedMs > calmMs);
		if (reason === undefined) log[code === 0 ? 'info' : 'error']({worker: index, code, signal, againInMs}, 'a worker ended');
		else log.error({worker: index, err: reason, againInMs}, 'a worker could not start');
	};

	const kill = (): void => {
		stopping = true;
		for (const rest of rests) clearTimeout(rest);
		for (const life of lives.values()) life.kill();
	};

	const stop = async (): Promise<boolean> => {
		stopping = true;
		for (const rest of rests) clearTimeout(rest);
		const late = setTimeout(kill, config.limits.drainMs + closingMs);
		const all = [...lives.values()];
		for (const life of all) life.stop();
		await Promise.all(all.map(life => life.ended));
		clearTimeout(late);
		return endedWell;
	};

	try {
		const url = await begin(0, true).ready;
		await Promise.all(Array.from({length: config.workers - 1}, (_, rest) => begin(rest + 1, false).ready));
		started = true;
		return {url, stop, kill};
	} catch (error) {
		await stop();
		throw error;
	}
};
