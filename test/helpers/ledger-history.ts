import {mock} from 'node:test';
import {tree} from './ledger-accounts.ts';
import type {Sums} from './ledger-sums.ts';
import {type LedgerWorld, ledgerDisk, ledgerWorld} from './ledger-world.ts';
import {seededRandom} from './seeded-random.ts';

/** What has happened, so that a test can see that it is about something. */
export type Told = {exchanges: number; held: number; refused: number; kills: number; probes: number};

/** The world of one random history: its accounts and processes, what goes wrong in it, and what its processes set aside and booked. */
export const openHistory = (seed: number) => {
	const random = seededRandom(seed);
	const startAt = Date.UTC(2026, random.below(12), 1 + random.below(28), random.below(24), random.below(60));
	const disk = ledgerDisk(random, startAt);
	const leaves = tree(random);
	const accounts = [...new Set(leaves.flat())];
	const hard = accounts.filter(({soft}) => !soft);
	const overspends = random.chance(0.15);
	const disturbed = random.chance(0.25);
	const lossy = random.chance(0.1);
	// What a rolling window, or a second, had let go counts again then, and others may have taken the room.
	const setsBack = random.chance(0.4);
	const onStoreDown = random.chance(0.1) ? 'allow' : 'deny';
	const worlds = Array.from({length: 1 + random.below(4)}, (_, index) =>
		ledgerWorld(random, startAt, {disk, process: `p${index}`, onStoreDown}),
	);
	const used = new Map<LedgerWorld, Sums>(worlds.map(world => [world, new Map()]));
	const told: Told = {exchanges: 0, held: 0, refused: 0, kills: 0, probes: 0};
	const expect = (right: boolean, what: string) => {
		if (!right) throw new Error(`${what} (seed ${seed})`);
	};
	const tick = (ms: number) => {
		disk.state.ticks += ms;
		mock.timers.tick(ms);
	};
	return {
		random,
		disk,
		/** Paths of accounts, each from the root to a leaf. */
		leaves,
		accounts,
		/** Those whose limit is one. */
		hard,
		/** The highest limit that an account has ever had. */
		mostEver: new Map(hard.map(account => [account, account.limit])),
		overspends,
		disturbed,
		lossy,
		setsBack,
		/** A record that was lost leaves what was set aside: a crash then books all of it, where less had been settled. */
		loose: overspends || lossy || (disturbed && onStoreDown === 'allow'),
		/** Whether the clock never brings back what counted in such a window. */
		exact: ({window}: {window: string}) => !setsBack || !(window === 'second' || window.startsWith('rolling:')),
		worlds,
		used,
		all: () => [...used.values()],
		told,
		expect,
		tick,
		/** From now on the store and the journal fail as often as they do in this history. */
		trouble: () => {
			disk.fail(disturbed ? 0.2 : 0);
			disk.lose(lossy ? 0.1 : 0);
		},
		calm: () => {
			disk.fail(0);
			disk.lose(0);
		},
		/** Everything goes on, one small step at a time, until `done`. */
		pump: async (done: () => boolean, failures: readonly unknown[]) => {
			for (let steps = 0; !done(); steps += 1) {
				await undefined;
				if (random.chance(0.02)) tick(random.pick([5, 20, 100, 1_000]));
				if (failures.length > 0) throw failures[0];
				expect(steps < 300_000, 'it never ends');
			}
		},
	};
};

export type History = ReturnType<typeof openHistory>;
