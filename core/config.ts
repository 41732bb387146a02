import {dirname, resolve} from 'node:path';
import {gatewayConfig} from '../schemas/config.ts';
import {crossCheck} from './config/cross-checks.ts';
import {explain} from './config/explain.ts';
import {importConfig} from './config/import.ts';
import {type Complaint, ConfigError, type Problem, writePath} from './config/problems.ts';
import {type LeftOut, type ResolvedConfig, resolveConfig} from './config/resolve.ts';
import type {Source} from './config/source.ts';
import {warningsOf} from './config/warnings.ts';

export {printProblem} from './config/problems.ts';
export type {ResolvedConfig, ResolvedPlugin, ResolvedProvider} from './config/resolve.ts';
export {ConfigError, type LeftOut, type Problem};

export type LoadedConfig = {
	/** Absolute. */
	file: string;
	config: ResolvedConfig;
	/** What is not served because an optional variable is not set. */
	leftOut: LeftOut[];
	/** What runs, and should not stay so; secrets written into the file, above all. */
	warnings: Problem[];
	/** Gives complaints that were found later, by a plugin's manifest say, their lines. */
	complain(complaints: Complaint[]): Problem[];
};

/** In the order of the file. */
const placed = (complaints: Complaint[], file: string, source: Source): Problem[] =>
	complaints
		.map(({path, at, message, mend}) => ({
			file,
			...(at === 'key' ? source.keyAt(path) : source.valueAt(path)),
			path: writePath(path),
			message,
			mend,
		}))
		.sort((a, b) => a.line - b.line || a.column - b.column);

/**
 * Reads `gateway.config.ts` afresh, checks all of it and fills in the environment: the only place that reads `process.env`.
 * Throws a ConfigError that names every mistake by line, column and mend. Needs no plugin: what a manifest has to say is checked at boot.
 */
export const loadConfig = async (file: string, {env = process.env}: {env?: NodeJS.ProcessEnv} = {}): Promise<LoadedConfig> => {
	const path = resolve(file);
	const {value, source} = await importConfig(file, path);
	const repeated = source.repeatedKeys().map((path): Complaint => {
		const mend = 'Join the two, or take one out: only the last one counts.';
		return {path, at: 'key', message: 'this key stands here twice', mend};
	});
	const checked = gatewayConfig.safeParse(value);
	if (!checked.success) throw new ConfigError(placed([...repeated, ...explain(checked.error, value, gatewayConfig)], file, source));

	const {config, leftOut, complaints, warnings} = resolveConfig(checked.data, path, env);
	const wrong = [...repeated, ...crossCheck(checked.data, dirname(path), source), ...complaints];
	if (wrong.length > 0) throw new ConfigError(placed(wrong, file, source));
	return {
		file: path,
		config,
		leftOut,
		warnings: placed([...warningsOf(checked.data), ...warnings], file, source),
		complain: complaints => placed(complaints, file, source),
	};
};
