import {randomUUID} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pino} from 'pino';
import {type HookName, hookNames} from '../../schemas/hooks.ts';
import type {LoadedConfig} from '../config.ts';
import {openEffects} from '../effects.ts';
import {GatewayError} from '../errors.ts';
import {openFindings} from '../findings.ts';
import {type Hooks, type Member, openHooks} from '../hooks.ts';
import type {Ledger} from '../ledger/ledger.ts';
import {openLedger} from '../ledger/open.ts';
import {type Catalogue, openCatalogue} from '../llm/catalogue.ts';
import {openToolPrices, type ToolPrices} from '../mcp/tool-prices.ts';
import type {Lenders} from '../plugins/admit.ts';
import {wallScripts} from '../plugins/bundle.ts';
import {admitAll, moveIn, moveOut} from '../plugins/move-in.ts';
import {openKv} from '../store/kv.ts';
import {openStore} from '../store/open.ts';

export type Stage = {
	/** Of all plugins that are replayed, and of those that need not see what was said. */
	hooks: {all: Hooks; wordless: Hooks};
	names: ReadonlySet<string>;
	/** Of those that need to see what was said: at which hooks. */
	readers: ReadonlyMap<string, readonly HookName[]>;
	catalogue: Catalogue;
	ledger: Ledger;
	prices: ToolPrices;
	/** What it is on this stage, in milliseconds since 1970. */
	clock: {now: number};
};

/** The fields that a record has only where payloads were kept. */
const said = ['text[]', 'messages', 'params.', 'tools', 'window', 'tool.arguments', 'result'];

/** The hooks at which a plugin reads what was said. */
const readingHooks = ({plugin}: Member): HookName[] => {
	const {hooks} = plugin.manifest;
	const reads = (hook: HookName): readonly string[] => hooks[hook]?.reads ?? [];
	return hookNames.filter(hook => reads(hook).some(path => said.some(name => path.startsWith(name))));
};

/** Nothing comes from this: what plugins were given by actions, they have here too. */
const kvOf = async (place: string, names: ReadonlySet<string>): Promise<{plugin: string; key: string; value: string}[]> => {
	const store = await openStore(place);
	try {
		return (await store.kvAll()).filter(({plugin}) => names.has(plugin));
	} finally {
		await store.close();
	}
};

type Options = {
	/** Where plugins' own storage is copied from; they begin with an empty one without it. */
	kvFrom?: string | undefined;
};

/**
 * Plugins of a config on a store and a clock of their own: what their verdicts ask for is carried out there, and nothing is sent. The lock
 * is not asked, since what is tried is not in use yet. To be closed.
 */
export const openStage = async (loaded: LoadedConfig, {kvFrom}: Options): Promise<Stage & {close(): Promise<void>}> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-replay-'));
	const undo: (() => Promise<void> | void)[] = [() => rm(folder, {recursive: true, force: true})];
	const close = async (): Promise<void> => {
		for (const step of undo.splice(0).reverse()) await step();
	};
	const opened = <Thing extends {close(): Promise<void> | void}>(thing: Thing): Thing => {
		undo.push(() => thing.close());
		return thing;
	};
	try {
		const clock = {now: Date.now()};
		const now = (): number => clock.now;
		const config = {...loaded.config, anonymous: true as const};
		const store = opened(await openStore(join(folder, 'store.db')));
		const ledger = opened(await openLedger({store, now}));
		const nothingSent = () => Promise.reject(new GatewayError('denied', 'a replay sends nothing'));
		const lenders: Lenders = name => ({
			kv: kv.space(name),
			http: nothingSent,
			log: () => undefined,
			count: () => undefined,
			balance: (account, unit, window, timeZone) => ledger.balance(account, unit as 'microUsd', window as 'day', timeZone),
			now,
		});
		const kv = opened(await openKv(store));
		const admitted = await admitAll({...loaded, config}, lenders, {checkLock: false});
		const names = new Set(admitted.map(({name}) => name));
		for (const {plugin, key, value} of kvFrom === undefined ? [] : await kvOf(kvFrom, names)) await kv.put(plugin, {[key]: value});
		const house = await moveIn({...loaded, config}, admitted, {log: pino({level: 'silent'}), kv, scripts: await wallScripts()});
		undo.push(() => moveOut(house));
		const members = house.residents.map(({member}): Member => ({...member, mode: 'enforce'}));
		const readers = new Map(members.map(member => [member.plugin.name, readingHooks(member)] as const).filter(([, at]) => at.length > 0));
		const carryOut = openEffects({ledger, kv, once: (name, expiresAt) => store.once(name, expiresAt), now, onLost: () => undefined});
		const noteFindings = openFindings({secret: randomUUID(), count: () => undefined});
		const hooksOf = (some: readonly Member[]): Hooks => openHooks({members: some, carryOut, noteFindings, onFailed: () => undefined});
		return {
			hooks: {all: hooksOf(members), wordless: hooksOf(members.filter(({plugin}) => !readers.has(plugin.name)))},
			names,
			readers,
			catalogue: opened(await openCatalogue(config)),
			ledger,
			prices: openToolPrices(config),
			clock,
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
};
