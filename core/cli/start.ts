import {type Command, InvalidArgumentError, Option} from 'commander';
import {pino} from 'pino';
import {act} from '../admin/acting.ts';
import {firstStart as itself} from '../admin/roles.ts';
import {type LoadedConfig, loadConfig, printProblem} from '../config.ts';
import type {Gateway} from '../gateway.ts';
import type {Running} from '../main.ts';
import {type Demo, startDemo} from './demo.ts';
import {configFile} from './places.ts';
import {shownOnce, tree} from './welcome.ts';

/** Runs the plugins' first-start actions, on the record; answers the first key they made. */
const firstStart = async (gateway: Gateway): Promise<string | undefined> => {
	let key: string | undefined;
	for (const {member} of gateway.house.residents) {
		const {firstStart: action} = member.plugin.manifest;
		if (!action) continue;
		const answer = (await act(gateway, itself, {plugin: member.plugin.name, action, input: {}})) as {key?: unknown} | null;
		if (typeof answer?.key === 'string') key ??= answer.key;
	}
	return key;
};

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

/** The keys are printed before anything else can fail: nobody can show them again. */
const welcome = async ({url, gateway, adminKey, firstStart: isFirst}: Running, {config, leftOut}: LoadedConfig): Promise<void> => {
	console.log([`Sallyport is at ${url}`, tree(gateway.house)].join('\n'));
	for (const {kind, name, variable} of leftOut) console.log(`${kind} ${name} is left out: ${variable} is not set`);
	const {key, failed} = isFirst
		? await firstStart(gateway).then(
				key => ({key, failed: undefined}),
				(failed: unknown) => ({key: undefined, failed}),
			)
		: {};
	for (const line of shownOnce(url, config, {adminKey, key})) console.log(line);
	console.log('\nReady. Ctrl-C finishes what runs, and stops.');
	if (failed)
		console.error(
			`The first virtual key could not be made: ${failed instanceof Error ? failed.message : String(failed)} Make one with sallyport keys create.`,
		);
};

// Ctrl-C reaches a process more than once: from the terminal, from npm, from the launcher.
const sameSignalMs = 1_000;

/** Closes on the first signal; a later one ends at once, and what was running is in the journal as crashed. */
const closeOnSignals = ({gateway, stop}: Running, demo: Demo | undefined): void => {
	let since: number | undefined;
	const close = async (signal: NodeJS.Signals): Promise<void> => {
		if (since !== undefined) {
			if (performance.now() - since > sameSignalMs) process.exit(130);
			return;
		}
		since = performance.now();
		console.log(`${signal}: finishing ${gateway.running.size} exchanges`);
		try {
			await stop();
			demo?.close();
			process.exit(0);
		} catch (error) {
			console.error(error);
			process.exit(1);
		}
	};
	process.on('SIGTERM', close).on('SIGINT', close);
};

/** `sallyport start`: reads the config, boots, listens, and closes on a signal. */
export const start = (program: Command): void => {
	program
		.command('start')
		.description('serve')
		.option('--demo <port>', 'start the built-in model on this port, beside the gateway', port)
		.addOption(
			new Option('--log-level <level>', 'how much to log, on stderr').choices(['debug', 'info', 'warn', 'error', 'silent']).default('warn'),
		)
		.action(async ({demo: demoPort, logLevel}: {demo?: string; logLevel: string}) => {
			const loaded = await loadConfig(configFile(program));
			for (const warning of loaded.warnings) console.error(`warning: ${printProblem(warning)}`);
			const {serve} = await import('../main.ts');
			const demo = demoPort === undefined ? undefined : await startDemo(demoPort);
			try {
				const running = await serve(loaded, pino({level: logLevel}, pino.destination(2)));
				closeOnSignals(running, demo);
				await welcome(running, loaded);
			} catch (error) {
				demo?.close();
				throw cannotListen(loaded, error);
			}
		});
};
