/** A histogram in the Prometheus text format (0.0.4), cheap to add to: prom-client's own hashes the labels of every observation. */
export type Histogram = {
	/** `label` is the value of the one label, or anything where there is none. */
	observe(label: string, value: number): void;
	/** Its lines, each with a newline. */
	text(): string;
};

type Row = {counts: number[]; sum: number};
type Options = {
	name: string;
	help: string /** Comes from a fixed list, so that it needs no escape. */;
	label?: string;
	buckets: readonly number[];
};

export const openHistogram = ({name, help, label, buckets}: Options): Histogram => {
	const rows = new Map<string, Row>();
	const rowOf = (value: string): Row => {
		const known = rows.get(value);
		if (known) return known;
		const made: Row = {counts: new Array<number>(buckets.length + 1).fill(0), sum: 0};
		rows.set(value, made);
		return made;
	};
	if (!label) rowOf('');

	const linesOf = (value: string, {counts, sum}: Row): string => {
		const own = label ? `${label}="${value}"` : '';
		const bare = own && `{${own}}`;
		let lines = '';
		let total = 0;
		for (const [index, count] of counts.entries()) {
			total += count;
			lines += `${name}_bucket{${own}${own && ','}le="${buckets[index] ?? '+Inf'}"} ${total}\n`;
		}
		return `${lines}${name}_sum${bare} ${sum}\n${name}_count${bare} ${total}\n`;
	};

	return {
		observe(value, seconds) {
			const row = rowOf(label ? value : '');
			let index = 0;
			while (index < buckets.length && seconds > buckets[index]!) index++;
			row.counts[index]! += 1;
			row.sum += seconds;
		},
		text() {
			let lines = `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
			for (const [value, row] of rows) lines += linesOf(value, row);
			return lines;
		},
	};
};
