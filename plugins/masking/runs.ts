import {placeholder, type VaultEntries, type VaultEntry} from './vault.ts';

/** Values of one type whose placeholders are numbered from `first` on. */
type Run = [type: string, first: number, ...values: string[]];

/** A vault's entries in about half the characters: they cross the wall of the sandbox with each piece of a stream. */
export type Runs = readonly (Run | VaultEntry)[];

export const runsOf = (entries: VaultEntries): Runs => {
	const runs: (Run | VaultEntry)[] = [];
	let run: Run | undefined;
	let next = '';
	for (const entry of entries) {
		const [mark, value, type] = entry;
		const number = Number(mark.slice(type.length + 2, -1));
		if (value === null || !Number.isSafeInteger(number) || mark !== placeholder(type, number)) {
			run = undefined;
			runs.push(entry);
			continue;
		}
		if (run?.[0] === type && mark === next) run.push(value);
		else {
			run = [type, number, value];
			runs.push(run);
		}
		next = placeholder(type, number + 1);
	}
	return runs;
};

const isRun = (run: Run | VaultEntry): run is Run => typeof run[1] === 'number';

const entriesOfRun = ([type, first, ...values]: Run): VaultEntries =>
	values.map((value, index): VaultEntry => [placeholder(type, first + index), value, type]);

export const entriesOf = (runs: Runs): VaultEntries => runs.flatMap(run => (isRun(run) ? entriesOfRun(run) : [run]));
