import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {Agent, request} from 'node:http';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {StoredRecord} from '../../core/journal/journal.ts';
import {records} from '../../core/journal/read.ts';
import {chainsOf} from '../../core/journal/segments.ts';
import {type LocalUpstream, startLocalUpstream} from '../../examples/local-upstream/server.ts';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {freshFolder, writeConfig} from './config-file.ts';
import {saidBy} from './said.ts';

const program = join(import.meta.dirname, '..', '..', 'core', 'cli', 'sallyport.js');

/** What every answer of `words-50` costs when it is asked for this many tokens: exactly what was set aside for it. */
export const maxTokens = 10;
export const costMicroUsd = 20;

/** One `sallyport start`, of one process or of several. */
export type Replica = {
	url: string;
	/** Printed on the first start of a store only. */
	adminKey: string | undefined;
	key: string | undefined;
	/** Of the process that was started. */
	pid: number;
	/** What it has written to its standard output, and to its error output. */
	printed(): string;
	complained(): string;
	/** The processes that it looks after now. */
	workers(): number[];
	/** Sends a signal; resolves with the exit code when it is gone. */
	end(signal: NodeJS.Signals): Promise<number | null>;
};

/** The living children of a process that are gateways themselves. */
export const workersOf = (pid: number): number[] =>
	execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], {encoding: 'utf8'})
		.split('\n')
		.map(line => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [])
		.filter(([, , parent, stat = '', args = '']) => Number(parent) === pid && !stat.startsWith('Z') && /sallyport\.js worker/.test(args))
		.map(([, child]) => Number(child));

export const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};

type Options = {
	/** In a process group of its own, as a terminal gives every command one. */
	inGroup?: boolean;
	/** Added to its environment. */
	env?: Record<string, string>;
};

/** Resolves when it takes requests; is gone, with everything it started, after the test. */
export const startReplica = async (t: ExecutionContext, config: string, {inGroup = false, env = {}}: Options = {}): Promise<Replica> => {
	const child = spawn(process.execPath, [program, '--config', config, 'start'], {
		env: {...process.env, ...env},
		stdio: ['ignore', 'pipe', 'pipe'],
		detached: inGroup,
	});
	const pid = child.pid!;
	const exited = once(child, 'exit');
	const {printed, complained, found, started} = saidBy(child);
	t.teardown(async () => {
		const workers = workersOf(pid);
		child.kill('SIGKILL');
		for (const worker of workers) if (isAlive(worker)) process.kill(worker, 'SIGKILL');
		await exited;
	});
	await started(() => /^Ready\./m.test(printed()));
	return {
		url: found(/^Sallyport is at (\S+)$/m)!,
		adminKey: found(/\b(adm_[\w-]{43})/),
		key: found(/\b(vk_[\w-]{43})/),
		pid,
		printed,
		complained,
		workers: () => workersOf(pid),
		async end(signal) {
			process.kill(inGroup ? -pid : pid, signal);
			await exited;
			return child.exitCode;
		},
	};
};

export type Place = {
	/** Of this replica alone. */
	folder: string;
	config: string;
	/** Every record of every chain of its journal. */
	journal(): Promise<(StoredRecord & {chain: string})[]>;
};

export type World = {
	upstream: LocalUpstream;
	/** A replica's folder with its config, which only its journal tells from that of another. */
	place(overrides?: GatewayConfigInput): Place;
};

/** An upstream, and places for any number of gateways; those on one store name it. */
export const openWorld = async (t: ExecutionContext, common: GatewayConfigInput = {}): Promise<World> => {
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	return {
		upstream,
		place: (overrides = {}) => {
			const folder = freshFolder(t);
			const journal = join(folder, 'journal');
			const input: GatewayConfigInput = {
				listen: '127.0.0.1:0',
				store: join(folder, 'gateway.db'),
				journal: {folder: journal, segmentMb: 0.1},
				providers: {local: {speaks: 'openai', baseUrl: `${upstream.url}/v1`, key: 'the-provider-key-of-this-test'}},
				models: {
					fast: ['local/words-50'],
					slow: ['local/words-50-every-10'],
					long: ['local/words-3000-every-10'],
					forty: ['local/words-40-every-25'],
					endless: ['local/fault-endless'],
				},
				prices: {'local/*': {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
				plugins: [{use: 'virtual-keys'}],
				...common,
				...overrides,
			};
			return {
				folder,
				config: writeConfig(folder, `export default defineConfig(${JSON.stringify(input)});`),
				async journal() {
					const all: (StoredRecord & {chain: string})[] = [];
					for (const chain of await chainsOf(journal)) {
						for await (const record of records(journal, {chain})) all.push({...record, chain});
					}
					return all;
				},
			};
		},
	};
};

export type Answered = {id: string; status: number; retryAfter?: string; code?: string; text: string};

type Asking = {model?: string; stream?: boolean; tokens?: number; onData?: (text: string) => void};

/** One call on a connection of its own, so that the kernel may deal it to any worker. Undefined when nobody answered, or not in full. */
export const call = ({url}: Pick<Replica, 'url'>, key: string, {model = 'fast', stream = false, tokens = maxTokens, onData}: Asking = {}) =>
	new Promise<Answered | undefined>(resolve => {
		const body = JSON.stringify({model, max_tokens: tokens, stream, messages: [{role: 'user', content: 'go on'}]});
		const headers = {authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body)};
		const asking = request(`${url}/v1/chat/completions`, {method: 'POST', headers, agent: new Agent({keepAlive: false})}, response => {
			let text = '';
			response.setEncoding('utf8').on('data', (part: string) => {
				text += part;
				onData?.(part);
			});
			response.on('error', () => resolve(undefined));
			response.on('close', () => {
				if (!response.complete) return resolve(undefined);
				resolve({
					id: String(response.headers['x-sallyport-exchange']),
					status: response.statusCode ?? 0,
					...(response.headers['retry-after'] && {retryAfter: response.headers['retry-after']}),
					...(response.statusCode !== 200 && {code: (JSON.parse(text) as {error?: {code?: string}}).error?.code}),
					text,
				});
			});
		});
		asking.on('error', () => resolve(undefined));
		asking.end(body);
	});

/** An action, over the admin API, on a connection of its own. Rejects with what the gateway says. */
export const act = async (
	{url}: Pick<Replica, 'url'>,
	adminKey: string,
	path: string,
	input: unknown = {},
): Promise<Record<string, unknown>> => {
	const response = await fetch(`${url}/admin/plugins/${path.replace('/', '/actions/')}`, {
		method: 'POST',
		headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json', connection: 'close'},
		body: JSON.stringify(input),
	});
	const answer = (await response.json()) as Record<string, unknown>;
	if (!response.ok) throw new Error(`${path}: ${String(answer.detail)}`);
	return answer;
};

export const metricsOf = async ({url}: Pick<Replica, 'url'>): Promise<string> =>
	(await fetch(`${url}/metrics`, {headers: {connection: 'close'}})).text();

/** The sum of a metric's series. */
export const metric = (text: string, name: string): number =>
	text
		.split('\n')
		.filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
		.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

/** Waits until `holds`, for `withinMs` at most. */
export const until = async (holds: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
	const end = performance.now() + withinMs;
	while (!(await holds())) {
		if (performance.now() > end) throw new Error('it never came to be');
		await new Promise(resolve => setTimeout(resolve, 20));
	}
};

/** How long `work` takes, in whole milliseconds. */
export const tookMs = async (work: () => Promise<unknown>): Promise<number> => {
	const begun = performance.now();
	await work();
	return Math.round(performance.now() - begun);
};
