import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Outcome} from '../core/ledger/ledger.ts';
import {openPeriods} from '../core/ledger/periods.ts';
import type {Booking} from '../schemas/record.ts';
import type {Reservation} from '../schemas/verdict.ts';
import {postgresOfThisFile} from './helpers/postgres.ts';
import {type Random, seededRandom} from './helpers/seeded-random.ts';
import {type Member, noon, sharedLedgers} from './helpers/shared-ledgers.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

const freshSchema = postgresOfThisFile();
const periodAt = openPeriods();
const windows = ['day', 'total', 'minute', 'rolling:1m', 'second', 'now'] as const;

type Account = Omit<Reservation, 'amount' | 'limit'> & {limit: number};

const someAccounts = (random: Random, round: number): Account[] =>
	Array.from({length: 1 + random.below(4)}, (_, index) => {
		const window = random.pick(windows);
		return {account: `${round}:${index}`, unit: window === 'now' ? 'slots' : 'tokens', window, limit: random.pick([5, 50, 5_000])};
	});

const sumOf = (bookings: Iterable<readonly Booking[]>, key: string): number => {
	let sum = 0;
	for (const each of bookings) for (const one of each) sum += one.key === key ? one.amount : 0;
	return sum;
};

/** One random history on a store that others before it have used: real ledgers and stores, a journal in memory, crashes by forgetting. */
const play = async (
	t: ExecutionContext,
	{open, clock}: Awaited<ReturnType<typeof sharedLedgers>>,
	random: Random,
	round: number,
): Promise<void> => {
	const accounts = someAccounts(random, round);
	clock.now += 200_000;
	const members: Member[] = [];
	for (let index = 0; index <= random.below(4); index += 1) members.push(await open(`${round}-${index}`));
	const held = new Set<readonly Booking[]>();
	const settled = new Set<readonly Booking[]>();
	const keyOf = ({account, unit, window}: Account) => `${account}|${unit}|${periodAt(window, 'UTC', clock.now).id}`;

	const call = async (index: number): Promise<void> => {
		const member = members[index]!;
		const reservations = accounts.map(account => ({
			...account,
			amount: account.unit === 'slots' ? 1 : random.below(Math.ceil(account.limit / 3)),
		}));
		const outcome: Outcome = await member.ledger.reserve(reservations);
		if (members[index] !== member || !outcome.held) return;
		held.add(outcome.held);
		for (const account of accounts) {
			const total = sumOf(held, keyOf(account)) + sumOf(settled, keyOf(account));
			if (total > account.limit) throw new Error(`${keyOf(account)} stands at ${total} of ${account.limit}`);
		}
		const exchange = `${round}-${index}-${random.below(1e9)}`;
		const opened = member.record('opened', exchange, outcome.held);
		if (random.chance(0.5)) await new Promise(done => setTimeout(done, random.below(4)));
		if (members[index] !== member) return;
		const share = random.next();
		const used = Object.fromEntries(
			accounts.map(({unit}) => [unit, Math.floor(share * Math.min(...outcome.held.map(({amount}) => amount)))]),
		);
		const booked = member.ledger.settle(outcome.held, used);
		held.delete(outcome.held);
		settled.add(booked);
		member.ledger.journaled(booked, member.record('exchange', exchange, booked));
		t.true(opened > 0);
	};

	const crash = async (index: number): Promise<void> => {
		const {file, store} = members[index]!;
		// The old one does nothing any more; what it had recorded is all there is.
		await store.close();
		const again = await open(`${round}-${index}`, {}, file);
		members[index] = again;
		for (const {exchange = '', bookings = []} of again.ledger.orphans) {
			again.ledger.journaled(bookings, again.record('exchange', exchange, bookings));
			settled.add(bookings);
		}
	};

	for (let burst = 1 + random.below(3); burst > 0; burst -= 1) {
		await Promise.all(Array.from({length: 1 + random.below(40)}, () => call(random.below(members.length))));
		held.clear();
		if (random.chance(0.3)) await crash(random.below(members.length));
		if (random.chance(0.3)) clock.now += random.pick([500, 2_000, 61_000]);
	}
	for (const {ledger} of members) await ledger.close();
	for (const {file, store} of members) {
		const rows = new Map((await store.ledgerOwn()).map(row => [row.key, row]));
		const journal = file.filter(({kind}) => kind === 'exchange').map(({bookings = []}) => bookings);
		for (const [key, {settled: row, granted, expiresAt = Number.POSITIVE_INFINITY}] of rows) {
			if (key.includes('|lease ')) continue;
			t.is(row, sumOf(journal, key), key);
			// A lease of a window that is long over is forgotten, and nobody needs it back.
			if (expiresAt > clock.now) t.is(granted, row, key);
		}
		await store.close();
	}
};

for (const {name, count, place} of [
	{name: 'SQLite', count: 40, place: async (t: ExecutionContext) => join(await temporaryFolder(t), 'gateway.db')},
	{name: 'PostgreSQL', count: 15, place: async () => freshSchema()},
])
	test.serial(
		`on ${name}, in ${count} random histories of up to four ledgers, no limit is passed, and each is left as its journal says`,
		async t => {
			const shared = await sharedLedgers(t, {place: await place(t)});
			const seed = 1 + Math.floor(Math.random() * 1e9);
			t.log(`seed ${seed}`);
			for (let round = 0; round < count; round += 1) await play(t, shared, seededRandom(seed + round), round);
			t.true(shared.clock.now > noon);
		},
	);
