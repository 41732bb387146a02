import {oneAndTwo, type Place} from './contenders.ts';
import {measure, type Rig, type Sample} from './measure.ts';
import {type Cell, cellName, quickCells} from './messages.ts';
import type {Options} from './options.ts';
import {family, memory, type Running, rssMb} from './processes.ts';

const timing = {warmMs: 500, windowMs: 4000};
const warmUp = {warmMs: 1500, windowMs: 2500};
/** What the project wants two processes to be worth. */
const goal = 1.7;

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const medianOf = (samples: Sample[], name: string, of: (sample: Sample) => number) =>
	median(samples.filter(({contender}) => contender === name).map(of));

function table(lines: string[][]) {
	const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(each => each[column]?.length ?? 0)));
	const pad = (text: string, column: number) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0));
	return lines.map(each => `  ${each.map(pad).join('  ')}`).join('\n');
}

const cores = 2;

/** What a cell says: as measured, with the load on the same two cores, by which it is judged; and, worked out, where the load is elsewhere. */
function verdict(samples: Sample[], [one, two]: [string, string]) {
	const firsts = samples.filter(({contender}) => contender === one);
	const seconds = samples.filter(({contender}) => contender === two);
	// The two of a round were measured one right after the other: whatever else the machine did met both.
	const ofPairs = (figure: (first: Sample, second: Sample) => number) =>
		median(firsts.flatMap((first, round) => (seconds[round] ? [figure(first, seconds[round])] : [])));
	const raw = ofPairs((first, second) => second.perSecond / first.perSecond);
	const perCpu = ofPairs((first, second) => first.cpuPerRequestUs / second.cpuPerRequestUs);
	// A process that has the machine to itself takes one core at least; where it was given less here, it would have done more.
	const alone = ofPairs((first, second) => ((cores / Math.max(1, first.busy)) * first.cpuPerRequestUs) / second.cpuPerRequestUs);
	const given = medianOf(samples, one, ({busy}) => busy);
	const load = medianOf(samples, two, ({harnessBusy}) => harnessBusy);
	const met = raw >= goal ? 'pass' : 'MISS';
	return [
		`  as measured: ${raw.toFixed(2)} × the requests per second, though ${load.toFixed(2)} of the ${cores} cores went to load generator and upstream`,
		`  a request costs the two ${(1 / perCpu).toFixed(2)} × the CPU; worked out from that, not measured: ${alone.toFixed(2)} × with both cores to themselves`,
		...(given < 0.9 ? [`  one process was given ${given.toFixed(2)} of a core: others use this machine, run again when they do not`] : []),
		`  ${met}  two processes, as measured: ${raw.toFixed(2)} × one (>= ${goal} ×)`,
	].join('\n');
}

/** Two workers against one process, in pairs of measurements; nobody is pinned, so one process has a core and its threads the other. */
export async function compareWorkers(
	rig: Rig,
	place: Place,
	{options, running, port}: {options: Options; running: Running[]; port: number},
) {
	const started = [];
	for (const [index, contender] of oneAndTwo.entries()) {
		const one = await contender.start({...place, core: undefined}, port + index);
		running.push(one.running);
		started.push(one);
	}
	const cells: Cell[] = options.cells.length > quickCells.length ? quickCells : options.cells;
	const names = oneAndTwo.map(({name}) => name) as [string, string];
	for (const cell of cells) for (const one of started) await measure(rig, one, cell, warmUp);
	for (const cell of cells) {
		const samples: Sample[] = [];
		for (let round = 0; round < options.rounds; round++) for (const one of started) samples.push(await measure(rig, one, cell, timing));
		const lines = names.map(name => {
			const of = (figure: (sample: Sample) => number, digits = 0) => medianOf(samples, name, figure).toFixed(digits);
			return [
				name,
				of(({perSecond}) => perSecond),
				of(({p50Us}) => p50Us / 1000, 1),
				of(({p99Us}) => p99Us / 1000, 1),
				of(({cpuPerRequestUs}) => cpuPerRequestUs),
				of(({busy}) => busy, 2),
				of(({harnessBusy}) => harnessBusy, 2),
				of(({rssMb}) => rssMb),
				of(({errors}) => errors),
			];
		});
		const titles = ['', 'req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', 'cores', 'load cores', 'RSS MB', 'errors'];
		console.log(`\n${cell.connections} connections, ${cell.requestKb} KB request with personal data, all plugins   [${cellName(cell)}]`);
		console.log(`${table([titles, ...lines])}\n${verdict(samples, names)}`);
	}
	console.log('\nMemory at the end');
	for (const {name, running: process} of started) {
		const each = family(process.pid).map(rssMb);
		console.log(
			`  ${name}: RSS ${memory(process.pid).rssMb} MB in ${each.length} process${each.length > 1 ? 'es' : ''} (${each.join(', ')})`,
		);
	}
}
