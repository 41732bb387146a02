import type {Guest} from '../host/frames.ts';
import {setupOf} from '../setup.ts';
import type {Admitted} from '../tier.ts';

/** Time for what is not the plugin's own doing: a busy machine, an isolate that has to be opened. */
const graceMs = 100;
/** A host that makes no progress for so long is killed, unless a single plugin's own limit is longer. */
const stallMs = 300;

/** Writes what a host gets of a plugin, with what its namespace holds now; the rest, long and always the same, is written once. */
export const openGuests = (kv: {all(plugin: string): Record<string, string>}) => {
	const known = new Map<string, string>();
	const bare = ({name, manifest, code, lent, config}: Admitted): string => {
		const {runtime, limits} = manifest;
		const guest: Omit<Guest, 'kv'> = {
			name,
			runtime,
			code: typeof code === 'string' ? code : code.toString(runtime === 'wasm' ? 'base64' : 'utf8'),
			setup: setupOf({config, manifest}),
			limits,
			...lent,
		};
		return JSON.stringify(guest);
	};
	return (plugin: Admitted): string => {
		const text = known.get(plugin.name) ?? bare(plugin);
		known.set(plugin.name, text);
		return `${text.slice(0, -1)},"kv":${JSON.stringify(kv.all(plugin.name))}}`;
	};
};

/** How long a host may go without progress while it works for these plugins. */
export const patienceMs = (plugins: readonly Admitted[]): number => {
	const cpuMs = plugins.map(({manifest}) => manifest.limits.cpuMs);
	const longest = Math.max(stallMs, Math.max(...cpuMs) + graceMs);
	return Math.min(
		cpuMs.reduce((sum, ms) => sum + ms, graceMs),
		longest,
	);
};
