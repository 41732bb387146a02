/**
 * What a tool call costs: `node bench/mcp.ts [--calls n] [--rounds n] [--at-once n] [--profile folder]`. A raw client calls a raw MCP server
 * directly, through a proxy that copies bytes, and through a gateway with every plugin that has a say; one after the other, in each round. Of
 * each it says the CPU time per `tools/call` of the process in the middle, and how long a call took.
 */
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {Pool} from 'undici';
import {cpuUs, family, type Running, reason, run, stop} from './processes.ts';
import type {Command} from './tools.ts';

const {values} = parseArgs({
	options: {
		/** So many that V8 has optimised what runs in most rounds. */
		calls: {type: 'string', default: '9000'},
		rounds: {type: 'string', default: '3'},
		'at-once': {type: 'string', default: '8'},
		profile: {type: 'string'},
	},
});
const [calls, rounds, atOnce] = [Number(values.calls), Number(values.rounds), Number(values['at-once'])];
const here = import.meta.dirname;
const [serverPort, proxyPort, gatewayPort] = [18_910, 18_911, 18_912];
const startMs = 20_000;

type Way = {name: string; running: Running; origin: string; path: string; headers: Record<string, string>};

const said = async (running: Running, words: RegExp): Promise<string> => {
	const until = Date.now() + startMs;
	while (Date.now() < until && running.alive()) {
		const found = words.exec(running.said())?.[0];
		if (found) return found;
		await sleep(50);
	}
	throw new Error(`it did not start: ${reason(running.said())}`);
};

const program = (file: string, ...args: string[]): Command => [process.execPath, join(here, 'contenders', file), ...args];
const origin = (port: number): string => `http://127.0.0.1:${port}`;

const startGateway = (data: string): Running => {
	const config = join(here, 'contenders/mcp.config.ts');
	return run([process.execPath, 'core/cli/sallyport.js', 'start', '--config', config], undefined, {
		cwd: join(here, '..'),
		env: {
			NODE_ENV: 'production',
			SALLYPORT_BENCH_LISTEN: `127.0.0.1:${gatewayPort}`,
			SALLYPORT_BENCH_DATA: data,
			SALLYPORT_BENCH_UPSTREAM: `${origin(serverPort)}/mcp`,
			...(values.profile && {NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile}`}),
		},
	});
};

const version = '2025-11-25';

/** A session of this way, and how to call the tool in it. */
const callerOf = async ({origin, path, headers}: Way) => {
	const pool = new Pool(origin, {connections: atOnce});
	const own = {
		...headers,
		'content-type': 'application/json',
		accept: 'application/json, text/event-stream',
		'mcp-protocol-version': version,
	};
	let id = 0;
	const ask = async (method: string, params: object, session: Record<string, string>) => {
		const body = JSON.stringify({jsonrpc: '2.0', id: ++id, method, params});
		const reply = await pool.request({path, method: 'POST', headers: {...own, ...session}, body});
		const text = await reply.body.text();
		if (!text.includes('"result"')) throw new Error(`it answered ${reply.statusCode}: ${text.slice(0, 300)}`);
		return reply.headers['mcp-session-id'];
	};
	const session = {
		'mcp-session-id': String(
			await ask('initialize', {protocolVersion: version, capabilities: {}, clientInfo: {name: 'bench', version}}, {}),
		),
	};
	const words = 'Please look at this, and say whether it is right: '.repeat(4);
	const call = () => ask('tools/call', {name: 'echo', arguments: {path: '/srv/a/b.txt', words}}, session);
	return {call, close: () => pool.close()};
};

type Sample = {cpuPerCallUs: number; p50Us: number; perSecond: number};

const median = (figures: number[]): number => figures.sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;

const measure = async (way: Way): Promise<Sample> => {
	const {call, close} = await callerOf(way);
	const times: number[] = [];
	const repeat = async (count: number, note: boolean): Promise<void> => {
		let left = count;
		const one = async () => {
			while (left-- > 0) {
				const begun = performance.now();
				await call();
				if (note) times.push((performance.now() - begun) * 1_000);
			}
		};
		await Promise.all(Array.from({length: atOnce}, one));
	};
	await repeat(Math.ceil(calls / 4), false);
	const pids = family(way.running.pid);
	const before = cpuUs(pids);
	const begun = performance.now();
	await repeat(calls, true);
	const seconds = (performance.now() - begun) / 1_000;
	const cpu = cpuUs(pids) - before;
	await close();
	return {cpuPerCallUs: cpu / calls, p50Us: median(times), perSecond: calls / seconds};
};

const data = mkdtempSync(join(tmpdir(), 'sallyport-bench-mcp-'));
const started: Running[] = [];
try {
	mkdirSync(data, {recursive: true});
	const server = run(program('mcp-server.ts', `${serverPort}`), undefined);
	const proxy = run(program('undici-proxy.ts', `${proxyPort}`, origin(serverPort)), undefined);
	const gateway = startGateway(data);
	started.push(server, proxy, gateway);
	await Promise.all([said(server, /ready/), said(proxy, /ready/)]);
	const key = await said(gateway, /\bvk_[\w-]{8,}/);
	await said(gateway, /Ready\.|listens|curl/i);
	const ways: Way[] = [
		{name: 'direct', running: server, origin: origin(serverPort), path: '/mcp', headers: {}},
		{name: 'raw proxy', running: proxy, origin: origin(proxyPort), path: '/mcp', headers: {}},
		{name: 'sallyport', running: gateway, origin: origin(gatewayPort), path: '/mcp/raw', headers: {authorization: `Bearer ${key}`}},
	];
	const samples = new Map<string, Sample[]>(ways.map(({name}) => [name, []]));
	for (let round = 0; round < rounds; round++) for (const way of ways) samples.get(way.name)!.push(await measure(way));
	console.log(`${calls} calls, ${atOnce} at once, medians of ${rounds} rounds`);
	const base = median(samples.get('raw proxy')!.map(({cpuPerCallUs}) => cpuPerCallUs));
	for (const [name, all] of samples) {
		const of = (field: keyof Sample) => median(all.map(sample => sample[field]));
		const cpu = of('cpuPerCallUs');
		console.log(
			`${name.padEnd(10)} ${cpu.toFixed(0).padStart(5)} µs of CPU per call (${(cpu / base).toFixed(1)} × the raw proxy), p50 ${of('p50Us').toFixed(0)} µs, ${of('perSecond').toFixed(0)} per second`,
		);
	}
} finally {
	await Promise.all(started.map(stop));
	rmSync(data, {recursive: true, force: true});
}
