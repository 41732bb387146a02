import {mock} from 'node:test';
import type {StoredRecord} from '../../core/journal/journal.ts';
import type {Outcome} from '../../core/ledger/ledger.ts';
import {openPeriods, type Period} from '../../core/ledger/periods.ts';
import type {Booking, JournalRecord} from '../../schemas/record.ts';
import type {Reservation} from '../../schemas/verdict.ts';
import {type LedgerWorld, ledgerDisk, ledgerWorld} from './ledger-world.ts';
import {type Random, seededRandom} from './seeded-random.ts';

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
const units = ['microUsd', 'tokens', 'inputTokens', 'outputTokens', 'requests', 'toolCalls'] as const;
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'];
const limits = [0, 1, 10, 100, 1_000, 100_000];
const periodAt = openPeriods();

export type Account = Omit<Reservation, 'amount' | 'limit'> & {limit: number};

export const tree = (random: Random): Account[][] => {
	const account = (name: string): Account => {
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
	};
	const grow = (path: Account[], depth: number): Account[][] =>
		depth === 0
			? [path]
			: Array.from({length: 1 + random.below(3)}, (_, index) => account(`${path.at(-1)?.account ?? 'root'}/${index}`)).flatMap(child =>
					grow([...path, child], depth - 1),
				);
	return grow([account('root')], random.below(4));
};

const periodOf = ({window, timeZone = 'UTC'}: Account, now: number): Period => periodAt(window, timeZone, now);
const prefixOf = ({account, unit}: Account) => `${account}|${unit}|`;
const unitOf = (key: string) => key.split('|').at(-3) as Reservation['unit'];

type Sums = Map<string, number>;

const add = (sums: Sums, bookings: readonly Booking[], sign = 1) => {
	for (const {key, amount} of bookings) sums.set(key, (sums.get(key) ?? 0) + sign * amount);
};

/** By the journal alone: what ended exchanges booked, and in full what those set aside that never ended, but for slots. */
const sumOf = (file: readonly StoredRecord[]): Sums => {
	const sums: Sums = new Map();
	const last = new Map<string, StoredRecord>();
	for (const record of file) {
		const {kind, exchange = ''} = record;
		if (kind === 'exchange' || (kind === 'opened' && last.get(exchange)?.kind !== 'exchange')) last.set(exchange, record);
	}
	for (const {kind, bookings = []} of last.values())
		add(
			sums,
			bookings.filter(({key}) => kind === 'exchange' || unitOf(key) !== 'slots'),
		);
	return sums;
};

/** What the buckets that count at `now` come to, or the present window. */
const usedAt = (sums: readonly Sums[], account: Account, now: number): number => {
	const present = periodOf(account, now);
	const prefix = prefixOf(account);
	let used = 0;
	for (const each of sums)
		for (const [key, amount] of each) {
			if (!key.startsWith(prefix)) continue;
			if (present.slide === undefined || present.slide.lengthMs === 0) used += key === prefix + present.id ? amount : 0;
			else if (key.startsWith(`${prefix}${account.window}|`)) {
				const {until} = periodOf(account, Date.parse(key.split('|').at(-1)!));
				if (until > now) used += amount;
			}
		}
	return used;
};

/** The most that any stretch of a rolling window's length had, of buckets that lie wholly in it. */
const worstStretch = (sums: readonly Sums[], account: Account): number => {
	const {slide} = periodOf(account, 0);
	if (slide === undefined || slide.lengthMs === 0) return 0;
	const prefix = `${prefixOf(account)}${account.window}|`;
	const starts = sums.flatMap(each => [...each].filter(([key]) => key.startsWith(prefix)));
	const buckets = starts
		.map(([key, amount]) => ({start: Date.parse(key.slice(prefix.length)), amount}))
		.sort((one, other) => one.start - other.start);
	let worst = 0;
	for (const [first, {start}] of buckets.entries()) {
		let sum = 0;
		for (const bucket of buckets.slice(first)) if (bucket.start + slide.bucketMs <= start + slide.lengthMs) sum += bucket.amount;
		worst = Math.max(worst, sum);
	}
	return worst;
};

export type Told = {exchanges: number; held: number; refused: number; kills: number; probes: number};

