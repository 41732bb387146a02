import {pluginEntry} from '../../schemas/config.ts';
import type {LoadedConfig} from '../config.ts';

/** What an entry is called before its manifest is read. */
const nameOf = ({as, use}: {as?: string | undefined; use: string}): string => as ?? use;

/**
 * A config whose list of plugins is these: as they stand in the file, or new ones under shipped names or paths. `settings` are the config of
 * the only one. Throws where a new plugin of that name cannot be meant.
 */
export const replayed = (loaded: LoadedConfig, names: readonly string[] | undefined, settings?: Record<string, unknown>): LoadedConfig => {
	const {plugins} = loaded.config;
	if (settings && names?.length !== 1) throw new Error('Settings are those of one plugin: name it with --plugin.');
	const chosen = names?.map(name => plugins.find(entry => nameOf(entry) === name) ?? pluginEntry.parse({use: name})) ?? plugins;
	const list = chosen.map(entry => (settings ? {...entry, config: settings} : entry));
	// In the order of the file, where they stand in it: what one leaves, the next one sees.
	const place = (entry: (typeof list)[number]): number => plugins.findIndex(known => nameOf(known) === nameOf(entry));
	const ordered = list.toSorted((one, other) => (place(one) < 0 ? 1 : place(other) < 0 ? -1 : place(one) - place(other)));
	return {...loaded, config: {...loaded.config, plugins: ordered as LoadedConfig['config']['plugins']}};
};
