import {sums, type UsageGroup, type UsageStore} from '../store/usage.ts';
import {type Figures, figuresOf, unitsOf} from './figures.ts';
import {type Facet, facets, type Question, queryOf, written} from './question.ts';

/** One group: its period, what it is told apart by, and its figures; `units` where it is told apart by `unit`. */
export type Line = {period: string} & {[Name in Facet]?: string} & Figures & {units?: number};

export type Report = {
	from: string;
	to: string;
	timeZone: string;
	granularity: string;
	by: readonly Facet[];
	rows: Line[];
	/** Each exchange once, whatever the rows tell apart; on the first page, and where that can be said. */
	total?: Figures;
	/** The `cursor` of the next page; missing on the last. */
	next?: string;
};

const lineOf = ({by, periods}: Question, group: UsageGroup): Line => ({
	period: periods[group.period]!.label,
	...Object.fromEntries(by.map((name, index) => [name, group.values[index]])),
	...(by.includes('unit') && {units: unitsOf(group)}),
	...figuresOf(group),
});

const nothing: Pick<UsageGroup, 'sums' | 'outcomes'> = {sums: sums.map(() => 0), outcomes: [0, 0, 0]};

/** Whoever asks for several tags would be told of an exchange that has two of them twice. */
const isCountedOnce = ({where: {tag, verdict, unit}}: Question): boolean => [tag, verdict, unit].every(names => (names?.length ?? 1) === 1);

const totalOf = async (store: Pick<UsageStore, 'usageQuery'>, question: Question): Promise<Figures> => {
	const {from, until} = {from: question.periods[0]?.from ?? 0, until: question.periods.at(-1)?.until ?? 0};
	const all: Question = {...question, by: [], periods: [{label: 'total', from, until}], limit: 1};
	delete all.after;
	const [group] = until > from ? await store.usageQuery(queryOf(all)) : [];
	return figuresOf(group ?? nothing);
};

/** Answers a question from the roll-ups. Rejects with `store_unavailable`. */
export const reportOf = async (store: Pick<UsageStore, 'usageQuery'>, question: Question): Promise<Report> => {
	const {from, to, timeZone, granularity, by, limit, after} = question;
	const groups = await store.usageQuery(queryOf({...question, limit: limit + 1}));
	const page = groups.slice(0, limit);
	const last = groups.length > limit ? page.at(-1) : undefined;
	const total = after === undefined && isCountedOnce(question) ? await totalOf(store, question) : undefined;
	return {
		from: new Date(from).toISOString(),
		to: new Date(to).toISOString(),
		timeZone,
		granularity,
		by,
		rows: page.map(group => lineOf(question, group)),
		...(total && {total}),
		...(last && {next: written({from, to, period: last.period, values: last.values})}),
	};
};

/** The names of a report's columns, in their order. */
export const columnsOf = ({by}: Pick<Report, 'by'>): string[] => [
	'period',
	...facets.filter(name => by.includes(name)).sort((a, b) => by.indexOf(a) - by.indexOf(b)),
	...(by.includes('unit') ? ['units'] : []),
	...Object.keys(figuresOf(nothing)),
];
