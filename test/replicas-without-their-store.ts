import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {chainsOf} from '../core/journal/segments.ts';
import {verify} from '../core/journal/verify.ts';
import {account, bookedIn, budgetOf} from './helpers/one-budget.ts';
import {startPostgres} from './helpers/postgres.ts';
import {type Answered, act, call, costMicroUsd, openWorld, type Place, type Replica, startReplica, until} from './helpers/replicas.ts';

/** How long the store is away; `npm run soak` waits for as long as the promise says. */
const awayMs = Number(process.env.SALLYPORT_STORE_AWAY_MS ?? 8_000);

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** Callers that go on whatever they are told, until told to stop; every answer with its moment. */
const steadyLoad = (replicas: readonly Replica[], key: string, callers: number, restMs: number) => {
	const answers: {replica: Replica; answer: Answered; at: number}[] = [];
	let over = false;
	const ended = Promise.all(
		replicas.flatMap(replica =>
			Array.from({length: callers}, async () => {
				while (!over) {
					const answer = await call(replica, key);
					if (!answer) throw new Error('a gateway did not answer');
					answers.push({replica, answer, at: performance.now()});
					await pause(restMs);
				}
			}),
		),
	);
	ended.catch(() => {}); // A test that fails before it awaits them says more.
	return {
		answers,
		since: (at: number) => answers.filter(answer => answer.at >= at),
		stop: async () => {
			over = true;
			await ended;
		},
	};
};

const spentOf = async (replica: Replica, adminKey: string): Promise<number> => {
	const {limits} = (await act(replica, adminKey, 'budgets/get', {account})) as {limits: [{spentUsd: number; reservedUsd: number}]};
	return limits[0].reservedUsd === 0 ? Math.round(limits[0].spentUsd * 1e6) : Number.NaN;
};

/** Every answer is on record as it was given, in chains that hold. */
const nothingIsLost = async (t: ExecutionContext, places: readonly Place[], answers: readonly Answered[]) => {
	const statuses = new Map<string | undefined, number | undefined>();
	for (const {folder, journal} of places) {
		for (const chain of await chainsOf(join(folder, 'journal'))) t.like(await verify(join(folder, 'journal'), {chain}), {ok: true});
		for (const {kind, exchange, status} of await journal()) if (kind === 'exchange') statuses.set(exchange, status);
	}
	for (const {id, status} of answers) t.is(statuses.get(id), status, `the record of ${id}`);
};

test.serial(
	'PostgreSQL stops in the middle of load: calls inside leases go on, the others get a 503 that says when; then it recovers by itself',
	async t => {
		t.timeout(180_000 + 2 * awayMs);
		const server = await startPostgres(t);
		// A lease of a quarter of what is left is used up while the store is away.
		const limit = 600 + awayMs / 10;
		const world = await openWorld(t, {store: server.url, plugins: [{use: 'virtual-keys'}, budgetOf(limit)]});
		const places = [world.place(), world.place()];
		const [here, there] = [await startReplica(t, places[0]!.config), await startReplica(t, places[1]!.config)];
		const [key, adminKey] = [here.key!, here.adminKey!];
		const load = steadyLoad([here, there], key, 3, 40);
		await until(() => load.answers.length > 40);

		const stoppedAt = performance.now();
		await server.stop();
		const goneAt = performance.now();
		await pause(awayMs);
		await t.throwsAsync(act(here, adminKey, 'virtual-keys/create'), {message: /could not be written/});
		const during = load.since(goneAt);
		await server.start();
		const backAt = performance.now();
		await until(() =>
			[here, there].every(replica => load.since(backAt).some(answer => answer.replica === replica && answer.answer.status === 200)),
		);
		const recoveredMs = Math.round(performance.now() - backAt);
		await load.stop();

		const statuses = Map.groupBy(during, ({answer}) => answer.status);
		t.log(
			`${statuses.get(200)?.length} calls passed while the store was away, ${statuses.get(503)?.length} were refused; recovered after ${recoveredMs} ms`,
		);
		t.deepEqual(new Set(load.answers.map(({answer}) => answer.status)), new Set([200, 503]));
		t.true(load.answers.filter(({at}) => at < stoppedAt).every(({answer}) => answer.status === 200));
		t.true(statuses.get(200)!.length >= 40, 'leases are of use');
		for (const {answer} of statuses.get(503) ?? []) {
			t.is(answer.code, 'store_unavailable');
			t.true(Number(answer.retryAfter) >= 1);
		}
		t.true(recoveredMs < 6_000);
		for (const replica of [here, there]) await until(async () => (await spentOf(replica, adminKey)) === (await bookedIn(places)));
		const made = (await act(here, adminKey, 'virtual-keys/create')) as {key: string};
		await until(async () => (await call(there, made.key))?.status === 200);
		for (const replica of [here, there]) t.is(await replica.end('SIGTERM'), 0, replica.complained());
		await nothingIsLost(
			t,
			places,
			load.answers.map(({answer}) => answer),
		);
		t.true(world.upstream.counts().total <= limit);
	},
);

