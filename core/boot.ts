import {randomBytes} from 'node:crypto';
import type {Logger} from 'pino';
import type {JournalRecord} from '../schemas/record.ts';
import {recordDeed} from './admin/acting.ts';
import {openAdmins} from './admin/admins.ts';
import {openDiary} from './admin/differences.ts';
import {firstKeyName, hashOf, newAdminKey} from './admin/key.ts';
import {firstStart} from './admin/roles.ts';
import {openAsking} from './asking/ask.ts';
import {hearersOf} from './asking/hearers.ts';
import type {LoadedConfig} from './config.ts';
import {openEffects} from './effects.ts';
import type {Exchange} from './exchange.ts';
import {openExplain} from './explain.ts';
import {openFindings} from './findings.ts';
import type {Gateway} from './gateway.ts';
import {openHolds} from './holds.ts';
import {openHooks} from './hooks.ts';
import {openJournal} from './journal/append.ts';
import {records} from './journal/read.ts';
import {openLedger} from './ledger/open.ts';
import {openCatalogue} from './llm/catalogue.ts';
import {openMcp} from './mcp/open.ts';
import {openMetrics} from './metrics.ts';
import {tellNotices} from './notices.ts';
import type {Lenders} from './plugins/admit.ts';
import {wallScripts} from './plugins/bundle.ts';
import {admitAll, moveIn, moveOut, roll} from './plugins/move-in.ts';
import {openRecheck} from './recheck.ts';
import {guardedFetch} from './sandbox/http.ts';
import {openSteady} from './steady.ts';
import {openKv} from './store/kv.ts';
import {openStore} from './store/open.ts';
import {processOf} from './store/process-id.ts';
import type {Store} from './store/store.ts';
import {openTaints} from './taints/taints.ts';
import {openUnderWay} from './under-way.ts';
import {openUsage} from './usage/open.ts';
import {alone, type Seat} from './workers/seat.ts';

export type Booted = {
	gateway: Gateway;
	/** Made just now, on an empty store: the only time it can be shown. */
	adminKey?: string;
	/** Whether the store was empty. */
	firstStart: boolean;
	/**
	 * Stores the hash of the key just made: not before it can be shown, or a start that fails would lock everybody out. False
	 * when another process on this store has made its first start meanwhile: then its key is the one that stands.
	 */
	keepAdminKey(): Promise<boolean>;
	/** Ends everything in the opposite order; resolves when nothing is half written. */
	close(): Promise<void>;
};

type Undo = () => Promise<void> | void;

/** The same for every process on this store, and for every start. */
const findingsSecret = (store: Pick<Store, 'metaPutIfAbsent'>): Promise<string> =>
	store.metaPutIfAbsent('findings secret', randomBytes(32).toString('hex'));

