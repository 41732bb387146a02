import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {chainsOf} from '../core/journal/segments.ts';
import {verify} from '../core/journal/verify.ts';
import {account, bookedIn, budgetOf} from './helpers/one-budget.ts';
import {type Answered, act, call, costMicroUsd, openWorld, type Place, type Replica, startReplica, until} from './helpers/replicas.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {storeEngines} from './helpers/store-engines.ts';

type Standing = {spentUsd: number; reservedUsd: number};
const standingOf = async (replica: Replica, adminKey: string): Promise<Standing> =>
	((await act(replica, adminKey, 'budgets/get', {account})) as {limits: [Standing]}).limits[0];

/** What every journal must say once nothing runs any more: whole chains, one end to each exchange, nothing finished is missing. */
const isWhole = async (t: ExecutionContext, places: readonly Place[], answered: readonly Answered[], message: string) => {
	const all = [];
	for (const {folder, journal} of places) {
		for (const chain of await chainsOf(join(folder, 'journal')))
			t.like(await verify(join(folder, 'journal'), {chain}), {ok: true}, message);
		all.push(...(await journal()));
	}
	const ends = Map.groupBy(
		all.filter(({kind}) => kind === 'exchange'),
		({exchange}) => exchange,
	);
	for (const {id, status} of answered) t.is(ends.get(id)?.[0]?.status, status, `${message}: the record of ${id} is missing`);
	for (const [id, {length}] of ends) t.is(length, 1, `${message}: ${id} has ended more than once`);
	for (const {kind, exchange} of all)
		if (kind === 'opened') t.truthy(ends.get(exchange), `${message}: ${exchange} was opened and has no end`);
	return all;
};

/** Every replica is asked by so many callers at once until it has refused each of them; in the order of the answers, with when each was asked. */
const askUntilRefused = async (replicas: readonly Replica[], key: string, callers: number) => {
	const answers: {answer: Answered; askedAt: number; answeredAt: number}[] = [];
	await Promise.all(
		replicas.flatMap(replica =>
			Array.from({length: callers}, async () => {
				for (;;) {
					const askedAt = performance.now();
					const answer = await call(replica, key);
					if (!answer) throw new Error('a gateway did not answer');
					answers.push({answer, askedAt, answeredAt: performance.now()});
					if (answer.status !== 200) return;
				}
			}),
		),
	);
	return answers;
};

const engines = storeEngines();

for (const {name, fresh} of engines)
	test.serial(`${name}: of a limit of 1,000 calls, four processes let none pass above it, and refuse none before 990`, async t => {
		t.timeout(180_000);
		const limit = 1_000;
		const world = await openWorld(t, {store: await fresh(t), plugins: [{use: 'virtual-keys'}, budgetOf(limit)]});
		const places = Array.from({length: 4}, () => world.place());
		const first = await startReplica(t, places[0]!.config);
		const replicas = [first, ...(await Promise.all(places.slice(1).map(({config}) => startReplica(t, config))))];
		const key = first.key!;

		const answers = await askUntilRefused(replicas, key, 4);
		const firstRefusedAt = Math.min(...answers.filter(({answer}) => answer.status !== 200).map(({answeredAt}) => answeredAt));
		const before = answers.filter(({answer, askedAt}) => answer.status === 200 && askedAt < firstRefusedAt).length;
		const refusals = answers.filter(({answer}) => answer.status !== 200).map(({answer}) => answer);
		t.log(`${before} passed before the first refusal, ${world.upstream.counts().total} in all`);
		t.true(world.upstream.counts().total <= limit, `${world.upstream.counts().total} calls reached the upstream`);
		t.true(before >= 990, `${before} calls passed before the first refusal`);
		for (const {status, code} of refusals) t.like({status, code}, {status: 429, code: 'budget_exceeded'});
		for (const replica of replicas) t.is(await replica.end('SIGTERM'), 0, replica.complained());
		await isWhole(
			t,
			places,
			answers.map(({answer}) => answer),
			'at the end',
		);
		t.is(await bookedIn(places), world.upstream.counts().total * costMicroUsd);
	});

