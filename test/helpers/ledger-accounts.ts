import {openPeriods, type Period} from '../../core/ledger/periods.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import type {Random} from './seeded-random.ts';

const windows = [
	'second',
	'minute',
	'hour',
	'day',
	'week',
	'month',
	'quarter',
	'total',
	'rolling:5s',
	'rolling:1m',
	'rolling:90s',
	'rolling:2h',
] as const;
export const units = ['microUsd', 'tokens', 'inputTokens', 'outputTokens', 'requests', 'toolCalls'] as const;
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
const limits = [0, 1, 10, 100, 1_000, 100_000];
const periodAt = openPeriods();

export type Account = Omit<Reservation, 'amount' | 'limit'> & {limit: number};

/** Every path from one root to a leaf, up to three below it, of accounts that `make` makes by their names. */
export const randomPaths = <One extends {account: string}>(random: Random, make: (name: string) => One): One[][] => {
	const grow = (path: One[], depth: number): One[][] =>
		depth === 0
			? [path]
			: Array.from({length: 1 + random.below(3)}, (_, index) => make(`${path.at(-1)?.account ?? 'root'}/${index}`)).flatMap(child =>
					grow([...path, child], depth - 1),
				);
	return grow([make('root')], random.below(4));
};

/** Paths of accounts of all kinds: every unit and window, slots, soft limits and such that tell. */
export const tree = (random: Random): Account[][] =>
	randomPaths(random, name => {
		const isSlots = random.chance(0.1);
		return {
			account: name,
			unit: isSlots ? 'slots' : random.pick(units),
			window: isSlots ? 'now' : random.pick(windows),
			...(random.chance(0.2) && {timeZone: random.pick(zones)}),
			limit: isSlots ? 1 + random.below(60) : random.pick(limits) * (1 + random.below(9)),
			...(random.chance(0.1) && {soft: true}),
			...(random.chance(0.2) && {notifyAt: [50, 80, 100]}),
		};
	});

export const periodOf = ({window, timeZone = 'UTC'}: Account, now: number): Period => periodAt(window, timeZone, now);
/** What every key of an account begins with. */
export const prefixOf = ({account, unit}: Account) => `${account}|${unit}|`;
export const unitOf = (key: string) => key.split('|').at(-3) as Reservation['unit'];
