import {createHash, randomBytes} from 'node:crypto';
import type {Logger} from 'pino';
import type {PluginEntry} from '../schemas/config.ts';
import type {Complaint} from './config/problems.ts';
import {ConfigError, type LoadedConfig} from './config.ts';
import {openEffects} from './effects.ts';
import type {Exchange} from './exchange.ts';
import type {Gateway} from './gateway.ts';
import {type Hooks, type Member, openHooks} from './hooks.ts';
import {openJournal} from './journal/append.ts';
import {records} from './journal/read.ts';
import {openLedger} from './ledger/open.ts';
import {type Catalogue, openCatalogue} from './llm/catalogue.ts';
import {openMetrics} from './metrics.ts';
import {admit, type Lenders, NotAdmitted} from './plugins/admit.ts';
import {wallScripts} from './plugins/bundle.ts';
import {openHouse, type PluginHouse, type Resident} from './plugins/house.ts';
import {openInlineTier} from './plugins/inline.ts';
import {openProcessTier} from './plugins/process.ts';
import type {Admitted, Report, Tier} from './plugins/tier.ts';
import {guardedFetch} from './sandbox/http.ts';
import {openKv} from './store/kv.ts';
import {openStore} from './store/open.ts';

export type Booted = {
	gateway: Gateway;
	/** Made just now, on an empty store: the only time it can be shown. */
	adminKey?: string;
	/** Whether the store was empty. */
	firstStart: boolean;
	/** Ends everything in the opposite order; resolves when nothing is half written. */
	close(): Promise<void>;
};

type Undo = () => Promise<void> | void;

/** From the config to a gateway that can take requests. What was opened is closed again when a step fails. */
export const boot = async (loaded: LoadedConfig, log: Logger): Promise<Booted> => {
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
		const store = opened(await openStore(config.store), it => it.close());
		const {folder, segmentMb} = config.journal;
		const journal = opened(await openJournal({folder, segmentBytes: segmentMb * 1_048_576}), it => it.close());
		const ledger = opened(
			await openLedger({
				store,
				records: fromSeq => records(folder, {fromSeq}),
				flushed: () => journal.flushed(),
				onWriteFailed: error => log.error({err: error}, 'the ledger could not be written'),
			}),
			it => it.close(),
		);
		const kv = await openKv(store);
		const running = new Set<Exchange>();
		const catalogue = opened(await openCatalogue(config), it => it.close());
		const metrics = openMetrics(
			() => running.size,
			({model, deployment}) => (model !== undefined && catalogue.models.includes(model) ? model : `${deployment?.split('/')[0] ?? 'none'}/*`),
		);

		const lenders: Lenders = (name, hosts) => {
			const {fetch, close: hangUp} = guardedFetch({hosts: [...hosts]});
			undo.push(hangUp);
			return {
				kv: kv.space(name),
				http: fetch,
				log: (level, message, facts) => log[level]({plugin: name, facts}, message),
				count: (counter, by) => metrics.count(name, counter, by),
				balance: (account, unit, window, timeZone) => ledger.balance(account, unit as 'microUsd', window as 'day', timeZone),
				now: Date.now,
			};
		};
		const begun = performance.now();
		const admitted = await admitAll(loaded, lenders);
		const house = opened(await moveIn(loaded, admitted, {log, kv}), it => Promise.all([...new Set(it.residents.map(({member}) => member.tier))].map(tier => tier.close())).then(() => undefined));
		log.debug({ms: performance.now() - begun}, 'plugins moved in');
		refuseNobodyHome(loaded, house);
		const carryOut = openEffects({ledger, kv, now: Date.now, onLost: (plugin, error) => log.error({plugin, err: error}, 'what a plugin put could not be stored')});
		const hooks = openHooks({
			members: house.residents.map(({member}) => member),
			carryOut,
			onFailed(exchange, plugin, hook, reason) {
				metrics.pluginFailed(plugin, hook);
				log.warn({exchange: exchange.id, plugin, hook, reason}, 'a plugin could not answer');
			},
		});

		await journal.append({kind: 'gateway', event: {what: 'started', plugins: roll(house), ...(journal.recovered.torn && {torn: journal.recovered.torn})}, plugins: house.digest}).written;
		for (const orphan of ledger.orphans) {
			const {seq, written} = journal.append({
				kind: 'exchange',
				exchange: orphan.exchange,
				operation: orphan.operation,
				principal: orphan.principal,
				model: orphan.model,
				outcome: 'failed',
				error: {code: 'gateway_crashed'},
				bookings: orphan.bookings,
				plugins: orphan.plugins,
			});
			await written;
			ledger.journaled(orphan.bookings ?? [], seq);
		}
		undo.push(async () => {
			await journal.append({kind: 'gateway', event: {what: 'stopped'}}).written;
		});

		const known = await store.metaGet('admin-key-sha256');
		const adminKey = known === undefined ? `adm_${randomBytes(32).toString('base64url')}` : undefined;
		const adminKeyHash = known ?? createHash('sha256').update(adminKey!).digest('hex');
		if (adminKey) await store.metaPut('admin-key-sha256', adminKeyHash);

		const gateway: Gateway = {config, log, hooks, house, catalogue, journal, ledger, metrics, adminKeyHash, stopping: false, running};
		return {gateway, adminKey, firstStart: adminKey !== undefined, close};
	} catch (error) {
		await close();
		throw error;
	}
};

