import {dirname, resolve} from 'node:path';
import type {GatewayConfig, PluginEntry, Provider} from '../../schemas/config.ts';
import type {FromEnv} from '../../schemas/from-env.ts';
import type {Server, ServerOAuth} from '../../schemas/mcp-server.ts';
import {executable, isProgram} from '../mcp/executable.ts';
import type {Complaint, Path} from './problems.ts';

export type ResolvedProvider = Omit<Provider, 'key' | 'baseUrl'> & {
	/** Without a slash at its end. */
	baseUrl: string;
	key?: string;
};

export type ResolvedPlugin = Omit<PluginEntry, 'grants'> & {
	grants: Omit<PluginEntry['grants'], 'secrets'> & {secrets?: Record<string, string>};
};

export type ResolvedOAuth = Omit<ServerOAuth, 'clientSecret' | 'privateKey'> & {clientSecret?: string; privateKey?: string};

export type ResolvedServer = Omit<Server, 'stdio' | 'bearer' | 'basic' | 'oauth' | 'headers'> & {
	/** `command` is a file, where it was found; `folder` the one it runs in: that of the config. */
	stdio?: {command: string; args: string[]; env: Record<string, string>; folder?: string};
	bearer?: string;
	basic?: {user: string; password: string};
	oauth?: ResolvedOAuth;
	headers?: Record<string, string>;
	/** Those of them whose values came from the environment. */
	secretHeaders?: string[];
};

/** The config as the gateway runs it: secrets in place, paths absolute. */
export type ResolvedConfig = Omit<GatewayConfig, 'store' | 'sealingKey' | 'providers' | 'servers' | 'plugins'> & {
	/** A file without `sqlite:`, or the URL of a PostgreSQL database, with its password. */
	store: string;
	sealingKey?: string;
	providers: Record<string, ResolvedProvider>;
	servers: Record<string, ResolvedServer>;
	plugins: ResolvedPlugin[];
};

/** What the config names and this gateway does not serve, because an optional variable is not set. */
export type LeftOut = {
	kind: 'provider' | 'deployment' | 'model' | 'server' | 'secret';
	/** `openai`; `openai/gpt-5 of fast`; `fast`; `token of dlp`. */
	name: string;
	/** The variable that would bring it back. */
	variable: string;
};

const baseUrls = {openai: 'https://api.openai.com/v1', anthropic: 'https://api.anthropic.com/v1'} as const;

/** Is `use` the path of a plugin's folder, and not a shipped plugin's name? */
export const isPath = (use: string): boolean => use.startsWith('.') || use.startsWith('/');

/** The name a plugin instance goes by as far as the config tells: a plugin of one's own is named by its manifest. */
export const instanceName = ({as, use}: PluginEntry): string => as ?? use;

/** Does `store` name a database server, and not a file? */
export const isServer = (store: string): boolean => /^postgres(ql)?:\/\//i.test(store);

/** The file that `store` names, without `sqlite:`. */
export const storeFile = (store: string): string => store.replace(/^sqlite:(\/\/(?=\/))?/, '');

const withSecrets = (
	{clientSecret, privateKey, ...oauth}: ServerOAuth,
	filledIn: (secret: 'clientSecret' | 'privateKey') => string,
): ResolvedOAuth => ({
	...oauth,
	...(clientSecret !== undefined && {clientSecret: filledIn('clientSecret')}),
	...(privateKey !== undefined && {privateKey: filledIn('privateKey')}),
});

const fromEnv = (values: Record<string, string | FromEnv>): string[] =>
	Object.keys(values).filter(name => typeof values[name] === 'object');

