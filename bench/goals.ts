import type {Row} from './report.ts';

interface Goal {
	says: string;
	/** The figure to compare, or undefined when this run did not measure it. */
	got: number | undefined;
	most?: number;
	least?: number;
	unit: string;
}

const none = 'sallyport (no plugins)';
const all = 'sallyport (all plugins)';
const guards = 'sallyport (guards)';

/** CPU µs of the undici proxy per 2 KB request where the project's figures were measured. */
const yardstickUs = 45;

const over = (a: number | undefined, b: number | undefined) => (a && b ? a / b : undefined);

const find = (rows: Row[], name: string, cell: string) =>
	rows.find(each => each.contender === name && each.cell === cell && each.requests > 0);
const cpu = (rows: Row[], name: string, cell: string) => find(rows, name, cell)?.cpuPerRequestUs;

function goals(rows: Row[], memoryMb: Map<string, number>): Goal[] {
	const firstByteMs = (name: string) => {
		const got = find(rows, name, '1c-2k-stream');
		const base = find(rows, 'direct', '1c-2k-stream');
		return got && base ? (got.firstByteP50Us - base.firstByteP50Us) / 1000 : undefined;
	};
	const faster = over(find(rows, all, '64c-2k')?.perSecond, find(rows, 'portkey', '64c-2k')?.perSecond);
	const growth = (name: string) => over(cpu(rows, name, '64c-64k'), cpu(rows, name, '64c-2k'));
	return [
		{says: 'no plugins, 64 connections, 2 KB: CPU per request', got: cpu(rows, none, '64c-2k'), most: 90, unit: 'µs'},
		{says: 'all plugins, 64 connections, 2 KB: CPU per request', got: cpu(rows, all, '64c-2k'), most: 200, unit: 'µs'},
		{says: 'no plugins: 64 KB costs, times 2 KB', got: growth(none), most: 2, unit: '×'},
		{says: 'all plugins: 64 KB costs, times 2 KB', got: growth(all), most: 2, unit: '×'},
		{says: 'all plugins: throughput, times portkey', got: faster, least: 6, unit: '×'},
		{says: 'no plugins: first byte of a stream added at p50', got: firstByteMs(none), most: 1, unit: 'ms'},
		{says: 'all plugins: first byte of a stream added at p50', got: firstByteMs(all), most: 1, unit: 'ms'},
		{
			says: 'injection, masking, secrets and budgets, 64 connections, 2 KB: CPU per request',
			got: cpu(rows, guards, '64c-2k'),
			most: 600,
			unit: 'µs',
		},
		{says: 'these: first byte of a stream added at p50', got: firstByteMs(guards), most: 60, unit: 'ms'},
		{says: 'all plugins: RSS at the end', got: memoryMb.get(all), most: 200, unit: 'MB'},
	];
}

const short = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));

/** What helps to read absolute figures on another machine. */
function context(rows: Row[], yardstick: number) {
	const scaled = [none, all].flatMap(name => {
		const got = cpu(rows, name, '64c-2k');
		return got ? [`${name} ${short((got * yardstickUs) / yardstick)} µs`] : [];
	});
	const there = scaled.length ? `, so there it would be ${scaled.join(', ')}` : '';
	const large = cpu(rows, 'undici proxy', '64c-64k');
	return [
		`        The figures come from a machine where the undici proxy takes ${yardstickUs} µs; here it took ${short(yardstick)}${there}.`,
		...(large ? [`        For the undici proxy itself 64 KB costs ${short(large / yardstick)} × 2 KB.`] : []),
	];
}

/** The figures the project set itself, against this run; a miss is for reading, it fails nothing. */
export function goalLines(rows: Row[], memoryMb: Map<string, number>): string[] {
	const measured = goals(rows, memoryMb).map(({says, got, most, least, unit}) => {
		const bound = most === undefined ? `>= ${least} ${unit}` : `<= ${most} ${unit}`;
		if (got === undefined) return `  -     ${says}: ${bound}, not measured`;
		const met = (most === undefined || got <= most) && (least === undefined || got >= least);
		return `  ${met ? 'pass' : 'MISS'}  ${says}: ${short(got)} ${unit} (${bound})`;
	});
	const yardstick = cpu(rows, 'undici proxy', '64c-2k');
	return yardstick ? [...measured, ...context(rows, yardstick)] : measured;
}
