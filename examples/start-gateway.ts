import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {pino} from 'pino';
import {loadConfig} from '../core/config.ts';
import type {StoredRecord} from '../core/journal/journal.ts';
import {tail} from '../core/journal/read.ts';
import {serve} from '../core/main.ts';
import {type LocalUpstream, startLocalUpstream} from './local-upstream/server.ts';

export type ExampleGateway = {
	/** `http://127.0.0.1:49152`; the examples' clients call it as they would call a provider. */
	url: string;
	/** A virtual key. */
	key: string;
	/** The local model behind the gateway: what it received is in `upstream.requests`. */
	upstream: LocalUpstream;
	/** The last record of the journal. */
	lastRecord(): Promise<StoredRecord | undefined>;
	/** The last records of the journal, oldest first. */
	records(): Promise<StoredRecord[]>;
	close(): Promise<void>;
};

type Options = {
	config?: string;
	/** Addresses that the config names, and where to find what they stand for: `{'127.0.0.1:8790': '127.0.0.1:49153'}`. */
	moved?: Record<string, string>;
};

/** The same config with other addresses in it. */
const move = <T>(config: T, moved: Record<string, string>): T =>
	JSON.parse(Object.entries(moved).reduce((json, [from, to]) => json.replaceAll(from, to), JSON.stringify(config)));

/** Serves the config that stands beside an example (`import.meta.url`) on free ports, with its data in a folder that `close` removes. */
export const startGateway = async (
	example: string,
	{config: name = 'gateway.config.ts', moved = {}}: Options = {},
): Promise<ExampleGateway> => {
	const loaded = await loadConfig(fileURLToPath(new URL(name, example)));
	const upstream = await startLocalUpstream();
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-example-'));
	const config = {
		...move(loaded.config, {'127.0.0.1:8788': new URL(upstream.url).host, ...moved}),
		listen: '127.0.0.1:0',
		store: join(folder, 'gateway.db'),
		journal: {...loaded.config.journal, folder: join(folder, 'journal')},
	};
	const running = await serve({...loaded, config}, pino({level: 'error'}, pino.destination(2)));
	const {key} = (await running.gateway.house.act('virtual-keys', 'create', {}, {actor: 'example', role: 'owner'})) as {key: string};
	return {
		url: running.url,
		key,
		upstream,
		async lastRecord() {
			await running.gateway.journal.flushed();
			return (await tail(config.journal.folder, 1))[0];
		},
		async records() {
			await running.gateway.journal.flushed();
			return tail(config.journal.folder, 100);
		},
		async close() {
			await running.stop();
			await upstream.close();
			await rm(folder, {recursive: true});
		},
	};
};

/** Starts an example's gateway, lets its client run, and stops again. */
export const runExample = async (gateway: Promise<ExampleGateway>, client: (gateway: ExampleGateway) => Promise<void>): Promise<void> => {
	const {close} = await gateway;
	try {
		await client(await gateway);
		console.log('Everything was as it should be.');
	} finally {
		await close();
	}
};
