import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {records} from '../core/journal/read.ts';
import type {UsageStore} from '../core/store/usage.ts';
import {openUsage, type Usage} from '../core/usage/open.ts';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import type {JournalRecord} from '../schemas/record.ts';
import {freshFolder, writeConfig} from './helpers/config-file.ts';
import {killWhileStarting, startGatewayProcess} from './helpers/gateway-process.ts';
import {eventually} from './helpers/sdks.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {temporaryStore} from './helpers/temporary-store.ts';
import {callModel, type Place, sumsIn, sumsOf, usageLines} from './helpers/usage.ts';

const year = 'from=2020-01-01&granularity=total';

const keyOf = ({principal, bookings = []}: StoredRecord): string[] => {
	if (typeof principal === 'object') return [principal.key ?? ''];
	// What a crash left says it with its accounts.
	const [, key] = /^key:([^|]+)\|/.exec(bookings.find(({key}) => key.startsWith('key:'))?.key ?? '') ?? [];
	return [key ?? principal ?? ''];
};

test('two gateways on one store, killed in the middle of load and while they start, count every exchange once', async t => {
	t.timeout(120_000);
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const folder = freshFolder(t);
	const journals = ['one', 'two'].map(name => join(folder, name));
	const configs = journals.map(journal =>
		writeConfig(
			freshFolder(t),
			`export default defineConfig(${JSON.stringify({
				listen: '127.0.0.1:0',
				store: join(folder, 'gateway.db'),
				journal: {folder: journal, segmentMb: 0.05},
				providers: {local: {speaks: 'openai', baseUrl: `${upstream.url}/v1`, key: 'the-provider-key-of-this-test'}},
				models: {fast: ['local/words-50'], slow: ['local/words-50-every-10'], broken: ['local/fault-500']},
				prices: {'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
				plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: {'*': 100}}}],
			})});`,
		),
	);
	const start = (index: number, isFirst = false) => startGatewayProcess(t, configs[index]!, {isFirst});
	const gateways = [await start(0, true), await start(1)];
	const adminKey = gateways[0]!.adminKey!;
	const makeKey = async (team: string): Promise<string> => {
		const response = await fetch(`${gateways[0]!.url}/admin/plugins/virtual-keys/actions/create`, {
			method: 'POST',
			headers: {authorization: `Bearer ${adminKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({tenant: 'acme', team}),
		});
		return String(((await response.json()) as {key: string}).key);
	};
	const keys = [await makeKey('a'), await makeKey('b'), await makeKey('c')];
	const load = (index: number, count: number) =>
		Promise.all(
			Array.from({length: 12}, async () => {
				for (let left = count; left > 0; left--)
					if (
						(await callModel(gateways[index]!.url, random.pick(keys), {
							model: random.pick(['fast', 'slow', 'broken']),
							stream: random.chance(0.5),
						})) === 0
					)
						return;
			}),
		);
	for (let life = 0; life < 2; life++) {
		const victim = random.below(2);
		// Whoever is killed is asked until then, so that something is in flight.
		const loads = [0, 1].map(index => load(index, index === victim ? Number.POSITIVE_INFINITY : 8));
		await new Promise(done => setTimeout(done, 1_200 + random.below(1_000)));
		await gateways[victim]!.kill();
		await Promise.all(loads);
		await killWhileStarting(configs[victim]!, 500 + random.below(1_000));
		gateways[victim] = await start(victim);
	}
	const all: StoredRecord[] = [];
	for (const journal of journals) all.push(...(await Array.fromAsync(records(journal))));
	t.true(
		all.some(({error}) => error?.code === 'gateway_crashed'),
		`seed ${seed}: nothing was in flight`,
	);
	const expected = sumsOf(all, keyOf);
	const places = gateways.map(({url}): Place => ({url, adminKey}));
	// Each writes its own about once a second; the page of the one does not wait for the other.
	for (const place of places) await usageLines(place, year);
	for (const place of places) t.deepEqual(sumsIn(await usageLines(place, `${year}&by=key`), ['key']), expected, `seed ${seed}`);
	t.deepEqual(
		sumsIn(await usageLines(places[0]!, `${year}&by=code`), ['code']),
		sumsOf(all, ({error}) => [error?.code ?? '']),
		`seed ${seed}`,
	);
});

const exchange = (costMicroUsd: number): JournalRecord => ({
	kind: 'exchange',
	outcome: 'ok',
	principal: {id: 'k', tenant: 'acme', key: 'k'},
	costMicroUsd,
	totalMs: 1,
});

const at = Date.parse('2026-11-22T10:30:00Z');
const stored = (seq: number, record: JournalRecord): StoredRecord => ({
	...record,
	v: 1,
	seq,
	at: new Date(at).toISOString(),
	prev: '',
	hash: '',
});

/** A store, a journal as a list, and any number of lives of one process on them. */
const world = async (t: ExecutionContext) => {
	const {store} = await temporaryStore(t);
	const journal: StoredRecord[] = [];
	const open = (its: UsageStore = store): Promise<Usage> =>
		openUsage({
			store: its,
			records: from => journal.filter(({seq}) => seq >= from),
			lastSeq: journal.at(-1)?.seq ?? 0,
			now: () => at,
			writeEveryMs: 1e9,
		});
	const write = (cost: number): {record: JournalRecord; seq: number} => {
		const record = exchange(cost);
		const seq = (journal.at(-1)?.seq ?? 0) + 1;
		journal.push(stored(seq, record));
		return {record, seq};
	};
	const end = (usage: Usage, cost: number): void => {
		const {record, seq} = write(cost);
		usage.ended(record, seq, at);
	};
	const spent = async (): Promise<number | undefined> => {
		const span = {period: 0, series: 'hour/all/team' as const, from: 0, until: at};
		return (await store.usageQuery({spans: [span], by: [], where: {}, limit: 1}))[0]?.sums[2];
	};
	return {store, journal, open, write, end, spent};
};

test('at any moment of a random life with crashes and a store that fails, what is counted is what the journal says', async t => {
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	const {store, journal, open, write, end, spent} = await world(t);
	/** Fails at times, and at times has done all the same what it failed. */
	const shaky: UsageStore = {
		...store,
		usageAdd: async (rows, position) => {
			if (random.chance(0.2)) throw new Error('down');
			const answer = await store.usageAdd(rows, position);
			if (random.chance(0.2)) throw new Error('cut');
			return answer;
		},
	};
	let usage = await open(shaky);
	for (let step = 0; step < 200; step++) {
		const turn = random.below(10);
		if (turn < 7) end(usage, random.below(1_000));
		else if (turn < 9) await usage.flush().catch(() => undefined);
		else {
			// It dies, at times with a record in the file that it had no time to count.
			if (random.chance(0.5)) write(random.below(1_000));
			if (random.chance(0.3)) await usage.close();
			usage = await open(shaky);
		}
	}
	await eventually(() =>
		usage.flush().then(
			() => true,
			() => undefined,
		),
	);
	t.is(
		(await spent()) ?? 0,
		journal.reduce((sum, {costMicroUsd = 0}) => sum + costMicroUsd, 0),
		`seed ${seed}`,
	);
});

test('a store that was restored from a copy is counted up from the journal', async t => {
	const {store, open, end, spent} = await world(t);
	const usage = await open();
	end(usage, 1);
	await usage.flush();
	end(usage, 2);
	// As if that had never been written.
	t.true(await store.usageAdd([], {after: 1, seq: 0}));
	await t.throwsAsync(usage.flush(), {code: 'store_unavailable'});
	end(usage, 4);
	await usage.flush();
	// The copy had the first one, and its position did not say so: what is counted follows from the position alone.
	t.is(await spent(), 1 + 1 + 2 + 4);
	t.is(await store.usagePosition(), 3);
});

test('a journal that was taken away begins anew, and nothing of it is left out or counted twice', async t => {
	const {store, journal, open, end, spent} = await world(t);
	const first = await open();
	for (const cost of [1, 2, 4]) end(first, cost);
	await first.close();
	journal.length = 0;
	const second = await open();
	end(second, 8);
	await second.close();
	t.is(await store.usagePosition(), 1);
	const third = await open();
	await third.flush();
	t.is(await spent(), 15);
});

test('a long journal that nothing was counted of is counted in the background, and pages wait for it', async t => {
	const {journal, open, write, end, spent, store} = await world(t);
	for (let count = 0; count < 12_000; count++) write(1);
	journal.push(stored(12_001, {kind: 'opened'}));
	const usage = await open();
	end(usage, 5);
	t.is(await spent(), undefined);
	await usage.flush();
	t.is(await spent(), 12_005);
	t.is(await store.usagePosition(), 12_002);
});
