import {createHash} from 'node:crypto';
import type {Caller} from '../../plugin-sdk/index.ts';
import type {Manifest} from '../../schemas/manifest.ts';
import {GatewayError} from '../errors.ts';
import type {Member} from '../hooks.ts';
import type {Deed, Loaded} from '../sandbox/isolate.ts';

export type Resident = {member: Member; loaded: Loaded; ms: number};

/** What an operator may know of a plugin. */
export type Introduction = {
	name: string;
	plugin: string;
	version: string;
	digest: string;
	runtime: Manifest['runtime'];
	tier: 'inline' | 'process';
	mode: 'enforce' | 'observe';
	onFailure: 'deny' | 'allow';
	hooks: Record<string, string[]>;
	capabilities: readonly string[];
	actions: string[];
	/** How long it took to move in. */
	ms: number;
	/** Since when it is kept out after repeated failures. */
	quarantined?: string;
};

/** The plugins in force, as operators meet them. */
export type PluginHouse = {
	residents: readonly Resident[];
	/** The list in force, as SHA-256: name, version and digest of each. */
	digest: string;
	introduce(): Introduction[];
	/** The JSON value an action answers. Rejects with GatewayError. */
	act(plugin: string, action: string, input: unknown, caller: Caller): Promise<unknown>;
	/** What an action says of itself. Throws `not_found`. */
	deed(plugin: string, action: string): Deed & {selfService: boolean};
	quarantined: Map<string, string>;
};

export const openHouse = (residents: readonly Resident[]): PluginHouse => {
	const quarantined = new Map<string, string>();
	const hash = createHash('sha256');
	for (const {member} of residents) hash.update(`${member.plugin.name} ${member.plugin.manifest.version} ${member.plugin.digest}\n`);

	const residentWith = (plugin: string, action: string): Resident => {
		const resident = residents.find(({member}) => member.plugin.name === plugin);
		if (!resident) throw new GatewayError('not_found', `There is no plugin "${plugin}" in this gateway.`);
		if (Object.hasOwn(resident.loaded.actions, action)) return resident;
		throw new GatewayError('not_found', `The plugin ${plugin} has no action "${action}".`);
	};

	return {
		residents,
		digest: hash.digest('hex'),
		quarantined,
		introduce: () =>
			residents.map(({member, loaded, ms}) => ({
				name: member.plugin.name,
				plugin: member.plugin.manifest.name,
				version: member.plugin.manifest.version,
				digest: member.plugin.digest,
				runtime: member.plugin.manifest.runtime,
				tier: member.plugin.tier,
				mode: member.mode,
				onFailure: member.onFailure,
				hooks: Object.fromEntries(Object.entries(member.plugin.manifest.hooks).map(([hook, {reads}]) => [hook, reads])),
				capabilities: member.plugin.manifest.capabilities,
				actions: Object.keys(loaded.actions),
				ms,
				...(quarantined.has(member.plugin.name) && {quarantined: quarantined.get(member.plugin.name)!}),
			})),
		async act(plugin, action, input, caller) {
			const {member} = residentWith(plugin, action);
			return JSON.parse(await member.tier.act(plugin, action, JSON.stringify(input ?? {}), JSON.stringify(caller)));
		},
		deed(plugin, action) {
			const {loaded, member} = residentWith(plugin, action);
			return {...loaded.actions[action]!, selfService: member.plugin.manifest.selfService?.includes(action) === true};
		},
	};
};
