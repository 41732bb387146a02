import {existsSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import * as z from 'zod';
import type {PluginEntry} from '../../schemas/config.ts';
import type {HookName} from '../../schemas/hooks.ts';
import {type Capability, type Manifest, manifest as manifestSchema} from '../../schemas/manifest.ts';
import {didYouMean} from '../config/nearest.ts';
import type {Complaint, Path} from '../config/problems.ts';
import {isPath} from '../config/resolve.ts';
import {type Lending, lend} from '../sandbox/capabilities.ts';
import {codeOf} from './bundle.ts';
import type {Admitted} from './tier.ts';

const shippedFolder = resolve(fileURLToPath(import.meta.url), '../../../plugins');

/** Why a plugin may not come in, each at its place in the config. */
export class NotAdmitted extends Error {
	readonly complaints: readonly Complaint[];
	constructor(complaints: readonly Complaint[]) {
		super(complaints.map(({message, mend}) => `${message}. ${mend}`).join('\n'));
		this.name = 'NotAdmitted';
		this.complaints = complaints;
	}
}

/** What the house lends from: everything of `Lending` that is not this plugin's own. */
export type Lenders = (name: string, hosts: readonly string[], models: readonly string[]) => Omit<Lending, 'name' | 'granted' | 'secrets'>;

/** What `use` may name without a path. */
const shippedNames = async (): Promise<string[]> => {
	const folders = (await readdir(shippedFolder, {withFileTypes: true})).filter(entry => entry.isDirectory());
	return folders.map(({name}) => name).filter(name => existsSync(join(shippedFolder, name, 'manifest.json')));
};

/** The folder of a shipped plugin, or of one named by its path. */
export const folderOf = (use: string, from: string): string => (isPath(use) ? resolve(from, use) : join(shippedFolder, use));

const readManifest = async (folder: string, use: string, at: Path): Promise<Manifest> => {
	const file = join(folder, 'manifest.json');
	const complain = (message: string, mend: string) => new NotAdmitted([{path: [...at, 'use'], at: 'value', message, mend}]);
	let text: string;
	try {
		text = await readFile(file, 'utf8');
	} catch {
		throw complain(
			`"${use}" is not a plugin: there is no ${file}`,
			isPath(use)
				? 'Name the folder that holds manifest.json.'
				: didYouMean(use, await shippedNames(), "A plugin of your own is named by its path: './my-plugin'."),
		);
	}
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch (error) {
		throw complain(`${file} is not JSON: ${(error as Error).message}`, 'Mend the file.');
	}
	const {success, data, error} = manifestSchema.safeParse(json);
	if (success) return data;
	throw new NotAdmitted(
		error.issues.map(issue => ({
			path: [...at, 'use'],
			at: 'value',
			message: `${file}: ${issue.path.map(String).join('.') || 'the manifest'}: ${issue.message}`,
			mend: 'Mend the manifest; schemas/json/manifest.json describes it.',
		})),
	);
};

/** What the manifest in `folder` says. Throws NotAdmitted. */
export const manifestOf = (folder: string): Promise<Manifest> => readManifest(folder, folder, []);

/** These reach nothing outside the plugin's own house, so a shipped plugin has them by being named. */
const harmless: readonly Capability[] = ['kv', 'clock', 'random', 'log', 'metrics', 'ledger', 'crypto'];

const grantLine = (capability: Capability): string => {
	if (capability === 'http') return "grants: {http: ['host.example']}";
	if (capability === 'models') return "grants: {models: ['provider/model']}";
	return capability === 'secrets' ? "grants: {secrets: {name: env('NAME')}}" : `grants: {${capability}: true}`;
};

/** What is optional and granted, it asks for like anything else. */
const withGranted = (manifest: Manifest, {grants}: PluginEntry): Manifest => {
	const {capabilities, optional} = manifest;
	const wanted = optional.filter(name => grants[name] !== undefined && !capabilities.includes(name));
	return {...manifest, capabilities: [...capabilities, ...wanted]};
};

/** Where a plugin may ask models, and so is told which call it asks in. */
const askedIn = ['pre-request', 'on-tool-call', 'post-response'] as const satisfies HookName[];

const withAsking = (manifest: Manifest): Manifest => {
	if (!manifest.capabilities.includes('models')) return manifest;
	const asking = askedIn.flatMap(hook => {
		const entry = manifest.hooks[hook];
		return entry ? [[hook, {...entry, reads: [...new Set([...entry.reads, 'asking'])]}] as const] : [];
	});
	return {...manifest, hooks: {...manifest.hooks, ...Object.fromEntries(asking)}};
};

const grantComplaints = ({use, grants}: PluginEntry, {capabilities, name}: Manifest, at: Path): Complaint[] => {
	const granted = (Object.keys(grants) as Capability[]).filter(capability => grants[capability] !== undefined);
	const missing = capabilities.filter(wanted => !granted.includes(wanted) && (isPath(use) || !harmless.includes(wanted)));
	const needless = granted.filter(capability => !capabilities.includes(capability));
	return [
		...missing.map(
			(wanted): Complaint => ({
				path: at,
				at: 'value',
				message: `${name} asks for ${wanted}, which is not granted`,
				mend: `Add ${grantLine(wanted)} to this entry.`,
			}),
		),
		...needless.map(
			(extra): Complaint => ({
				path: [...at, 'grants', extra],
				at: 'key',
				message: `${name} does not ask for ${extra}`,
				mend: 'Take it out, or name it in the manifest\'s "capabilities".',
			}),
		),
	];
};

const tierOf = ({use, tier}: PluginEntry, {runtime, name}: Manifest, at: Path): 'inline' | 'process' => {
	if (runtime === 'wasm' && tier === 'inline') {
		throw new NotAdmitted([
			{
				path: [...at, 'tier'],
				at: 'value',
				message: `${name} is WebAssembly, which cannot be stopped inside the gateway's process`,
				mend: 'Leave tier out.',
			},
		]);
	}
	if (tier) return tier;
	return runtime === 'wasm' || isPath(use) ? 'process' : 'inline';
};

type Surroundings = {
	/** Where relative paths begin. */
	from: string;
	/** The entry's place in the config. */
	at: Path;
	lenders: Lenders;
};

/** Reads a plugin's manifest and code, checks what it asks against what it is granted, and lends it that. Throws NotAdmitted. */
export const admit = async (entry: PluginEntry, {from, at, lenders}: Surroundings): Promise<Admitted> => {
	const {use, grants, trust} = entry;
	const folder = folderOf(use, from);
	const manifest = withAsking(withGranted(await readManifest(folder, use, at), entry));
	const complaints = grantComplaints(entry, manifest, at);
	if (complaints.length > 0) throw new NotAdmitted(complaints);
	const tier = tierOf(entry, manifest, at);
	const {code, digest} = await codeOf(folder, manifest.runtime).catch((error: Error) => {
		throw new NotAdmitted([
			{
				path: [...at, 'use'],
				at: 'value',
				message: `the code of ${manifest.name} cannot be read: ${error.message}`,
				mend: 'Mend it; plugins have no Node modules and no network.',
			},
		]);
	});
	if (trust && trust !== digest) {
		throw new NotAdmitted([
			{
				path: [...at, 'trust'],
				at: 'value',
				message: `${manifest.name} is ${digest} now, which is not what was trusted`,
				mend: 'Read what changed, then write the new digest.',
			},
		]);
	}
	if (entry.tier === 'inline' && isPath(use) && !trust) {
		throw new NotAdmitted([
			{
				path: [...at, 'tier'],
				at: 'value',
				message: `${manifest.name} may not run inline: hostile code can end the process it runs in, and nobody has said that this code is trusted`,
				mend: `Read it, then add trust: '${digest}', or leave tier out.`,
			},
		]);
	}
	const name = entry.as ?? manifest.name;
	const secrets = Object.fromEntries(Object.entries(grants.secrets ?? {}).map(([key, value]) => [key, z.string().parse(value)]));
	const lent = {capabilities: manifest.capabilities, secrets};
	const lender = lend({...lenders(name, grants.http ?? [], grants.models ?? []), name, granted: new Set(manifest.capabilities), secrets});
	return {name, manifest, digest, tier, code, config: entry.config ?? {}, lender, lent};
};
