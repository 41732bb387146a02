import type {Outcome} from '../../core/ledger/ledger.ts';
import type {JournalRecord} from '../../schemas/record.ts';
import {type Account, unitOf, units} from './ledger-accounts.ts';
import {checkHeld} from './ledger-checks.ts';
import type {History} from './ledger-history.ts';
import {add} from './ledger-sums.ts';
import type {LedgerWorld} from './ledger-world.ts';
import type {Random} from './seeded-random.ts';

/** Answers the number of the record once it is in the file, or nothing when a journal that loses records refused it. */
export const onRecord = async ({lossy}: Pick<History, 'lossy'>, world: LedgerWorld, record: JournalRecord): Promise<number | undefined> => {
	const {seq, written} = world.append(record);
	try {
		await written;
		return seq;
	} catch (error) {
		if (lossy) return undefined;
		throw error;
	}
};

const reserveOn = async (
	{disturbed, told, expect}: History,
	world: LedgerWorld,
	ask: () => Outcome | Promise<Outcome>,
): Promise<{outcome?: Outcome; atOnce: boolean}> => {
	let atOnce = true;
	try {
		const answer = ask();
		atOnce = !(answer instanceof Promise);
		const outcome = answer instanceof Promise ? await answer : answer;
		if (outcome.short) {
			told.refused += 1;
			const {limit, used: taken, needed} = outcome.short;
			expect(taken + needed > limit, `refused ${needed} with ${taken} of ${limit} used`);
		}
		return {outcome, atOnce};
	} catch (error) {
		expect(error instanceof Error && 'code' in error && error.code === 'store_unavailable' && disturbed, `${world.process}: ${error}`);
		return {atOnce};
	}
};

const amountFor = (random: Random, {unit, limit}: Account): number => {
	if (unit === 'slots') return 1;
	return random.chance(0.1) ? 0 : random.below(Math.max(2, Math.ceil(limit / random.pick([5, 5, 100]))));
};

/** One exchange on a process, from what it sets aside to its record, unless the process is killed meanwhile. */
export const exchange = async (history: History, world: LedgerWorld, id: string) => {
	const {random, disk, leaves, overspends, used, told, expect} = history;
	const sums = used.get(world)!;
	const alive = world.witness();
	await disk.pause(200);
	const path = random.pick(leaves);
	const times = random.chance(0.1) ? 2 : 1;
	const reservations = Array.from({length: times}, () => path)
		.flat()
		.map(account => ({...account, amount: amountFor(random, account)}));
	if (!alive()) return;
	const {outcome, atOnce} = await reserveOn(history, world, () => world.ledger().reserve(reservations));
	if (!outcome?.held || !alive()) return;
	let {held} = outcome;
	told.held += 1;
	add(sums, held);
	checkHeld(history, held, reservations, atOnce);
	const recorded = random.chance(0.8);
	if (recorded) await onRecord(history, world, {kind: 'opened', exchange: id, bookings: held});
	await disk.pause();
	if (!alive()) return;
	if (random.chance(0.2)) {
		const unit = random.pick(reservations).unit;
		const more = await reserveOn(history, world, () => world.ledger().topUp(held, {[unit]: 1 + random.below(20)}));
		if (!alive()) return;
		if (more.outcome?.held) {
			add(sums, held, -1);
			held = more.outcome.held;
			add(sums, held);
			checkHeld(history, held, reservations, more.atOnce);
			if (recorded) await onRecord(history, world, {kind: 'opened', exchange: id, bookings: held});
			if (!alive()) return;
		}
	}
	const share = random.pick([0, 1, random.next(), overspends ? 1 + random.next() : 0.5]);
	const least = (unit: string) => Math.min(1e9, ...held.filter(({key}) => unitOf(key) === unit).map(({amount}) => amount));
	const real = Object.fromEntries(units.map(unit => [unit, Math.floor(share * least(unit))]));
	const settled = world.ledger().settle(held, share === 1 ? {} : real);
	add(sums, held, -1);
	add(sums, settled);
	expect(world.ledger().settle(held, {})[0] === settled[0], 'settling twice booked twice');
	await disk.pause();
	if (!alive()) return;
	const seq = await onRecord(history, world, {kind: 'exchange', exchange: id, bookings: settled});
	if (seq !== undefined && alive()) world.ledger().journaled(settled, seq);
};
