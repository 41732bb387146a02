import type {UsageRow} from '../store/usage.ts';
import type {Entry, Label, Labels} from './hour.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

type Sum = {kind: Labels['kind']; detail: 'key' | 'team'; label: Label; amounts: number[]};
type Sums = Map<string, Sum>;

const add = (to: Sums, place: string, {amounts, ...sum}: Sum): void => {
	const known = to.get(place)?.amounts;
	if (known === undefined) to.set(place, {...sum, amounts: [...amounts]});
	else for (let index = 0; index < amounts.length; index++) known[index]! += amounts[index]!;
};

const ofHour = (entries: readonly Entry[]): Sums => {
	const sums: Sums = new Map();
	for (const {labels, amounts} of entries)
		for (const detail of ['key', 'team'] as const) {
			const {kind, [detail]: label} = labels;
			add(sums, `${kind} ${detail} ${label.id}`, {kind, detail, label, amounts});
		}
	return sums;
};

const rowsFrom = (grain: 'hour' | 'day', at: number, sums: Sums): UsageRow[] =>
	[...sums.values()].map(({kind, detail, label, amounts}) => ({series: `${grain}/${kind}/${detail}`, at, ...label, sums: amounts}));

/** The rows of every series that counts what was counted in these hours (since 1970). */
export const rowsOf = (hours: readonly (readonly [hour: number, entries: readonly Entry[]])[]): UsageRow[] => {
	const rows: UsageRow[] = [];
	const days = new Map<number, Sums>();
	for (const [hour, entries] of hours) {
		const at = hour * hourMs;
		const day = at - (at % dayMs);
		const sums = ofHour(entries);
		rows.push(...rowsFrom('hour', at, sums));
		const known = days.get(day);
		if (known === undefined)
			days.set(day, hours.length === 1 ? sums : new Map([...sums].map(([place, sum]) => [place, {...sum, amounts: [...sum.amounts]}])));
		else for (const [place, sum] of sums) add(known, place, sum);
	}
	for (const [day, sums] of days) rows.push(...rowsFrom('day', day, sums));
	return rows;
};
