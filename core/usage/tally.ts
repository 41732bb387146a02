import {hash} from 'node:crypto';
import type {JournalRecord} from '../../schemas/record.ts';
import {dimensions, firstBucket, type Series, sums, type UsageRow} from '../store/usage.ts';
import {amountsOf, unitsPlace} from './amounts.ts';
import {type About, aboutOf, type Names, namesOf} from './names.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

type Entry = {kind: 'all' | About['kind']; values: Record<(typeof dimensions)[number], string>; amounts: number[]};

/** Where the holder of a key reads its own usage. */
export const ownUsagePath = '/v1/usage';

type Limits = {
	/** So many models, deployments, tags, verdicts and units of each hour are told apart, and… */
	names: number;
	/** …so many combinations of everything; what comes after counts as `other`. */
	rows: number;
};

/** Sums of one process, of what no store has yet. */
export type Tally = {
	/** Counts an exchange whose record was written at `at` (milliseconds since 1970). */
	add(record: JournalRecord, at: number): void;
	/** Everything since the last time, as the rows of each series that counts it. */
	take(): UsageRow[];
};

/** What stands for all that is not told apart. */
const other = 'other';

type Values = Entry['values'];

const valuesOf = (value: string, names: Names): Values => {
	const {tenant, team, user, deployment} = names;
	const slash = deployment.indexOf('/');
	const values = {
		...names,
		value,
		team: team && `${tenant}/${team}`,
		user: user && `${tenant}/${user}`,
		provider: slash < 0 ? deployment : deployment.slice(0, slash),
	};
	for (const name of dimensions) values[name] = values[name].toWellFormed();
	return values;
};

const addTo = (amounts: number[], added: readonly number[]): void => {
	for (let index = 0; index < added.length; index++) amounts[index]! += added[index]!;
};

/** One hour: what is to be handed over, and all that was told apart in it so far. */
const openHour = (limits: Limits) => {
	const known: Record<'model' | 'deployment' | About['kind'], Set<string>> = {
		model: new Set(),
		deployment: new Set(),
		tag: new Set(),
		verdict: new Set(),
		unit: new Set(),
	};
	const rows = new Set<string>();

	const told = (kind: keyof typeof known, name: string): string => {
		const names = known[kind];
		if (names.has(name) || name === '') return name;
		if (names.size >= limits.names) return other;
		names.add(name);
		return name;
	};

	return {
		entries: new Map<string, Entry>(),
		/** Within bounds: where this is counted, and as what. */
		placed: (path: string, kind: Entry['kind'], values: Values): {place: string; values: Values} => {
			if (rows.has(path)) return {place: path, values};
			const model = told('model', values.model);
			const deployment = told('deployment', values.deployment);
			const value = kind === 'all' ? '' : told(kind, values.value);
			const isWhole = model === values.model && deployment === values.deployment && value === values.value;
			if (isWhole && rows.size < limits.rows) {
				rows.add(path);
				return {place: path, values};
			}
			const folded = {...values, model, deployment, value};
			if (rows.size >= limits.rows) Object.assign(folded, {user: values.user && other, key: values.key && other});
			return {place: JSON.stringify([kind, folded]), values: folded};
		},
	};
};
type Hour = ReturnType<typeof openHour>;

/** Usage is what models were asked for; who looks after the gateway, or at its own usage, is on the record and not in it. */
const isCounted = ({surface, path}: JournalRecord): boolean => surface !== 'admin' && surface !== 'gateway' && path !== ownUsagePath;

const pathOf = ({tenant, team, user, key, model, deployment, operation, outcome, code, plugin}: Names): string =>
	`${tenant}\0${team}\0${user}\0${key}\0${model}\0${deployment}\0${operation}\0${outcome}\0${code}\0${plugin}`;

/** A row is found by what it counts, in a name of one length. */
const idOf = (values: readonly string[]): string => hash('sha256', JSON.stringify(values), 'base64url').slice(0, 22);

/** The rows of every series that counts these entries. */
const rowsOf = (hours: ReadonlyMap<number, Hour>): UsageRow[] => {
	const rows = new Map<string, UsageRow & {sums: number[]}>();
	for (const [hour, {entries}] of hours)
		for (const {kind, values, amounts} of entries.values())
			for (const [detail, counted] of [
				['key', values],
				['team', {...values, user: '', key: ''}],
			] as const) {
				const list = dimensions.map(name => counted[name]);
				const id = idOf(list);
				for (const [grain, at] of [
					['hour', hour * hourMs],
					['day', hour * hourMs - ((hour * hourMs) % dayMs)],
				] as const) {
					const series: Series = `${grain}/${kind}/${detail}`;
					const place = `${series} ${at} ${id}`;
					const row = rows.get(place);
					if (row) addTo(row.sums, amounts);
					else rows.set(place, {series, at, id, values: list, sums: [...amounts]});
				}
			}
	return [...rows.values()];
};

export const openTally = (limits: Limits = {names: 1_000, rows: 50_000}): Tally => {
	const hours = new Map<number, Hour>();
	// What the exchange at hand adds: written anew for each, since an array for each would be garbage.
	const added: number[] = sums.map(() => 0);
	let bucket = -1;

	const entryFor = (hour: Hour, path: string, kind: Entry['kind'], value: string, names: Names): Entry => {
		const {place, values} = hour.placed(path, kind, valuesOf(value, names));
		const found = hour.entries.get(place);
		if (found !== undefined) return found;
		const entry = {kind, values, amounts: sums.map(() => 0)};
		hour.entries.set(place, entry);
		return entry;
	};

	const count = (hour: Hour, path: string, kind: Entry['kind'], value: string, names: Names): void => {
		const {amounts} = hour.entries.get(path) ?? entryFor(hour, path, kind, value, names);
		for (let index = 0; index < firstBucket; index++) amounts[index]! += added[index]!;
		if (bucket >= 0) amounts[bucket]! += 1;
	};

	return {
		add: (record, at) => {
			if (!isCounted(record)) return;
			const number = Math.floor(at / hourMs);
			let hour = hours.get(number);
			if (hour === undefined) {
				hour = openHour(limits);
				hours.set(number, hour);
			}
			const names = namesOf(record);
			bucket = amountsOf(record, added);
			const path = pathOf(names);
			count(hour, path, 'all', '', names);
			for (const {kind, value, units} of aboutOf(record)) {
				added[unitsPlace] = units;
				count(hour, `${kind}\0${value}\0${path}`, kind, value, names);
			}
		},
		take: () => {
			const rows = rowsOf(hours);
			const last = Math.max(...hours.keys());
			for (const [number, hour] of hours) {
				// What was told apart in an hour that goes on is still known in it.
				if (number === last) hour.entries.clear();
				else hours.delete(number);
			}
			return rows;
		},
	};
};
