import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {contenders, type Place, type Started} from './contenders.ts';
import {goalLines} from './goals.ts';
import {measure, type Rig, type Sample} from './measure.ts';
import {cellName, jsonAnswer, quickCells, streamedAnswer} from './messages.ts';
import {type Options, readOptions} from './options.ts';
import {memory, type Running, run, stop} from './processes.ts';
import {rows, tables} from './report.ts';
import {findCores, makeTools} from './tools.ts';
import {compareWorkers} from './workers.ts';

const firstPort = 18_900;
const timing = {warmMs: 250, windowMs: 1100};
const quickTiming = {warmMs: 500, windowMs: 3000};
/** The slowest contender needs some 10,000 requests until V8 has optimised what it runs: before that it takes up to twice as long. */
const warmUp = {warmMs: 9000, windowMs: 1000};

const progress = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`);

async function startAll(place: Place, options: Options, running: Running[]) {
	const started: Started[] = [];
	const wanted = contenders.filter(({name}) => options.only.length === 0 || options.only.some(part => name.includes(part)));
	for (const [i, {name, start}] of wanted.entries()) {
		try {
			const one = await start(place, firstPort + 1 + i);
			running.push(one.running);
			started.push(one);
		} catch (error) {
			console.log(`${name} did not start: ${error instanceof Error ? error.message : error}`);
		}
	}
	return started;
}

/** Rounds A B C … A B C …, so that whatever else the machine does meets every contender alike. */
async function rounds(rig: Rig, started: Started[], options: Options) {
	const samples: Sample[] = [];
	const out = new Set<Started>();
	const tryOne = async (one: Started, load: () => Promise<Sample>) => {
		try {
			return [await load()];
		} catch (error) {
			out.add(one);
			const ended = one.running.alive() ? '' : ' and its process has ended';
			console.log(`\n${one.name} is out: ${error instanceof Error ? error.message : error}${ended}`);
			return [];
		}
	};
	const span = options.cells.length <= quickCells.length ? quickTiming : timing;
	const kinds = Map.groupBy(options.cells, ({requestKb, streaming}) => `${requestKb} ${streaming}`);
	for (const one of started) {
		for (const [cell] of kinds.values()) {
			progress(`warming ${one.name}: ${cellName(cell!)}`);
			await tryOne(one, () => measure(rig, one, {...cell!, connections: 64}, warmUp));
		}
	}
	const begun = Date.now();
	let roundMs = 0;
	for (let round = 1; round <= options.rounds && Date.now() - begun + roundMs < options.budgetMs; round++) {
		const roundBegun = Date.now();
		for (const cell of options.cells) {
			progress(`round ${round} of ${options.rounds}: ${cellName(cell)}`);
			for (const one of started) if (!out.has(one)) samples.push(...(await tryOne(one, () => measure(rig, one, cell, span))));
		}
		roundMs = Date.now() - roundBegun;
	}
	progress('');
	return samples;
}

function print(samples: Sample[], started: Started[], options: Options) {
	const names = started.map(one => one.name);
	const medians = rows(samples, names, options.cells);
	console.log(`\n${tables(medians, options.cells)}\n\nMemory at the end`);
	const atEnd = new Map<string, number>();
	for (const {name, running} of started) {
		const {rssMb, peakMb, processes} = memory(running.pid);
		atEnd.set(name, rssMb);
		const count = samples.filter(sample => sample.contender === name).reduce((sum, sample) => sum + sample.requests, 0);
		console.log(
			`  ${name}: RSS ${rssMb} MB, highest ${peakMb} MB, ${processes} process${processes > 1 ? 'es' : ''}, after ${count} counted requests`,
		);
	}
	console.log(`\nGoals (a miss fails nothing)\n${goalLines(medians, atEnd).join('\n')}`);
	if (options.json) writeFileSync(options.json, `${JSON.stringify({date: new Date(), medians, samples}, undefined, '\t')}\n`);
}

async function bench(options: Options) {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
	const running: Running[] = [];
	const clean = async () => {
		await Promise.all(running.map(stop));
		rmSync(folder, {recursive: true, force: true});
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void clean().then(() => process.exit(1)));
	try {
		// Two workers need both cores: then nobody is kept off one.
		const cores = options.workers ? undefined : findCores();
		if (cores) execFileSync('taskset', ['-cp', `${cores.harness}`, `${process.pid}`], {stdio: 'ignore'});
		const tools = makeTools(folder, options.node);
		const answers = [join(folder, 'answer.http'), join(folder, 'stream.http')];
		writeFileSync(answers[0] ?? '', jsonAnswer());
		writeFileSync(answers[1] ?? '', streamedAnswer().join('\0'));
		const upstream = run([...tools.responder, `${firstPort}`, ...answers], cores?.harness);
		running.push(upstream);
		while (!upstream.said().includes('ready')) {
			if (!upstream.alive()) throw new Error(`the responder did not start: ${upstream.said()}`);
			await sleep(20);
		}
		const pinning = cores ? `contenders on core ${cores.tested}, load and upstream on core ${cores.harness}` : 'not pinned';
		console.log(`Node ${process.version}, ${cpus().length} cores, ${pinning}; load and upstream in ${tools.language}`);
		console.log(`load average at the start ${loadavg()[0]?.toFixed(2)}; ratios are worth more than absolute values`);
		const place = {tools, core: cores?.tested, upstreamPort: firstPort, answers, folder};
		if (options.workers) {
			await compareWorkers({tools, core: undefined, upstream, folder, personal: true}, place, {options, running, port: firstPort + 1});
			return;
		}
		const started = await startAll(place, options, running);
		const samples = await rounds({tools, core: cores?.harness, upstream, folder, personal: options.personal}, started, options);
		print(samples, started, options);
	} finally {
		await clean();
	}
}

const options = readOptions(process.argv.slice(2));
if (options) await bench(options);
