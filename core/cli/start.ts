import {fileURLToPath} from 'node:url';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {type Logger, pino} from 'pino';
import {type LoadedConfig, loadConfig, printProblem} from '../config.ts';
import {type Demo, demoFiles, startDemo} from './demo.ts';
import {configFile} from './places.ts';
import {messageOf, welcome} from './welcome.ts';

const port = (written: string): string => {
	if (/^\d{1,5}$/.test(written) && Number(written) <= 65_535) return written;
	throw new InvalidArgumentError('It is a port.');
};

const cannotListen = ({config: {listen}}: LoadedConfig, error: unknown): unknown => {
	const {code} = error as NodeJS.ErrnoException;
	if (code === 'EADDRINUSE') return new Error(`${listen} is taken. Is another gateway running? Stop it, or write another port at listen.`);
	if (code === 'EACCES') return new Error(`${listen} may not be listened on. Write a port above 1023 at listen.`);
	if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new Error(`${listen} is no address of this machine. Mend listen.`);
	return error;
};

// Ctrl-C reaches a process more than once: from the terminal, from npm, from the launcher.
const sameSignalMs = 1_000;

type Ending = {
	/** What is being finished. */
	saying(): string;
	/** Resolves with whether everything ended as it should. */
	stop(): Promise<boolean>;
	kill(): void;
};

/** Closes on the first signal; a later one ends at once, and what was running is in the journal as crashed. */
const closeOnSignals = ({saying, stop, kill}: Ending): void => {
	let since: number | undefined;
	const close = async (signal: NodeJS.Signals): Promise<void> => {
		if (since !== undefined) {
			if (performance.now() - since <= sameSignalMs) return;
			kill();
			process.exit(130);
		}
		since = performance.now();
		console.log(`${signal}: finishing ${saying()}`);
		try {
			process.exit((await stop()) ? 0 : 1);
		} catch (error) {
			console.error(error);
			process.exit(1);
		}
	};
	for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, close);
};

const ready = (): void => console.log('\nReady. Ctrl-C finishes what runs, and stops.');

/** One process that does everything. */
const serveAlone = async (loaded: LoadedConfig, log: Logger, demo: Demo | undefined): Promise<void> => {
	const {serve} = await import('../main.ts');
	const running = await serve(loaded, log);
	const {gateway} = running;
	closeOnSignals({
		saying: () => `${gateway.running.size} exchanges`,
		async stop() {
			await running.stop();
			demo?.close();
			return true;
		},
		kill: () => undefined,
	});
	await welcome(running, loaded);
	ready();
};

const launcher = fileURLToPath(new URL('./sallyport.js', import.meta.url));

/** Several that serve, and this one, which looks after them. */
const serveTogether = async (loaded: LoadedConfig, log: Logger, {demo, level}: {demo: Demo | undefined; level: string}): Promise<void> => {
	const {supervise} = await import('../workers/supervisor.ts');
	const supervisor = await supervise(loaded, {exec: launcher, args: ['worker', '--log-level', level], log});
	closeOnSignals({
		saying: () => `what runs in ${loaded.config.workers} workers`,
		async stop() {
			const endedWell = await supervisor.stop();
			demo?.close();
			return endedWell;
		},
		kill: supervisor.kill,
	});
	ready();
};

const logLevel = (): Option =>
	new Option('--log-level <level>', 'how much to log, on stderr').choices(['debug', 'info', 'warn', 'error', 'silent']).default('warn');

const logAt = (level: string): Logger => pino({level}, pino.destination(2));

/** `sallyport start`: reads the config, boots, listens, and closes on a signal. */
export const start = (program: Command): void => {
	program
		.command('start')
		.description('serve')
		.option('--demo <port>', 'start the built-in model on this port, beside the gateway', port)
		.addOption(logLevel())
		.action(async ({demo: demoPort, logLevel: level}: {demo?: string; logLevel: string}) => {
			const loaded = await loadConfig(configFile(program));
			for (const warning of loaded.warnings) console.error(`warning: ${printProblem(warning)}`);
			const log = logAt(level);
			if (demoPort !== undefined) await demoFiles(loaded.file);
			const demo = demoPort === undefined ? undefined : await startDemo(demoPort);
			try {
				if (loaded.config.workers > 1) await serveTogether(loaded, log, {demo, level});
				else await serveAlone(loaded, log, demo);
			} catch (error) {
				demo?.close();
				throw cannotListen(loaded, error);
			}
		});

	program
		.command('worker', {hidden: true})
		.description('one of the processes that `start` looks after')
		.addOption(logLevel())
		.action(async ({logLevel: level}: {logLevel: string}) => {
			const {openWorker} = await import('../workers/worker.ts');
			openWorker({log: logAt(level), greet: welcome, wordsOf: (loaded, error) => messageOf(cannotListen(loaded, error))});
		});
};