test.serial(
	'workers that are killed in the middle of load, one after the other: the limit holds, nothing finished is missing, the books agree',
	async t => {
		t.timeout(180_000);
		const seed = Date.now() & 0xffff_ffff;
		const random = seededRandom(seed);
		const limit = 400;
		const world = await openWorld(t, {workers: 2, plugins: [{use: 'virtual-keys'}, budgetOf(limit)]});
		const place = world.place();
		const gateway = await startReplica(t, place.config);
		const answered: Answered[] = [];
		let kills = 0;
		let over = false;
		const callers = Array.from({length: 12}, async () => {
			while (!over) {
				const answer = await call(gateway, gateway.key!, {model: random.pick(['fast', 'slow', 'slow']), stream: random.chance(0.7)});
				if (answer) answered.push(answer);
				else await new Promise(resolve => setTimeout(resolve, 20));
				if (answer?.status === 429 && kills === 3) return;
			}
		});
		const killer = async () => {
			for (; kills < 3; kills++) {
				const count = answered.length;
				await until(() => answered.length >= count + 20 + random.below(30), 60_000);
				const workers = gateway.workers();
				process.kill(random.pick(workers), 'SIGKILL');
				await until(() => gateway.workers().length === 2, 30_000);
			}
		};
		await killer().finally(() => {
			if (kills < 3) over = true;
		});
		await Promise.all(callers);
		t.true(world.upstream.counts().total <= limit, `seed ${seed}: ${world.upstream.counts().total} calls reached the upstream`);
		t.deepEqual(new Set(answered.map(({status}) => status)), new Set([200, 429]), `seed ${seed}`);
		const crashedOf = async () => (await place.journal()).filter(({error}) => error?.code === 'gateway_crashed').length;
		await until(async () => {
			const {reservedUsd, spentUsd} = await standingOf(gateway, gateway.adminKey!);
			return reservedUsd === 0 && spentUsd === (await bookedIn([place])) / 1e6;
		});
		t.is(await gateway.end('SIGTERM'), 0, gateway.complained());
		await isWhole(t, [place], answered, `seed ${seed}`);
		t.is(await bookedIn([place]), limit * costMicroUsd, `seed ${seed}: nothing of the limit is lost either`);
		t.log(`${await crashedOf()} exchanges crashed, ${answered.filter(({status}) => status === 200).length} of ${limit} were answered`);
	},
);

test.serial('a replica that is killed and comes back finds what it spent, and brings back what it had leased', async t => {
	t.timeout(180_000);
	const limit = 200;
	const world = await openWorld(t, {store: await engines[1]!.fresh(t), plugins: [{use: 'virtual-keys'}, budgetOf(limit)]});
	const places = [world.place(), world.place()];
	const [here, there] = [await startReplica(t, places[0]!.config), await startReplica(t, places[1]!.config)];
	const [key, adminKey] = [here.key!, here.adminKey!];
	const half = await Promise.all(Array.from({length: 20}, (_, index) => call(index % 2 ? here : there, key)));
	t.true(half.every(answer => answer?.status === 200));
	await there.end('SIGKILL');
	const back = await startReplica(t, places[1]!.config);
	await until(async () => (await standingOf(back, adminKey)).spentUsd === (20 * costMicroUsd) / 1e6);
	for (let count = 0; count < 2; count++) t.is((await call(back, key))?.status, 200);
	await back.end('SIGKILL');
	const answers = await askUntilRefused([here], key, 4);
	const passed = answers.filter(({answer}) => answer.status === 200).length;
	t.log(`${passed} of ${limit - 22} passed without the replica that never came back with its lease`);
	t.true(world.upstream.counts().total <= limit);
	t.true(passed > limit / 2);
	const last = await startReplica(t, places[1]!.config);
	const rest = await askUntilRefused([last, here], key, 4);
	t.is(rest.filter(({answer}) => answer.status === 200).length, limit - 22 - passed, 'it comes back with the replica');
	t.is(world.upstream.counts().total, limit);
	t.is(await last.end('SIGTERM'), 0, last.complained());
	t.is(await here.end('SIGTERM'), 0, here.complained());
});