/** One random history of accounts, processes, failures and clocks; throws, naming the seed, where something is not as promised. */
export const schedule = async (seed: number): Promise<Told> => {
	const random = seededRandom(seed);
	const startAt = Date.UTC(2026, random.below(12), 1 + random.below(28), random.below(24), random.below(60));
	const disk = ledgerDisk(random, startAt);
	const leaves = tree(random);
	const accounts = [...new Set(leaves.flat())];
	const hard = accounts.filter(({soft}) => !soft);
	const mostEver = new Map(hard.map(account => [account, account.limit]));
	const overspends = random.chance(0.15);
	const disturbed = random.chance(0.25);
	const lossy = random.chance(0.1);
	// What a rolling window, or a second, had let go counts again then, and others may have taken the room.
	const setsBack = random.chance(0.4);
	const exact = ({window}: Account) => !setsBack || !(window === 'second' || window.startsWith('rolling:'));
	const onStoreDown = random.chance(0.1) ? 'allow' : 'deny';
	const worlds = Array.from({length: 1 + random.below(4)}, (_, index) =>
		ledgerWorld(random, startAt, {disk, process: `p${index}`, onStoreDown}),
	);
	const used = new Map<LedgerWorld, Sums>(worlds.map(world => [world, new Map()]));
	const all = () => [...used.values()];
	const told: Told = {exchanges: 0, held: 0, refused: 0, kills: 0, probes: 0};
	const failing = disturbed ? 0.2 : 0;
	const losing = lossy ? 0.1 : 0;
	// A record that was lost leaves what was set aside: a crash then books all of it, where less had been settled.
	const loose = overspends || lossy || (disturbed && onStoreDown === 'allow');
	const expect = (right: boolean, what: string) => {
		if (!right) throw new Error(`${what} (seed ${seed})`);
	};
	const tick = (ms: number) => {
		disk.state.ticks += ms;
		mock.timers.tick(ms);
	};

	const onRecord = async (world: LedgerWorld, record: JournalRecord): Promise<number | undefined> => {
		const {seq, written} = world.append(record);
		try {
			await written;
			return seq;
		} catch (error) {
			if (lossy) return undefined;
			throw error;
		}
	};

	const checkHeld = (held: readonly Booking[], reservations: readonly Reservation[], atOnce: boolean) => {
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

	const reserveOn = async (world: LedgerWorld, ask: () => Outcome | Promise<Outcome>): Promise<{outcome?: Outcome; atOnce: boolean}> => {
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

	const amountFor = ({unit, limit}: Account): number => {
		if (unit === 'slots') return 1;
		return random.chance(0.1) ? 0 : random.below(Math.max(2, Math.ceil(limit / random.pick([5, 5, 100]))));
	};

	const exchange = async (world: LedgerWorld, id: string) => {
		const sums = used.get(world)!;
		const alive = world.witness();
		await disk.pause(200);
		const path = random.pick(leaves);
		const times = random.chance(0.1) ? 2 : 1;
		const reservations = Array.from({length: times}, () => path)
			.flat()
			.map(account => ({...account, amount: amountFor(account)}));
		if (!alive()) return;
		const {outcome, atOnce} = await reserveOn(world, () => world.ledger().reserve(reservations));
		if (!outcome?.held || !alive()) return;
		let {held} = outcome;
		told.held += 1;
		add(sums, held);
		checkHeld(held, reservations, atOnce);
		const recorded = random.chance(0.8);
		if (recorded) await onRecord(world, {kind: 'opened', exchange: id, bookings: held});
		await disk.pause();
		if (!alive()) return;
		if (random.chance(0.2)) {
			const unit = random.pick(reservations).unit;
			const more = await reserveOn(world, () => world.ledger().topUp(held, {[unit]: 1 + random.below(20)}));
			if (!alive()) return;
			if (more.outcome?.held) {
				add(sums, held, -1);
				held = more.outcome.held;
				add(sums, held);
				checkHeld(held, reservations, more.atOnce);
				if (recorded) await onRecord(world, {kind: 'opened', exchange: id, bookings: held});
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
		const seq = await onRecord(world, {kind: 'exchange', exchange: id, bookings: settled});
		if (seq !== undefined && alive()) world.ledger().journaled(settled, seq);
	};

	const open = async (world: LedgerWorld) => {
		disk.fail(0);
		disk.lose(0);
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
		disk.fail(failing);
		disk.lose(losing);
	};

	/** Everything goes on, one small step at a time, until `done`. */
	const pump = async (done: () => boolean, failures: readonly unknown[]) => {
		for (let steps = 0; !done(); steps += 1) {
			await undefined;
			if (random.chance(0.02)) tick(random.pick([5, 20, 100, 1_000]));
			if (failures.length > 0) throw failures[0];
			expect(steps < 300_000, 'it never ends');
		}
	};

	/** When all is quiet, what is left of an account can be had by any process, to the last unit. */
	const probe = async () => {
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
			exchange(world, `${world.process} ${round}-${left}`)
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

	/** Each row of what a process left says what its journal says, and nothing is leased any more. */
	const checkRows = (world: LedgerWorld) => {
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
			if (!isLease)
				expect(lossy || gone || row.granted === row.settled, `${world.process} kept ${row.granted - row.settled} of ${row.key}`);
		}
	};

	const settleDown = async () => {
		disk.fail(0);
		disk.lose(0);
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
		for (const world of worlds) checkRows(world);
	};

	for (const world of worlds) await open(world);
	for (let round = 1 + random.below(3); round > 0; round -= 1) {
		disk.fail(failing);
		disk.lose(losing);
		await play(round);
		disk.fail(0);
		disk.lose(0);
		if (!loose && random.chance(0.5)) await probe();
		for (const account of hard) {
			if (!random.chance(0.2)) continue;
			account.limit = random.pick([Math.floor(account.limit / 2), account.limit * 2, 0]);
			mostEver.set(account, Math.max(account.limit, mostEver.get(account)!));
		}
	}
	await settleDown();
	return told;
};
