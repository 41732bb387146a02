/**
 * What many keys cost: `node bench/many-keys.ts [keys]`. Starts a gateway on a store with so many virtual keys, and says how long the start took,
 * how much memory it has, and what it costs to find out whose a key is.
 */
import {execFileSync} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pino} from 'pino';
import {identify} from '../core/auth.ts';
import type {LoadedConfig} from '../core/config.ts';
import {openExchange} from '../core/exchange.ts';
import {serve} from '../core/main.ts';
import {openStore} from '../core/store/open.ts';
import type {Key} from '../plugins/virtual-keys/key.ts';
import {gatewayConfig} from '../schemas/config.ts';

const accounts = 10_000;
const perWrite = 2_000;
const lookups = 60_000;

const secretOf = (index: number): string => `vk_${index.toString(36).padStart(43, '0')}`;

const keyAt = (index: number): Key => ({
	id: `key_${randomBytes(16).toString('hex')}`,
	name: `service ${index}`,
	tenant: `tenant-${index % (accounts / 100)}`,
	team: `team-${index % (accounts / 10)}`,
	user: `user-${index % accounts}`,
	tags: ['batch'],
	createdAt: Date.now(),
	createdBy: 'bench',
	secrets: [{sha256: createHash('sha256').update(secretOf(index)).digest('hex')}],
});

const fill = async (file: string, keys: number): Promise<void> => {
	const store = await openStore(file);
	for (let from = 0; from < keys; from += perWrite) {
		const rows: Record<string, string> = {version: '"bench"'};
		for (let index = from; index < Math.min(keys, from + perWrite); index++) {
			const key = keyAt(index);
			rows[`id:${key.id}`] = JSON.stringify(key);
			rows[`key:${key.secrets[0]!.sha256}`] = JSON.stringify(key.id);
		}
		await store.kvPut('virtual-keys', rows);
	}
	await store.close();
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const measure = async (keys: number): Promise<void> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-many-keys-'));
	execFileSync(process.execPath, [import.meta.filename, String(keys), join(folder, 'store.db')]);
	const config = gatewayConfig.parse({
		listen: '127.0.0.1:0',
		store: join(folder, 'store.db'),
		journal: {folder: join(folder, 'journal')},
		plugins: [{use: 'virtual-keys'}],
	}) as LoadedConfig['config'];
	const loaded: LoadedConfig = {file: join(folder, 'gateway.config.ts'), config, leftOut: [], warnings: [], complain: () => []};
	const begun = performance.now();
	const {gateway, stop} = await serve(loaded, pino({level: 'silent'}));
	const startMs = performance.now() - begun;
	const rssMb = process.memoryUsage.rss() / 1_048_576;

	const round = async (pick: () => number): Promise<number> => {
		const from = process.cpuUsage();
		for (let count = 0; count < lookups; count++) {
			const exchange = openExchange({method: 'POST', path: '/v1/chat/completions', ip: '127.0.0.1', surface: 'openai'});
			await identify(gateway.hooks, exchange, {authorization: `Bearer ${secretOf(pick())}`}, false);
		}
		const {user, system} = process.cpuUsage(from);
		return (user + system) / lookups;
	};
	const any = () => Math.floor(Math.random() * keys);
	const some = () => Math.floor(Math.random() * Math.min(keys, 1_000));
	await round(any);
	const [ofAll, ofSome]: [number[], number[]] = [[], []];
	for (let count = 0; count < 5; count++) {
		ofAll.push(await round(any));
		ofSome.push(await round(some));
	}
	const afterMb = process.memoryUsage.rss() / 1_048_576;
	console.log(
		`${keys} keys: started in ${Math.round(startMs)} ms with ${Math.round(rssMb)} MB, ${Math.round(afterMb)} MB after; ` +
			`whose key it is takes ${median(ofAll).toFixed(1)} µs of CPU for any key, ${median(ofSome).toFixed(1)} for one of a thousand`,
	);
	await stop();
	await rm(folder, {recursive: true, force: true});
};

const [keys = '100000', file] = process.argv.slice(2);
if (file === undefined) await measure(Number(keys));
else await fill(file, Number(keys));
