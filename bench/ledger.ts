import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type OpenedLedger, openLedger} from '../core/ledger/open.ts';
import {openStore} from '../core/store/open.ts';
import type {LedgerRow} from '../core/store/store.ts';
import type {Reservation} from '../schemas/verdict.ts';

/** µs of CPU to reserve, settle and journal one request on five accounts, and what a large ledger costs to open: `node bench/ledger.ts`. */
const requests = 20_000;
const rounds = 9;

const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
const median = (values: number[]): number => values.sort((one, other) => one - other)[values.length >> 1] ?? 0;

const account = (name: string, more: Partial<Reservation> = {}): Reservation => ({
	account: name,
	unit: 'microUsd',
	amount: 1_000,
	limit: 1e12,
	window: 'month',
	...more,
});

const shapes: Record<string, readonly Reservation[]> = {
	'five calendar windows, two zones': [
		account('tenant:a'),
		account('team:a/b', {window: 'day', timeZone: 'Europe/Berlin'}),
		account('user:c', {window: 'week'}),
		account('key:1', {window: 'day'}),
		account('model:m', {window: 'total', notifyAt: [50, 80, 100]}),
	],
	'money, tokens, rates and a slot': [
		account('tenant:a'),
		account('key:1', {unit: 'tokens', window: 'day'}),
		account('key:1', {unit: 'requests', amount: 1, window: 'rolling:1m'}),
		account('key:1', {unit: 'requests', amount: 1, window: 'second'}),
		account('key:1', {unit: 'slots', amount: 1, limit: 10_000, window: 'now'}),
	],
	'one account': [account('tenant:a')],
};

let seq = 0;
const spend = async (ledger: OpenedLedger, reservations: readonly Reservation[], count: number): Promise<number> => {
	const before = process.cpuUsage();
	for (let done = 0; done < count; done += 1) {
		const answer = ledger.reserve(reservations);
		const {held} = answer instanceof Promise ? await answer : answer;
		if (held === undefined) throw new Error('refused');
		seq += 1;
		ledger.journaled(ledger.settle(held, {microUsd: 400, tokens: 300}), seq);
		if (done % 200 === 0) await new Promise(setImmediate);
	}
	const {user, system} = process.cpuUsage(before);
	return (user + system) / count;
};

let writes = 0;
const open = async (name: string) => {
	const store = await openStore(join(folder, name), {process: 'bench'});
	const counted: typeof store = {
		...store,
		ledgerPut: rows => {
			writes += 1;
			return store.ledgerPut(rows);
		},
		ledgerLease: (keys, decide) => {
			writes += 1;
			return store.ledgerLease(keys, decide);
		},
	};
	return {store, ledger: await openLedger({store: counted})};
};

const {store, ledger} = await open('small.db');
for (const [name, reservations] of Object.entries(shapes)) {
	await spend(ledger, reservations, requests);
	writes = 0;
	const costs: number[] = [];
	for (let round = 0; round < rounds; round += 1) costs.push(await spend(ledger, reservations, requests));
	console.log(`${name}: ${median(costs).toFixed(2)} µs a request, ${((writes / rounds / requests) * 100).toFixed(3)} writes for 100`);
}

const thousands = 10;
const few = await spend(ledger, [account('key:0')], requests);
const many = Array.from({length: thousands * 1_000}, (_, index) => [account(`key:${index}`)]);
for (let at = 0; at < many.length; at += 500) await Promise.all(many.slice(at, at + 500).map(one => ledger.reserve(one)));
const begun = process.cpuUsage();
for (let done = 0; done < 10 * many.length; done += 1) {
	const outcome = ledger.reserve(many[(done * 7_919) % many.length]!);
	if (outcome instanceof Promise || outcome.held === undefined) throw new Error('had to wait');
	seq += 1;
	ledger.journaled(ledger.settle(outcome.held, {}), seq);
	if (done % 200 === 0) await new Promise(setImmediate);
}
const {user, system} = process.cpuUsage(begun);
console.log(
	`one of ${many.length} accounts: ${((user + system) / (10 * many.length)).toFixed(2)} µs, one account alone: ${few.toFixed(2)} µs`,
);
await ledger.close();
await store.close();

const large = await openStore(join(folder, 'large.db'), {process: 'bench'});
const rows: Omit<LedgerRow, 'process'>[] = Array.from({length: 100_000}, (_, index) => ({
	key: `key:${index % 10_000}|microUsd|day|${new Date(Date.UTC(2026, 0, 1 + Math.floor(index / 10_000))).toISOString().replace('.000', '')}`,
	settled: index,
	granted: index,
	seq: 0,
}));
await large.ledgerPut(rows);
await large.close();
rows.length = 0;
(globalThis as {gc?: () => void}).gc?.();
const rssBefore = process.memoryUsage().rss;
const start = performance.now();
const again = await open('large.db');
const ms = performance.now() - start;
console.log(
	`100,000 rows of 10,000 accounts: open in ${ms.toFixed(0)} ms, ${((process.memoryUsage().rss - rssBefore) / 1_048_576).toFixed(0)} MB more`,
);
await again.ledger.close();
await again.store.close();
await rm(folder, {recursive: true, force: true});
