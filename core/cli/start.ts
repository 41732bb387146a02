import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {Command} from 'commander';
import {pino} from 'pino';
import type {PluginHouse} from '../plugins/house.ts';
import {loadConfig, printProblem} from '../config.ts';
import {type Running, serve} from '../main.ts';

/** The boot tree: what runs, what it may see, and how long it took to move in. */
const tree = (house: PluginHouse): string => {
	const list = house.introduce();
	return list
		.map(({name, version, runtime, tier, mode, hooks, capabilities, ms}, index) => {
			const branch = index === list.length - 1 ? '└─' : '├─';
			const stem = index === list.length - 1 ? '  ' : '│ ';
			const reads = Object.entries(hooks).map(([hook, paths]) => `${stem}   ${hook}  reads ${paths.join(', ') || 'nothing'}`);
			const lent = capabilities.length > 0 ? [`${stem}   may use ${capabilities.join(', ')}`] : [];
			return [`${branch} ${name} ${version}  ${runtime}, ${tier}${mode === 'observe' ? ', observes only' : ''}  ${ms.toFixed(0)} ms`, ...reads, ...lent].join('\n');
		})
		.join('\n');
};

/** Runs the plugins' first-start actions, once, on an empty store; answers the first key they made. */
const firstStart = async (house: PluginHouse): Promise<string | undefined> => {
	let key: string | undefined;
	for (const {member} of house.residents) {
		const {firstStart: action} = member.plugin.manifest;
		if (!action) continue;
		const answer = (await house.act(member.plugin.name, action, {}, 'first start')) as {key?: unknown};
		if (typeof answer?.key === 'string') key ??= answer.key;
	}
	return key;
};

const demoFile = fileURLToPath(new URL('../../examples/local-upstream/main.ts', import.meta.url));

/** The built-in model: a server of its own that ends with this process. */
const startDemo = async (port: string): Promise<ChildProcess> => {
	const child = spawn(process.execPath, [demoFile, '--port', port, '--with-parent'], {stdio: ['pipe', 'pipe', 'inherit']});
	await new Promise<void>((ready, fail) => {
		child.once('exit', code => fail(new Error(`The local upstream could not start (${code}); is port ${port} taken?`)));
		createInterface({input: child.stdout!}).once('line', () => ready());
	});
	return child;
};

const welcome = ({url, gateway, adminKey}: Running, key: string | undefined): string => {
	const lines = [`Sallyport is at ${url}`, tree(gateway.house)];
	if (adminKey) lines.push('', 'These are shown once and stored only as hashes:', `  admin key    ${adminKey}`);
	if (key) lines.push(`  virtual key  ${key}`);
	const [model] = gateway.catalogue.models;
	if (key && model) {
		const body = JSON.stringify({model, messages: [{role: 'user', content: 'Hello! My address is ada@example.com.'}]});
		lines.push('', 'Try it:', `  curl -s ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' -H 'content-type: application/json' -d '${body}'`);
	}
	return lines.join('\n');
};

/** `sallyport start`: reads the config, boots, listens, and closes on a signal. */
export const start = (program: Command): void => {
	program
		.command('start')
		.description('serve')
		.option('--demo <port>', 'start the built-in local model on this port')
		.option('--log-level <level>', 'how much to log: debug, info, warn, error, silent', 'warn')
		.action(async ({demo, logLevel}: {demo?: string; logLevel: string}) => {
			const log = pino({level: logLevel}, pino.destination(2));
			const file = resolve(program.opts<{config: string}>().config);
			if (!existsSync(file)) throw new Error(`There is no ${file}. Name another with --config.`);
			const loaded = await loadConfig(file);
			for (const warning of loaded.warnings) console.error(`warning: ${printProblem(warning)}`);
			const upstream = demo ? await startDemo(demo) : undefined;
			const running = await serve(loaded, log);
			const key = running.firstStart ? await firstStart(running.gateway.house) : undefined;
			console.log(welcome(running, key));
			for (const {kind, name, variable} of loaded.leftOut) console.log(`${kind} ${name} is left out: ${variable} is not set`);

			const stop = async (signal: string): Promise<void> => {
				console.log(`${signal}: finishing ${running.gateway.running.size} exchanges`);
				await running.stop();
				upstream?.kill('SIGTERM');
				process.exit(0);
			};
			process.once('SIGTERM', stop);
			process.once('SIGINT', stop);
		});
};
