import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {requestTo, type Started} from './contenders.ts';
import {type Cell, cellName, streamedChunks} from './messages.ts';
import {cpuUs, family, memory, type Running} from './processes.ts';
import {pinned, type Tools} from './tools.ts';

/** What the load generator prints. */
interface Loaded {
	requests: number;
	errors: number;
	firstError: string;
	ms: number;
	p50Us: number;
	p99Us: number;
	firstByteP50Us: number;
	bodyBytes: number;
	cpuUs: number;
}

export interface Sample extends Loaded {
	contender: string;
	cell: string;
	perSecond: number;
	/** CPU of the contender and all it started, per request. */
	cpuPerRequestUs: number;
	/** Share of its core that the contender had: well below 1 under load means that it waited for something else. */
	busy: number;
	/** Share of the other core that load generator and upstream took: near 1 means that they were the limit. */
	harnessBusy: number;
	rssMb: number;
	peakMb: number;
}

export interface Rig {
	tools: Tools;
	core: number | undefined;
	upstream: Running;
	folder: string;
	personal: boolean;
}

const longestMs = 60_000;

/** Loads one contender with one cell: warm, then counted. The two CPU readings stand exactly around the counted requests. */
export async function measure(
	rig: Rig,
	started: Started,
	cell: Cell,
	{warmMs, windowMs}: {warmMs: number; windowMs: number},
): Promise<Sample> {
	const file = join(rig.folder, `${started.port}-${cellName(cell)}.http`);
	writeFileSync(file, requestTo(started, cell.requestKb, cell.streaming, rig.personal));
	const marks = cell.streaming ? streamedChunks : 1;
	const numbers = [started.port, cell.connections, warmMs, windowMs].map(String);
	const [program, ...args] = pinned([...rig.tools.load, ...numbers, file, `${marks}`], rig.core);
	const child = spawn(program, args, {stdio: ['pipe', 'pipe', 'inherit']});
	const timer = setTimeout(() => child.kill('SIGKILL'), longestMs);
	let pids = [started.running.pid];
	let before = 0;
	let upstreamBefore = 0;
	let loaded: Loaded | undefined;
	for await (const line of createInterface({input: child.stdout})) {
		if (line !== 'warm') {
			loaded = JSON.parse(line) as Loaded; // printed by our own load generator
			break;
		}
		pids = family(started.running.pid);
		before = cpuUs(pids);
		upstreamBefore = cpuUs([rig.upstream.pid]);
		child.stdin.write('\n');
	}
	const cpu = cpuUs(pids) - before;
	const upstreamCpu = cpuUs([rig.upstream.pid]) - upstreamBefore;
	clearTimeout(timer);
	if (!loaded) throw new Error('the load generator stopped without a result');
	const {rssMb, peakMb} = memory(started.running.pid);
	return {
		...loaded,
		contender: started.name,
		cell: cellName(cell),
		perSecond: (loaded.requests * 1000) / loaded.ms,
		cpuPerRequestUs: loaded.requests ? cpu / loaded.requests : Number.NaN,
		busy: cpu / 1000 / loaded.ms,
		harnessBusy: (loaded.cpuUs + upstreamCpu) / 1000 / loaded.ms,
		rssMb,
		peakMb,
	};
}