/** From the config to a gateway that can take requests. What was opened is closed again when a step fails. */
export const boot = async (loaded: LoadedConfig, log: Logger, {chain, metricsOfAll}: Seat = alone): Promise<Booted> => {
	const undo: Undo[] = [];
	const opened = <T>(thing: T, close: (thing: T) => Promise<void> | void): T => {
		undo.push(() => close(thing));
		return thing;
	};
	const close = async (): Promise<void> => {
		for (const step of undo.splice(0).reverse()) await step();
	};

	try {
		const {config} = loaded;
		const {folder, segmentMb} = config.journal;
		const identity = await processOf(folder, chain);
		// Before the store is opened: whoever has this chain has this name there too.
		const journal = opened(await openJournal({folder, chain, segmentBytes: segmentMb * 1_048_576}), it => it.close());
		const store = opened(await openStore(config.store, identity), it => it.close());
		const open = new Map<string, number>();
		const ledger = opened(
			await openLedger({
				store,
				records: fromSeq => records(folder, {fromSeq, chain}),
				oldestOpen: () => open.values().next().value,
				flushed: () => journal.flushed(),
				onStoreDown: config.ledger.onStoreDown,
				onWriteFailed: error => log.error({err: error}, 'the ledger could not be written'),
			}),
			it => it.close(),
		);
		for (const {exchange = '', seq} of ledger.orphans) open.set(exchange, seq);
		const usage = opened(
			await openUsage({
				store,
				records: fromSeq => records(folder, {fromSeq, chain}),
				lastSeq: journal.lastSeq,
				onWriteFailed: error => log.error({err: error}, 'usage could not be written'),
			}),
			it => it.close(),
		);
		const kv = opened(await openKv(store), it => it.close());
		const running = openUnderWay<Exchange>();
		const catalogue = opened(await openCatalogue(config), it => it.close());
		const mcp = opened(await openMcp({config, store, kv, log}), it => it.close());
		const holds = openHolds(config.limits);
		kv.onChange(holds.changed);
		const metrics = openMetrics(
			{running: () => running.size, held: holds.size},
			({model, deployment}) =>
				model !== undefined && catalogue.models.includes(model) ? model : `${deployment?.split('/')[0] ?? 'none'}/*`,
			metricsOfAll,
		);

		const diary = openDiary();
		const asking = openAsking();
		const lenders: Lenders = (name, hosts, models) => {
			const {fetch, close: hangUp} = guardedFetch({hosts: [...hosts]});
			undo.push(hangUp);
			return {
				kv: diary.space(name, kv.space(name)),
				http: fetch,
				log: (level, message, facts) => log[level]({plugin: name, facts}, message),
				count: (counter, by) => metrics.count(name, counter, by),
				balance: (account, unit, window, timeZone) => ledger.balance(account, unit as 'microUsd', window as 'day', timeZone),
				ask: question => asking.ask(name, models, question),
				now: Date.now,
			};
		};
		const begun = performance.now();
		const admitted = await admitAll(loaded, lenders);
		const scripts = await wallScripts();
		const house = opened(await moveIn(loaded, admitted, {log, kv, scripts}), moveOut);
		log.debug({ms: performance.now() - begun}, 'plugins moved in');
		const taints = opened(
			openTaints({kv, ...config.taints, onWriteFailed: error => log.error({err: error}, 'a taint could not be stored yet')}),
			it => it.close(),
		);
		const carryOut = openEffects({
			ledger,
			kv,
			once: (name, expiresAt) => store.once(name, expiresAt),
			now: Date.now,
			onLost: (plugin, error) => log.error({plugin, err: error}, 'what a plugin put could not be stored'),
		});
		const steady = openSteady(Date.now);
		kv.onChange(steady.forget);
		const engine: Parameters<typeof hearersOf>[0] = {
			members: house.residents.map(({member}) => member),
			carryOut,
			taintsOf: taints.of,
			noteFindings: openFindings({secret: await findingsSecret(store), count: metrics.found, taint: taints.note}),
			onFailed(exchange, plugin, hook, reason) {
				metrics.pluginFailed(plugin, hook);
				log.warn({exchange: exchange.id, plugin, hook, reason}, 'a plugin could not answer');
			},
		};
		const hooks = asking.named(openHooks({...engine, steady, holds}));
		const recheck = opened(openRecheck({running, hooks, policy: config.revoked.running, log}), it => it.close());
		kv.onChange(recheck.changed);

		await journal.append({
			kind: 'gateway',
			event: {what: 'started', plugins: roll(house), ...(journal.recovered.torn && {torn: journal.recovered.torn})},
			plugins: house.digest,
		}).written;
		for (const orphan of ledger.orphans) {
			const record: JournalRecord = {
				kind: 'exchange',
				exchange: orphan.exchange,
				operation: orphan.operation,
				principal: orphan.principal,
				model: orphan.model,
				outcome: 'failed',
				error: {code: 'gateway_crashed'},
				bookings: orphan.bookings,
				plugins: orphan.plugins,
			};
			const {seq, at, written} = journal.append(record);
			await written;
			usage.ended(record, seq, at);
			open.delete(orphan.exchange ?? '');
			ledger.journaled(orphan.bookings ?? [], seq);
		}
		undo.push(async () => {
			await journal.append({kind: 'gateway', event: {what: 'stopped'}}).written;
		});

		const known = await store.metaGet(firstKeyName);
		const adminKey = known === undefined ? newAdminKey() : undefined;
		const firstKeySha256 = known ?? hashOf(adminKey!);
		const admins = openAdmins({kv, firstKeySha256});

		const stage = {config, kv, ledger, scripts, log, taintsOf: taints.of};
		const {explain, rehearse} = opened(openExplain({catalogue, house}, stage), it => it.close());
		const gateway: Gateway = {
			config,
			log,
			hooks,
			holds,
			house,
			catalogue,
			mcp,
			journal,
			ledger,
			metrics,
			usage,
			store,
			admins,
			taints,
			diary,
			explain,
			rehearse,
			stopping: false,
			open,
			running,
		};
		asking.begin(gateway, hearersOf(engine));
		opened(tellNotices(gateway), stop => stop());
		const keepAdminKey = async (): Promise<boolean> => {
			if (!adminKey) return true;
			await recordDeed(gateway, firstStart, {event: {what: 'first admin key made', admin: 'first-owner'}});
			if ((await store.metaPutIfAbsent(firstKeyName, firstKeySha256)) === firstKeySha256) return true;
			await recordDeed(gateway, firstStart, {event: {what: 'first admin key given up', admin: 'first-owner'}});
			return false;
		};
		return {gateway, adminKey, firstStart: adminKey !== undefined, keepAdminKey, close};
	} catch (error) {
		await close();
		throw error;
	}
};
