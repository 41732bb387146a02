import * as z from 'zod';
import {unit, window} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import {chainsOf} from '../journal/segments.ts';
import {processOf} from '../store/process-id.ts';
import type {LedgerRow, Store} from '../store/store.ts';
import type {UsageStore} from '../store/usage.ts';
import {bytesIn, type Entry, segmentsSince, type Told, toldOf} from './account-journal.ts';

/** What an operator asks of an account. */
export const accountQuestion = z.strictObject({
	account: z.string().min(1).max(300),
	unit: unit.optional(),
	window: window.optional(),
	/** The most records of each period that are listed, the latest; all of them are added up. */
	records: z.int().min(0).max(10_000).default(20),
});
export type AccountQuestion = z.output<typeof accountQuestion>;

/** What one process has of an account in one period, in the store and by its journal. */
export type Share = {
	process: string;
	alive: boolean;
	/** Of the store: spent up to and including record `seq` of its journal, and what it may spend in all. */
	settled: number;
	granted: number;
	seq: number;
	/** Where its journal is not here, it is not known what it says. */
	journal?: {
		/** Settled up to and including `seq`: to be what the store says. */
		settled: number;
		/** Settled since, and not written to the store yet. */
		since: number;
		/** Set aside by exchanges that run, or that a crash left. */
		reserved: number;
		/** How many records that is, the latest of them, and what is reserved. */
		count: number;
		records: Entry[];
		open: Entry[];
	};
};

export type PeriodOfAccount = {key: string; unit: string; window: string; start: string; settled: number; granted: number; shares: Share[]};

export type Difference = {key: string; process: string; seq: number; store: number; journal: number};

export type AccountExplained = {
	account: string;
	periods: PeriodOfAccount[];
	/** True when each share whose journal is here is, to the unit, what its records come to. */
	holds: boolean;
	/** The first that is not. */
	difference?: Difference;
	/** Processes that keep their journals elsewhere: theirs is to be asked there. */
	elsewhere: string[];
};

type Places = {
	store: UsageStore & Pick<Store, 'processes'>;
	/** The journal's folder, with all its chains. */
	folder: string;
	/** Refuses to read more than this of the journal. */
	mostBytes?: number;
	now?: () => number;
};

const aliveMs = 15_000;

type Parsed = {unit: string; window: string; start: string};

/** `account|unit|window|start`; undefined for another account's, whose name goes on where this one ends. */
const parsed = (key: string, account: string): Parsed | undefined => {
	const [unit, window, start, ...rest] = key.slice(account.length + 1).split('|');
	return rest.length > 0 || start === undefined ? undefined : {unit: unit!, window: window!, start};
};

/** When a period began; what has no moment in its name began before everything. */
const beginOf = ({window, start}: Parsed): number => {
	const at = Date.parse(start.replace(/^lease |\[.*$/g, ''));
	return window === 'total' || Number.isNaN(at) ? 0 : at;
};

/** Which process writes which chain of this folder. */
const chainsIn = async (folder: string): Promise<Map<string, string>> => {
	const chains = new Map<string, string>();
	for (const chain of await chainsOf(folder)) {
		const {process, inherits} = await processOf(folder, chain);
		chains.set(process, chain);
		if (inherits) chains.set('', chain);
	}
	return chains;
};

const sum = (entries: readonly Entry[]): number => entries.reduce((total, {amount}) => total + amount, 0);

const journalOf = ({settled, reserved}: Told, seq: number, records: number): NonNullable<Share['journal']> => {
	const upTo = settled.filter(entry => entry.seq <= seq);
	return {
		settled: sum(upTo),
		since: sum(settled) - sum(upTo),
		reserved: sum(reserved),
		count: settled.length,
		records: records === 0 ? [] : settled.slice(-records),
		open: reserved,
	};
};

/**
 * What stands behind the balances of an account: every process's lease, and the records of the journal that make up what is settled.
 * Reads the store first and the journal after it, so that it may be asked while the gateway works. Rejects with `store_unavailable`, and
 * with `invalid_request` where there is more to read than may be.
 */
export const explainAccount = async (
	{account, unit, window, records}: AccountQuestion,
	{store, folder, mostBytes = Number.POSITIVE_INFINITY, now = Date.now}: Places,
): Promise<AccountExplained> => {
	const rows = (await store.ledgerRowsOf(account)).flatMap(row => {
		const named = parsed(row.key, account);
		const isAsked = named && (unit ?? named.unit) === named.unit && (window ?? named.window) === named.window;
		return isAsked ? [{...row, ...named}] : [];
	});
	const alive = new Set((await store.processes()).filter(({seenAt}) => now() - seenAt < aliveMs).map(({process}) => process));
	const chains = await chainsIn(folder);
	const since = rows.reduce((first, row) => Math.min(first, beginOf(row)), now());
	const told = new Map<string, Map<string, Told>>();
	let bytes = 0;
	for (const [process, chain] of chains) {
		if (!rows.some(row => row.process === process)) continue;
		const segments = await segmentsSince(folder, chain, since);
		bytes += await bytesIn(segments);
		if (bytes > mostBytes)
			throw new GatewayError('invalid_request', 'There is too much of the journal to read here: run sallyport ledger explain beside it.');
		told.set(process, await toldOf(segments, account));
	}

	const shareOf = ({process, key, settled, granted, seq}: LedgerRow): Share => {
		const journal = told.get(process);
		const own = journal?.get(key) ?? {settled: [], reserved: []};
		return {process, alive: alive.has(process), settled, granted, seq, ...(journal && {journal: journalOf(own, seq, records)})};
	};
	const periods = [...Map.groupBy(rows, ({key}) => key)].map(([key, own]): PeriodOfAccount => {
		const {unit, window, start} = own[0]!;
		const shares = own.map(shareOf);
		const total = (name: 'settled' | 'granted') => shares.reduce((all, share) => all + share[name], 0);
		return {key, unit, window, start, settled: total('settled'), granted: total('granted'), shares};
	});
	const differences = periods.flatMap(({key, shares}) =>
		shares.flatMap(({process, seq, settled: store, journal}): Difference[] =>
			journal === undefined || journal.settled === store ? [] : [{key, process, seq, store, journal: journal.settled}],
		),
	);
	return {
		account,
		periods,
		holds: differences.length === 0,
		...(differences[0] && {difference: differences[0]}),
		elsewhere: [...new Set(rows.map(({process}) => process))].filter(process => !chains.has(process)),
	};
};
