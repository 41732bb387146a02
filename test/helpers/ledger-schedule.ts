import {checkRows, probe} from './ledger-checks.ts';
import {exchange} from './ledger-exchange.ts';
import {openHistory, type Told} from './ledger-history.ts';
import {sumOf, usedAt} from './ledger-sums.ts';
import type {LedgerWorld} from './ledger-world.ts';

/** One random history of accounts, processes, failures and clocks; throws, naming the seed, where something is not as promised. */
export const schedule = async (seed: number): Promise<Told> => {
	const history = openHistory(seed);
	const {random, disk, accounts, hard, mostEver, setsBack, loose, worlds, used, told, expect, tick, trouble, calm, pump} = history;

	const open = async (world: LedgerWorld) => {
		calm();
		// What was held and not recorded never reached anybody: its lease goes back.
		const sums = sumOf(world.file);
		used.set(world, sums);
		await world.start();
		for (const account of accounts) {
			const {spent, reserved} = world.ledger().balance(account.account, account.unit, account.window, account.timeZone);
			const journal = usedAt([sums], account, disk.now());
			expect(
				spent + reserved === journal,
				`${world.process} starts with ${spent} + ${reserved} of ${account.account}, its journal says ${journal}`,
			);
		}
		for (const {exchange, bookings = []} of world.ledger().orphans) {
			const {seq, written} = world.append({kind: 'exchange', exchange, outcome: 'failed', bookings});
			await written;
			world.ledger().journaled(bookings, seq);
		}
		trouble();
	};

	const running = new Map<LedgerWorld, number>();
	let opening: Promise<void> = Promise.resolve();
	let closed = 0;

	const kill = (world: LedgerWorld, failures: unknown[]) => {
		world.kill();
		told.kills += 1;
		closed += 1;
		running.delete(world);
		opening = opening
			.then(() => disk.pause(random.pick([1, 100, 2_000])))
			.then(() => open(world))
			.catch(error => void failures.push(error))
			.finally(() => {
				closed -= 1;
			});
	};

	const play = async (round: number) => {
		const failures: unknown[] = [];
		const count = Math.ceil(500 ** random.next());
		told.exchanges += count;
		for (let left = count; left > 0; left -= 1) {
			const world = random.pick(worlds);
			const alive = world.witness();
			running.set(world, (running.get(world) ?? 0) + 1);
			exchange(history, world, `${world.process} ${round}-${left}`)
				.catch(error => failures.push(error))
				.finally(() => {
					if (alive()) running.set(world, (running.get(world) ?? 0) - 1);
				});
		}
		const kills = random.chance(0.5) ? 0.003 : 0;
		await pump(() => {
			if (random.chance(0.01))
				disk.wait(random.pick([1, 1_000, 2_000, 30_000, 90_000, 4_000_000, 90_000_000, ...(setsBack ? [-2_000, -20_000] : [])]));
			const victim = random.pick(worlds);
			if (random.chance(kills) && (running.get(victim) ?? 0) > 0) kill(victim, failures);
			return closed === 0 && [...running.values()].every(left => left === 0);
		}, failures);
	};

	const settleDown = async () => {
		calm();
		let ended = 0;
		const failures: unknown[] = [];
		tick(1_000);
		await disk.pause(400);
		for (const world of worlds)
			world
				.ledger()
				.close()
				.then(
					() => (ended += 1),
					error => failures.push(error),
				);
		await pump(() => ended === worlds.length, failures);
		for (const world of worlds) checkRows(history, world);
	};

	for (const world of worlds) await open(world);
	for (let round = 1 + random.below(3); round > 0; round -= 1) {
		trouble();
		await play(round);
		calm();
		if (!loose && random.chance(0.5)) await probe(history);
		for (const account of hard) {
			if (!random.chance(0.2)) continue;
			account.limit = random.pick([Math.floor(account.limit / 2), account.limit * 2, 0]);
			mostEver.set(account, Math.max(account.limit, mostEver.get(account)!));
		}
	}
	await settleDown();
	return told;
};