const roll = ({residents}: PluginHouse) =>
	residents.map(({member: {plugin, mode}}) => ({name: plugin.name, version: plugin.manifest.version, digest: plugin.digest, mode, tier: plugin.tier}));

/** All complaints of all plugins at once, each at its line. */
const admitAll = async ({config, complain}: LoadedConfig, lenders: Lenders): Promise<Admitted[]> => {
	const complaints: Complaint[] = [];
	const admitted: Admitted[] = [];
	for (const [index, entry] of config.plugins.entries()) {
		try {
			const plugin = await admit(entry as PluginEntry, {from: '.', at: ['plugins', index], lenders});
			if (admitted.some(({name}) => name === plugin.name)) {
				throw new NotAdmitted([{path: ['plugins', index, 'use'], at: 'value', message: `there are two plugins named ${plugin.name}`, mend: "Give one of them another name: as: '…'."}]);
			}
			admitted.push(plugin);
		} catch (error) {
			if (!(error instanceof NotAdmitted)) throw error;
			complaints.push(...error.complaints);
		}
	}
	if (complaints.length > 0) throw new ConfigError(complain(complaints));
	return admitted;
};

type Surroundings = {log: Logger; kv: Awaited<ReturnType<typeof openKv>>};

const moveIn = async ({config, complain}: LoadedConfig, admitted: readonly Admitted[], {log, kv}: Surroundings): Promise<PluginHouse> => {
	const scripts = await wallScripts();
	let house: PluginHouse | undefined;
	const report: Report = ({plugin, what, reason}) => {
		log.warn({plugin, what, reason}, 'a plugin was dealt with');
		if (what === 'quarantined') house?.quarantined.set(plugin, new Date().toISOString());
		if (what === 'back') house?.quarantined.delete(plugin);
	};
	const residents: Resident[] = new Array(admitted.length);
	const tiers: Tier[] = [];
	const complaints: Complaint[] = [];

	const settle = async (tierName: 'inline' | 'process', open: (plugins: Admitted[]) => Promise<Tier> | Tier): Promise<void> => {
		const own = admitted.filter(({tier}) => tier === tierName);
		if (own.length === 0) return;
		const begun = performance.now();
		const tier = await open(own);
		tiers.push(tier);
		const ms = (performance.now() - begun) / own.length;
		for (const [place, said] of tier.loaded.entries()) {
			const plugin = own[place]!;
			const index = admitted.indexOf(plugin);
			const {mode, when, onFailure} = config.plugins[index]!;
			const at = ['plugins', index];
			if ('failure' in said) complaints.push({path: [...at, 'use'], at: 'value', message: `${plugin.name} does not start: ${said.failure}`, mend: 'Mend the plugin.'});
			else {
				for (const {path, message} of said.issues) {
					complaints.push({path: [...at, 'config', ...path.map(step => (/^\d+$/.test(step) ? Number(step) : step))], at: 'value', message, mend: `plugins/${plugin.manifest.name}/README.md describes its config.`});
				}
				complaints.push(...unanswered(plugin, said.hooks, at));
				residents[index] = {member: {plugin, tier, mode, when, onFailure}, loaded: said, ms};
			}
		}
	};

	try {
		await settle('inline', own => openInlineTier(own, {scripts, report}));
		await settle('process', own => openProcessTier(own, {scripts, report, kv}));
		if (complaints.length > 0) throw new ConfigError(complain(complaints));
	} catch (error) {
		await Promise.all(tiers.map(tier => tier.close()));
		throw error;
	}
	house = openHouse(residents);
	return house;
};

/** A hook in the manifest without a handler, or the other way round, is a rule that would never run. */
const unanswered = ({manifest, name}: Admitted, handled: readonly string[], at: readonly PropertyKey[]): Complaint[] => {
	const named = Object.keys(manifest.hooks);
	const complain = (message: string, mend: string): Complaint => ({path: [...at, 'use'], at: 'value', message, mend});
	return [
		...named.filter(hook => !handled.includes(hook)).map(hook => complain(`${name} names ${hook} in its manifest and has no handler for it`, 'Write the handler, or take the hook out.')),
		...handled.filter(hook => !named.includes(hook)).map(hook => complain(`${name} has a handler for ${hook}, which its manifest does not name`, 'Name the hook in manifest.json, with what it reads.')),
	];
};

/** Without a plugin that says who is asking, every request would be refused. */
const refuseNobodyHome = ({config, complain}: LoadedConfig, {residents}: PluginHouse): void => {
	const asks = residents.some(({member}) => member.plugin.manifest.hooks['pre-auth']);
	if (asks || config.anonymous) return;
	throw new ConfigError(complain([{path: ['plugins'], at: 'value', message: 'no plugin says who is asking, so everybody would be refused', mend: "Add {use: 'virtual-keys'}, or say anonymous: true to let everybody in."}]));
};

export type {Catalogue, Hooks, Member};
