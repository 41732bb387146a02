import type {JsonObject} from '../llm/json.ts';
import {stamp} from './hop.ts';
import {factsOf, type ServerFacts} from './link.ts';
import {RpcError} from './rpc.ts';
import {legacyVersions, ourselves, statelessVersion} from './versions.ts';

type Options = {
	name: string;
	ask: (method: string, params: JsonObject) => Promise<JsonObject>;
	tell: (method: string) => void;
};

/** What a server says that knows no `initialize`; undefined where it is not of the stateless era either. */
const discovered = async (ask: Options['ask']): Promise<JsonObject | undefined> => {
	const found = await ask('server/discover', stamp({}));
	return Array.isArray(found.supportedVersions) && found.supportedVersions.includes(statelessVersion) ? found : undefined;
};

/** Says hello to a process: sessions first, since servers of that era may end at anything that comes before. Rejects as `ask` does. */
export const greetOverStdio = async ({name, ask, tell}: Options): Promise<ServerFacts> => {
	const hello = {protocolVersion: legacyVersions[0], capabilities: {}, clientInfo: ourselves};
	let isStateless = false;
	const {protocolVersion, ...said} = await ask('initialize', hello).catch(async thrown => {
		const found = thrown instanceof RpcError ? await discovered(ask) : undefined;
		if (!found) throw thrown;
		isStateless = true;
		return found;
	});
	if (isStateless) return factsOf(name, {era: 'stateless', version: statelessVersion}, said);
	const facts = factsOf(name, {era: 'legacy', version: String(protocolVersion)}, said);
	tell('notifications/initialized');
	return facts;
};
