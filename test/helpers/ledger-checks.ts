import type {Outcome} from '../../core/ledger/ledger.ts';
import type {Booking} from '../../schemas/record.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import {periodOf, prefixOf, units} from './ledger-accounts.ts';
import type {History} from './ledger-history.ts';
import {sumOf, usedAt, worstStretch} from './ledger-sums.ts';
import type {LedgerWorld} from './ledger-world.ts';

/** No account that was just held of is over its limit, its durable leases, or what a stretch of its window may have. */
export const checkHeld = (
	{random, disk, hard, mostEver, loose, setsBack, exact, all, expect}: History,
	held: readonly Booking[],
	reservations: readonly Reservation[],
	atOnce: boolean,
) => {
	if (loose) return;
	for (const [index, {key}] of held.entries()) {
		const {soft, limit} = reservations[index]!;
		if (soft || limit === null || reservations[index]!.amount === 0) continue;
		const account = hard.find(({account}) => account === reservations[index]!.account)!;
		const total = all().reduce((sum, each) => sum + (each.get(key) ?? 0), 0);
		expect(total <= limit || !exact(account), `${atOnce ? '' : 'after waiting, '}${key} stands at ${total} of ${limit}`);
		// Rows of windows that ended may have been pruned.
		if (
			key === prefixOf(account) + periodOf(account, disk.now()).id &&
			!setsBack &&
			account.window !== 'now' &&
			periodOf(account, 0).slide === undefined
		)
			expect(total <= disk.granted(key), `${key} stands at ${total}, over its durable leases of ${disk.granted(key)}`);
		if (random.chance(0.05) && exact(account))
			expect(worstStretch(all(), account) <= mostEver.get(account)!, `a stretch of ${key} is over ${mostEver.get(account)}`);
	}
};

/** Each row of what a process left says what its journal says, and nothing is leased any more. */
export const checkRows = ({disk, lossy, expect}: History, world: LedgerWorld) => {
	const sums = sumOf(world.file);
	for (const row of disk.rows.values()) {
		if (row.process !== world.process) continue;
		const isLease = row.key.includes('|lease ');
		if (!isLease && !lossy)
			expect(
				row.settled === (sums.get(row.key) ?? 0),
				`${world.process} left ${row.key} at ${row.settled}, its journal says ${sums.get(row.key)}`,
			);
		const gone = (row.expiresAt ?? Number.POSITIVE_INFINITY) <= disk.now();
		if (!isLease) expect(lossy || gone || row.granted === row.settled, `${world.process} kept ${row.granted - row.settled} of ${row.key}`);
	}
};

/** When all is quiet, what is left of an account can be had by any process, to the last unit. */
export const probe = async ({random, disk, hard, worlds, disturbed, told, exact, all, expect, tick, pump}: History) => {
	tick(disturbed ? 6_000 : 1_500);
	await disk.pause(200);
	tick(100);
	disk.wait(1_500);
	for (const account of hard.filter(exact).slice(0, 4)) {
		const room = Math.min(1e9, account.limit - usedAt(all(), account, disk.now()));
		if (room < 0) continue;
		const world = random.pick(worlds);
		for (const [amount, fits] of [
			[room + 1, false],
			[room, true],
		] as const) {
			let outcome: Outcome | undefined;
			const failures: unknown[] = [];
			Promise.resolve(world.ledger().reserve([{...account, amount}])).then(
				answer => {
					outcome = answer;
				},
				error => failures.push(error),
			);
			await pump(() => outcome !== undefined, failures);
			expect(
				(outcome?.held !== undefined) === fits,
				`${world.process} has ${room} left of ${account.account} and was ${outcome?.held ? 'given' : 'refused'} ${amount}`,
			);
			if (outcome?.held) {
				const settled = world.ledger().settle(outcome.held, Object.fromEntries(units.map(unit => [unit, 0])));
				const {seq, written} = world.append({kind: 'exchange', exchange: `probe ${told.probes} ${amount}`, bookings: settled});
				await written;
				world.ledger().journaled(settled, seq);
			}
			tick(6_000);
			disk.wait(1_100);
			if (usedAt(all(), account, disk.now()) !== account.limit - room) break;
			told.probes += 1;
		}
	}
};