/** Fills in what the environment, the defaults and the config's folder say. A variable that must be set and is not is a complaint, and a program that is not there a warning. */
export const resolveConfig = (config: GatewayConfig, file: string, env: NodeJS.ProcessEnv) => {
	const folder = dirname(file);
	const complaints: Complaint[] = [];
	const leftOut: LeftOut[] = [];
	const warnings: Complaint[] = [];

	// A variable set to nothing is not set.
	const secretOf = (secret: string | FromEnv, path: Path, without?: string): string | undefined => {
		if (typeof secret === 'string') return secret;
		const value = env[secret.env];
		if (value) return value;
		if (!secret.optional) {
			const message = `the environment variable ${secret.env} is not set`;
			const mend = without === undefined ? 'Set it.' : `Set it, or write optionalEnv('${secret.env}') to run without this ${without}.`;
			complaints.push({path, at: 'value', message, mend});
		}
		return undefined;
	};

	const missing = new Map<string, string>();
	const providers: Record<string, ResolvedProvider> = {};
	for (const [name, {key, baseUrl, ...provider}] of Object.entries(config.providers)) {
		const secret = key === undefined ? undefined : secretOf(key, ['providers', name, 'key'], 'provider');
		if (typeof key === 'object' && secret === undefined) {
			missing.set(name, key.env);
			leftOut.push({kind: 'provider', name, variable: key.env});
		} else providers[name] = {...provider, baseUrl: (baseUrl ?? baseUrls[provider.speaks]).replace(/\/+$/, ''), key: secret};
	}

	const models: Record<string, string[]> = {};
	for (const [name, deployments] of Object.entries(config.models)) {
		const gone = deployments.filter(deployment => missing.has(providerOf(deployment)));
		const served = deployments.filter(deployment => !gone.includes(deployment));
		for (const deployment of gone) {
			leftOut.push({kind: 'deployment', name: `${deployment} of ${name}`, variable: missing.get(providerOf(deployment))!});
		}
		if (served.length > 0) models[name] = served;
		else leftOut.push({kind: 'model', name, variable: missing.get(providerOf(gone[0]!))!});
	}

	const servers: Record<string, ResolvedServer> = {};
	for (const [name, {stdio, bearer, basic, oauth, headers, ...server}] of Object.entries(config.servers)) {
		const unset: string[] = [];
		const filledIn = (secret: string | FromEnv, path: Path): string => {
			const value = secretOf(secret, ['servers', name, ...path], 'server');
			if (value === undefined && typeof secret === 'object') unset.push(secret.env);
			return value ?? '';
		};
		const valuesOf = (secrets: Record<string, string | FromEnv>, path: Path): Record<string, string> =>
			Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, filledIn(secret, [...path, key])]));
		const resolvedServer: ResolvedServer = {
			...server,
			...(stdio && {
				stdio: {
					command: executable(stdio.command, folder, env.PATH),
					args: stdio.args,
					env: valuesOf(stdio.env, ['stdio', 'env']),
					folder,
				},
			}),
			...(bearer !== undefined && {bearer: filledIn(bearer, ['bearer'])}),
			...(basic && {basic: {user: basic.user, password: filledIn(basic.password, ['basic', 'password'])}}),
			...(oauth && {oauth: withSecrets(oauth, secret => filledIn(oauth[secret]!, ['oauth', secret]))}),
			...(headers && {headers: valuesOf(headers, ['headers']), secretHeaders: fromEnv(headers)}),
		};
		if (resolvedServer.stdio && !isProgram(resolvedServer.stdio.command)) {
			const mend = 'Install it, or write its path; the server cannot be started without it.';
			warnings.push({path: ['servers', name, 'stdio', 'command'], at: 'value', message: 'there is no such program', mend});
		}
		if (unset.length === 0) servers[name] = resolvedServer;
		else leftOut.push({kind: 'server', name, variable: unset[0]!});
	}

	const plugins = config.plugins.map((entry, index): ResolvedPlugin => {
		const {secrets, ...grants} = entry.grants;
		const lent: Record<string, string> = {};
		for (const [name, secret] of Object.entries(secrets ?? {})) {
			const value = secretOf(secret, ['plugins', index, 'grants', 'secrets', name], 'secret');
			if (value !== undefined) lent[name] = value;
			else if (typeof secret === 'object') leftOut.push({kind: 'secret', name: `${name} of ${instanceName(entry)}`, variable: secret.env});
		}
		const use = isPath(entry.use) ? resolve(folder, entry.use) : entry.use;
		return {...entry, use, grants: secrets ? {...grants, secrets: lent} : grants};
	});

	// There is no running without a store, and another than the one that was meant would be worse.
	const store = secretOf(typeof config.store === 'string' ? config.store : {env: config.store.env}, ['store']) ?? '';
	const {sealingKey, ...rest} = config;
	const sealing = sealingKey === undefined ? undefined : secretOf(sealingKey, ['sealingKey']);
	const resolved: ResolvedConfig = {
		...rest,
		...(sealing !== undefined && {sealingKey: sealing}),
		store: isServer(store) ? store : resolve(folder, storeFile(store)),
		journal: {...config.journal, folder: resolve(folder, config.journal.folder)},
		providers,
		servers,
		models,
		plugins,
	};
	return {config: resolved, leftOut, complaints, warnings};
};

/** `claude` of `claude/claude-haiku-4-5`. */
export const providerOf = (deployment: string): string => deployment.slice(0, deployment.indexOf('/'));
