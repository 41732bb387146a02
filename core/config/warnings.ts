import type {GatewayConfig} from '../../schemas/config.ts';
import {didYouMean} from './nearest.ts';
import {type Complaint, complain, type Path, placedNames} from './problems.ts';

/** A model on the same machine seldom has a secret worth keeping. */
const isOnThisMachine = (baseUrl: string | undefined): boolean =>
	baseUrl !== undefined && /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(new URL(baseUrl).hostname);

const patternKeys: ReadonlySet<string> = new Set(['tools', 'servers', 'prompts', 'resources']);

/** By convention a plugin's `tools`, `servers`, `prompts` and `resources` are patterns that begin with a server. */
const ofPatterns = (value: unknown, path: Path, servers: readonly string[], kind = ''): Complaint[] => {
	const named = (pattern: unknown, at: Path): Complaint[] => {
		if (typeof pattern !== 'string' || kind === '') return [];
		const [server = '', rest] = pattern.split('/', 2);
		if (server.includes('*') || servers.includes(server) || (kind !== 'servers' && rest === undefined)) return [];
		const otherwise = servers.length === 0 ? 'Add it to servers.' : `Add it to servers, which has ${servers.join(', ')}.`;
		return [complain(at, `there is no server "${server}"`, didYouMean(server, servers, otherwise))];
	};
	if (typeof value !== 'object' || value === null) return named(value, path);
	return Object.entries(value).flatMap(([key, inner]) => {
		const at = [...path, Array.isArray(value) ? Number(key) : key];
		if (Array.isArray(value)) return ofPatterns(inner, at, servers, kind);
		return [...named(key, at), ...ofPatterns(inner, at, servers, patternKeys.has(key) ? key : '')];
	});
};

/** What runs, and should not stay so. */
export const warningsOf = ({store, sealingKey, providers, servers, models, plugins}: GatewayConfig): Complaint[] => {
	const literal = (path: Path): Complaint =>
		complain(path, 'a secret is written into the config', "Put it into a variable and write env('NAME').");
	const aliases = Object.keys(models);
	return [
		...(typeof store === 'string' && /^\w+:\/\/[^/@]*:[^/@]+@/.test(store) ? [literal(['store'])] : []),
		...Object.entries(providers).flatMap(([name, {key, baseUrl}]) =>
			typeof key === 'string' && !isOnThisMachine(baseUrl) ? [literal(['providers', name, 'key'])] : [],
		),
		...(typeof sealingKey === 'string' ? [literal(['sealingKey'])] : []),
		...Object.entries(servers).flatMap(([name, {url, bearer, basic, oauth}]) => {
			if (isOnThisMachine(url)) return [];
			const secrets: [Path, unknown][] = [
				[['bearer'], bearer],
				[['basic', 'password'], basic?.password],
				[['oauth', 'clientSecret'], oauth?.clientSecret],
				[['oauth', 'privateKey'], oauth?.privateKey],
			];
			return secrets.flatMap(([path, secret]) => (typeof secret === 'string' ? [literal(['servers', name, ...path])] : []));
		}),
		...plugins.flatMap(({grants, when, config}, index) => [
			...ofPatterns(config, ['plugins', index, 'config'], Object.keys(servers)),
			...Object.entries(grants.secrets ?? {}).flatMap(([name, secret]) =>
				typeof secret === 'string' ? [literal(['plugins', index, 'grants', 'secrets', name])] : [],
			),
			...placedNames(when?.model, ['plugins', index, 'when', 'model']).flatMap(({name, at}): Complaint[] => {
				if (aliases.includes(name) || /[*/]/.test(name)) return [];
				return [complain(at, `"${name}" is no model of this config`, didYouMean(name, aliases, 'Write a name that stands in models.'))];
			}),
		]),
	];
};
