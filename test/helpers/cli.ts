import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';

/** The file that `npx sallyport` runs. */
export const launcher = fileURLToPath(new URL('../../core/cli/sallyport.js', import.meta.url));

type Options = {cwd?: string; env?: Record<string, string>; node?: string; input?: string};

const environment = (added: Record<string, string> = {}): NodeJS.ProcessEnv => {
	const {PATH, HOME, TMPDIR} = process.env;
	return {PATH, HOME, TMPDIR, PROVIDER_KEY: 'provider-key-of-a-test', ...added};
};

export type Ran = {code: number | null; stdout: string; stderr: string};

/** Runs `sallyport …` to its end. */
export const sallyport = async (args: readonly string[], {cwd, env, node = process.execPath, input}: Options = {}): Promise<Ran> => {
	const child = spawn(node, [launcher, ...args], {cwd, env: environment(env), stdio: 'pipe'});
	child.stdin.end(input);
	const ended = once(child, 'close');
	const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
	const [code] = await ended;
	return {code, stdout, stderr};
};

/** A fresh folder with this `gateway.config.ts` in it; gone after the test. */
export const folderWith = async (t: ExecutionContext, config: string): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-cli-'));
	t.teardown(() => rm(folder, {recursive: true, force: true}));
	await writeFile(join(folder, 'gateway.config.ts'), config);
	return folder;
};

/** A config of one provider at `upstream`, with every shipped inline plugin. */
export const configFor = (upstream: string): string => `import {defineConfig, env, optionalEnv} from 'sallyport/plugin-sdk';

export default defineConfig({
	listen: '127.0.0.1:0',
	providers: {local: {speaks: 'openai', baseUrl: '${upstream}/v1', key: env('PROVIDER_KEY')}},
	models: {demo: ['local/echo'], long: ['local/words-40-every-25'], endless: ['local/fault-endless']},
	prices: {'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
	plugins: [
		{use: 'virtual-keys'},
		{use: 'grants', config: {allow: {'tenant:default': ['*']}}},
		{use: 'masking', config: {mask: ['email']}},
		{use: 'budgets', config: {window: 'month', limitUsd: {'*': 20}}},
	],
});
`;

export type Started = {
	child: ChildProcess;
	url: string;
	/** What it printed until its welcome was whole. */
	printed: string;
	adminKey: string;
	key: string;
	/** Sends a signal and answers the exit code, and everything it printed. */
	end(signal: NodeJS.Signals): Promise<Ran>;
};

const urlOf = (printed: string): string => /^Sallyport is at (\S+)$/m.exec(printed)?.[1] ?? '';

/** Runs `sallyport start` until it takes requests; killed with the test. */
export const startCommand = async (
	t: ExecutionContext,
	folder: string,
	{node = process.execPath, env, args = []}: Options & {args?: readonly string[]} = {},
): Promise<Started> => {
	const child = spawn(node, [launcher, 'start', ...args], {cwd: folder, env: environment(env), stdio: ['ignore', 'pipe', 'pipe']});
	t.teardown(() => void child.kill('SIGKILL'));
	const ran = {stdout: '', stderr: ''};
	child.stderr.setEncoding('utf8').on('data', (part: string) => {
		ran.stderr += part;
	});
	await new Promise<void>((ready, fail) => {
		child.stdout.setEncoding('utf8').on('data', (part: string) => {
			ran.stdout += part;
			if (/^Ready\./m.test(ran.stdout)) ready();
		});
		child.once('exit', code => fail(new Error(`start ended with ${code}: ${ran.stdout}${ran.stderr}`)));
	});
	return {
		child,
		url: urlOf(ran.stdout),
		printed: ran.stdout,
		adminKey: /adm_[\w-]{43}/.exec(ran.stdout)?.[0] ?? '',
		key: /vk_[\w-]{43}/.exec(ran.stdout)?.[0] ?? '',
		async end(signal) {
			const closed = once(child, 'close');
			child.kill(signal);
			const [code] = await closed;
			return {code, ...ran};
		},
	};
};