test.serial("with onStoreDown: 'allow' nobody is refused while PostgreSQL is away, and all of it is on the books afterwards", async t => {
	t.timeout(180_000 + 2 * awayMs);
	const server = await startPostgres(t);
	const limit = 600 + awayMs / 10;
	const world = await openWorld(t, {
		store: server.url,
		ledger: {onStoreDown: 'allow'},
		plugins: [{use: 'virtual-keys'}, budgetOf(limit)],
	});
	const places = [world.place(), world.place()];
	const [here, there] = [await startReplica(t, places[0]!.config), await startReplica(t, places[1]!.config)];
	const load = steadyLoad([here, there], here.key!, 3, 40);
	await until(() => load.answers.length > 40);
	await server.stop();
	await pause(awayMs / 2);
	await server.start();
	await pause(3_000);
	await load.stop();
	t.deepEqual(new Set(load.answers.map(({answer}) => answer.status)), new Set([200]));
	for (const replica of [here, there]) await until(async () => (await spentOf(replica, here.adminKey!)) === (await bookedIn(places)));
	for (const replica of [here, there]) t.is(await replica.end('SIGTERM'), 0, replica.complained());
	await nothingIsLost(
		t,
		places,
		load.answers.map(({answer}) => answer),
	);
	t.is(await bookedIn(places), load.answers.length * costMicroUsd);
});

/** A file system of its own, so small that a file fills it; undefined where this may not be made. */
const smallDisk = (t: ExecutionContext, folder: string): string | undefined => {
	mkdirSync(folder, {recursive: true});
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'sallyport-test', folder], {stdio: 'ignore'});
	} catch {
		return undefined;
	}
	t.teardown(() => void execFileSync('umount', ['-l', folder], {stdio: 'ignore'}));
	return folder;
};

test.serial('a full disk under SQLite: a 503 that says when, for what needs the store; with room again it goes on by itself', async t => {
	t.timeout(180_000);
	// Of two processes each leases a quarter of what is left: they soon need more.
	const world = await openWorld(t, {workers: 2, plugins: [{use: 'virtual-keys'}, budgetOf(1_000)]});
	const base = world.place();
	const disk = smallDisk(t, join(base.folder, 'disk'));
	if (disk === undefined) {
		t.log('not tried: only root can make a small disk');
		t.pass();
		return;
	}
	// The journal lies elsewhere: what cannot be written is the store alone.
	const place = world.place({store: join(disk, 'gateway.db')});
	const gateway = await startReplica(t, place.config);
	const adminKey = gateway.adminKey!;
	const load = steadyLoad([gateway], gateway.key!, 4, 10);
	await until(() => load.answers.length > 20);
	const filler = join(disk, 'filler');
	const fill = () => {
		for (const size of [65_536, 4_096, 512])
			try {
				for (;;) writeFileSync(filler, Buffer.alloc(size), {flag: 'a'});
			} catch (error) {
				t.is((error as NodeJS.ErrnoException).code, 'ENOSPC');
			}
	};
	fill();
	await t.throwsAsync(
		(async () => {
			for (let made = 0; made < 200; made++) await act(gateway, adminKey, 'virtual-keys/create', {metadata: {note: 'x'.repeat(500)}});
		})(),
		{message: /could not be written/},
	);
	await until(() => load.answers.some(({answer}) => answer.status === 503), 60_000);
	for (const {answer} of load.answers.filter(({answer}) => answer.status !== 200)) {
		t.like(answer, {status: 503, code: 'store_unavailable'});
		t.true(Number(answer.retryAfter) >= 1);
	}
	rmSync(filler);
	const freedAt = performance.now();
	await until(() => load.since(freedAt).some(({answer}) => answer.status === 200));
	await load.stop();
	t.is(typeof (await act(gateway, adminKey, 'virtual-keys/create')).key, 'string');
	await until(async () => (await spentOf(gateway, adminKey)) === (await bookedIn([place])));
	t.is(await gateway.end('SIGTERM'), 0, gateway.complained());
	await nothingIsLost(
		t,
		[place],
		load.answers.map(({answer}) => answer),
	);
});
