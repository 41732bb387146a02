import {readRows} from './data.ts';
import {detectPii} from './pii-detectors.ts';

export type Labelled = {readonly start: number; readonly end: number; readonly type: string};

/** A text, what is in it, and what somebody looked for in it. */
export type Row = {
	readonly id: string;
	readonly text: string;
	readonly spans: readonly Labelled[];
	readonly scope: readonly string[];
	readonly neg: readonly string[];
	readonly source: string;
};

type Tally = {right: number; wrong: number; missed: number; exact: number};

export type Figure = {spans: number; precision: number; recall: number; f1: number; exact: number; wrong: number};

export type PiiReport = {
	readonly structured: Figure;
	readonly secrets: Figure;
	readonly freeText: Figure;
	readonly byType: Record<string, Figure>;
	readonly bySource: Record<string, Figure>;
	/** Texts with look-alikes in them, and how many of them were reported. */
	readonly lookAlikes: {readonly texts: number; readonly reported: number};
	readonly badChecksums: {readonly texts: number; readonly reported: number};
	/** Of every piece of 2,048 characters the best of five runs. */
	readonly usPer2Kb: {readonly mean: number; readonly p50: number; readonly p99: number};
	/** Of ordinary text, in pieces of 65,536 characters. */
	readonly mbPerSecond: number;
};

/** What has no shape of its own, and is counted apart. */
const free = new Set(
	'PERSON ADDRESS LOCATION ORG DATE TITLE NRP AGE ZIP DOMAIN URL DOB PASSPORT BANK_ACCOUNT USERNAME DRIVER_LICENSE'.split(' '),
);

const sameAs: Readonly<Record<string, string>> = {ES_NIE: 'ES_NIF', BR_CPF_CNPJ: 'BR_CPF'};

const canonical = (type: string): string => {
	const name = type.split('.', 1)[0]!;
	return sameAs[name] ?? name;
};

/** What the plugins call a value, and what the data calls it as well: the same number under the name of a country or of another list. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
	PHONE: ['PH_MOBILE_NUMBER', 'TR_PHONE_NUMBER'],
	SE_PERSONNUMMER: ['SE_PNR'],
	FI_PERSONAL_IDENTITY_CODE: ['FI_HETU'],
	CZ_RC: ['SK_RC'],
	TR_NATIONAL_ID: ['TR_ID'],
	ZA_ID_NUMBER: ['ZA_ID'],
	UK_DRIVING_LICENCE: ['DRIVER_LICENSE'],
	PASSPORT: ['UK_PASSPORT', 'ES_PASSPORT', 'IN_PASSPORT', 'IT_PASSPORT', 'DE_PASSPORT', 'KR_PASSPORT', 'US_PASSPORT'],
	DE_PASSPORT: ['PASSPORT'],
	KR_PASSPORT: ['PASSPORT'],
	BANK_ACCOUNT: ['US_BANK_NUMBER'],
	DRIVER_LICENSE: ['US_DRIVER_LICENSE'],
};

const tallyOf = (tallies: Map<string, Tally>, name: string): Tally => {
	const known = tallies.get(name) ?? {right: 0, wrong: 0, missed: 0, exact: 0};
	tallies.set(name, known);
	return known;
};

/** Half of what both cover together, or four fifths of a secret. */
const matches = (found: Labelled, gold: Labelled): boolean => {
	const overlap = Math.min(found.end, gold.end) - Math.max(found.start, gold.start);
	const union = Math.max(found.end, gold.end) - Math.min(found.start, gold.start);
	if (found.type !== gold.type || overlap <= 0) return false;
	return overlap / union >= 0.5 || (gold.type === 'SECRET' && overlap / (gold.end - gold.start) >= 0.8);
};

const figure = ({right, wrong, missed, exact}: Tally): Figure => {
	const precision = right / (right + wrong) || 0;
	const recall = right / (right + missed) || 0;
	return {
		spans: right + missed,
		precision,
		recall,
		f1: (2 * precision * recall) / (precision + recall) || 0,
		exact: exact / (right + missed) || 0,
		wrong,
	};
};

const total = (tallies: Iterable<Tally>): Tally => {
	const sum = {right: 0, wrong: 0, missed: 0, exact: 0};
	for (const {right, wrong, missed, exact} of tallies) {
		sum.right += right;
		sum.wrong += wrong;
		sum.missed += missed;
		sum.exact += exact;
	}
	return sum;
};

const figures = (tallies: Map<string, Tally>): Record<string, Figure> =>
	Object.fromEntries([...tallies].sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, tally]) => [name, figure(tally)]));

const scopedTo = ({scope}: Row): ((type: string) => boolean) => {
	const names = new Set(scope.map(canonical));
	return type => names.has('*') || names.has(type);
};

const inScope = (labels: readonly Labelled[], belongs: (type: string) => boolean): Labelled[] =>
	labels.map(({start, end, type}) => ({start, end, type: canonical(type)})).filter(({type}) => belongs(type));

