import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {records} from '../core/journal/read.ts';
import {verify} from '../core/journal/verify.ts';
import {type LocalUpstream, startLocalUpstream} from '../examples/local-upstream/server.ts';
import {freshFolder, writeConfig} from './helpers/config-file.ts';
import {type GatewayProcess, killWhileStarting, startGatewayProcess} from './helpers/gateway-process.ts';
import {seededRandom} from './helpers/seeded-random.ts';

/** Every answer costs exactly what is set aside for it, so that what reached the upstream can be counted in money. */
const maxTokens = 10;
const costMicroUsd = 20;
const account = 'tenant:default';

type World = {folder: string; config: string; upstream: LocalUpstream};

const openWorld = async (t: ExecutionContext, limitUsd: Record<string, number>): Promise<World> => {
	const folder = freshFolder(t);
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const config = writeConfig(
		folder,
		`export default defineConfig(${JSON.stringify({
			listen: '127.0.0.1:0',
			store: join(folder, 'gateway.db'),
			journal: {folder: join(folder, 'journal'), segmentMb: 0.05},
			providers: {local: {speaks: 'openai', baseUrl: `${upstream.url}/v1`, key: 'the-provider-key-of-this-test'}},
			models: {fast: ['local/words-50'], slow: ['local/words-50-every-10'], endless: ['local/fault-endless']},
			prices: {'local/*': {inputUsdPerMTok: 0, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
			plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'total', limitUsd}}],
		})});`,
	);
	return {folder, config, upstream};
};

const journalOf = ({folder}: World): Promise<StoredRecord[]> => Array.fromAsync(records(join(folder, 'journal')));

/** Only what it answered is acknowledged; a gateway that died has answered nothing. */
const act = async (url: string, adminKey: string, path: string, input: unknown = {}): Promise<Record<string, unknown> | undefined> => {
	try {
		const response = await fetch(`${url}/admin/plugins/${path}`, {
			method: 'POST',
			headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json'},
			body: JSON.stringify(input),
		});
		const answer = (await response.json()) as Record<string, unknown>;
		return response.ok ? answer : undefined;
	} catch {
		return undefined;
	}
};

type Answered = {id: string; status: number};

