import type {JournalRecord} from '../../schemas/record.ts';
import {firstBucket, sums, type UsageRow} from '../store/usage.ts';
import {amountsOf, unitsPlace} from './amounts.ts';
import {type Entry, type Hour, type Limits, openHour} from './hour.ts';
import {aboutOf, type Names, namesOf} from './names.ts';
import {rowsOf} from './rows.ts';

const hourMs = 3_600_000;

/** Where the holder of a key reads its own usage. */
export const ownUsagePath = '/v1/usage';

/** Sums of one process, of what no store has yet. */
export type Tally = {
	/** Counts an exchange whose record was written at `at` (milliseconds since 1970). */
	add(record: JournalRecord, at: number): void;
	/** Everything since the last time, as the rows of each series that counts it. */
	take(): UsageRow[];
};

/** Usage is what models were asked for; who looks after the gateway, or at its own usage, is on the record and not in it. */
const isCounted = ({surface, path}: JournalRecord): boolean => surface !== 'admin' && surface !== 'gateway' && path !== ownUsagePath;

const pathOf = ({tenant, team, user, key, model, deployment, operation, outcome, code, plugin, server, tool}: Names): string =>
	`${tenant}\0${team}\0${user}\0${key}\0${model}\0${deployment}\0${operation}\0${outcome}\0${code}\0${plugin}\0${server}\0${tool}`;

export const openTally = (limits: Limits = {names: 1_000, rows: 200_000, aboutRows: 50_000}): Tally => {
	const hours = new Map<number, Hour>();
	// What the exchange at hand adds: written anew for each, since an array for each would be garbage.
	const added: number[] = sums.map(() => 0);
	let bucket = -1;

	const addTo = ({amounts}: Entry): void => {
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
			addTo(hour.entry(path, 'all', '', names));
			for (const {kind, value, units} of aboutOf(record)) {
				added[unitsPlace] = units;
				addTo(hour.entry(`${kind}\0${value}\0${path}`, kind, value, names));
			}
		},
		take: () => {
			const rows = rowsOf([...hours].map(([number, hour]) => [number, hour.take()] as const));
			// An hour that goes on remembers what it has told apart.
			const last = Math.max(...hours.keys());
			for (const number of hours.keys()) if (number !== last) hours.delete(number);
			return rows;
		},
	};
};
