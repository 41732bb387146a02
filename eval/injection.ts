import {channels, featureReader, type Read} from './injection-learn.ts';
import {ownRows} from './injection-own.ts';
import {groups, injectionRows} from './injection-rows.ts';
import {learn, scoreOf} from './injection-whole.ts';

export type Scored = {read: Read; score: number};

/** Everything that is trained on or scored: the data's texts, and the project's own sentences, which are never scored. */
export const injectionReads = (folder?: string): {given: Read[]; own: Read[]} => {
	const rows = injectionRows(folder);
	const read = featureReader();
	return {given: rows.map(read), own: ownRows(rows).map(read)};
};

/** What may be learnt from: an attack of BIPIA is an ordinary task, which only its place makes wrong. */
export const isTaught = ({row, label}: Read): boolean => !(label === 1 && row.source.startsWith('bipia'));

/** The score of the harmless text at `share` of a channel from the worst one on. */
export const quantile = (scores: readonly number[], share: number): number =>
	scores.toSorted((a, b) => b - a)[Math.floor(share * scores.length)] ?? 0;

/**
 * Scores every text by a model that saw nothing of its source, nor any attack planted into texts of that source; each channel is
 * moved so that 0 is what one harmless text in a hundred reaches.
 */
export const leaveOneOut = ({given, own}: {given: Read[]; own: Read[]}): {scored: Scored[]; offsets: number[]} => {
	const scored: Scored[] = [];
	for (const source of new Set(given.map(({row}) => row.source))) {
		const isElsewhere = ({row}: Read): boolean => row.source !== source && !row.sub?.endsWith(`:${source}`);
		const model = learn([...given, ...own].filter(read => isTaught(read) && isElsewhere(read)));
		for (const read of given) if (read.row.source === source) scored.push({read, score: scoreOf(model, read)});
	}
	const offsets = channels.map((_, channel) =>
		quantile(
			scored.filter(({read}) => read.channel === channel && read.label === 0).map(({score}) => score),
			0.01,
		),
	);
	return {scored: scored.map(({read, score}) => ({read, score: score - offsets[read.channel]!})), offsets};
};

/** The chance that an attack scores higher than a harmless text. */
const areaUnder = (scored: readonly Scored[]): number => {
	const sorted = scored.toSorted((a, b) => a.score - b.score);
	let harmless = 0;
	let pairs = 0;
	for (const {read} of sorted) {
		if (read.label === 1) pairs += harmless;
		else harmless += 1;
	}
	return pairs / (harmless * (sorted.length - harmless));
};

const percent = (part: readonly Scored[], threshold: number): string =>
	`${((100 * part.filter(({score}) => score > threshold).length) / part.length).toFixed(1)} %`;

/** The table for docs/quality.md. */
export const injectionTable = (scored: readonly Scored[]): string => {
	const harmless = scored.filter(({read}) => read.label === 0).map(({score}) => score);
	const thresholds = [quantile(harmless, 0.01), quantile(harmless, 0.001)];
	const lines = Object.entries(groups).map(([name, isIn]) => {
		const part = scored.filter(({read}) => isIn(read.row));
		const area = part[0]?.read.label ? areaUnder([...part, ...scored.filter(({read}) => read.label === 0)]).toFixed(3) : '';
		return `| ${name} | ${part.length} | ${thresholds.map(threshold => percent(part, threshold)).join(' | ')} | ${area} |`;
	});
	return ['| reported of | texts | at 1 % false alarms | at 0.1 % | AUC |', '|---|---|---|---|---|', ...lines].join('\n');
};
