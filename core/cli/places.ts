import type {Command} from 'commander';
import {loadConfig, type ResolvedConfig} from '../config.ts';

/** The file that --config names. */
export const configFile = (program: Command): string => program.opts<{config: string}>().config;

/** The config, for a verb that reads nothing of it but where the data lies: no secret has to be set for that, unless it says just that. */
export const configOfPlaces = async (program: Command): Promise<Pick<ResolvedConfig, 'store' | 'journal'>> => {
	const anything = new Proxy(process.env, {get: (env, name: string) => env[name] ?? 'not needed here'});
	const {config} = await loadConfig(configFile(program), {env: anything});
	return config;
};
