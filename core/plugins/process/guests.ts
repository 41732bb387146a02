import type {Guest} from '../host/frames.ts';
import {setupOf} from '../setup.ts';
import type {Admitted} from '../tier.ts';

/** Time for what is not the plugin's own doing: a busy machine, an isolate that has to be opened. */
const graceMs = 100;
/** A host that makes no progress for so long is killed, unless a single plugin's own limit is longer. */
const stallMs = 300;

/** A plugin as its host gets it; `kv` is what its namespace holds now. */
export const guestOf = (plugin: Admitted, kv: Record<string, string>): Guest => ({
	name: plugin.name,
	runtime: plugin.manifest.runtime,
	code: typeof plugin.code === 'string' ? plugin.code : plugin.code.toString(plugin.manifest.runtime === 'wasm' ? 'base64' : 'utf8'),
	setup: setupOf(plugin),
	limits: plugin.manifest.limits,
	capabilities: plugin.lent.capabilities,
	secrets: plugin.lent.secrets,
	kv,
});

/** How long a host may go without progress while it works for these plugins. */
export const patienceMs = (plugins: readonly Admitted[]): number => {
	const cpuMs = plugins.map(({manifest}) => manifest.limits.cpuMs);
	const longest = Math.max(stallMs, Math.max(...cpuMs) + graceMs);
	return Math.min(
		cpuMs.reduce((sum, ms) => sum + ms, graceMs),
		longest,
	);
};
