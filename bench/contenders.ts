import {mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {chatBody, rawRequest} from './messages.ts';
import {type Running, reason, run, stop} from './processes.ts';
import type {Command, Tools} from './tools.ts';

/** What a contender gets to start with. */
export interface Place {
	tools: Tools;
	core: number | undefined;
	upstreamPort: number;
	/** The fixed answers, as the responder's arguments. */
	answers: string[];
	folder: string;
}

export interface Started {
	name: string;
	running: Running;
	port: number;
	headers: Record<string, string>;
}

export interface Contender {
	name: string;
	start: (place: Place, port: number) => Promise<Started>;
}

const here = import.meta.dirname;
const root = join(here, '..');
const startMs = 20_000;
const bearer = {authorization: 'Bearer sk-bench'};

/** Asks until an answer with status 200 comes. */
async function ready(started: Started): Promise<Started> {
	const {running, port, headers} = started;
	const until = Date.now() + startMs;
	let last = '';
	while (Date.now() < until && running.alive()) {
		try {
			const body = chatBody(2, false, false);
			const reply = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
				method: 'POST',
				headers: {...headers, 'content-type': 'application/json'},
				body,
			});
			const text = await reply.text();
			if (reply.status === 200) return started;
			last = `it answered ${reply.status}: ${text.slice(0, 300)}`;
			if (reply.status < 500) break;
		} catch {
			last = 'nothing listens yet';
		}
		await sleep(100);
	}
	const ended = running.alive() ? last : `it ended: ${reason(running.said())}`;
	await stop(running);
	throw new Error(ended || 'it gave no answer');
}

const command =
	(name: string, line: (place: Place, port: number) => Command, headers: Record<string, string>): Contender['start'] =>
	(place, port) =>
		ready({name, running: run(line(place, port), place.core), port, headers});

const virtualKey = /\bvk_[\w-]{8,}/;

/** The gateway prints its first virtual key once, on its first start with a fresh data folder. */
async function firstKey(running: Running) {
	const until = Date.now() + startMs;
	while (Date.now() < until && running.alive()) {
		const key = virtualKey.exec(running.said())?.[0];
		if (key) return key;
		await sleep(50);
	}
	const said = reason(running.said());
	const how = running.alive() ? 'printed no line with a virtual key' : 'ended';
	await stop(running);
	throw new Error(`it ${how}: ${said}`);
}

const sallyport =
	(name: string, config: string, keyed: boolean, workers = 1): Contender['start'] =>
	async ({core, upstreamPort, folder}, port) => {
		const data = join(folder, `${config}-${workers}`);
		rmSync(data, {recursive: true, force: true});
		mkdirSync(data, {recursive: true});
		const line: Command = [process.execPath, 'core/cli/sallyport.js', 'start', '--config', `bench/contenders/${config}.config.ts`];
		const running = run(line, core, {
			cwd: root,
			env: {
				NODE_ENV: 'production',
				SALLYPORT_BENCH_LISTEN: `127.0.0.1:${port}`,
				SALLYPORT_BENCH_DATA: data,
				SALLYPORT_BENCH_UPSTREAM: `http://127.0.0.1:${upstreamPort}/v1`,
				SALLYPORT_BENCH_WORKERS: `${workers}`,
			},
		});
		const headers = keyed ? {authorization: `Bearer ${await firstKey(running)}`} : bearer;
		const started = await ready({name, running, port, headers});
		// One of several answers before the others listen.
		while (workers > 1 && running.alive() && !/^Ready\./m.test(running.said())) await sleep(50);
		return started;
	};

const portkey: Contender['start'] = (place, port) => {
	const headers = {...bearer, 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `http://127.0.0.1:${place.upstreamPort}/v1`};
	const program = join(here, 'node_modules/@portkey-ai/gateway/build/start-server.js');
	const line: Command = [process.execPath, program, `--port=${port}`, '--headless'];
	return ready({name: 'portkey', running: run(line, place.core, {env: {NODE_ENV: 'production'}}), port, headers});
};

/** In the order in which every round loads them. */
export const contenders: Contender[] = [
	{name: 'direct', start: command('direct', ({tools, answers}, port) => [...tools.responder, `${port}`, ...answers], bearer)},
	{
		name: 'undici proxy',
		start: command(
			'undici proxy',
			({upstreamPort}, port) => [process.execPath, join(here, 'contenders/undici-proxy.ts'), `${port}`, `http://127.0.0.1:${upstreamPort}`],
			bearer,
		),
	},
	{name: 'sallyport (no plugins)', start: sallyport('sallyport (no plugins)', 'none', false)},
	{name: 'sallyport (all plugins)', start: sallyport('sallyport (all plugins)', 'all', true)},
	{name: 'sallyport (guards)', start: sallyport('sallyport (guards)', 'guards', true)},
	{name: 'portkey', start: portkey},
];

/** The same gateway as one process and as two. */
export const oneAndTwo: [Contender, Contender] = [
	{name: 'one process', start: sallyport('one process', 'all', true)},
	{name: 'two workers', start: sallyport('two workers', 'all', true, 2)},
];

export const requestTo = ({port, headers}: Started, kilobytes: number, streaming: boolean, personal: boolean) =>
	rawRequest(port, headers, chatBody(kilobytes, streaming, personal));
