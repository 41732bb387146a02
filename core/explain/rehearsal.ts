import {randomUUID} from 'node:crypto';
import type {Logger} from 'pino';
import type {HookName} from '../../schemas/hooks.ts';
import {ConfigError, type LoadedConfig} from '../config.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {openFindings} from '../findings.ts';
import {type Hooks, type Member, openHooks} from '../hooks.ts';
import type {Ledger} from '../ledger/ledger.ts';
import type {WallScripts} from '../plugins/bundle.ts';
import type {PluginHouse} from '../plugins/house.ts';
import {moveIn, moveOut} from '../plugins/move-in.ts';
import type {Admitted, Answer, Tier} from '../plugins/tier.ts';
import {type Lending, lend} from '../sandbox/capabilities.ts';
import type {Value} from '../sandbox/isolate.ts';
import type {Kv} from '../store/kv.ts';
import {type Foreseen, foresee} from './foresee.ts';

/** One plugin that was asked, the fields it and its neighbours saw, and its answer where it gave one. */
export type Asked = {plugin: string; hook: HookName; seen(path: string): Value; answer?: Answer};

export type Rehearsal = {
	house: PluginHouse;
	/** Asks as the gateway would; what verdicts ask for is foreseen and not carried out. */
	hooks: Hooks;
	/** The same of the guards alone: of those who read what is said. */
	guards: Hooks;
	/** Who was asked since `begin`, in order. */
	readonly asked: readonly Asked[];
	/** What each plugin's verdict would have had the gateway do, since `begin`. */
	readonly foreseen: ReadonlyMap<string, Foreseen>;
	/** Plugins that wanted to ask somebody outside since `begin`, and were not let: what they said is not what they would say. */
	readonly unheard: ReadonlySet<string>;
	/** Forgets what was asked before. */
	begin(): void;
	close(): Promise<void>;
};

/** Everything a rehearsal reads from, and nothing it could write to. */
export type Stage = {
	config: LoadedConfig['config'];
	kv: Kv;
	ledger: Ledger;
	scripts: WallScripts;
	log: Logger;
	now?: () => number;
	/** What sessions and keys are tainted with now; nothing when left out. */
	taintsOf?: (exchange: Exchange) => readonly string[];
};

/** Reads like the plugin's own lender, and lends nothing that leaves a trace: what it puts is lost, what it sends is refused. */
const lenderFor = ({name, manifest, lent}: Admitted, {kv, ledger, now = Date.now}: Stage, unheard: Set<string>) => {
	const refuse = (): Promise<never> => {
		unheard.add(name);
		return Promise.reject(new GatewayError('denied', 'explain sends nothing'));
	};
	const lending: Lending = {
		name,
		granted: new Set(manifest.capabilities),
		secrets: lent.secrets,
		kv: {...kv.space(name), put: async () => undefined},
		http: refuse,
		ask: refuse,
		log: () => undefined,
		count: () => undefined,
		balance: (account, unit, window, timeZone) => ledger.balance(account, unit as 'microUsd', window as 'day', timeZone),
		now,
	};
	return lend(lending);
};

const saying = ['text[]', 'messages', 'params.*', 'window'];

const isGuard = ({plugin}: Member): boolean =>
	Object.values(plugin.manifest.hooks).some(({reads}) => reads.some((path: string) => saying.includes(path)));

/** The same tier, that tells of everybody it asks. */
const watched = (tier: Tier, witness: (asked: Asked) => void): Tier => ({
	...tier,
	async ask(run, from, values) {
		const answers = await tier.ask(run, from, values);
		const last = answers.at(-1);
		const end = last && last.kind !== 'A' && !run.everyone ? last.place + 1 : run.members.length;
		for (let place = from; place < end; place++) {
			const answer = answers.find(it => it.place === place);
			const seen = (path: string): Value => values[run.paths.indexOf(path)];
			witness({plugin: run.members[place]!.name, hook: run.hook, seen, ...(answer && {answer})});
		}
		return answers;
	},
});

const moved = async (stage: Stage, residents: PluginHouse['residents'], unheard: Set<string>): Promise<PluginHouse> => {
	const {config, kv, scripts, log} = stage;
	const admitted = residents.map(({member: {plugin}}) => ({...plugin, lender: lenderFor(plugin, stage, unheard)}));
	const complain: LoadedConfig['complain'] = complaints =>
		complaints.map(({message, mend}) => ({file: 'gateway.config.ts', path: '', message, mend}));
	try {
		return await moveIn({config, complain}, admitted, {log, kv, scripts});
	} catch (error) {
		if (error instanceof ConfigError) throw new GatewayError('plugin_failed', error.message, {cause: error});
		throw error;
	}
};

/**
 * The gateway's plugins once more, in isolates and processes of their own: with the same code, config and namespaces to read, and no way
 * to reserve, store, send or count. To be closed.
 */
export const openRehearsal = async (stage: Stage, residents: PluginHouse['residents']): Promise<Rehearsal> => {
	const unheard = new Set<string>();
	const house = await moved(stage, residents, unheard);
	const asked: Asked[] = [];
	const foreseen = new Map<string, Foreseen>();
	const watchedMembers = (): Member[] => {
		const tiers = new Map<Tier, Tier>();
		return house.residents.map(({member}) => {
			const tier = tiers.get(member.tier) ?? watched(member.tier, it => asked.push(it));
			tiers.set(member.tier, tier);
			return {...member, tier};
		});
	};
	// By a secret nobody keeps: whoever may try may not find out so which value a record speaks of.
	const noteFindings = openFindings({secret: randomUUID(), count: () => undefined});
	const carryOut = foresee({ledger: stage.ledger, foreseen, now: stage.now ?? Date.now});
	const asIfReal = {carryOut, noteFindings, onFailed: () => undefined, ...(stage.taintsOf && {taintsOf: stage.taintsOf})};
	return {
		house,
		hooks: openHooks({members: watchedMembers(), ...asIfReal}),
		guards: openHooks({members: watchedMembers().filter(isGuard), ...asIfReal}),
		asked,
		foreseen,
		unheard,
		begin() {
			asked.length = 0;
			unheard.clear();
			foreseen.clear();
		},
		close: () => moveOut(house),
	};
};
