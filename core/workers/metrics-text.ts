/** One metric with its series, as the Prometheus text format 0.0.4 has it: `name{label="value"} 1`, no timestamps. */
type Family = {name: string; type: string; head: string; series: Map<string, number>};

/** What a process says of itself, by the names of the metrics. */
export type Sample = ReadonlyMap<string, Family>;

export const readSample = (text: string): Sample => {
	const families = new Map<string, Family>();
	let family: Family | undefined;
	let help = '';
	for (const line of text.split('\n')) {
		if (line.startsWith('# HELP ')) help = `${line}\n`;
		else if (line.startsWith('# TYPE ')) {
			const [, , name = '', type = ''] = line.split(' ');
			family = {name, type, head: `${help}${line}\n`, series: new Map()};
			families.set(name, family);
		} else if (family && line !== '' && !line.startsWith('#')) {
			const space = line.lastIndexOf(' ');
			family.series.set(line.slice(0, space), Number(line.slice(space + 1)));
		}
	}
	return families;
};

const plus = (a: number, b: number): number => a + b;

/** Of a start the earliest, of delays and versions the greatest, of everything else the sum. */
const wayOf = (name: string): ((a: number, b: number) => number) => {
	if (name.endsWith('_start_time_seconds')) return Math.min;
	return /eventloop_lag|_version_info$/.test(name) ? Math.max : plus;
};

/** What several processes come to together. */
export const together = (samples: readonly Sample[]): Sample => {
	const families = new Map<string, Family>();
	for (const {name, type, head, series} of samples.flatMap(sample => [...sample.values()])) {
		const known = families.get(name);
		if (!known) {
			families.set(name, {name, type, head, series: new Map(series)});
			continue;
		}
		const add = wayOf(name);
		for (const [key, value] of series) {
			const sum = known.series.get(key);
			// A summary of nothing yet is no number.
			known.series.set(key, sum === undefined || Number.isNaN(sum) ? value : Number.isNaN(value) ? sum : add(sum, value));
		}
	}
	return families;
};

/** What only ever grows: it stays counted when the process that counted it has ended. */
export const growing = (sample: Sample): Sample =>
	new Map([...sample].filter(([name, {type}]) => /^(counter|histogram)$/.test(type) && wayOf(name) === plus));

export const writeSample = (sample: Sample): string =>
	[...sample.values()].map(({head, series}) => `${head}${[...series].map(([key, value]) => `${key} ${value}\n`).join('')}`).join('\n');
