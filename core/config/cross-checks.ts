import {resolve} from 'node:path';
import type {GatewayConfig, PluginEntry} from '../../schemas/config.ts';
import {operation} from '../../schemas/hooks.ts';
import {surfaces} from '../exchange.ts';
import {didYouMean} from './nearest.ts';
import {type Complaint, complain, type Path, placedNames, writePath} from './problems.ts';
import {instanceName, isPath, isServer, providerOf, storeFile} from './resolve.ts';
import type {Source} from './source.ts';

const ofAddresses = ({listen, store, providers}: GatewayConfig): Complaint[] => {
	const complaints: Complaint[] = [];
	const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
	if (port > 65_535) complaints.push(complain(['listen'], `there is no port ${port}`, 'Write a port up to 65535; 0 takes any free one.'));
	const scheme = typeof store === 'string' && !isServer(store) ? /^\w*:/.exec(storeFile(store))?.[0] : undefined;
	if (scheme !== undefined) {
		complaints.push(
			complain(
				['store'],
				`"${scheme}" is no store of this release`,
				"Write the path of a SQLite file, like 'data/gateway.db', or env('DATABASE_URL') for a PostgreSQL database.",
			),
		);
	}
	for (const [name, {baseUrl}] of Object.entries(providers)) {
		if (baseUrl === undefined) continue;
		const path = ['providers', name, 'baseUrl'];
		const url = new URL(baseUrl);
		const tail = /\/(chat\/completions|messages|embeddings|models)\/*$/.exec(url.pathname)?.[0];
		if (tail !== undefined) complaints.push(complain(path, `goes too far: the gateway adds "${tail}" itself`, `Leave "${tail}" out.`));
		if (url.username || url.password) complaints.push(complain(path, 'has a password in it', "Take it out and write key: env('NAME')."));
		if (url.search || url.hash) complaints.push(complain(path, 'has a query or a fragment', 'End it with the path.'));
	}
	return complaints;
};

const ofModels = ({models, prices, providers}: GatewayConfig): Complaint[] => {
	const known = Object.keys(providers);
	const unknown = (path: Path, at: 'key' | 'value', name: string): Complaint[] => {
		if (known.includes(name)) return [];
		const otherwise = known.length === 0 ? 'Add it to providers.' : `Add it to providers, which has ${known.join(', ')}.`;
		return [{path, at, message: `there is no provider "${name}"`, mend: didYouMean(name, known, otherwise)}];
	};
	return [
		...Object.entries(models).flatMap(([alias, deployments]) =>
			deployments.flatMap((deployment, index) => unknown(['models', alias, index], 'value', providerOf(deployment))),
		),
		...Object.keys(prices).flatMap((key): Complaint[] => {
			const path = ['prices', key];
			if (key.includes('/')) return unknown(path, 'key', providerOf(key));
			if (key.endsWith('*')) return [];
			return [{path, at: 'key', message: `"${key}" is no deployment`, mend: `Write 'provider/${key}'.`}];
		}),
	];
};

const ofTools = ({toolPrices, servers}: GatewayConfig): Complaint[] => {
	const known = Object.keys(servers);
	return Object.keys(toolPrices).flatMap((key): Complaint[] => {
		const name = key.slice(0, Math.max(0, key.indexOf('/')));
		if (name === '' || known.includes(name)) return [];
		const otherwise = known.length === 0 ? 'Add it to servers.' : `Add it to servers, which has ${known.join(', ')}.`;
		const mend = didYouMean(name, known, otherwise);
		return [{path: ['toolPrices', key], at: 'key', message: `there is no server "${name}"`, mend}];
	});
};

/** What plugins may ask has to be served by somebody. */
const ofQuestions = ({plugins, models, providers}: GatewayConfig): Complaint[] => {
	const aliases = Object.keys(models);
	const isServed = (name: string): boolean => aliases.includes(name) || (name.includes('/') && Object.hasOwn(providers, providerOf(name)));
	return plugins.flatMap(({grants}, index) =>
		(grants.models ?? []).flatMap((name, place): Complaint[] => {
			if (isServed(name)) return [];
			const mend = didYouMean(name, aliases, "Write a name that stands in models, or 'provider/model'.");
			return [complain(['plugins', index, 'grants', 'models', place], `nobody serves "${name}"`, mend)];
		}),
	);
};

const hostPattern = /^((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

const ofGrants = ({use, trust, grants}: PluginEntry, path: Path): Complaint[] => {
	const complaints: Complaint[] = [];
	if (trust !== undefined && !isPath(use)) {
		const message = `"${use}" is a shipped plugin, trusted by the digest it ships with`;
		complaints.push(complain([...path, 'trust'], message, 'Leave trust out.'));
	}
	for (const [index, host] of (grants.http ?? []).entries()) {
		if (hostPattern.test(host)) continue;
		const named = URL.canParse(host) ? new URL(host).host : '';
		const mend = named === '' ? "Write hosts: 'dlp.acme.example', 'dlp.acme.example:8443' or '*.acme.example'." : `Write '${named}'.`;
		complaints.push(complain([...path, 'grants', 'http', index], 'is not a host', mend));
	}
	return complaints;
};

/** A plugin's config crosses a wall as JSON: what JSON cannot say would be lost on the way, and so would env(). */
const notJson = (value: unknown, path: Path, source: Source): Complaint[] => {
	const call = source.callAt(path);
	if (call === 'env' || call === 'optionalEnv') {
		const mend = `Lend it as a secret: grants: {secrets: {${String(path.at(-1))}: ${call}('…')}}.`;
		return [complain(path, `${call}() is not read inside a plugin's config`, mend)];
	}
	if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return [];
	if (Array.isArray(value)) return value.flatMap((entry, index) => notJson(entry, [...path, index], source));
	if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
		return Object.entries(value).flatMap(([key, entry]) => notJson(entry, [...path, key], source));
	}
	const what =
		typeof value === 'object'
			? `a ${value.constructor?.name ?? 'bare object'}`
			: typeof value === 'function'
				? 'a function'
				: String(value);
	return [
		complain(path, `a plugin's config is JSON, and this is ${what}`, 'Write strings, numbers, true, false, null, lists and objects.'),
	];
};

/** A name that nothing has would keep a plugin out of everything, and nobody would notice. */
const ofScope = ({when = {}}: PluginEntry, path: Path, servers: readonly string[]): Complaint[] => {
	const known = {operation: operation.options, surface: surfaces, server: servers};
	return (['operation', 'surface', 'server'] as const).flatMap(key =>
		placedNames(when[key], [...path, 'when', key]).flatMap(({name, at}): Complaint[] => {
			const isKnown = (one: string): boolean => (name.endsWith('*') ? one.startsWith(name.slice(0, -1)) : one === name);
			if (known[key].some(isKnown)) return [];
			const all = known[key].length === 0 ? 'a server of this config' : `one of ${known[key].join(', ')}`;
			const mend = didYouMean(name, known[key], 'Write one of them, or leave it out for all.');
			const message = `"${name}" is not ${all}, so this plugin would never be asked`;
			return [complain(at, message, mend)];
		}),
	);
};

const ofPlugins = ({plugins, servers}: GatewayConfig, folder: string, source: Source): Complaint[] => {
	const names = new Map<string, Path>();
	return plugins.flatMap((entry, index) => {
		const path: Path = ['plugins', index];
		const complaints = ofGrants(entry, path);
		const name = entry.as === undefined && isPath(entry.use) ? resolve(folder, entry.use) : instanceName(entry);
		const taken = names.get(name);
		if (taken) {
			const place = [...path, entry.as === undefined ? 'use' : 'as'];
			const mend = "Give each instance a name of its own with as: 'another-name'.";
			complaints.push(complain(place, `"${instanceName(entry)}" is already the name of ${writePath(taken)}`, mend));
		} else names.set(name, path);
		return [...complaints, ...ofScope(entry, path, Object.keys(servers)), ...notJson(entry.config ?? {}, [...path, 'config'], source)];
	});
};

const ofOAuth = ({listen, publicUrl, sealingKey, store, mcp, servers}: GatewayConfig): Complaint[] => {
	const perUser = Object.entries(servers).filter(([, {oauth}]) => oauth?.grant === 'authorization_code');
	const mend = "Add publicUrl: 'https://…', the origin that clients and browsers call this gateway by.";
	const places: Path[] = [...(mcp.oauth ? [['mcp', 'oauth']] : []), ...perUser.map(([name]) => ['servers', name, 'oauth'])];
	const isOnLoopback = /^(localhost|127(\.\d+){3}|\[::1\]):/.test(listen);
	const unnamed = publicUrl === undefined && !isOnLoopback ? places : [];
	const isShared = typeof store !== 'string' || isServer(store);
	const unsealed = isShared && sealingKey === undefined ? perUser : [];
	const isShort = typeof sealingKey === 'string' && sealingKey.length < 32;
	return [
		...unnamed.map(path => complain(path, 'tokens name this gateway, and it does not know its own address', mend)),
		...unsealed.map(([name]) =>
			complain(
				['servers', name, 'oauth'],
				'what users entrust to this gateway is sealed, and all gateways on a database need the same key for it',
				"Add sealingKey: env('SALLYPORT_SEALING_KEY').",
			),
		),
		...(isShort ? [complain(['sealingKey'], 'is shorter than 32 characters', 'Make one: openssl rand -base64 32.')] : []),
	];
};

/** What is wrong between one part of the config and another, and what a schema cannot say. */
export const crossCheck = (config: GatewayConfig, folder: string, source: Source): Complaint[] => [
	...ofAddresses(config),
	...ofModels(config),
	...ofTools(config),
	...ofOAuth(config),
	...ofPlugins(config, folder, source),
	...ofQuestions(config),
];