/** One call; undefined when the gateway died before its answer had come in full. */
const call = async (url: string, key: string, model: string, stream: boolean): Promise<Answered | undefined> => {
	try {
		const response = await fetch(`${url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({model, max_tokens: maxTokens, stream, messages: [{role: 'user', content: 'go on'}]}),
		});
		await response.text();
		return {id: response.headers.get('x-sallyport-exchange')!, status: response.status};
	} catch {
		return undefined;
	}
};

const booked = (all: readonly StoredRecord[]): number =>
	all
		.filter(({kind}) => kind === 'exchange')
		.flatMap(({bookings = []}) => bookings)
		.filter(({key}) => key.startsWith(`${account}|`))
		.reduce((sum, {amount}) => sum + amount, 0);

/** What the journal must say once the gateway that came after has started. */
const isWhole = async (t: ExecutionContext, world: World, answered: readonly Answered[], message: string): Promise<StoredRecord[]> => {
	t.like(await verify(join(world.folder, 'journal')), {ok: true}, message);
	const all = await journalOf(world);
	const ends = Map.groupBy(
		all.filter(({kind}) => kind === 'exchange'),
		({exchange}) => exchange,
	);
	for (const {id, status} of answered) t.is(ends.get(id)?.[0]?.status, status, `${message}: the record of ${id} is missing`);
	for (const [id, {length}] of ends) t.is(length, 1, `${message}: ${id} has ended more than once`);
	const crashed = new Set<string | undefined>();
	for (const {kind, exchange, bookings} of all) {
		if (kind !== 'opened') continue;
		const end = ends.get(exchange)?.[0];
		t.truthy(end, `${message}: ${exchange} was opened and has no end`);
		if (end?.error?.code !== 'gateway_crashed') continue;
		crashed.add(exchange);
		t.is(end.outcome, 'failed');
		t.deepEqual(end.bookings, bookings, `${message}: ${exchange} counts for what was set aside`);
	}
	t.false(answered.some(({id}) => crashed.has(id)));
	return all;
};

test('a gateway killed under load, again and again, keeps its limit, its records and its keys', async t => {
	t.timeout(120_000);
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	const most = 600;
	const limit = most * costMicroUsd;
	const world = await openWorld(t, {[account]: limit / 1e6});
	const {upstream} = world;
	const answered: Answered[] = [];
	const keys: string[] = [];
	const blocked: string[] = [];
	let adminKey = '';
	let crashes = 0;

	/** Calls and actions, all at once, until `enough` calls were answered in full and a key was made and blocked; then it is killed in the middle of the others. */
	const loadAndKill = async (gateway: GatewayProcess, enough: number): Promise<void> => {
		let count = 0;
		const before = blocked.length;
		let dead = false;
		const die = () => {
			dead = true;
			return gateway.kill();
		};
		const callers = Array.from({length: 24}, async () => {
			while (!dead) {
				const answer = await call(gateway.url, random.pick(keys), random.pick(['fast', 'slow', 'slow']), random.chance(0.7));
				if (!answer) break;
				if (answer.status === 401) throw new Error('a key that was made is not known');
				answered.push(answer);
				if (++count >= enough && blocked.length > before) await die();
			}
		});
		const operator = async () => {
			while (!dead) {
				const made = await act(gateway.url, adminKey, 'virtual-keys/actions/create');
				if (!made) break;
				keys.push(String(made.key));
				const other = await act(gateway.url, adminKey, 'virtual-keys/actions/create');
				const ended = other && (await act(gateway.url, adminKey, 'virtual-keys/actions/block', {id: other.id}));
				if (ended) blocked.push(String(other.key));
			}
		};
		await Promise.all([...callers, operator()]);
		t.true(dead, `seed ${seed}: it ended by itself`);
	};

	for (let life = 0; life < 3; life++) {
		const message = `seed ${seed}, life ${life}`;
		// A start that is killed too, perhaps in the middle of reading back or of ending what was open.
		if (life > 0) await killWhileStarting(world.config, 400 + random.below(1_200));
		const gateway = await startGatewayProcess(t, world.config, {isFirst: life === 0});
		if (life === 0) {
			adminKey = gateway.adminKey!;
			keys.push(String((await act(gateway.url, adminKey, 'virtual-keys/actions/create'))?.key));
		} else {
			t.is(gateway.adminKey, undefined, message);
			const all = await isWhole(t, world, answered, message);
			crashes = all.filter(({error}) => error?.code === 'gateway_crashed').length;
			const standing = await act(gateway.url, adminKey, 'budgets/actions/get', {account});
			t.is(standing?.spentUsd, booked(all) / 1e6, message);
			t.is(standing?.reservedUsd, 0, message);
			t.true(booked(all) <= limit, message);
		}
		await loadAndKill(gateway, 10 + random.below(30));
		t.true(upstream.counts().total * costMicroUsd <= limit, message);
	}
	t.true(crashes > 0, `seed ${seed}: nothing was in flight at any of the kills`);

	const last = await startGatewayProcess(t, world.config, {isFirst: false});
	for (const key of new Set(keys)) t.not((await call(last.url, key, 'fast', false))?.status, 401, `seed ${seed}`);
	for (const key of blocked) t.is((await call(last.url, key, 'fast', false))?.status, 403, `seed ${seed}`);
	t.true(keys.length > 3 && blocked.length >= 3, `seed ${seed}: ${keys.length} keys, ${blocked.length} blocked`);
	for (;;) {
		const round = await Promise.all(Array.from({length: 20}, () => call(last.url, keys[0]!, 'fast', false)));
		for (const answer of round) answered.push(answer!);
		if (round.every(answer => answer?.status === 429)) break;
	}
	const spent = await act(last.url, adminKey, 'budgets/actions/get', {account});
	t.like(spent, {spentUsd: limit / 1e6, reservedUsd: 0, remainingUsd: 0}, `seed ${seed}: nothing of the limit is lost either`);
	t.is(await last.stop(), 0);
	t.is(booked(await isWhole(t, world, answered, `seed ${seed}, at the end`)), limit);
	t.true(upstream.counts().total <= most, `seed ${seed}`);
});

test('an exchange that was open at a crash gets its end although others ended after it, and although it had no budget', async t => {
	t.timeout(60_000);
	const world = await openWorld(t, {'team:default/paying': 1});
	const first = await startGatewayProcess(t, world.config, {isFirst: true});
	const {adminKey = ''} = first;
	const key = async (team: string) => String((await act(first.url, adminKey, 'virtual-keys/actions/create', {team}))?.key);
	const [paying, other] = [await key('paying'), await key('other')];
	const open = call(first.url, other, 'endless', true);
	while (world.upstream.counts().inFlight === 0) await new Promise(resolve => setTimeout(resolve, 20));
	// Longer than the ledger waits before it files what has ended.
	const until = performance.now() + 2_500;
	while (performance.now() < until) {
		await call(first.url, paying, 'fast', false);
		await new Promise(resolve => setTimeout(resolve, 100));
	}
	await first.kill();
	t.is(await open, undefined);

	const second = await startGatewayProcess(t, world.config, {isFirst: false});
	const all = await isWhole(t, world, [], 'after the crash');
	t.is(all.filter(({error}) => error?.code === 'gateway_crashed').length, 1);
	t.is(await second.stop(), 0);
});
