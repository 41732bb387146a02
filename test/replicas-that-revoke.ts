import test, {type ExecutionContext} from 'ava';
import {act, call, openWorld, type Replica, startReplica, until} from './helpers/replicas.ts';
import {storeEngines} from './helpers/store-engines.ts';

type Key = {id: string; key: string};
type Holder = {tenant: string; team: string; user: string};
type Deed = {path: string; input: (key: Key, holder: Holder) => object};

const past = '2026-01-01T00:00:00Z';
const tenant = ({tenant}: Holder) => ({tenant});
const team = ({tenant, team}: Holder) => ({tenant, team});
const user = ({tenant, user}: Holder) => ({tenant, user});

const deeds: Record<string, Deed> = {
	'a key is blocked': {path: 'virtual-keys/block', input: ({id}) => ({id})},
	'a key is revoked': {path: 'virtual-keys/revoke', input: ({id}) => ({id})},
	'a key gets an end in the past': {path: 'virtual-keys/expire', input: ({id}) => ({id, at: past})},
	'a tenant is blocked': {path: 'virtual-keys/tenants.block', input: (_, holder) => tenant(holder)},
	'a tenant gets an end in the past': {path: 'virtual-keys/tenants.expire', input: (_, holder) => ({...tenant(holder), at: past})},
	'a tenant is deleted': {path: 'virtual-keys/tenants.delete', input: (_, holder) => tenant(holder)},
	'a team is blocked': {path: 'virtual-keys/teams.block', input: (_, holder) => team(holder)},
	'a team is deleted': {path: 'virtual-keys/teams.delete', input: (_, holder) => team(holder)},
	'a user is blocked': {path: 'virtual-keys/users.block', input: (_, holder) => user(holder)},
	'a user is deleted': {path: 'virtual-keys/users.delete', input: (_, holder) => user(holder)},
};

/** A stream that has begun, and the moment of its last byte so far. */
const openStream = async (replica: Replica, key: string) => {
	const stream = {lastByteAt: 0, over: false, answer: undefined as ReturnType<typeof call> | undefined};
	const begun = Promise.withResolvers<void>();
	stream.answer = call(replica, key, {
		model: 'steady',
		stream: true,
		tokens: 1_000,
		onData: () => {
			stream.lastByteAt = performance.now();
			begun.resolve();
		},
	}).finally(() => {
		stream.over = true;
		begun.resolve();
	});
	await begun.promise;
	return stream;
};

/** How late timers of this process are at worst, while the machine is shared with whatever else runs: others are no less late. */
const lateness = (t: ExecutionContext) => {
	let due = performance.now() + 10;
	let worst = 0;
	const timer = setInterval(() => {
		worst = Math.max(worst, performance.now() - due);
		due = performance.now() + 10;
	}, 10);
	t.teardown(() => clearInterval(timer));
	return () => {
		const was = worst;
		worst = 0;
		return was;
	};
};

for (const {name, fresh} of storeEngines())
	test.serial(
		`${name}: what ends through one replica gets not one more byte a second later on another, on a running stream or a new one`,
		async t => {
			t.timeout(180_000);
			const world = await openWorld(t, {
				store: await fresh(t),
				revoked: {running: 'cut'},
				models: {steady: ['local/words-900-every-50'], fast: ['local/words-50']},
			});
			const here = await startReplica(t, world.place().config);
			const there = await startReplica(t, world.place().config);
			t.is(there.adminKey, undefined, 'the first start was the first one only');
			const admin = here.adminKey!;
			const running = await Promise.all(
				Object.entries(deeds).map(async ([what, deed], index) => {
					const holder = {tenant: `tenant-${index}`, team: 'search', user: 'ada'};
					const key = (await act(here, admin, 'virtual-keys/create', holder)) as Key;
					await until(async () => (await call(there, key.key))?.status === 200);
					return {what, deed, key, holder, stream: await openStream(there, key.key)};
				}),
			);
			const unharmed = (await act(there, admin, 'virtual-keys/create', {tenant: 'another'})) as Key;
			const goesOn = await openStream(there, unharmed.key);
			const late = lateness(t);

			for (const {what, deed, key, holder, stream} of running) {
				t.false(stream.over, `${what}: it ended before anybody ended it`);
				await act(here, admin, deed.path, deed.input(key, holder));
				late();
				const done = performance.now();
				const answer = await stream.answer;
				const tookMs = Math.round(stream.lastByteAt - done);
				t.true(tookMs < 1_000 + 4 * late(), `${what}: the last byte came after ${tookMs} ms`);
				t.false(answer?.text.includes('[DONE]'), what);
				t.regex(answer?.text ?? '', /"code":"(unauthenticated|key_blocked|key_expired|blocked)"/, what);
				const next = await call(there, key.key);
				t.true(next?.status === 401 || next?.status === 403, what);
				t.log(`${what}: over after ${tookMs} ms with ${next?.code}`);
			}
			t.false(goesOn.over, 'nobody else is cut');
			const begun = performance.now();
			await act(there, admin, 'virtual-keys/revoke', {id: unharmed.id});
			await until(async () => (await call(here, unharmed.key))?.status === 401);
			t.true(performance.now() - begun < 1_000 + 4 * late(), 'the other way round too');
			t.regex((await goesOn.answer)?.text ?? '', /"code":"unauthenticated"/);
			t.is(await here.end('SIGTERM'), 0, here.complained());
			t.is(await there.end('SIGTERM'), 0, there.complained());
		},
	);