/** Findings under the names that this row uses. */
const asNamed = (labels: readonly Labelled[], {scope}: Row): Labelled[] =>
	labels.map(label => {
		const other = scope.includes(label.type) ? undefined : otherNames[label.type]?.find(name => scope.includes(name));
		return other === undefined ? label : {...label, type: other};
	});

/** What was found in one text and what is there, one by one. */
export type Judged = {row: Row; missed: Labelled[]; wrong: Labelled[]; right: Array<{gold: Labelled; exact: boolean}>; reported: boolean};

const judge = (row: Row, labels: readonly Labelled[]): Judged => {
	const belongs = scopedTo(row);
	const found = inScope(asNamed(labels, row), belongs);
	const golds = inScope(row.spans, belongs);
	const taken = new Set<Labelled>();
	const judged: Judged = {row, missed: [], wrong: [], right: [], reported: row.neg.length > 0 && found.length > 0};
	for (const gold of golds) {
		const hit = found.find(each => !taken.has(each) && matches(each, gold));
		if (hit === undefined) judged.missed.push(gold);
		else {
			taken.add(hit);
			judged.right.push({gold, exact: hit.start === gold.start && hit.end === gold.end});
		}
	}
	const touches = (each: Labelled) => golds.some(gold => gold.type === each.type && gold.start < each.end && each.start < gold.end);
	judged.wrong.push(...found.filter(each => !taken.has(each) && !touches(each)));
	return judged;
};

const quantile = (sorted: readonly number[], part: number): number =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** Every row's texts joined and cut into pieces of so many characters, each a string of its own as a request's are. */
const piecesOf = (rows: readonly Row[], size: number, most: number): string[] => {
	const whole = rows.map(({text}) => text).join('\n\n');
	const pieces: string[] = [];
	for (let at = 0; at + size <= whole.length && pieces.length < most; at += size) {
		pieces.push(Buffer.from(whole.slice(at, at + size)).toString());
	}
	return pieces;
};

/** The best of five runs in microseconds: what else the machine does at the time is not the detectors' fault. */
const bestTimeUs = (piece: string): number => {
	let best = Number.POSITIVE_INFINITY;
	for (let run = 0; run < 5; run++) {
		const start = performance.now();
		detectPii(piece);
		best = Math.min(best, (performance.now() - start) * 1_000);
	}
	return best;
};

const latency = (rows: readonly Row[]): Pick<PiiReport, 'usPer2Kb' | 'mbPerSecond'> => {
	const times = piecesOf(rows, 2_048, 1_000).map(bestTimeUs);
	const mean = times.reduce((sum, each) => sum + each, 0) / times.length;
	times.sort((one, other) => one - other);
	const large = piecesOf(
		rows.filter(({source}) => source.startsWith('real-text')),
		65_536,
		20,
	);
	// Long enough to be interrupted each time: the core's own time counts.
	const before = process.cpuUsage();
	for (const piece of large) detectPii(piece);
	const {user, system} = process.cpuUsage(before);
	const largeTimeUs = user + system;
	return {
		usPer2Kb: {mean, p50: quantile(times, 0.5), p99: quantile(times, 0.99)},
		mbPerSecond: (large.length * 65_536) / largeTimeUs || 0,
	};
};

const count = (judged: readonly Judged[], chosen: (row: Row) => boolean) => {
	const some = judged.filter(({row}) => row.neg.length > 0 && chosen(row));
	return {texts: some.length, reported: some.filter(({reported}) => reported).length};
};

/** Scores the detectors of `masking` and `secrets` on `pii_secrets`, and tells `watch` of every text. */
export const scorePii = (folder?: string, watch?: (judged: Judged) => void): PiiReport =>
	scoreRows(readRows<Row>('pii_secrets', folder), watch);

/** Scores the detectors of `masking` and `secrets` on these texts, and tells `watch` of each. */
export const scoreRows = (rows: readonly Row[], watch: (judged: Judged) => void = () => {}): PiiReport => {
	const types = new Map<string, Tally>();
	const sources = new Map<string, Tally>();
	const all = rows.map(row => judge(row, detectPii(row.text)));
	for (const judged of all) {
		const source = tallyOf(sources, judged.row.source);
		for (const {gold, exact} of judged.right) {
			for (const tally of [source, tallyOf(types, gold.type)]) {
				tally.right++;
				if (exact) tally.exact++;
			}
		}
		for (const {type} of judged.missed) for (const tally of [source, tallyOf(types, type)]) tally.missed++;
		for (const {type} of judged.wrong) for (const tally of [source, tallyOf(types, type)]) tally.wrong++;
		watch(judged);
	}
	const some = (chosen: (type: string) => boolean) => figure(total([...types].filter(([type]) => chosen(type)).map(([, tally]) => tally)));
	return {
		structured: some(type => type !== 'SECRET' && !free.has(type)),
		secrets: some(type => type === 'SECRET'),
		freeText: some(type => free.has(type)),
		byType: figures(types),
		bySource: figures(sources),
		lookAlikes: count(all, () => true),
		badChecksums: count(all, ({source}) => source.startsWith('synth-badchecksum')),
		...latency(rows),
	};
};
