import {dirname, resolve} from 'node:path';
import {pluginEntry} from '../../schemas/config.ts';
import {type Complaint, type Problem, writePath} from '../config/problems.ts';
import {instanceName, isPath} from '../config/resolve.ts';
import type {LoadedConfig} from '../config.ts';
import {manifestOf} from '../plugins/admit.ts';

type Entry = LoadedConfig['config']['plugins'][number];
/** An entry, and what it is called on the command line where the file has none of it. */
type Chosen = {entry: Entry; added?: string};

/** The entries of the file that `name` means: by their own name, by a path from here or from the file, or by the name in a manifest. */
const entriesNamed = async (name: string, {config: {plugins}, file}: LoadedConfig): Promise<Entry[]> => {
	if (isPath(name)) {
		const folders = [resolve(name), resolve(dirname(file), name)];
		return plugins.filter(({use}) => folders.includes(use));
	}
	const own = plugins.filter(entry => instanceName(entry) === name);
	if (own.length > 0) return own;
	const unnamed = plugins.filter(({as, use}) => as === undefined && isPath(use));
	const names = await Promise.all(unnamed.map(({use}) => manifestOf(use)));
	return unnamed.filter((_, index) => names[index]!.name === name);
};

const chosenBy = async (name: string, loaded: LoadedConfig): Promise<Chosen[]> => {
	const known = await entriesNamed(name, loaded);
	if (known.length > 0) return known.map(entry => ({entry}));
	const use = isPath(name) ? resolve(name) : name;
	return [{entry: pluginEntry.parse({use}) as Entry, added: `--plugin ${name}`}];
};

/**
 * A config whose list of plugins is these: as they stand in the file, or new ones under shipped names or paths. `settings` are the config of
 * the only one. What stands on the command line and not in the file is complained of there.
 */
export const replayed = async (
	loaded: LoadedConfig,
	names: readonly string[] | undefined,
	settings?: Record<string, unknown>,
): Promise<LoadedConfig> => {
	const {plugins} = loaded.config;
	const found = names ? (await Promise.all(names.map(name => chosenBy(name, loaded)))).flat() : plugins.map((entry): Chosen => ({entry}));
	if (settings && (names === undefined || found.length !== 1)) throw new Error('Settings are those of one plugin: name it with --plugin.');
	// In the order of the file, where they stand in it: what one leaves, the next one sees.
	const place = ({entry, added}: Chosen): number => (added === undefined ? plugins.indexOf(entry) : plugins.length);
	const chosen = [...new Map(found.map(one => [one.entry, one])).values()].sort((one, other) => place(one) - place(other));

	const complain = (complaint: Complaint): Problem[] => {
		const [list, index, key, ...rest] = complaint.path;
		const one = list === 'plugins' ? chosen[Number(index)] : undefined;
		if (!one) return loaded.complain([complaint]);
		const {message, mend} = complaint;
		if (settings && key === 'config') return [{file: '--settings', path: writePath(rest), message, mend}];
		if (one.added !== undefined) return [{file: one.added, path: key === undefined ? '' : writePath([key, ...rest]), message, mend}];
		return loaded.complain([{...complaint, path: ['plugins', place(one), ...complaint.path.slice(2)]}]);
	};
	return {
		...loaded,
		config: {...loaded.config, plugins: chosen.map(({entry}) => (settings ? {...entry, config: settings} : entry))},
		complain: complaints => complaints.flatMap(complain),
	};
};
