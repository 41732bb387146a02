import type {Sample} from './measure.ts';
import {type Cell, cellName} from './messages.ts';

export interface Row extends Omit<Sample, 'firstError'> {
	rounds: number;
	firstError: string;
	/** Half the distance between the cheapest and the dearest round, as a share of the median CPU. */
	spread: number;
}

const numeric = [
	'requests',
	'ms',
	'p50Us',
	'p99Us',
	'firstByteP50Us',
	'bodyBytes',
	'cpuUs',
	'perSecond',
	'cpuPerRequestUs',
	'busy',
	'harnessBusy',
	'rssMb',
	'peakMb',
] as const;

function median(values: number[]) {
	const sorted = values.toSorted((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

function merge(samples: Sample[]): Row[] {
	const [first] = samples;
	if (!first) return [];
	const cpu = samples.map(sample => sample.cpuPerRequestUs);
	const medians = Object.fromEntries(numeric.map(field => [field, median(samples.map(sample => sample[field]))]));
	return [
		{
			...first,
			...medians,
			rounds: samples.length,
			errors: samples.reduce((sum, sample) => sum + sample.errors, 0),
			firstError: samples.find(sample => sample.firstError)?.firstError ?? '',
			spread: (Math.max(...cpu) - Math.min(...cpu)) / 2 / Math.max(1e-9, median(cpu)),
		},
	];
}

/** Medians over the rounds, one row for every contender in every cell. */
export function rows(samples: Sample[], names: string[], cells: Cell[]): Row[] {
	const of = (cell: string, name: string) => merge(samples.filter(sample => sample.cell === cell && sample.contender === name));
	return cells.flatMap(cell => names.flatMap(name => of(cellName(cell), name)));
}

const fixed = (value: number, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const ms = (us: number) => fixed(us / 1000, us < 10_000 ? 2 : 0);
const ratio = (value: number, base: number | undefined) => (base ? fixed(value / base, value / base < 10 ? 2 : 1) : '-');
const percent = (share: number) => (Number.isFinite(share) ? `${fixed(share * 100)}%` : '-');

function line(row: Row, all: Row[], streaming: boolean) {
	const named = (name: string) => all.find(each => each.contender === name);
	return [
		row.contender,
		fixed(row.perSecond),
		ms(row.p50Us),
		ms(row.p99Us),
		...(streaming ? [ms(row.firstByteP50Us)] : []),
		fixed(row.cpuPerRequestUs),
		row.rounds > 1 ? `±${percent(row.spread)}` : '',
		ratio(row.perSecond, named('direct')?.perSecond),
		ratio(row.cpuPerRequestUs, named('undici proxy')?.cpuPerRequestUs),
		ratio(row.perSecond, named('portkey')?.perSecond),
		percent(row.busy),
		percent(row.harnessBusy),
		fixed(row.rssMb),
		`${row.errors}`,
	];
}

function table(lines: string[][]) {
	const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map(each => each[column]?.length ?? 0)));
	const pad = (text: string, column: number) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0));
	return lines.map(each => `  ${each.map(pad).join('  ')}`).join('\n');
}

/** One block for every cell, absolute values first, ratios after them. */
export function tables(all: Row[], cells: Cell[]): string {
	const blocks = cells.map(cell => {
		const {connections, requestKb, streaming} = cell;
		const here = all.filter(row => row.cell === cellName(cell));
		const first = streaming ? ['1st byte'] : [];
		const titles = [
			'',
			'req/s',
			'p50 ms',
			'p99 ms',
			...first,
			'CPU µs/req',
			'',
			'× direct',
			'CPU × undici',
			'× portkey',
			'core',
			'harness',
			'RSS MB',
			'errors',
		];
		const faults = here.filter(row => row.errors > 0).map(row => `  ! ${row.contender}: ${row.firstError}`);
		const title = `${connections} connection${connections > 1 ? 's' : ''}, ${requestKb} KB request, ${streaming ? 'streaming' : 'not streaming'}`;
		return [`${title}   [${cellName(cell)}]`, table([titles, ...here.map(row => line(row, here, streaming))]), ...faults].join('\n');
	});
	return blocks.join('\n\n');
}
