import type {Logger} from 'pino';
import type {PluginEntry} from '../../schemas/config.ts';
import type {Complaint} from '../config/problems.ts';
import {ConfigError, type LoadedConfig} from '../config.ts';
import type {Loaded} from '../sandbox/isolate.ts';
import type {Kv} from '../store/kv.ts';
import {admit, type Lenders, NotAdmitted} from './admit.ts';
import type {WallScripts} from './bundle.ts';
import {configComplaints} from './config-complaints.ts';
import {openHouse, type PluginHouse, type Resident} from './house.ts';
import {openInlineTier} from './inline.ts';
import {withLargeTexts} from './large-texts.ts';
import {lockComplaints} from './lock.ts';
import {openProcessTier} from './process.ts';
import type {Admitted, Report, Tier} from './tier.ts';

/** The list in force, as the journal spells it out. */
export const roll = ({residents}: PluginHouse) =>
	residents.map(({member: {plugin, mode}}) => ({
		name: plugin.name,
		version: plugin.manifest.version,
		digest: plugin.digest,
		mode,
		tier: plugin.tier,
	}));

const twins = (admitted: readonly Admitted[]): Complaint[] =>
	admitted.flatMap(({name}, index): Complaint[] =>
		admitted.findIndex(other => other.name === name) === index
			? []
			: [
					{
						path: ['plugins', index, 'use'],
						at: 'value',
						message: `there are two plugins named ${name}`,
						mend: "Give one of them another name: as: '…'.",
					},
				],
	);

/** Admits every plugin of the config, or throws a ConfigError with all complaints about all of them, each at its line. */
export const admitAll = async ({config, complain, file}: LoadedConfig, lenders: Lenders, {checkLock = true} = {}): Promise<Admitted[]> => {
	const complaints: Complaint[] = [];
	const admissions = config.plugins.map((entry, index) =>
		admit(entry as PluginEntry, {from: '.', at: ['plugins', index], lenders}).catch((error: unknown) => {
			if (!(error instanceof NotAdmitted)) throw error;
			complaints.push(...error.complaints);
			return undefined;
		}),
	);
	const admitted = (await Promise.all(admissions)).filter(plugin => plugin !== undefined);
	// Only when all were admitted do the places of the list stand for the config's.
	if (complaints.length === 0) complaints.push(...twins(admitted));
	if (complaints.length === 0 && checkLock) complaints.push(...(await lockComplaints(file, admitted)));
	if (complaints.length > 0) throw new ConfigError(complain(complaints));
	return admitted;
};

type Surroundings = {log: Logger; kv: Kv; scripts: WallScripts};

/** Starts every plugin in its tier. Throws a ConfigError when one does not start, or its config is wrong. */
export const moveIn = async (
	{config, complain}: Pick<LoadedConfig, 'config' | 'complain'>,
	admitted: readonly Admitted[],
	{log, kv, scripts}: Surroundings,
): Promise<PluginHouse> => {
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
			if ('failure' in said)
				complaints.push({
					path: [...at, 'use'],
					at: 'value',
					message: `${plugin.name} does not start: ${said.failure}`,
					mend: 'Mend the plugin.',
				});
			else {
				complaints.push(...configComplaints(said, {config, index, name: plugin.manifest.name}));
				complaints.push(...unanswered(plugin, said.hooks, at), ...unexplained(plugin, said.actions, at));
				residents[index] = {member: {plugin, tier, mode, when, onFailure}, loaded: said, ms};
			}
		}
	};

	try {
		await settle('inline', own =>
			withLargeTexts(openInlineTier(own, {scripts, report}), {
				plugins: own,
				open: movers => openProcessTier(movers, {scripts, report, kv, log}),
				onFailed: error => log.error({err: error}, 'no process for large texts'),
			}),
		);
		await settle('process', own => openProcessTier(own, {scripts, report, kv, log}));
		if (complaints.length === 0) complaints.push(...nobodyHome(config, residents));
		if (complaints.length > 0) throw new ConfigError(complain(complaints));
	} catch (error) {
		await Promise.all(tiers.map(tier => tier.close()));
		throw error;
	}
	house = openHouse(residents);
	return house;
};

/** Ends every tier. */
export const moveOut = async ({residents}: PluginHouse): Promise<void> => {
	await Promise.all([...new Set(residents.map(({member}) => member.tier))].map(tier => tier.close()));
};

/** A hook in the manifest without a handler, or the other way round, is a rule that would never run. */
const unanswered = ({manifest, name}: Admitted, handled: readonly string[], at: readonly PropertyKey[]): Complaint[] => {
	const named = Object.keys(manifest.hooks);
	const complain = (message: string, mend: string): Complaint => ({path: [...at, 'use'], at: 'value', message, mend});
	return [
		...named
			.filter(hook => !handled.includes(hook))
			.map(hook => complain(`${name} names ${hook} in its manifest and has no handler for it`, 'Write the handler, or take the hook out.')),
		...handled
			.filter(hook => !named.includes(hook))
			.map(hook =>
				complain(
					`${name} has a handler for ${hook}, which its manifest does not name`,
					'Name the hook in manifest.json, with what it reads.',
				),
			),
	];
};

/** What answers for `explain` has to be there, and to change nothing. */
const unexplained = ({manifest, name}: Admitted, actions: Loaded['actions'], at: readonly PropertyKey[]): Complaint[] =>
	Object.entries(manifest.explains ?? {})
		.filter(([, action]) => !(Object.hasOwn(actions, action) && actions[action]!.access === 'read'))
		.map(([what, action]) => ({
			path: [...at, 'use'],
			at: 'value',
			message: `${name} names the action ${action} in its manifest's explains.${what}, and has none of that name that reads`,
			mend: "Write the action, with access: 'read'.",
		}));

/** Without a plugin that says who is asking, every request would be refused. */
const nobodyHome = ({anonymous}: LoadedConfig['config'], residents: readonly Resident[]): Complaint[] => {
	if (anonymous || residents.some(({member}) => member.plugin.manifest.hooks['pre-auth'])) return [];
	const message = 'no plugin says who is asking, so everybody would be refused';
	return [{path: ['plugins'], at: 'value', message, mend: "Add {use: 'virtual-keys'}, or say anonymous: true to let everybody in."}];
};
